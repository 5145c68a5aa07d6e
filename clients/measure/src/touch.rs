//! Working sets: private memory that a side touches each time it has the turn.
//!
//! In sequence the processor fetches ahead, and most misses are hidden; a chase follows a random cycle through all lines,
//! and each miss is waited for. The cycle is made by Sattolo's algorithm (S. Sattolo, Information Processing Letters 22,
//! 1986): it visits every line once before it begins again.

use std::fmt;
use std::hint::black_box;
use std::io;

use palco_sys::PrivateArea;

use crate::sides::Stopwatch;
use crate::{Key, Pages, Pattern};

/// What is touched as one: a cache line, in words.
const LINE_WORDS: usize = 8;

/// The least time of a measurement of a touch, so that reading the clock does not count.
const MEASURED_NANOS_MIN: f64 = 2_000.0;

/// The most touches in one measurement.
const BATCH_MAX: u32 = 1 << 12;

/// How many measurements a median of touches is made of.
const MEASUREMENTS: usize = 15;

/// One side's working set; nothing at all if it has no bytes.
pub(crate) struct Touch {
    set: Option<Set>,
}

struct Set {
    area: PrivateArea,
    pattern: Pattern,
}

impl Touch {
    /// No working set: a hop touches nothing.
    pub(crate) const fn nothing() -> Self {
        Self { set: None }
    }

    /// The working set that the key tells of, for the side number `side`: each has an order of its own. Made by the side
    /// itself, so that the pages are near its processor and not shared with a parent.
    ///
    /// # Errors
    /// The kernel's, when there is no memory, or no huge pages where they are asked for.
    pub(crate) fn of(key: &Key, side: u32) -> io::Result<Self> {
        if key.working_set == 0 {
            return Ok(Self::nothing());
        }
        let pattern = key.pattern.unwrap_or(Pattern::Sequential);
        Self::new(key.working_set, pattern, key.pages.unwrap_or(Pages::Small), side)
    }

    /// At least one line of memory, all of it touched.
    ///
    /// # Errors
    /// As [`Touch::of`]; `OutOfMemory` when most of it is not on huge pages although it should be.
    pub(crate) fn new(bytes: u64, pattern: Pattern, pages: Pages, side: u32) -> io::Result<Self> {
        let bytes = usize::try_from(bytes).map_err(io::Error::other)?;
        let lines = bytes.div_ceil(LINE_WORDS * size_of::<u64>()).max(1);
        let bytes = lines * LINE_WORDS * size_of::<u64>();
        let mut area = match pages {
            Pages::Small => PrivateArea::new(bytes, false)?,
            Pages::Huge => on_huge_pages(bytes)?,
        };
        let words = area.words_mut();
        match pattern {
            Pattern::Sequential => words.fill(1),
            Pattern::Chase => lay_cycle(words, u64::from(side)),
        }
        Ok(Self { set: Some(Set { area, pattern }) })
    }

    /// Touches every line once.
    #[inline]
    pub(crate) fn hop(&mut self) {
        if let Some(set) = &self.set {
            black_box(set.touch());
        }
    }

    /// What a hop costs while nobody else runs: the median of some measurements, in nanoseconds. Nothing without a set.
    pub(crate) fn hot_nanos(&mut self, clock: Stopwatch) -> Option<f64> {
        self.set.as_ref()?;
        self.hop();
        let mut batch = 1_u32;
        while batch < BATCH_MAX && self.timed(clock, batch) < MEASURED_NANOS_MIN {
            batch *= 2;
        }
        let mut figures: Vec<f64> =
            (0..MEASUREMENTS).map(|_| self.timed(clock, batch) / f64::from(batch)).collect();
        figures.sort_unstable_by(f64::total_cmp);
        figures.get(MEASUREMENTS / 2).copied()
    }

    fn timed(&mut self, clock: Stopwatch, hops: u32) -> f64 {
        let begin = clock.now();
        for _ in 0..hops {
            self.hop();
        }
        clock.nanos(clock.now().wrapping_sub(begin))
    }
}

impl Set {
    #[inline]
    fn touch(&self) -> u64 {
        let words = self.area.words();
        match self.pattern {
            Pattern::Sequential => {
                words.iter().step_by(LINE_WORDS).fold(0, |sum, word| sum.wrapping_add(*word))
            }
            Pattern::Chase => {
                let mut at = 0;
                for _ in 0..words.len() / LINE_WORDS {
                    at = words[at as usize];
                }
                at
            }
        }
    }
}

impl fmt::Debug for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Touch").field("area", &self.set.as_ref().map(|set| &set.area)).finish()
    }
}

/// An area that lies on huge pages for the most part, or else what is measured is not what was asked for.
fn on_huge_pages(bytes: usize) -> io::Result<PrivateArea> {
    let area = PrivateArea::new(bytes, true)?;
    let given = area.huge_bytes()?;
    if given >= bytes.div_ceil(2) {
        return Ok(area);
    }
    let text =
        format!("the kernel has put {given} of {bytes} bytes on huge pages: see /proc/buddyinfo");
    Err(io::Error::new(io::ErrorKind::OutOfMemory, text))
}

/// Writes into the first word of every line the index of the next line's: one random cycle through all of them.
fn lay_cycle(words: &mut [u64], seed: u64) {
    let lines = words.len() / LINE_WORDS;
    for line in 0..lines {
        words[line * LINE_WORDS] = (line * LINE_WORDS) as u64;
    }
    let mut random = seed;
    for line in (1..lines).rev() {
        // Sattolo: never with itself, which is what makes it one cycle.
        let other = (next_random(&mut random) % line as u64) as usize;
        words.swap(line * LINE_WORDS, other * LINE_WORDS);
    }
}

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): plenty for an order of lines.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_chase_visits_every_line_once_and_comes_back(lines in 1_usize..300, seed: u64) {
            let mut words = vec![0; lines * LINE_WORDS];
            lay_cycle(&mut words, seed);
            let (mut at, mut seen) = (0, vec![false; lines]);
            for _ in 0..lines {
                prop_assert!(!seen[at / LINE_WORDS]);
                seen[at / LINE_WORDS] = true;
                at = words[at] as usize;
            }
            prop_assert_eq!(at, 0);
        }
    }

    #[test]
    fn a_sequential_touch_reads_every_line() {
        let touch = Touch::new(64 * 1000, Pattern::Sequential, Pages::Small, 0).unwrap();
        assert_eq!(touch.set.unwrap().touch(), 1000);
    }

    #[test]
    fn two_sides_have_orders_of_their_own() {
        let order = |side| {
            let touch = Touch::new(1 << 14, Pattern::Chase, Pages::Small, side).unwrap();
            touch.set.unwrap().area.words().to_vec()
        };
        assert_ne!(order(0), order(1));
    }

    #[test]
    fn huge_pages_are_there_or_it_is_said_that_they_are_not() {
        match Touch::new(4 << 20, Pattern::Sequential, Pages::Huge, 0) {
            Ok(touch) => assert!(touch.set.unwrap().area.huge_bytes().unwrap() >= 2 << 20),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn only_a_working_set_has_a_hot_touch() {
        let clock = Stopwatch::new();
        assert_eq!(Touch::nothing().hot_nanos(clock), None);
        let mut touch = Touch::new(1 << 16, Pattern::Chase, Pages::Small, 0).unwrap();
        assert!(touch.hot_nanos(clock).unwrap() > 0.0);
    }
}
