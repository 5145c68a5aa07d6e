//! The fibers of the lab: a closed set of bodies, which may therefore be moved between threads.

#![expect(unsafe_code, reason = "a coroutine is not Send; these may be sent, as said below")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::calls::Record;
use super::event::FiberId;

/// Bodies of a few frames need no more.
const STACK_BYTES: usize = 64 << 10;

/// Why a fiber stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It gives way and is ready.
    Yielded,
    /// It wants its blocking call made; it is not ready before.
    Calls,
    /// It is done.
    Finished,
}

/// What a body suspends for.
enum Wish {
    Turn,
    Call,
}

/// A body, its stack, and what is known of it.
pub(super) struct Fiber {
    pub(super) id: FiberId,
    pub(super) record: Record,
    coroutine: Coroutine<(), Wish, ()>,
}

// SAFETY: moving a suspended stack to another thread is unsound in general: frames may hold what is not Send, or the
// address of a thread-local, which the compiler takes for constant (rust-lang/unsafe-code-guidelines#602). These stacks
// have one of two bodies and no other, `tick` and `call` below. What is on them across a suspension is a reference to
// the coroutine's own yielder, two integers and an `Arc<AtomicBool>`, all of them Send, and they call nothing that
// touches a thread-local: no clock, no lock, no output, no panic. The calls are made by the LWP on its own stack.
// `record` is plain data.
unsafe impl Send for Fiber {}

impl Fiber {
    /// Gives way until `stop`.
    pub(super) fn ticker(number: u8, stop: Arc<AtomicBool>) -> io::Result<Self> {
        Self::new(FiberId::Ticker(number), move |yielder| tick(yielder, &stop))
    }

    /// Calls and gives way, so many times.
    pub(super) fn sleeper(number: u8, calls: u32) -> io::Result<Self> {
        Self::new(FiberId::Sleeper(number), move |yielder| call(yielder, calls))
    }

    /// Private, like the type: nobody else brings a body.
    fn new(id: FiberId, body: impl FnOnce(&Yielder<(), Wish>) + 'static) -> io::Result<Self> {
        let stack = DefaultStack::new(STACK_BYTES)?;
        let coroutine = Coroutine::with_stack(stack, move |yielder, ()| body(yielder));
        Ok(Self { id, record: Record::default(), coroutine })
    }

    /// Runs it until it stops. Not after [`Step::Finished`].
    pub(super) fn resume(&mut self) -> Step {
        match self.coroutine.resume(()) {
            CoroutineResult::Yield(Wish::Turn) => Step::Yielded,
            CoroutineResult::Yield(Wish::Call) => Step::Calls,
            CoroutineResult::Return(()) => Step::Finished,
        }
    }
}

fn tick(yielder: &Yielder<(), Wish>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        yielder.suspend(Wish::Turn);
    }
}

fn call(yielder: &Yielder<(), Wish>, calls: u32) {
    for _ in 0..calls {
        yielder.suspend(Wish::Call);
        yielder.suspend(Wish::Turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fiber_goes_on_where_it_was_on_whatever_thread_it_is_resumed() {
        let mut fiber = Fiber::sleeper(0, 3).unwrap();
        for _ in 0..3 {
            for expected in [Step::Calls, Step::Yielded] {
                let thread = std::thread::spawn(move || {
                    let step = fiber.resume();
                    (fiber, step)
                });
                let (moved, step) = thread.join().unwrap();
                assert_eq!(step, expected);
                fiber = moved;
            }
        }
        assert_eq!(fiber.resume(), Step::Finished);
    }

    #[test]
    fn a_ticker_ends_when_it_is_told_to() {
        let stop = Arc::new(AtomicBool::new(false));
        let mut fiber = Fiber::ticker(0, stop.clone()).unwrap();
        assert!((0..1000).all(|_| fiber.resume() == Step::Yielded));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(fiber.resume(), Step::Finished);
    }
}
