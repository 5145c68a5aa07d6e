//! The end of an LWP: what is suspended unwinds on its own stack, what is at rest is dropped, here and nowhere else.

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;

use crate::local::Local;
use crate::runner::{Order, Runner, Suspension};
use crate::work::{Next, Work};

/// How often a runner is told to unwind before it is given up. Code that catches the unwinding and suspends again
/// would keep the LWP for ever.
const UNWINDINGS_MAX: usize = 16;

pub(crate) fn end_all(local: &Rc<Local>) {
    local.is_ending.set(true);
    local.timers.borrow_mut().clear();
    // One thing that ends may wake another, which then is in another of these places: so again until all are empty.
    while let Some(next) = any(local) {
        match next {
            Next::Resume(runner) => unwind(local, runner),
            Next::Run(work) => discard(work),
        }
    }
    let idle = mem::take(&mut *local.idle_runners.borrow_mut());
    for mut runner in idle {
        if runner.resume(local, Order::End).is_none() {
            local.shared.stacks.take_back(runner.into_stack());
        }
    }
    local.publish_counts();
}

fn any(local: &Local) -> Option<Next> {
    let begun = || {
        let ready = local.ready.borrow_mut().pop_front();
        ready.or_else(|| local.slots.borrow_mut().take_any())
    };
    let unstarted = || {
        let bound = local.bound.borrow_mut().pop_front();
        bound.or_else(|| local.worker.pop())
    };
    local
        .take_in_hand()
        .or_else(|| local.put_off.borrow_mut().pop_front().map(Next::Run))
        .or_else(|| begun().map(Next::from))
        .or_else(|| unstarted().map(|unstarted| Next::Run(Work::Start(unstarted))))
}

fn unwind(local: &Local, mut runner: Box<Runner>) {
    for _ in 0..UNWINDINGS_MAX {
        match runner.resume(local, Order::Unwind) {
            None => return local.shared.stacks.take_back(runner.into_stack()),
            Some(Suspension::Idle) => {
                local.idle_runners.borrow_mut().push(runner);
                return;
            }
            Some(Suspension::Yield | Suspension::Rest | Suspension::Sleep) => {}
        }
    }
    let name = runner.current.name.as_deref().unwrap_or("?");
    tracing::error!(
        fiber = name,
        "it catches the unwinding that ends it: its stack and all on it stay for ever"
    );
    mem::forget(runner);
}

/// Drops work whose destructors may panic, which must not keep the rest from its end.
pub(crate) fn discard<T>(what: T) {
    if panic::catch_unwind(AssertUnwindSafe(|| drop(what))).is_err() {
        tracing::error!("a destructor panicked when the pool ended");
    }
}
