//! What goes on beside a program, and is looked at now and then.

use std::sync::Arc;
use std::time::Duration;

use crate::urgent::Line;

/// Something that is looked at now and then, and may end a program.
pub(crate) trait Beside {
    /// When to look next; `None` is never.
    fn next(&self) -> Option<Duration>;
    /// Looks: whether the program is to end.
    fn is_over(&mut self) -> bool;
    /// The client's line, which is told when the program rests and goes on.
    fn line(&self) -> Option<Arc<Line>> {
        None
    }
}

/// Nothing.
pub(crate) struct Nothing;

impl Beside for Nothing {
    fn next(&self) -> Option<Duration> {
        None
    }

    fn is_over(&mut self) -> bool {
        false
    }
}
