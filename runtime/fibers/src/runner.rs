//! Runners: coroutines that take one piece of work after the other, each on its own stack.
//!
//! Work that returns leaves the stack to the next piece, without a switch. Work that suspends in the middle keeps its
//! runner, and the LWP goes on with another one. So a stack is held only where something is suspended on it.
//!
//! A runner never leaves the thread that made it. Compiled code may keep the address of a thread-local across a call
//! that suspends (rust-lang/unsafe-code-guidelines#602, llvm/llvm-project#98479), so a stack that moved could reach
//! into the thread-locals of a thread it is not on. `Coroutine` is not `Send` for that reason, and neither is this.

use std::fmt;
use std::mem;
use std::panic;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::Stopped;
use crate::activity::Activity;
use crate::local::Local;
use crate::stack::SlabStack;

/// What the LWP tells a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Go on.
    Go,
    /// Unwind what is suspended.
    Unwind,
    /// Return: the stack goes back to the pool.
    End,
}

/// Why a runner lets go of the LWP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspension {
    /// Nothing that it could do.
    Idle,
    /// Others are to run too.
    Yield,
    /// Until the activity is woken; it is at rest already.
    Rest,
    /// Until the moment that it has left with the LWP. It is not said here: what fits into a register is passed in one.
    Sleep,
}

type Yields = Yielder<Order, Suspension>;

/// What runs on a stack. While it runs this is with the LWP, else with the runner.
#[derive(Debug)]
pub(crate) struct Current {
    /// None: a runner between two pieces of work, or no runner.
    pub(crate) name: Option<Arc<str>>,
    /// Made when first needed: what never waits never pays for it.
    pub(crate) activity: Option<Arc<Activity>>,
    /// How to suspend; null outside of a runner.
    yielder: *const Yields,
}

impl Default for Current {
    fn default() -> Self {
        Self { name: None, activity: None, yielder: ptr::null() }
    }
}

impl Current {
    /// Is this on a runner's stack?
    pub(crate) fn is_on_runner(&self) -> bool {
        !self.yielder.is_null()
    }
}

/// A stack and what it is in the middle of.
pub(crate) struct Runner {
    coroutine: Coroutine<Order, Suspension, (), SlabStack>,
    pub(crate) current: Box<Current>,
}

impl Runner {
    pub(crate) fn new(local: &Rc<Local>, stack: SlabStack) -> Self {
        let local = Rc::clone(local);
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yields, order| {
            local.current.borrow_mut().yielder = yielder;
            work_off(&local, yielder, order);
        });
        Self { coroutine, current: Box::default() }
    }

    /// Switches to it until it suspends; none: it returned.
    ///
    /// Inlined up to the loop, and [`suspend`] up to what the fiber calls: the processor guesses where each `ret` goes
    /// from the calls before it, and after a switch of stacks it guesses wrong, once per level.
    #[inline(always)]
    pub(crate) fn resume(&mut self, local: &Local, order: Order) -> Option<Suspension> {
        mem::swap(&mut *local.current.borrow_mut(), &mut self.current);
        let result = self.coroutine.resume(order);
        mem::swap(&mut *local.current.borrow_mut(), &mut self.current);
        match result {
            CoroutineResult::Yield(suspension) => Some(suspension),
            CoroutineResult::Return(()) => None,
        }
    }

    /// The stack of a runner that returned.
    pub(crate) fn into_stack(self) -> SlabStack {
        self.coroutine.into_stack()
    }
}

fn work_off(local: &Rc<Local>, yielder: &Yields, mut order: Order) {
    while order != Order::End {
        match local.work_for_runner() {
            Some(work) => local.run(work),
            None => order = yielder.suspend(Suspension::Idle),
        }
    }
}

/// Suspends the runner whose stack this is.
///
/// # Panics
/// Unwinds with [`Stopped`] if the pool ends meanwhile. Must not be called outside of a runner.
#[inline(always)]
pub(crate) fn suspend(local: &Local, why: Suspension) {
    let yielder = local.current.borrow().yielder;
    assert!(!yielder.is_null(), "only a runner can be suspended");
    // SAFETY: it is in the frame of `Coroutine::with_stack`'s closure, below on this very stack: `current` is
    // exchanged at every switch, so what is there belongs to the stack that runs, and that frame is alive.
    let order = unsafe { &*yielder }.suspend(why);
    match order {
        Order::Go | Order::End => {}
        Order::Unwind => panic::resume_unwind(Box::new(Stopped)),
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("current", &self.current).finish_non_exhaustive()
    }
}
