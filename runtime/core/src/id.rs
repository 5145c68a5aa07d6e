//! Identities.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names one actor within its system. Never used twice; a restart keeps it. Shown as `#17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActorId(u64);

impl ActorId {
    /// Wraps a number; ids grow in the order in which actors are started.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number inside.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
