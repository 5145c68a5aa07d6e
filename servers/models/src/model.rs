//! Dispatch policies, and how each describes itself: the command line, the docs and every table are made from this.

use std::fmt;
use std::str::FromStr;

use palco_actors::{Place, PlaceKind};
use serde::{Deserialize, Serialize};

use crate::crew::CrewError;
use crate::deadlines::DeadlineError;
use crate::{iterative, per_connection, team};

/// Who accepts and who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// The acceptor serves each connection itself, one after the other.
    Iterative,
    /// A dispatcher hands each connection to a fresh actor.
    PerConnection,
    /// Standing workers accept from the same socket.
    Team,
}

/// How many requests can be in progress at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// One at a time.
    None,
    /// Many, on one core: they take turns where they wait.
    Apparent,
    /// As many as there are cores.
    Real,
}

/// One cell of the matrix of models and places, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelProfile {
    /// The policy.
    pub model: ModelKind,
    /// The place of whoever serves.
    pub place: PlaceKind,
    /// What the literature calls it.
    pub classic_name: &'static str,
    /// How many requests can be in progress.
    pub concurrency: Concurrency,
    /// How many connections are served at once.
    pub connections: &'static str,
    /// What a second client notices while a handler blocks its thread.
    pub while_blocked: &'static str,
    /// What an idle connection holds.
    pub idle_connection_holds: &'static str,
    /// The default number of workers, where there are workers.
    pub workers: Option<usize>,
}

/// Acceptors to start, and what they do with a connection.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Name and place of each acceptor.
    pub(crate) acceptors: Vec<(String, Place)>,
    pub(crate) served_by: ServedBy,
}

/// Who serves a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServedBy {
    /// Who has accepted it.
    Acceptor,
    /// An actor of its own.
    OwnActor,
    /// One of so many standing workers, to which it is passed.
    Worker(usize),
}

/// Settings that do not fit the model.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// Workers were asked for where there is no team.
    #[error("model `{0}` has no workers to count; `workers` belongs to model `team`")]
    NoWorkers(ModelKind),
    /// A team of nobody, or of far too many.
    #[error("a team has 1 to {max} workers, not {asked}")]
    Workers {
        /// What was asked for.
        asked: usize,
        /// The most there can be.
        max: usize,
    },
    /// Settings for processes where there are none.
    #[error("settings for processes belong to place `process`, not to `{0}`")]
    NoProcess(PlaceKind),
    /// Servers are of one machine.
    #[error("a server cannot be placed on another node (`remote`): sockets stay on their machine")]
    Remote,
    /// A process that serves one connection is not replaced by a fresh one.
    #[error(
        "`recycle` belongs to standing processes; under model `{0}` each connection has its own"
    )]
    NoRecycle(ModelKind),
    /// There is one way to accept.
    #[error("`accept-by` belongs to model `team`; under model `{0}` it is always the same actor")]
    NoChoice(ModelKind),
    /// Time limits that cannot be had.
    #[error(transparent)]
    Deadline(#[from] DeadlineError),
    /// Who the workers are does not go together.
    #[error(transparent)]
    Crew(#[from] CrewError),
}

impl Plan {
    /// Name and place of who accepts under this number.
    pub(crate) fn acceptor(&self, number: usize) -> (String, Place) {
        match (self.acceptors.get(number), self.acceptors.first()) {
            (Some((name, place)), _) => (name.clone(), *place),
            (None, Some((_, place))) => (team::worker(number), *place),
            (None, None) => (team::worker(number), Place::Task),
        }
    }

    /// How many workers there are in the beginning, or others who accept.
    pub(crate) fn workers(&self) -> usize {
        match self.served_by {
            ServedBy::Worker(workers) => workers,
            ServedBy::Acceptor | ServedBy::OwnActor => self.acceptors.len(),
        }
    }
}

impl ModelKind {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Iterative, Self::PerConnection, Self::Team];

    /// The name used on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iterative => "iterative",
            Self::PerConnection => "per-connection",
            Self::Team => "team",
        }
    }

    /// Who does what, in one sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Iterative => iterative::SENTENCE,
            Self::PerConnection => per_connection::SENTENCE,
            Self::Team => team::SENTENCE,
        }
    }

    /// Whether the model can be had in this place with so many workers.
    ///
    /// # Errors
    /// [`PlanError`] says what does not fit.
    pub fn check(self, place: PlaceKind, workers: Option<usize>) -> Result<(), PlanError> {
        self.plan(place, workers).map(drop)
    }

    pub(crate) fn plan(self, place: PlaceKind, workers: Option<usize>) -> Result<Plan, PlanError> {
        if place == PlaceKind::Remote {
            return Err(PlanError::Remote);
        }
        match (self, workers) {
            (Self::Iterative, None) => Ok(iterative::plan(place)),
            (Self::PerConnection, None) => Ok(per_connection::plan(place)),
            (Self::Team, workers) => team::plan(place, workers),
            (Self::Iterative | Self::PerConnection, Some(_)) => Err(PlanError::NoWorkers(self)),
        }
    }
}

/// The description of one cell.
#[must_use]
pub fn profile(model: ModelKind, place: PlaceKind) -> ModelProfile {
    match model {
        ModelKind::Iterative => iterative::profile(place),
        ModelKind::PerConnection => per_connection::profile(place),
        ModelKind::Team => team::profile(place),
    }
}

/// The descriptions of all cells.
#[must_use]
pub fn profiles() -> Vec<ModelProfile> {
    let places = |model| PlaceKind::OF_THIS_MACHINE.map(|place| (model, place));
    let cells = ModelKind::ALL.into_iter().flat_map(places);
    cells.map(|(model, place)| profile(model, place)).collect()
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ModelKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no model `{name}`; models are: {names}")
        })
    }
}

impl fmt::Display for Concurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Apparent => "apparent",
            Self::Real => "real",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_describes_itself_and_no_two_alike() {
        let profiles = profiles();
        assert_eq!(profiles.len(), ModelKind::ALL.len() * PlaceKind::OF_THIS_MACHINE.len());
        let mut names: Vec<_> = profiles.iter().map(|profile| profile.classic_name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), profiles.len());
        for profile in profiles {
            assert!(profile.model.plan(profile.place, None).is_ok());
        }
    }

    #[test]
    fn workers_are_refused_where_there_is_no_team() {
        let refused = ModelKind::Iterative.plan(PlaceKind::Thread, Some(4)).err();
        assert_eq!(refused, Some(PlanError::NoWorkers(ModelKind::Iterative)));
        assert!(ModelKind::Team.plan(PlaceKind::Thread, Some(0)).is_err());
        for model in ModelKind::ALL {
            let refused = model.plan(PlaceKind::Remote, None).err();
            assert_eq!(refused, Some(PlanError::Remote), "sockets stay on their machine");
        }
    }

    #[test]
    fn an_unknown_model_lists_the_known_ones() {
        let error = "prefork".parse::<ModelKind>().unwrap_err();
        assert!(error.contains("iterative, per-connection, team"), "{error}");
    }
}
