//! Who wants to draw what ran where and when.

use std::fmt;
use std::sync::Arc;

/// Sees what fibers and futures do, as it happens, on the thread where it happens: it must be quick, must not
/// wait and must not panic, which would end the LWP.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event);
}

/// Something that happened; when is for the observer to ask its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// On which LWP; none: on a thread that blocking calls are shipped to.
    pub lwp: Option<usize>,
    /// Of the fiber or future.
    pub name: Arc<str>,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It runs for the first time.
    Started,
    /// It runs again: a stack goes on, or a future is polled once more.
    Resumed,
    /// It does not run any more.
    Suspended(Why),
    /// It returned, panicked or was dropped.
    Ended,
    /// Its blocking call began.
    BlockingBegan,
    /// Its blocking call returned.
    BlockingEnded,
}

/// Why something does not run any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It let others run.
    Yielded,
    /// It waits to be woken, in the middle: it holds its stack.
    Waits,
    /// It sleeps until a moment, holding its stack.
    Sleeps,
    /// A future at rest between two polls: it holds no stack.
    AtRest,
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
