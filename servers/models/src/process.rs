//! Acceptors and connections as processes.
//!
//! | file | what |
//! |---|---|
//! | `settings.rs` | [`ProcessSettings`]: how the processes of a server are started, confined, replaced |
//! | `kin.rs` | how a process comes by its service: with a state of its own, or asking for it |
//! | `launching.rs` | a server of the following |
//! | `worker.rs` | an acceptor in a process of its own, which serves inline |
//! | `standing.rs` | standing workers to which a dispatcher passes connections |
//! | `connection.rs` | one connection in a process of its own |
//! | `overseer.rs` | the actor of the parent that kills processes whose calls do not end |
//! | `keeper.rs` | the actor of the parent that keeps a state for its processes |

mod connection;
mod keeper;
mod kin;
mod launching;
mod overseer;
mod settings;
mod standing;
mod worker;

pub(crate) use connection::passing;
pub(crate) use keeper::{KEEPER, keep};
pub(crate) use kin::{Alone, Asking, Kin};
pub(crate) use launching::Made;
pub(crate) use overseer::{OVERSEER, oversee};
pub use settings::{AcceptBy, ProcessSettings, RecycleSettings};
pub(crate) use standing::Desk;
pub(crate) use worker::{Workers, work};

use std::sync::Arc;
use std::time::Duration;

use palco_actors::{Failure, Grant, Luggage, Parcel, Portable, ProcessOptions, Repertoire};
use palco_service::{Relaunch, SharedState};

use crate::deadlines::Deadlines;
use crate::requests::{Issue, IssueArgs, Serving};
use connection::ConnectionActor;
use standing::Worker;
use worker::Acceptor;

/// What all processes of one server get.
pub(crate) struct Common<K: Kin> {
    pub(crate) config: K::Config,
    pub(crate) options: ProcessOptions,
    pub(crate) drain_within: Duration,
    pub(crate) deadlines: Deadlines,
    /// Whom to ask for the state.
    pub(crate) grant: Option<Grant>,
    /// Who serves which seat.
    pub(crate) serving: Arc<Serving>,
}

/// Adds what processes must know to serve `S`, each with a state of its own, to what they know already.
///
/// ```
/// use palco_actors::Repertoire;
/// use palco_service::services::echo::EchoService;
///
/// let repertoire = palco_models::players::<EchoService>(Repertoire::new());
/// assert!(repertoire.kinds().eq(["acceptor/echo", "connection/echo", "worker/echo"]));
/// ```
#[must_use]
pub fn players<S: Relaunch>(repertoire: Repertoire) -> Repertoire {
    troupe::<Alone<S>>(repertoire)
}

/// As [`players`], and with one state for all processes of a server.
#[must_use]
pub fn players_that_share<S: SharedState>(repertoire: Repertoire) -> Repertoire {
    troupe::<Asking<S>>(players::<S>(repertoire))
}

/// What [`Common::equip`] has packed, in the process.
fn unpack(issue: Option<IssueArgs>, luggage: &mut Luggage) -> Result<Option<Arc<Issue>>, Failure> {
    let watched = |issue: IssueArgs| Ok(issue.with_watch(luggage.take_descriptor()?));
    issue.map(watched).transpose()
}

fn troupe<K: Kin>(repertoire: Repertoire) -> Repertoire {
    repertoire.with::<Acceptor<K>>().with::<ConnectionActor<K>>().with::<Worker<K>>()
}

impl<K: Kin> Common<K> {
    fn options(self: &Arc<Self>) -> ProcessOptions {
        self.options.clone()
    }

    /// For the arguments of a process.
    fn issue(&self) -> Option<IssueArgs> {
        self.serving.issue().map(|issue| issue.args())
    }

    /// What every process has beside its own descriptors, which come first.
    fn equip<A: Portable>(&self, parcel: Parcel<A>) -> Result<Parcel<A>, Failure> {
        let parcel = match self.serving.issue() {
            Some(issue) => parcel.with_descriptor(issue.watch.file()?),
            None => parcel,
        };
        Ok(match &self.grant {
            Some(grant) => parcel.with_grant(grant.clone()),
            None => parcel,
        })
    }
}
