//! Who the workers of a server are: how many, for how long, on which socket, on which cores.
//!
//! | file | what |
//! |---|---|
//! | `crew.rs` | [`Crew`]: the settings, and what does not go together |
//! | `pace.rs` | how fast a team grows and shrinks: numbers in, a decision out |
//! | `keeper.rs` | the actor `crew`, which looks and has it done |
//! | `stint.rs` | how many requests one life of a worker lasts |
//! | `sockets.rs` | one listening socket, or one for each worker (`SO_REUSEPORT`) |
//! | `roster.rs` | which workers there are, on which socket, and whether they serve |
//! | `duty.rs` | what one life of a worker has of all this |
//! | `affinity.rs` | [`Affinity`]: on which cores |
//! | `advice.rs` | what the kernel will not do as it was asked |

mod advice;
mod affinity;
mod duty;
mod error;
mod keeper;
mod pace;
mod roster;
mod sockets;
mod stint;

use std::hash::{BuildHasher, Hasher, RandomState};

use palco_actors::PlaceKind;
use serde::{Deserialize, Serialize};

pub use affinity::Affinity;
pub(crate) use duty::{Duties, Duty, DutyArgs};
pub use error::CrewError;
pub(crate) use keeper::{CREW, Keeping, keep_crew};
pub(crate) use pace::Bounds;
pub(crate) use roster::Roster;
pub(crate) use stint::Stint;
use stint::Term;

use crate::model::{ModelKind, ServedBy};
use crate::process::AcceptBy;
use crate::settings::{Listen, ServerSettings};
use crate::team;

/// Idle workers at least, and at most, and workers at most, where only one of the three is given: Apache's
/// `MinSpareServers`, `MaxSpareServers` and `MaxRequestWorkers`.
const SPARE_MIN: usize = 5;
const SPARE_MAX: usize = 10;
const SPARES_WORKERS_MAX: usize = 256;

/// Who the workers of a server are. By default as many as `workers` says, for ever, on one socket, on any core.
///
/// ```
/// use palco_actors::PlaceKind;
/// use palco_models::{Crew, ModelKind, ServerSettings};
///
/// let crew = Crew { spare_min: Some(2), spare_max: Some(4), ..Crew::default() };
/// let settings = ServerSettings {
///     crew,
///     workers: Some(3),
///     ..ServerSettings::new("prefork", ModelKind::Team, PlaceKind::Process)
/// };
/// assert!(settings.check().is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Crew {
    /// Fewer idle workers, and more are started; at least 1, and 5 if only one of the next two is given. With any of the
    /// three the size of the team follows the load, and `workers` is how many there are in the beginning.
    pub spare_min: Option<usize>,
    /// More idle workers, and those are stopped that have been idle for three seconds; more than `spare-min`, and 10, or
    /// twice that, if not given.
    pub spare_max: Option<usize>,
    /// Workers at most; 256, or `workers` if that is more, if not given.
    pub workers_max: Option<usize>,
    /// A worker begins another life, in place `process` in a fresh process, after so many requests; never if not given. A
    /// connection that asks nothing counts as one. To the connection that it has this is a drain: what was asked is
    /// answered, then it is closed; who waits to be accepted is served by the next life.
    pub requests_max: Option<u64>,
    /// Each life lasts up to so many requests more, drawn anew, so that workers do not begin again together; 0 if not given.
    pub requests_jitter: Option<u64>,
    /// What that is drawn from: the same seed draws the same; another one for each start if not given.
    pub requests_seed: Option<u64>,
    /// How a team comes by its connections. In place `process` it may stand in
    /// [`ProcessSettings`](crate::ProcessSettings) as well.
    pub accept_by: Option<AcceptBy>,
    /// On which cores.
    pub affinity: Affinity,
}

impl Crew {
    /// Whether the size of the team follows the load.
    pub(crate) fn has_spares(&self) -> bool {
        self.spare_min.is_some() || self.spare_max.is_some() || self.workers_max.is_some()
    }

