//! Drain: stop accepting, finish what was begun, give up after a deadline.

use serde::{Deserialize, Serialize};

use crate::scoreboard::Scores;

/// What a drain came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainReport {
    /// Connections that were held when the drain began and came to an end of their own.
    pub finished: u64,
    /// Connections that were not done at the deadline: killed, or left behind where even that was not possible.
    pub abandoned: u64,
}

impl DrainReport {
    pub(crate) fn between(before: &Scores, after: &Scores) -> Self {
        let abandoned = after.abandoned - before.abandoned + after.active;
        let held = before.active + (after.accepted - before.accepted);
        Self { finished: held.saturating_sub(abandoned), abandoned }
    }
}
