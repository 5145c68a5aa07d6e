//! The values of a register as server-sent events (HTML Living Standard, section 9.2).

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::Data;
use bytes::Bytes;
use futures_util::{Stream, stream};
use palco_rambo::Outcome;
use serde_json::json;
use tokio::select;
use tokio::time::{Instant, sleep_until};

use super::Watcher;
use crate::http::problem::Problem;
use crate::http::shared::{Found, Shared, bytes_as_json};

/// A comment is sent when nothing else was for so long: otherwise a client that has gone would not be noticed.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// After how many milliseconds a browser connects again.
const RETRY: &str = "retry: 1000\n\n";

/// One client.
struct Client {
    shared: Data<Shared>,
    watcher: Watcher,
    /// What the client has.
    known: Option<String>,
    stage: Stage,
}

/// Where a stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begins,
    Flows,
    /// The last read has failed, and the client knows.
    Fails,
}

/// Every value that is seen and was not the last one, for as long as the client takes them.
pub(crate) fn events(
    shared: Data<Shared>,
    watcher: Watcher,
    known: Option<String>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let client = Client { shared, watcher, known, stage: Stage::Begins };
    stream::unfold(client, |mut client| async move {
        let piece = client.next().await?;
        Some((Ok(piece), client))
    })
}

impl Client {
    /// Nothing when the gateway ends.
    async fn next(&mut self) -> Option<Bytes> {
        if self.stage == Stage::Begins {
            self.stage = Stage::Flows;
            return Some(Bytes::from_static(RETRY.as_bytes()));
        }
        let alive_at = Instant::now() + ALIVE_EVERY;
        loop {
            let seen = select! {
                seen = self.watcher.next() => seen,
                () = sleep_until(alive_at) => return Some(Bytes::from_static(b": alive\n\n")),
                () = self.shared.ends() => return None,
            };
            let text = match seen {
                Ok(found) => self.found(&found),
                Err(outcome) => self.failed(&outcome),
            };
            if let Some(text) = text {
                return Some(text.into());
            }
        }
    }

    fn found(&mut self, found: &Found) -> Option<String> {
        self.stage = Stage::Flows;
        let etag = found.etag.opaque();
        if self.known.as_deref() == Some(etag) {
            return None;
        }
        self.known = Some(etag.to_owned());
        let value = found.value.as_ref().map(bytes_as_json);
        let data = json!({ "etag": found.etag.quoted(), "value": value });
        Some(format!("event: value\nid: {etag}\ndata: {data}\n\n"))
    }

    /// Said once, until a read succeeds again.
    fn failed(&mut self, outcome: &Outcome) -> Option<String> {
        if self.stage == Stage::Fails {
            return None;
        }
        self.stage = Stage::Fails;
        let data = json!({ "detail": Problem::of_read(outcome).to_string() });
        Some(format!("event: unavailable\ndata: {data}\n\n"))
    }
}
