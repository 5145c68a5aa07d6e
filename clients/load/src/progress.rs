//! How far a run has come, for who waits for it.

use std::fmt;

/// How far a run has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Whose turn begins.
    pub what: String,
    /// Turns done so far, of this part.
    pub done: usize,
    /// Turns of this part.
    pub total: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, done, total } = self;
        write!(f, "{done}/{total} {what}")
    }
}
