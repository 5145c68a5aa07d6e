//! The requests of one server that are being served, and what can be done about each.
//!
//! | file | what |
//! |---|---|
//! | `lines.rs` | where each connection stands, in words that all processes of the server share |
//! | `line.rs` | the same, in the hands of whoever serves |
//! | `serving.rs` | which actor serves which line |
//! | `issue.rs` | what tickets are made from, and by what urgent data is told apart |
//! | `act.rs`, `priority.rs` | cancel, hold, resume, priority, status |
//! | `heard.rs` | TCP urgent data |
//! | `urgent.rs` | [`Urgent`]: the port for the requests of all servers |
//!
//! A request is interrupted and held by the signals of the actor that serves it, so by whatever its place has: the
//! future is not polled, the thread rests at a checkpoint, the process is stopped. What the lines add is *which*
//! request is meant: a signal that comes when its request is over does nothing to the next.

mod act;
mod heard;
mod issue;
mod line;
mod lines;
mod priority;
mod serving;
mod urgent;

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use palco_actors::{AnyRef, PlaceKind, System};
use palco_core::{Nice, RequestId, RequestState};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

pub(crate) use issue::{Issue, IssueArgs};
pub(crate) use line::Line;
use lines::Words;
pub(crate) use lines::{Lines, words_of};
pub(crate) use priority::turns;
pub(crate) use serving::Serving;
pub use urgent::{Urgent, UrgentSettings, UrgentStatus};

/// A request that is being served, as seen from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// Which.
    pub request: RequestId,
    /// Running or held.
    pub state: RequestState,
    /// For how long it has been going on.
    pub age_ms: u64,
    /// Its client.
    pub peer: Option<SocketAddr>,
    /// Where it is served.
    pub place: PlaceKind,
    /// Who serves it, as a path.
    pub actor: Option<String>,
    /// The priority that somebody gave it.
    pub nice: Option<Nice>,
}

/// The requests of one server.
#[derive(Debug)]
pub(crate) struct Requests {
    system: System,
    server: Box<str>,
    place: PlaceKind,
    /// Who serves goes on to serve others.
    is_standing: bool,
    serving: Arc<Serving>,
    me: Weak<Self>,
    /// The connection whose odd urgent byte was logged last.
    odd: Mutex<u64>,
}

/// A connection that has been found.
#[derive(Clone, Copy, Debug)]
struct Found {
    index: usize,
    serial: u64,
}

impl Requests {
    pub(crate) fn new(
        system: &System,
        server: &str,
        place: PlaceKind,
        is_standing: bool,
        serving: Arc<Serving>,
    ) -> Arc<Self> {
        let (system, server) = (system.clone(), server.into());
        Arc::new_cyclic(|me| Self {
            system,
            server,
            place,
            is_standing,
            serving,
            me: me.clone(),
            odd: Mutex::new(0),
        })
    }

    pub(crate) fn issue(&self) -> Option<&Arc<Issue>> {
        self.serving.issue()
    }

    /// Each connection that is held: the number of its latest request, and whether that is being served.
    pub(crate) fn progress(&self) -> impl Iterator<Item = (u64, bool)> {
        let held = self.serving.lines().all().filter(|(_, line)| line.serial() != 0);
        held.map(|(_, line)| line.progress())
    }

    /// The requests that are being served, longest first; at most `max`.
    pub(crate) fn views(&self, max: usize) -> Vec<RequestView> {
        let mut views: Vec<_> =
            self.serving.lines().all().filter_map(|(index, line)| self.view(index, line)).collect();
        views.sort_by_key(|view| std::cmp::Reverse(view.age_ms));
        views.truncate(max);
        views
    }

    fn view(&self, index: usize, line: Words<'_>) -> Option<RequestView> {
        let connection = line.serial();
        let (number, true) = line.progress() else { return None };
        let found = Found { index, serial: connection };
        let actor = self.serving.actor(index);
        let view = RequestView {
            request: RequestId { server: self.server.clone(), connection, number },
            state: self.state(found, number),
            age_ms: line.age_ms(),
            peer: line.peer(),
            place: self.place,
            actor: actor.map(|actor| actor.path()),
            nice: line.nice(),
        };
        // It has not changed hands meanwhile.
        (connection != 0 && line.serial() == connection).then_some(view)
    }

    fn line(&self, found: Found) -> Words<'_> {
        self.serving.lines().line(found.index)
    }

    fn find(&self, connection: u64) -> Option<Found> {
        let (index, _) = self.serving.lines().find(connection)?;
        Some(Found { index, serial: connection })
    }

    fn actor(&self, found: Found) -> Option<AnyRef> {
        self.serving.actor(found.index)
    }

    /// Where a request of a connection that was found stands now.
    fn state(&self, found: Found, number: u64) -> RequestState {
        let line = self.line(found);
        let state = line.state(number);
        if line.serial() != found.serial {
            return RequestState::Finished;
        }
        let is_held = || self.actor(found).is_some_and(|actor| actor.is_at_rest());
        if state == RequestState::Running && is_held() { RequestState::Held } else { state }
    }

    /// Where a request stands whose connection was not found.
    fn state_of_gone(&self, request: &RequestId) -> RequestState {
        if self.serving.lines().has_been(request.connection) && request.number > 0 {
            RequestState::Finished
        } else {
            RequestState::NotFound
        }
    }
}
