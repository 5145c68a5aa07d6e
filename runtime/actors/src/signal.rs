//! Signals reach into a running handler; messages never do.
//!
//! A signal is a level, not a queue: sending one twice is the same as once. Where it takes hold depends on the place:
//! at await points everywhere, at [`Context::checkpoint`](crate::Context::checkpoint) in computing handlers, and in
//! blocking system calls made through [`Context::blocking_call`](crate::Context::blocking_call) (by `EINTR`). A handler
//! that reaches none of these cannot be stopped, and [`Effect::Pending`] says so.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use palco_sys::Interrupter;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::placement::process::{Page, SignalWord};
use crate::vitals::AnyCell;

/// What can be sent to an actor beside its messages. The words are those of Unix signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Hold: no message is begun, the running handler rests at its next await point or checkpoint.
    Suspend,
    /// Go on after a suspend; the handler continues where it rested.
    Resume,
    /// After a suspend: finish the handler that rests, or handle one message, and rest again.
    Step,
    /// Abandon the running handler at its next await point; the actor goes on with the next message.
    Interrupt,
    /// End after the running handler, children first; what is queued becomes dead letters.
    Stop,
    /// End at the next await point or checkpoint, dropping the running handler.
    Kill,
    /// End this life after the running handler, children first, and begin another: a fresh start that is no failure.
    /// Only under a supervisor; elsewhere nothing happens.
    Restart,
    /// Have the state written down between two messages.
    Inspect,
}

/// What a signal has brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// The signal has taken hold.
    Done,
    /// Not within the given time: the handler has reached no await point or checkpoint.
    Pending {
        /// What the handler that runs says it is doing, or the type of its message.
        message: Option<String>,
        /// For how long it has been running, to about 10 ms.
        running_ms: u64,
    },
    /// The actor has ended, by this signal or before it.
    Ended,
}

pub(crate) const STOP: u32 = 1;
pub(crate) const KILL: u32 = 1 << 1;
pub(crate) const SUSPEND: u32 = 1 << 2;
pub(crate) const INTERRUPT: u32 = 1 << 3;
pub(crate) const INSPECT: u32 = 1 << 4;
/// A supervisor's stop of a healthy child that is to be started again with a failed sibling.
pub(crate) const RECYCLE: u32 = 1 << 5;
/// To be taken back by the actor when it begins the step.
pub(crate) const STEP: u32 = 1 << 6;
/// A person's wish for another life.
pub(crate) const RESTART: u32 = 1 << 7;
/// The bits that a running handler is held up or ended by.
pub(crate) const ATTENTION: u32 = KILL | SUSPEND | INTERRUPT;
/// The bits that ask for the end of a life.
pub(crate) const ENDING: u32 = KILL | STOP | RECYCLE | RESTART;

/// How often a blocked thread is interrupted again until it answers: a signal just before the call begins is lost.
const NUDGE_EVERY: Duration = Duration::from_millis(1);

/// The signals of one actor.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    bits: SignalWord,
    /// True while the actor rests because of a suspend.
    held: AtomicBool,
    /// True while it handles the one message of a step.
    steps: AtomicBool,
    on_interrupt: AtomicU8,
    /// While the actor's own thread is in a blocking system call: the bits that end the call. Else 0.
    blocked: AtomicU32,
    thread: Mutex<Option<Interrupter>>,
}

/// What an interrupt does to the running handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnInterrupt {
    /// Abandon it.
    Abandon,
    /// Nothing.
    Ignore,
    /// The handler takes the bit itself.
    Caught,
}

impl Signals {
    /// The signals of an actor in its process: raised by the address, in the page that both share.
    pub(crate) fn in_page(page: &'static Page) -> Self {
        Self { bits: SignalWord::Page(page), ..Self::default() }
    }

    pub(crate) fn bits(&self) -> u32 {
        self.bits.bits()
    }

