//! How much of a service is let through at once, and what happens to more.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The limits of a service. Each has its own action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Instances at once; 256 unless said, at least 1. Of [`Style::Single`](super::Style::Single) there is one per endpoint.
    pub instances: Control<u32>,
    /// Instances at once for the same address of clients.
    pub per_source: Option<Control<u32>>,
    /// Starts within a time.
    pub rate: Option<Control<Rate>>,
    /// Starts within a time for the same address of clients.
    pub rate_per_source: Option<Control<Rate>>,
    /// The machine's load of one minute, times 100, up to which services are started.
    pub load: Option<Control<u32>>,
    /// An instance that has had no connection for this long is asked to end. For builtins, and for programs that accept
    /// themselves ([`Style::Single`](super::Style::Single)).
    pub idle: Option<Duration>,
    /// How long an instance that is asked to end may take until it is killed.
    pub end_within: Duration,
}

/// A limit, and what happens beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Control<T> {
    /// As many.
    pub max: T,
    /// Beyond.
    pub action: Action,
}

/// What happens to a connection beyond a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It waits until there is room: nothing is lost.
    #[default]
    Defer,
    /// It is accepted and closed at once.
    Drop,
    /// The service does not listen for this long; clients are refused.
    Close(Duration),
    /// The service is off until it is configured anew.
    Fail,
}

/// So many within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// How many; at least 1.
    pub count: u32,
    /// Within how long; not zero.
    pub per: Duration,
}

impl Limits {
    /// Instances at once unless said.
    pub const INSTANCES_DEFAULT: u32 = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instances: Control::defer(Self::INSTANCES_DEFAULT),
            per_source: None,
            rate: None,
            rate_per_source: None,
            load: None,
            idle: None,
            end_within: super::END_WITHIN_DEFAULT,
        }
    }
}

impl fmt::Display for Action {
    /// As palco's TOML writes it: `defer`, `drop`, `close 10s`, `fail`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defer => f.write_str("defer"),
            Self::Drop => f.write_str("drop"),
            Self::Close(time) => write!(f, "close {}", humantime::format_duration(*time)),
            Self::Fail => f.write_str("fail"),
        }
    }
}

impl<T> Control<T> {
    /// A limit that lets wait.
    #[must_use]
    pub const fn defer(max: T) -> Self {
        Self { max, action: Action::Defer }
    }
}
