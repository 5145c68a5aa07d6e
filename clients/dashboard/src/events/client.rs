//! From the ring to one client: snapshot, what follows, what was lost.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use actix_web::web::Data;
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::ring::{Body, Taken};
use super::{Seat, pump};
use crate::shared::Shared;

/// A comment is sent when nothing else was for so long: otherwise a client that has gone would not be noticed.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// After how many milliseconds a browser connects again.
const RETRY_MS: u64 = 1000;

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    shared: Data<Shared>,
    can_act: bool,
    /// The place in the ring that comes next.
    place: u64,
    /// Everything up to this number is in the snapshot that the client has.
    known: u64,
    /// What is sent before anything from the ring.
    first: Option<String>,
    _seat: Seat,
}

/// Where a client was when it lost its connection.
#[derive(Debug)]
pub(crate) struct Resume<'a>(pub(crate) Option<&'a str>);

impl Client {
    pub(crate) fn new(
        shared: Data<Shared>,
        seat: Seat,
        can_act: bool,
        resume: &Resume<'_>,
    ) -> Self {
        let hub = &shared.hub;
        let known = resume.0.and_then(|id| hub.seq(id));
        let followed = known.and_then(|seq| Some((seq, hub.ring.lock().after(seq)?)));
        let mut client = Self { shared, can_act, place: 0, known: 0, first: None, _seat: seat };
        let retry = format!("retry: {RETRY_MS}\n\n");
        client.first = Some(match followed {
            Some((known, place)) => {
                (client.known, client.place) = (known, place);
                retry
            }
            None => retry + &client.afresh(),
        });
        client
    }

    /// What the client is sent, piece by piece, for as long as it takes them.
    pub(crate) fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut client| async move {
            let piece = client.next().await;
            Some((Ok(piece), client))
        })
    }

    async fn next(&mut self) -> Bytes {
        if let Some(first) = self.first.take() {
            return first.into();
        }
        let alive_at = Instant::now() + ALIVE_EVERY;
        let shared = self.shared.clone();
        loop {
            // Before the look, so that nothing comes between.
            let mut news = pin!(shared.hub.news.notified());
            news.as_mut().enable();
            let taken = shared.hub.ring.lock().take(self.place);
            match taken {
                Taken::Event(event, next) => {
                    self.place = next;
                    match event.body {
                        Body::Lost(updates) => return self.lost(updates),
                        Body::Text(_) if event.seq.is_some_and(|seq| seq <= self.known) => {}
                        Body::Text(text) => return text,
                    }
                }
                Taken::Missed(events) => return self.lost(events),
                Taken::Nothing => {
                    tokio::select! {
                        () = news => {}
                        () = sleep_until(alive_at) => return Bytes::from_static(b": alive\n\n"),
                    }
                }
            }
        }
    }

    fn lost(&mut self, updates: u64) -> Bytes {
        let lost = self.shared.hub.text("lost", None, &json!({ "updates": updates }));
        (lost.unwrap_or_default() + &self.afresh()).into()
    }

    /// A fresh snapshot; what comes later follows on it.
    fn afresh(&mut self) -> String {
        pump::start(&self.shared);
        self.place = self.shared.hub.ring.lock().end();
        let view = self.shared.view(self.can_act);
        self.known = view.observed.seq;
        self.shared.hub.text("snapshot", Some(self.known), &view).unwrap_or_default()
    }
}