    /// The page of the actor's process, in that process.
    pub(crate) fn page(&self) -> Option<&'static Page> {
        self.bits.page()
    }

    pub(crate) fn has(&self, bits: u32) -> bool {
        self.bits() & bits != 0
    }

    pub(crate) fn raise(&self, bits: u32) {
        self.bits.raise(bits);
    }

    pub(crate) fn clear(&self, bits: u32) {
        self.bits.clear(bits);
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Whether a suspend is to be obeyed now. A step that is due begins.
    pub(crate) fn must_rest(&self, bits: u32) -> bool {
        if bits & SUSPEND == 0 {
            return false;
        }
        if bits & STEP != 0 {
            self.steps.store(true, Ordering::Relaxed);
            self.clear(STEP);
        }
        !self.steps.load(Ordering::Relaxed)
    }

    /// A handler has ended, and with it a step; true if there was one.
    pub(crate) fn end_step(&self) -> bool {
        self.steps.load(Ordering::Relaxed) && self.steps.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn is_stepping(&self) -> bool {
        self.steps.load(Ordering::Relaxed)
    }

    /// Says whether the actor rests; true if that is news.
    pub(crate) fn hold(&self, held: bool) -> bool {
        if let Some(page) = self.page() {
            page.hold(held);
        }
        self.held.load(Ordering::Relaxed) != held && self.held.swap(held, Ordering::AcqRel) != held
    }

    pub(crate) fn on_interrupt(&self) -> OnInterrupt {
        match self.on_interrupt.load(Ordering::Relaxed) {
            0 => OnInterrupt::Abandon,
            1 => OnInterrupt::Ignore,
            _ => OnInterrupt::Caught,
        }
    }

    /// Sets what an interrupt does; returns what it did.
    pub(crate) fn set_on_interrupt(&self, what: OnInterrupt) -> OnInterrupt {
        let before = self.on_interrupt();
        self.on_interrupt.store(what as u8, Ordering::Relaxed);
        before
    }

    pub(crate) fn set_thread(&self, thread: Option<Interrupter>) {
        *self.thread.lock() = thread;
    }

    pub(crate) fn thread_id(&self) -> Option<i32> {
        self.thread.lock().as_ref().and_then(Interrupter::thread_id)
    }

    /// Runs one blocking system call that any of `ends` ends; not at all if one of them is waiting.
    pub(crate) fn blocking<T>(&self, ends: u32, call: impl FnOnce() -> T) -> Option<T> {
        /// Also when the call panics: a thread that looks blocked would be interrupted for ever.
        struct Unblock<'a>(&'a AtomicU32);
        impl Drop for Unblock<'_> {
            fn drop(&mut self) {
                self.0.store(0, Ordering::Release);
            }
        }
        // A step goes on although the actor is suspended.
        let ends = if self.is_stepping() { ends & !SUSPEND } else { ends };
        self.blocked.store(ends, Ordering::SeqCst);
        let _unblock = Unblock(&self.blocked);
        let clear = self.bits.bits() & ends == 0;
        clear.then(call)
    }

    /// Ends a blocking system call of the actor's thread; false if there is none to end.
    fn nudge(&self) -> bool {
        let needed = self.has(self.blocked.load(Ordering::SeqCst));
        if needed && let Some(thread) = &*self.thread.lock() {
            thread.interrupt();
        }
        needed
    }
}

/// Makes `bits` known to the actor, wherever it waits.
pub(crate) fn send(cell: &Arc<dyn AnyCell>, bits: u32) {
    cell.vitals().signals.raise(bits);
    cell.wake();
    if cell.vitals().signals.nudge() {
        repeat(&Arc::new(Nudge(Arc::downgrade(cell))));
    }
}

/// Interrupts a blocked thread again and again until it has left its system call.
struct Nudge(Weak<dyn AnyCell>);

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        if self.0.upgrade().is_some_and(|cell| cell.vitals().signals.nudge()) {
            repeat(&self);
        }
    }
}

fn repeat(nudge: &Arc<Nudge>) {
    if let Some(cell) = nudge.0.upgrade() {
        let clock = cell.vitals().system.real_clock();
        clock.wake_at(clock.now() + NUDGE_EVERY, Waker::from(Arc::clone(nudge)));
    }
}
