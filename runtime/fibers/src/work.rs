//! What an LWP does: things to start, things to go on with.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;

use crate::activity::Activity;
use crate::runner::Runner;

pub(crate) type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// Work that no LWP has begun: it may go to any of them.
pub(crate) struct Unstarted {
    pub(crate) name: Arc<str>,
    pub(crate) body: Body,
}

/// What there is to start.
pub(crate) enum Body {
    /// Runs to its end on a stack; contains its panics itself.
    Fiber(Box<dyn FnOnce() + Send>),
    /// Makes a future, which then belongs to the LWP that made it.
    Future(Box<dyn FnOnce() -> LocalFuture + Send>),
}

/// A future that was polled before.
pub(crate) struct Task {
    pub(crate) future: LocalFuture,
    pub(crate) activity: Arc<Activity>,
    pub(crate) waker: Waker,
}

/// Something for a runner to do on its own stack.
#[derive(Debug)]
pub(crate) enum Work {
    Start(Unstarted),
    Poll(Box<Task>),
}

/// Something that was begun on this LWP and is neither running nor at its end.
#[derive(Debug)]
pub(crate) enum Begun {
    /// Suspended in the middle: it holds a stack.
    Suspended(Box<Runner>),
    /// Between two polls: it holds none.
    Task(Box<Task>),
}

/// What is next on an LWP.
#[derive(Debug)]
pub(crate) enum Next {
    Resume(Box<Runner>),
    Run(Work),
}

impl From<Begun> for Next {
    fn from(begun: Begun) -> Self {
        match begun {
            Begun::Suspended(runner) => Self::Resume(runner),
            Begun::Task(task) => Self::Run(Work::Poll(task)),
        }
    }
}

/// Begun work that waits to be woken, by slot.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Option<Begun>>,
    free: Vec<usize>,
    pub(crate) suspended: usize,
    pub(crate) at_rest: usize,
}

impl Slots {
    pub(crate) fn put(&mut self, begun: Begun) -> usize {
        *self.count(&begun) += 1;
        if let Some(slot) = self.free.pop() {
            self.slots[slot] = Some(begun);
            return slot;
        }
        self.slots.push(Some(begun));
        self.slots.len() - 1
    }

    /// None for a slot that is free.
    pub(crate) fn take(&mut self, slot: usize) -> Option<Begun> {
        let begun = self.slots.get_mut(slot)?.take()?;
        self.free.push(slot);
        *self.count(&begun) -= 1;
        Some(begun)
    }

    /// Any of them.
    pub(crate) fn take_any(&mut self) -> Option<Begun> {
        let slot = self.slots.iter().rposition(Option::is_some)?;
        let begun = self.take(slot);
        self.slots.truncate(slot);
        self.free.retain(|free| *free < slot);
        begun
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.suspended + self.at_rest == 0
    }

    fn count(&mut self, begun: &Begun) -> &mut usize {
        match begun {
            Begun::Suspended(_) => &mut self.suspended,
            Begun::Task(_) => &mut self.at_rest,
        }
    }
}

impl fmt::Debug for Unstarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unstarted").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.activity.name).finish_non_exhaustive()
    }
}
