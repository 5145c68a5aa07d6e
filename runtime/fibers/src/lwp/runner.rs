//! A coroutine that serves its LWP, on a stack of its own.

use std::sync::Arc;

use corosensei::{Coroutine, CoroutineResult};

use super::here;
use crate::stack::{Lease, NoStack, Stacks};
use crate::unit::Unit;

pub(super) type Yielder = corosensei::Yielder<(), Pause>;

/// Why a runner gives the thread back.
pub(super) enum Pause {
    /// It has nothing to do that it could do.
    Idle,
    /// What it runs waits in the middle.
    Wait(Arc<Unit>),
}

pub(super) struct Runner(Coroutine<(), Pause, (), Lease>);

impl Runner {
    pub(super) fn new(stacks: &Arc<Stacks>) -> Result<Self, NoStack> {
        let stack = stacks.lease()?;
        Ok(Self(Coroutine::with_stack(stack, |yielder: &Yielder, ()| {
            loop {
                // Not kept over a wait: an LWP that ends counts who has it.
                let Some(lwp) = here() else { return };
                lwp.yielder.set(yielder);
                lwp.serve();
                if lwp.stopping.get() {
                    return;
                }
                drop(lwp);
                yielder.suspend(Pause::Idle);
            }
        })))
    }

    pub(super) fn resume(&mut self) -> CoroutineResult<Pause, ()> {
        self.0.resume(())
    }
}
