//! A server that nobody uses ends, and who comes at that moment is either served or still waits in the socket's queue.
//!
//! To look whether somebody is there and then to stop would lose who is accepted in between: a stop ends a connection that
//! has asked nothing yet. So the acceptors are suspended first. Between an accept and the count of it an acceptor does not
//! rest; when all of them rest, the counts are true, and nobody is accepted before they go on.

use std::time::Duration;

use palco_actors::{AnyRef, Effect, Signal, Status};

use crate::drain::DrainReport;
use crate::scoreboard::Scores;
use crate::server::Server;

/// An acceptor that does not rest after so long is busy, or being started again: the server is not left then.
const REST_WITHIN: Duration = Duration::from_secs(1);

/// Acceptors that are suspended, until this is dropped.
pub(crate) struct Resting(Vec<AnyRef>);

impl Resting {
    /// `None` when one of them cannot rest now, or somebody else has suspended it.
    pub(crate) async fn all(acceptors: Vec<AnyRef>) -> Option<Self> {
        let is_held = |actor: &AnyRef| {
            matches!(actor.snapshot().status, Status::Suspending | Status::Suspended)
        };
        if acceptors.iter().any(is_held) {
            return None;
        }
        let resting = Self(acceptors);
        // All at once, then one after the other.
        resting.signal(Signal::Suspend);
        for actor in &resting.0 {
            match actor.signal_within(Signal::Suspend, REST_WITHIN).await {
                Effect::Done => {}
                Effect::Pending { .. } | Effect::Ended => return None,
            }
        }
        Some(resting)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        for actor in &self.0 {
            actor.signal(signal);
        }
    }
}

impl Drop for Resting {
    fn drop(&mut self) {
        self.signal(Signal::Resume);
    }
}

impl Server {
    /// Drains if nobody has used the server since it had the scores `seen`: no connection is open, none was, and none waits
    /// to be accepted. On a socket of others ([`Listen::On`](crate::Listen::On)) who comes meanwhile waits there for the next
    /// server. `None`: somebody is there, or an acceptor cannot be asked now, because somebody has suspended it or it is being
    /// started; then nothing has changed.
    ///
    /// Cancelled before the drain, it leaves the server as it was.
    pub async fn drain_unless_used(&self, seen: &Scores) -> Option<DrainReport> {
        if seen.active > 0 || self.scores() != *seen {
            return None;
        }
        // First, so that nobody joins those who accept.
        let crew = Resting::all(self.crew()).await?;
        let resting = Resting::all(self.all_acceptors()?).await?;
        if self.scores() != *seen || self.is_anybody_waiting() {
            return None;
        }
        // In this order: they find the stop when they go on, and accept nobody any more.
        crew.signal(Signal::Stop);
        resting.signal(Signal::Stop);
        drop((crew, resting));
        Some(self.drain().await)
    }

    /// Whether there is somebody to accept.
    fn is_anybody_waiting(&self) -> bool {
        self.roster().is_some_and(|roster| roster.is_anybody_waiting())
    }
}
