//! What is told apart in every part: how a request is reached, and who else wants the processors.

use serde::{Deserialize, Serialize};

/// How a request that is being served is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Solution {
    /// A command at a port of its own.
    Port,
    /// TCP urgent data on the connection of the request.
    Data,
}

/// Who else wants the processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// Nobody.
    Nobody,
    /// Threads that compute.
    Hogs,
}

impl Solution {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Port, Self::Data];

    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Data => "urgent data",
        }
    }
}

impl Beside {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Nobody, Self::Hogs];

    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Hogs => "hogs",
        }
    }
}
