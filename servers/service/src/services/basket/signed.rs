//! State in the client: the cookie is the basket, with the time until which it is good, signed.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use constant_time_eq::constant_time_eq;
use serde::{Deserialize, Serialize};

use super::response::{COOKIE_BESIDE_BYTES_MAX, seconds};
use super::{BasketCodec, BasketService, Items, Keep, Kept, Kind, Problem, Question, Secret};
use crate::{CannotRelaunch, Relaunch};

/// The largest cookie with its name and attributes: 4 KiB, what every client keeps (RFC 6265 section 6.1).
pub const COOKIE_BYTES_MAX: usize = 4096;

/// What [`Signed`] is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedConfig {
    /// What signs the cookies: every process that has it believes them.
    pub secret: Secret,
    /// How long a cookie is good.
    pub ttl: Duration,
}

/// Signs baskets and believes its signatures. It has no state.
#[derive(Clone, Debug)]
pub struct Signed(SignedConfig);

impl Signed {
    /// With this secret.
    #[must_use]
    pub fn new(config: SignedConfig) -> Self {
        Self(config)
    }

    /// The basket in a cookie.
    fn read(&self, cookie: &str, now_ms: u64) -> Result<Items, Problem> {
        let signed = cookie.split_once('.').filter(|(text, signature)| {
            constant_time_eq(self.0.secret.sign(text).as_bytes(), signature.as_bytes())
        });
        let read = signed.and_then(|(text, _)| {
            let json = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
            serde_json::from_slice::<(u64, Items)>(&json).ok()
        });
        let Some((expires_s, items)) = read else {
            return Err(Problem::new(
                Kind::CookieForged,
                "The cookie was not signed here, or not with the secret that is used now, or was changed since. It is \
                 deleted: ask again without it, and begin with an empty basket.",
            ));
        };
        let ago_ms = now_ms.checked_sub(expires_s.saturating_mul(1000));
        if let Some(ago_ms) = ago_ms {
            return Err(Problem::new(
                Kind::CookieExpired,
                format!(
                    "The cookie expired {} s ago, because nothing was asked with it for {} s. It is deleted: ask again \
                     without it, and begin with an empty basket.",
                    ago_ms / 1000,
                    seconds(self.0.ttl),
                ),
            ));
        }
        Ok(items)
    }

    /// The cookie of a basket.
    fn write(&self, items: &Items, now_ms: u64) -> Result<String, Problem> {
        let ttl_ms = u64::try_from(self.0.ttl.as_millis()).unwrap_or(u64::MAX);
        let expires_s = now_ms.saturating_add(ttl_ms).div_ceil(1000);
        let json = serde_json::to_vec(&(expires_s, items)).expect("names and numbers are JSON");
        let text = BASE64_URL_SAFE_NO_PAD.encode(&json);
        let signature = self.0.secret.sign(&text);
        let cookie = format!("{text}.{signature}");
        if cookie.len() + COOKIE_BESIDE_BYTES_MAX > COOKIE_BYTES_MAX {
            return Err(Problem::new(
                Kind::BasketFull,
                format!(
                    "With this the cookie would be larger than {COOKIE_BYTES_MAX} bytes, which clients need not keep. Take \
                     something out first; the basket is as it was."
                ),
            ));
        }
        Ok(cookie)
    }

    fn answer(&self, question: Question) -> Result<Kept, Problem> {
        let Question { cookie, operation, now_ms } = question;
        let mut items = match &cookie {
            Some(cookie) => self.read(cookie, now_ms)?,
            None => Items::default(),
        };
        items.apply(operation);
        let is_kept = cookie.is_some() || !items.is_empty();
        let cookie = if is_kept { Some(self.write(&items, now_ms)?) } else { None };
        Ok(Kept { items, cookie, note: None })
    }
}

impl Keep for Signed {
    const COOKIE: &'static str = "basket";
    const SIDE: &'static str = "client";

    fn ttl(&self) -> Duration {
        self.0.ttl
    }

    async fn serve(&self, question: Question) -> Result<Kept, Problem> {
        self.answer(question)
    }
}

impl Relaunch for BasketService<Signed> {
    const NAME: &'static str = "basket-client";
    type Config = SignedConfig;
    type Codec = BasketCodec;

    fn relaunch(config: &SignedConfig) -> Result<(Self, BasketCodec), CannotRelaunch> {
        Ok((Self::new(Signed::new(config.clone())), BasketCodec::default()))
    }
}