    /// How many workers a team of `workers` may come to.
    pub(crate) fn workers_max(&self, workers: usize) -> usize {
        match self.workers_max {
            Some(most) => most,
            None if self.has_spares() => SPARES_WORKERS_MAX.max(workers),
            None => workers,
        }
    }

    /// How many there are to be, if that follows the load.
    pub(crate) fn bounds(&self, workers: usize) -> Option<Bounds> {
        self.has_spares().then(|| {
            let spare_min = self.spare_min.unwrap_or_else(|| match self.spare_max {
                Some(most) => SPARE_MIN.min(most.saturating_sub(1)).max(1),
                None => SPARE_MIN,
            });
            let spare_max =
                self.spare_max.unwrap_or_else(|| SPARE_MAX.max(spare_min.saturating_mul(2)));
            Bounds { spare_min, spare_max, workers_max: self.workers_max(workers) }
        })
    }

    /// How long lives last, if they end by themselves.
    pub(crate) fn term(&self) -> Option<Term> {
        self.requests_max.map(|requests_max| Term {
            requests_max,
            jitter: self.requests_jitter.unwrap_or_default(),
            seed: self.requests_seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()),
        })
    }

    /// Whether all this goes together with the other settings, for a team of `workers` or for another model.
    pub(crate) fn check(
        &self,
        settings: &ServerSettings,
        served_by: ServedBy,
        workers: usize,
    ) -> Result<(), CrewError> {
        let (model, place, accept_by) = (settings.model, settings.place, settings.accept_by());
        let is_task_team = model == ModelKind::Team && served_by == ServedBy::OwnActor;
        if let (Some(crew), Some(process)) = (self.accept_by, &settings.process)
            && crew != process.accept_by
            && process.accept_by != AcceptBy::default()
        {
            return Err(CrewError::TwoAnswers(crew.name(), process.accept_by.name()));
        }
        if model != ModelKind::Team {
            for (knob, is_set) in [
                ("spare-min, spare-max and workers-max", self.has_spares()),
                ("affinity", self.affinity != Affinity::Off),
            ] {
                if is_set {
                    return Err(CrewError::NoTeam { knob, model });
                }
            }
        }
        match accept_by {
            AcceptBy::Workers => {}
            AcceptBy::Dispatcher if place != PlaceKind::Process => {
                return Err(CrewError::NoDispatcher(place));
            }
            AcceptBy::Dispatcher if self.has_spares() => return Err(CrewError::DeskIsFull),
            AcceptBy::Dispatcher => {}
            AcceptBy::OwnSockets if !matches!(settings.listen, Listen::At(_)) => {
                return Err(CrewError::Inherited);
            }
            AcceptBy::OwnSockets => {}
        }
        if self.has_spares() && is_task_team {
            return Err(CrewError::LoopsAreNeverBusy);
        }
        if let Some(bounds) = self.bounds(workers) {
            let Bounds { spare_min, spare_max, workers_max } = bounds;
            if spare_min == 0 || spare_max <= spare_min {
                return Err(CrewError::Spares { spare_min, spare_max });
            }
            if workers_max < workers || workers_max > team::WORKERS_MAX {
                return Err(CrewError::Most { workers, workers_max, max: team::WORKERS_MAX });
            }
        }
        match self.requests_max {
            Some(0) => return Err(CrewError::NoRequests),
            Some(_) if served_by == ServedBy::OwnActor => {
                return Err(CrewError::NoLives { model, place });
            }
            Some(_) => {}
            None if self.requests_jitter.is_some() || self.requests_seed.is_some() => {
                return Err(CrewError::JitterOfNothing);
            }
            None => {}
        }
        if self.affinity != Affinity::Off && place == PlaceKind::Fiber {
            return Err(CrewError::SharedLwps);
        }
        self.cores().map(drop)
    }

    /// The cores that workers get in turn; none if that is left to the kernel.
    pub(crate) fn cores(&self) -> Result<Vec<Vec<usize>>, CrewError> {
        if self.affinity == Affinity::Off {
            return Ok(Vec::new());
        }
        let machine = affinity::Machine::here();
        machine.map_err(|error| CrewError::CannotTell(error.to_string()))?.sets(&self.affinity)
    }
}

#[cfg(test)]
mod tests;
