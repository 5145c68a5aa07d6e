//! A flood must not make the urgent thread compute without a pause: with real-time priority it would take a processor
//! from everybody, and the guard against that would end its priority just when it is needed.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// So long a thread may compute; a tenth of what the guard allows.
const COMPUTE_MAX: Duration = Duration::from_millis(20);
/// The pause then, in which the kernel's queues hold what comes.
const PAUSE: Duration = Duration::from_millis(1);

/// Remembers when its thread has last let go of the processor.
#[derive(Debug)]
pub(crate) struct Breath {
    since: Cell<Instant>,
    /// How often the thread has blocked.
    blocked: Cell<i64>,
}

impl Breath {
    /// Of the calling thread.
    pub(crate) fn new() -> Self {
        Self { since: Cell::new(Instant::now()), blocked: Cell::new(blocked()) }
    }

    /// Called between pieces of work: blocks for a millisecond if the thread has not for 20 of them.
    pub(crate) fn draw(&self) {
        if self.since.get().elapsed() < COMPUTE_MAX {
            return;
        }
        if blocked() == self.blocked.get() {
            thread::sleep(PAUSE);
        }
        self.since.set(Instant::now());
        self.blocked.set(blocked());
    }
}

/// How often the calling thread has let go of its processor by itself; the same number for ever if the kernel does not say.
fn blocked() -> i64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.voluntary_context_switches())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_computes_without_a_pause_is_made_to_pause() {
        let breath = Breath::new();
        let before = blocked();
        while blocked() == before {
            breath.draw();
        }
    }

    #[test]
    fn who_pauses_by_itself_is_let_alone() {
        let breath = Breath::new();
        thread::sleep(COMPUTE_MAX); // not a wait: the pause is what is looked at
        let before = blocked();
        breath.draw();
        assert_eq!(blocked(), before);
    }
}
