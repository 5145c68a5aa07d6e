//! What an LWP does: things to start, things to go on with.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;

use crate::activity::Activity;
use crate::joined::Promise;
use crate::runner::Runner;

pub(crate) type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// Work that no LWP has begun: it may go to any of them. One allocation, passed on as a pointer.
pub(crate) type Unstarted = Box<dyn Start>;

/// What can be started, on the stack of a runner.
pub(crate) trait Start: Send {
    fn name(&self) -> &Arc<str>;

    /// Runs a fiber to its end, panics contained; or makes a future, which then belongs to the LWP that made it.
    fn start(self: Box<Self>) -> Option<LocalFuture>;
}

/// A fiber to be.
pub(crate) struct Fiber<T, B> {
    pub(crate) name: Arc<str>,
    pub(crate) promise: Promise<T>,
    pub(crate) body: B,
}

impl<T: Send, B: FnOnce() -> T + Send> Start for Fiber<T, B> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn start(self: Box<Self>) -> Option<LocalFuture> {
        let Self { promise, body, .. } = *self;
        promise.keep(body);
        None
    }
}

/// A future to be.
pub(crate) struct Made<M> {
    pub(crate) name: Arc<str>,
    pub(crate) make: M,
}

impl<F: Future<Output = ()> + 'static, M: FnOnce() -> F + Send> Start for Made<M> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn start(self: Box<Self>) -> Option<LocalFuture> {
        Some(Box::pin((self.make)()))
    }
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

impl fmt::Debug for dyn Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start").field("name", self.name()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.activity.name).finish_non_exhaustive()
    }
}
