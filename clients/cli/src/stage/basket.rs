//! How service `basket` is served: its part of `palco serve basket` and of a stage file.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use palco_dashboard::{Token, TokenError};
use palco_service::services::basket::{Secret, SessionsConfig, SignedConfig, TTL_DEFAULT};
use serde::Deserialize;

use super::ServiceKind;

/// The longest time to live: 366 days.
const TTL_MAX: Duration = Duration::from_hours(366 * 24);

/// Who keeps the baskets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// The client: its cookie is the basket, signed; the server remembers nothing.
    #[default]
    Client,
    /// The server: the cookie names a session there.
    Server,
}

/// How many connections this process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connections {
    One,
    Many,
}

/// `[server.basket]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct BasketEntry {
    /// Who keeps the baskets.
    pub(crate) sessions: Side,
    /// How long one lasts after the last request.
    #[serde(deserialize_with = "super::duration")]
    pub(crate) ttl: Duration,
    /// The file with the secret that signs cookies; one is made at start if not given.
    pub(crate) secret: Option<PathBuf>,
}

impl Default for BasketEntry {
    fn default() -> Self {
        Self { sessions: Side::default(), ttl: TTL_DEFAULT, secret: None }
    }
}

impl BasketEntry {
    /// Whether the server remembers anything.
    pub(crate) fn has_state(&self) -> bool {
        self.sessions == Side::Server
    }

    /// What signed baskets are made from.
    pub(crate) fn client(&self) -> Result<SignedConfig, TokenError> {
        let token = match &self.secret {
            Some(path) => Token::from_file(path)?,
            None => Token::random()?,
        };
        Ok(SignedConfig { secret: Secret::new(token.reveal()), ttl: self.ttl })
    }

    /// What sessions are made from.
    pub(crate) fn server(&self) -> SessionsConfig {
        SessionsConfig { ttl: self.ttl, ..SessionsConfig::default() }
    }
}

/// Whether the service can be served so.
pub(crate) fn check(
    service: ServiceKind,
    basket: Option<&BasketEntry>,
    connections: Connections,
) -> Result<()> {
    if service != ServiceKind::Basket {
        ensure!(
            basket.is_none(),
            "--sessions, --ttl and --secret (`basket` in a file) belong to service `basket`, not to `{service}`"
        );
        return Ok(());
    }
    let entry = basket.cloned().unwrap_or_default();
    ensure!(
        (Duration::from_secs(1)..=TTL_MAX).contains(&entry.ttl),
        "a basket lasts for 1s to 366days, not for {} (--ttl, or `ttl` in [server.basket])",
        humantime::format_duration(entry.ttl)
    );
    ensure!(
        entry.secret.is_none() || entry.sessions == Side::Client,
        "a secret signs the cookies of --sessions client; with --sessions server nothing is signed"
    );
    ensure!(
        connections == Connections::Many || entry.secret.is_some(),
        "a process that serves one connection has no sessions, and no secret that the next one knows: --sessions client \
         --secret FILE"
    );
    Ok(())
}

/// The same on the command line.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Service `basket`")]
pub(crate) struct BasketArgs {
    /// Who keeps the baskets [default: client]
    #[arg(long, value_name = "SIDE", value_enum)]
    sessions: Option<Side>,
    /// How long a basket lasts after the last request [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    ttl: Option<Duration>,
    /// The file with the secret that signs cookies, 16 to 256 letters or digits [default: a new secret at every start]
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
}

impl BasketArgs {
    /// None if nothing is said.
    pub(crate) fn entry(&self) -> Option<BasketEntry> {
        let Self { sessions, ttl, secret } = self;
        let is_said = sessions.is_some() || ttl.is_some() || secret.is_some();
        is_said.then(|| BasketEntry {
            sessions: sessions.unwrap_or_default(),
            ttl: ttl.unwrap_or(TTL_DEFAULT),
            secret: secret.clone(),
        })
    }
}
