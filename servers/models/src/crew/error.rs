//! Settings of a crew that do not go together.

use palco_actors::PlaceKind;

use crate::model::ModelKind;

/// Settings of a crew that do not go together, or not with the rest.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrewError {
    /// Only a team has workers to be counted or placed.
    #[error("{knob} belong to model `team`; model `{model}` has no workers")]
    NoTeam {
        /// What was asked for.
        knob: &'static str,
        /// Under which model.
        model: ModelKind,
    },
    /// An event loop takes every connection, so it is never taken.
    #[error(
        "spare-min, spare-max and workers-max do not go with place `task`: an event loop takes every connection and is never busy, so none is spare; set `workers`, or use place `thread`, `fiber` or `process`"
    )]
    LoopsAreNeverBusy,
    /// A dispatcher's desk has a fixed number of workers.
    #[error(
        "spare-min, spare-max and workers-max do not go with accept-by `dispatcher`, whose desk has as many workers as `workers` says from the beginning; use accept-by `workers`"
    )]
    DeskIsFull,
    /// Bounds that leave no room between them.
    #[error(
        "spare-min {spare_min} and spare-max {spare_max} do not go together: at least 1 worker is spare, and spare-max is more than spare-min"
    )]
    Spares {
        /// Idle workers at least.
        spare_min: usize,
        /// Idle workers at most.
        spare_max: usize,
    },
    /// More workers than there may be.
    #[error(
        "workers-max {workers_max} does not go with {workers} workers in the beginning: it is at least as many, and at most {max}"
    )]
    Most {
        /// In the beginning.
        workers: usize,
        /// At most, as asked for.
        workers_max: usize,
        /// At most, ever.
        max: usize,
    },
    /// A life of nothing.
    #[error("requests-max must be at least 1; leave it out for lives without an end")]
    NoRequests,
    /// A limit that is not there cannot be spread.
    #[error(
        "requests-jitter and requests-seed spread requests-max: set that too, or leave them out"
    )]
    JitterOfNothing,
    /// Nobody who lives for more than a connection serves.
    #[error(
        "requests-max belongs to workers that serve one connection after the other; under model `{model}` in place `{place}` each connection has an actor of its own"
    )]
    NoLives {
        /// The model.
        model: ModelKind,
        /// The place.
        place: PlaceKind,
    },
    /// Open sockets are passed to processes only.
    #[error(
        "accept-by `dispatcher` passes open sockets to processes: it belongs to place `process`, not to `{0}`"
    )]
    NoDispatcher(PlaceKind),
    /// It stands in two places, and differs.
    #[error("accept-by is `{0}` for the crew and `{1}` for its processes: say it once")]
    TwoAnswers(&'static str, &'static str),
    /// A socket that somebody else has bound is one.
    #[error(
        "accept-by `own-sockets` needs an address of its own to bind one socket for each worker: it cannot be had on a socket that an activator has given; use accept-by `workers`"
    )]
    Inherited,
    /// All fibers share a few threads.
    #[error(
        "affinity does not go with place `fiber`: all fibers of the program share its LWPs; use place `thread`, `process` or `task`"
    )]
    SharedLwps,
    /// A set without cores.
    #[error("affinity names a set without cores; each worker needs one at least")]
    NoCores,
    /// A core that cannot be had.
    #[error(
        "affinity names core {core}, which is not there, offline, or not for this program; it may run on {allowed}"
    )]
    Core {
        /// Which.
        core: usize,
        /// Those that can be had.
        allowed: String,
    },
    /// The kernel does not say where this program may run.
    #[error("affinity: the kernel does not say where this program may run: {0}")]
    CannotTell(String),
    /// Two workers cannot have one thread on different cores.
    #[error(
        "affinity needs an event loop for each worker: there are {loops} loops for {workers} workers; set `event-loops` of the stage, or fewer `workers`"
    )]
    Loops {
        /// Workers of the team.
        workers: usize,
        /// Event loops of the system.
        loops: usize,
    },
}
