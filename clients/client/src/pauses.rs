//! How long to wait between two attempts: longer each time, and by lot.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Doublings that are counted: more than the longest pause can need.
const DOUBLINGS_MAX: u32 = 20;

/// Pauses with a lot of their own for each client.
#[derive(Clone, Debug)]
pub(crate) struct Pauses {
    min: Duration,
    max: Duration,
    /// The state of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    dice: u64,
}

impl Pauses {
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        // The one source of randomness that std has.
        Self { min, max, dice: RandomState::new().hash_one(0) }
    }

    /// After so many attempts that failed: half to all of min·2ⁿ, at most max.
    pub(crate) fn after(&mut self, failures: u32) -> Duration {
        let longest = self.min.saturating_mul(1 << failures.min(DOUBLINGS_MAX)).min(self.max);
        longest.mul_f64(0.5 + self.fraction() / 2.0)
    }

    /// From 0 up to 1.
    fn fraction(&mut self) -> f64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_differ() {
        let (min, max) = (Duration::from_millis(10), Duration::from_secs(1));
        let mut pauses = Pauses::new(min, max);
        let mut seen = Vec::new();
        for failures in (0..40).chain([u32::MAX]) {
            let longest = min.saturating_mul(1 << failures.min(10)).min(max);
            let pause = pauses.after(failures);
            assert!((longest / 2..=longest).contains(&pause), "{failures}: {pause:?}");
            assert!(!seen.contains(&pause));
            seen.push(pause);
        }
    }
}
