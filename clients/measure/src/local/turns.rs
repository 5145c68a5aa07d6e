//! The word that proves that turns are taken in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What both sides share.
#[derive(Debug, Default)]
struct Word {
    /// Turns taken so far.
    taken: AtomicU64,
    /// Turns that found another number than they had to.
    out_of_turn: AtomicU64,
}

/// One of two sides: takes every second turn, and no other.
#[derive(Clone, Debug)]
pub(crate) struct Player {
    word: Arc<Word>,
    next: u64,
}

/// Two sides; the first one begins.
pub(crate) fn pair() -> [Player; 2] {
    let word = Arc::new(Word::default());
    [0, 1].map(|next| Player { word: Arc::clone(&word), next })
}

impl Player {
    /// Takes a turn. Whoever takes one of the other side is counted.
    #[inline]
    pub(crate) fn hop(&mut self) {
        // Only one side is at work at a time, where all is well; where not, it shows.
        let taken = self.word.taken.load(Ordering::Relaxed);
        if taken != self.next {
            self.word.out_of_turn.fetch_add(1, Ordering::Relaxed);
        }
        self.word.taken.store(taken + 1, Ordering::Relaxed);
        self.next = taken + 2;
    }

    /// Whether the next turn is this side's.
    #[cfg(any(test, feature = "peers"))]
    pub(crate) fn is_on(&self) -> bool {
        self.word.taken.load(Ordering::Relaxed) == self.next
    }

    /// Turns of either side that were not the next in order, so far.
    pub(crate) fn out_of_turn(&self) -> u64 {
        self.word.out_of_turn.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_in_order_are_in_order() {
        let [mut a, mut b] = pair();
        for _ in 0..100 {
            a.hop();
            assert!(b.is_on() && !a.is_on());
            b.hop();
        }
        assert_eq!((a.out_of_turn(), b.out_of_turn()), (0, 0));
    }

    #[test]
    fn a_side_that_goes_on_without_the_other_is_found_out() {
        let [mut a, mut b] = pair();
        a.hop();
        a.hop();
        assert_eq!(a.out_of_turn(), 1);
        b.hop();
        assert_eq!(b.out_of_turn(), 2);
    }
}
