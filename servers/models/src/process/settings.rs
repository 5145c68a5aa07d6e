//! How the processes of a server are started, confined and replaced.

use std::path::PathBuf;
use std::str::FromStr;

use palco_actors::{Confinement, FileAccess, ProcessOptions, Recycle, Start};
use palco_service::EXCHANGE_BYTES_MAX;
use serde::{Deserialize, Serialize};

use crate::model::{ModelKind, PlanError};

/// What a frame holds beside a question or an answer.
const FRAME_EXTRA_BYTES: usize = 4 << 10;

/// How the processes of a server are started, confined and replaced.
///
/// Every process is confined as [`Confinement::service`] says, and reads what its service must read, nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ProcessSettings {
    /// Address space of each process at most; 1 GiB if not given.
    pub memory_max_bytes: Option<u64>,
    /// When a standing process is replaced by a fresh one although nothing is wrong.
    pub recycle: RecycleSettings,
    /// What a process is made from: this program executed afresh (for standing workers unless told otherwise), or a
    /// fork of a zygote (for connections).
    pub start: Option<Start>,
    /// How the workers of a team come by their connections.
    pub accept_by: AcceptBy,
}

/// How the workers of a team come by their connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcceptBy {
    /// Each accepts from the socket that all share. Cheapest: nobody else takes part in a connection.
    #[default]
    Workers,
    /// A dispatcher accepts, and passes the open socket to a worker that is free. Connections are spread as it decides,
    /// and only as many are taken from the backlog as are being served.
    Dispatcher,
    /// Each accepts from a socket of its own, in one `SO_REUSEPORT` group: the kernel spreads connections evenly, by a hash
    /// of their addresses. Who has come to one worker waits for it, also while others are idle.
    OwnSockets,
}

impl AcceptBy {
    /// All.
    pub const ALL: [Self; 3] = [Self::Workers, Self::Dispatcher, Self::OwnSockets];

    /// The name used on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workers => "workers",
            Self::Dispatcher => "dispatcher",
            Self::OwnSockets => "own-sockets",
        }
    }
}

impl FromStr for AcceptBy {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|who| who.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("connections are not accepted by `{name}`; who accepts are: {names}")
        })
    }
}

/// When a standing process is replaced. Each limit is spread by up to a tenth; how long it lasts in requests, and how far
/// that is spread, is the crew's to say ([`Crew::requests_max`](crate::Crew::requests_max)).
///
/// To the connection that it has this is a drain: a request in progress is answered, then the connection is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct RecycleSettings {
    /// When its memory in use exceeds so many bytes; looked at once a second.
    pub rss_bytes: Option<u64>,
    /// After so many seconds.
    pub age_s: Option<u64>,
}

impl ProcessSettings {
    /// Whether a model can be had with these settings.
    pub(crate) fn check(&self, model: ModelKind) -> Result<(), PlanError> {
        let recycles = self.recycle != RecycleSettings::default();
        if model == ModelKind::PerConnection && recycles {
            return Err(PlanError::NoRecycle(model));
        }
        Ok(())
    }

    /// The options of a process that may read `read`, and write beneath `write`.
    pub(crate) fn options(
        &self,
        model: ModelKind,
        read: Vec<PathBuf>,
        write: Vec<PathBuf>,
    ) -> ProcessOptions {
        let service = Confinement::service();
        let confinement = Confinement {
            memory_bytes: self.memory_max_bytes.or(service.memory_bytes),
            file_access: FileAccess::Only { read, write },
            ..service
        };
        let start = self.start.unwrap_or(match model {
            ModelKind::Iterative | ModelKind::Team => Start::Exec,
            ModelKind::PerConnection => Start::Zygote,
        });
        let RecycleSettings { rss_bytes, age_s } = self.recycle;
        ProcessOptions::new()
            .start(start)
            .confinement(confinement)
            .recycle(Recycle { rss_bytes, age_s, ..Recycle::default() })
            .frame_bytes_max(EXCHANGE_BYTES_MAX + FRAME_EXTRA_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_single_connections_are_not_recycled() {
        let recycle = RecycleSettings { age_s: Some(1), ..RecycleSettings::default() };
        let settings = ProcessSettings { recycle, ..ProcessSettings::default() };
        assert_eq!(settings.check(ModelKind::Team), Ok(()));
        let refused = PlanError::NoRecycle(ModelKind::PerConnection);
        assert_eq!(settings.check(ModelKind::PerConnection), Err(refused));
    }
}
