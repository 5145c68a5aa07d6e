//! What a limit has done, for those who ask why.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The limits of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Instances at once.
    Instances,
    /// Instances at once for one address.
    PerSource,
    /// Starts within a time.
    Rate,
    /// Starts within a time for one address.
    RatePerSource,
    /// The machine's load.
    Load,
    /// Connections that wait although they have been accepted.
    Waiting,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Instances,
        Self::PerSource,
        Self::Rate,
        Self::RatePerSource,
        Self::Load,
        Self::Waiting,
    ];

    /// As palco's TOML calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::PerSource => "per-source",
            Self::Rate => "rate",
            Self::RatePerSource => "rate-per-source",
            Self::Load => "load",
            Self::Waiting => "waiting",
        }
    }

    /// As xinetd's log calls it.
    #[must_use]
    pub const fn log_word(self) -> &'static str {
        match self {
            Self::Instances | Self::Waiting => "service_limit",
            Self::PerSource => "per_source_limit",
            Self::Rate | Self::RatePerSource => "cps",
            Self::Load => "load",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What one limit has done. Counters only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// How often.
    pub times: u64,
    /// When last.
    pub last: Option<SystemTime>,
    /// The longest that one had to wait because of it.
    pub waited_max: Duration,
}

impl Acted {
    pub(super) fn count(&mut self) {
        self.times += 1;
        self.last = Some(SystemTime::now());
    }

    pub(super) fn waited(&mut self, waited: Duration) {
        self.waited_max = self.waited_max.max(waited);
    }
}
