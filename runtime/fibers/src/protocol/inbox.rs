//! What other threads have for an LWP: a lock that is held for one push or one exchange, and a flag to look at.

use std::mem;

use super::primitives::{AtomicBool, Mutex, Ordering};

/// Messages to one LWP, in order. Grows with the number of activities that live there: each is in it at most once.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    /// Says "maybe": set under the lock, so that an LWP with nothing in its inbox takes no lock.
    filled: AtomicBool,
    letters: Mutex<Letters<T>>,
}

#[derive(Debug)]
struct Letters<T> {
    waiting: Vec<T>,
    open: bool,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Self {
        let letters = Letters { waiting: Vec::new(), open: true };
        Self { filled: AtomicBool::new(false), letters: Mutex::new(letters) }
    }

    /// Gives the message back if the LWP has ended.
    pub(crate) fn push(&self, letter: T) -> Result<(), T> {
        let mut letters = self.letters.lock();
        if !letters.open {
            return Err(letter);
        }
        letters.waiting.push(letter);
        self.filled.store(true, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::SeqCst)
    }

    /// Exchanges what waits for `emptied`, whose room is used again.
    pub(crate) fn take(&self, emptied: &mut Vec<T>) {
        debug_assert!(emptied.is_empty(), "what was taken before is handled before more is taken");
        if !self.is_filled() {
            return;
        }
        let mut letters = self.letters.lock();
        self.filled.store(false, Ordering::SeqCst);
        mem::swap(&mut letters.waiting, emptied);
    }

    /// Takes what waits and accepts nothing more.
    pub(crate) fn close(&self) -> Vec<T> {
        let mut letters = self.letters.lock();
        letters.open = false;
        self.filled.store(false, Ordering::SeqCst);
        mem::take(&mut letters.waiting)
    }
}
