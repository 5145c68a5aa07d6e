//! How to serve.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{Place, PlaceKind, Restart, SpawnOptions, Supervision};

use crate::admission::Limits;
use crate::crew::{Affinity, Bounds, Crew};
use crate::deadlines::Deadlines;
use crate::model::{ModelKind, Plan, PlanError, ServedBy};
use crate::process::{AcceptBy, ProcessSettings};
use crate::requests::Urgent;
use crate::team;

/// An acceptor may take this much longer to stop than connections that are actors of their own.
const ACCEPTOR_GRACE: Duration = Duration::from_secs(2);

/// Where a server listens.
#[derive(Clone, Debug)]
pub enum Listen {
    /// On an address of its own; port 0 takes a free one.
    At(SocketAddr),
    /// On a socket that listens already and belongs to somebody else too: an activator, the next instance of the same
    /// server. Its backlog stays as it is, and a drain leaves it open: who comes then waits in its queue for the next.
    ///
    /// Several servers may have it at the same time, also in different places: each is served by who accepts it first.
    On(Arc<TcpListener>),
    /// On a socket that another server has handed over, and that is this one's own from now on: a drain ends the
    /// listening. Its backlog stays as it is.
    Taken(Arc<TcpListener>),
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self::At(address)
    }
}

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The server's name: its place in the tree.
    pub name: String,
    /// Who accepts and who serves.
    pub model: ModelKind,
    /// Where.
    pub place: PlaceKind,
    /// How many workers a team has; the model's default if not given.
    pub workers: Option<usize>,
    /// Where to listen.
    pub listen: Listen,
    /// How many connections.
    pub limits: Limits,
    /// How long clients and handlers may take.
    pub deadlines: Deadlines,
    /// How long a connection may take to end when the server stops, before it is killed.
    pub drain_within: Duration,
    /// What happens when an acceptor fails.
    pub supervision: Supervision,
    /// Who its workers are: spares, their lives, their sockets, their cores.
    pub crew: Crew,
    /// How its processes are started, in place `process`; defaults if not given.
    pub process: Option<ProcessSettings>,
    /// Where its clients can interrupt their requests; without it only who has the [`Server`](crate::Server) can.
    pub urgent: Option<Arc<Urgent>>,
}

impl ServerSettings {
    /// On a free port of 127.0.0.1, with default limits and supervision and five seconds to drain.
    #[must_use]
    pub fn new(name: impl Into<String>, model: ModelKind, place: PlaceKind) -> Self {
        Self {
            name: name.into(),
            model,
            place,
            workers: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)).into(),
            limits: Limits::default(),
            deadlines: Deadlines::default(),
            drain_within: Duration::from_secs(5),
            supervision: Supervision::default(),
            crew: Crew::default(),
            process: None,
            urgent: None,
        }
    }

    /// Whether a server can be had with these settings.
    ///
    /// # Errors
    /// [`PlanError`] says what does not fit.
    pub fn check(&self) -> Result<(), PlanError> {
        self.plan().map(drop)
    }

    pub(crate) fn plan(&self) -> Result<Plan, PlanError> {
        self.deadlines.check(self.place)?;
        if let Some(shedding) = &self.limits.shedding {
            shedding.check()?;
        }
        if let Some(process) = &self.process {
            if self.place != PlaceKind::Process {
                return Err(PlanError::NoProcess(self.place));
            }
            process.check(self.model)?;
        }
        if self.model != ModelKind::Team && self.accept_by() != AcceptBy::default() {
            return Err(PlanError::NoChoice(self.model));
        }
        let passes = self.accept_by() == AcceptBy::Dispatcher && self.place == PlaceKind::Process;
        let plan = match passes {
            true => team::plan_with_dispatcher(self.workers)?,
            false => self.model.plan(self.place, self.workers)?,
        };
        self.crew.check(self, plan.served_by, plan.workers())?;
        Ok(plan)
    }

    /// How a team comes by its connections.
    #[must_use]
    pub fn accept_by(&self) -> AcceptBy {
        let of_processes = || self.process.as_ref().map(|process| process.accept_by);
        self.crew.accept_by.or_else(of_processes).unwrap_or_default()
    }

    /// How many workers there are to be, if that follows the load: no more than there may be connections.
    pub(crate) fn bounds(&self, plan: &Plan) -> Option<Bounds> {
        let workers = plan.workers();
        let bounds = self.crew.bounds(workers)?;
        let most = self.limits.at_once().max(workers);
        Some(Bounds { workers_max: bounds.workers_max.min(most), ..bounds })
    }

    /// Whether worker number i is to live on event loop number i.
    pub(crate) fn ties_workers_to_loops(&self) -> bool {
        let of_their_own =
            self.crew.affinity != Affinity::Off || self.accept_by() == AcceptBy::OwnSockets;
        of_their_own && self.model == ModelKind::Team && self.place == PlaceKind::Task
    }

    /// How long an acceptor may take to stop.
    pub(crate) fn acceptor_within(&self, served_by: ServedBy) -> Duration {
        match served_by {
            ServedBy::Acceptor => self.drain_within,
            ServedBy::OwnActor | ServedBy::Worker(_) => self.drain_within + ACCEPTOR_GRACE,
        }
    }

    /// How long the supervisor may take, which waits for its acceptors one after the other.
    pub(crate) fn supervisor_within(&self) -> Duration {
        let workers = self.crew.workers_max(self.workers.unwrap_or(8));
        let acceptors = u32::try_from(workers).unwrap_or(u32::MAX);
        (self.drain_within + 2 * ACCEPTOR_GRACE).saturating_mul(acceptors.max(8))
    }
}

/// The options of an acceptor.
pub(crate) fn acceptor_options(name: &str, place: Place, within: Duration) -> SpawnOptions {
    SpawnOptions::new().name(name).restart(Restart::Always).place(place).stop_within(within)
}
