//! Chance, from a seed: splitmix64 makes the state, xoshiro256++ the numbers (Blackman & Vigna, "Scrambled linear
//! pseudorandom number generators", 2021). Written here because a seed that was reported must give the same run for
//! good, whatever a library does in its next release.

use std::time::Duration;

/// Who draws. Each has numbers of its own, so that one more draw of one of them does not shift the others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Delays, losses, doubles.
    Network,
    /// Flushes, and what of them survives a crash.
    Disks,
    /// What goes wrong, with whom, for how long.
    Faults,
    /// What the world itself decides: the first configuration, the last reads.
    World,
    /// What a client asks.
    Client(u32),
    /// Which configurations a driver wants.
    Driver(u32),
}

/// A source of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random([u64; 4]);

impl Random {
    /// The numbers of one stream of a run.
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let name = match stream {
            Stream::Network => 1,
            Stream::Disks => 2,
            Stream::Faults => 3,
            Stream::World => 4,
            Stream::Client(client) => 1 << 32 | u64::from(client),
            Stream::Driver(driver) => 2 << 32 | u64::from(driver),
        };
        let mut state = scramble(seed) ^ scramble(!name);
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(GOLDEN);
            scramble(state)
        }))
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// 0 to `bound` − 1; 0 for a bound of 0. Not quite even, by less than `bound` / 2⁶⁴.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A position in a list of that length.
    pub(crate) fn position(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// True this often of a hundred.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// Evenly between two, both included.
    pub(crate) fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let (from, to) = (nanos(from), nanos(to));
        Duration::from_nanos(from + self.below((to.saturating_sub(from)).saturating_add(1)))
    }

    /// One of these; none if there are none.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.position(all.len()))
    }

    /// In any order (Fisher & Yates).
    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for end in (1..all.len()).rev() {
            all.swap(end, self.position(end + 1));
        }
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The last step of splitmix64: neighbours become strangers.
pub(crate) fn scramble(bits: u64) -> u64 {
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut random = Random::new(7, Stream::Network);
        let first: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        assert_eq!(first, PINNED, "seeds that were reported must stay what they were");
    }

    const PINNED: [u64; 3] =
        [7_103_435_677_425_993_629, 4_233_922_197_945_694_582, 18_381_618_035_055_147_989];

    #[test]
    fn the_algorithm_is_the_published_one() {
        let mut random = Random([1, 2, 3, 4]);
        let first: Vec<u64> = (0..4).map(|_| random.bits()).collect();
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn streams_of_one_seed_differ() {
        let first = |stream| Random::new(1, stream).bits();
        let all = [
            first(Stream::Network),
            first(Stream::Disks),
            first(Stream::Client(0)),
            first(Stream::Client(1)),
            first(Stream::Driver(0)),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one));
        }
    }

    #[test]
    fn bounds_are_kept_and_reached() {
        let mut random = Random::new(3, Stream::World);
        let mut seen = [0; 6];
        for _ in 0..6_000 {
            seen[random.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (800..1_200).contains(&count)), "{seen:?}");
        assert_eq!(random.below(0), 0);
        let (from, to) = (Duration::from_nanos(5), Duration::from_nanos(6));
        let drawn: Vec<_> = (0..64).map(|_| random.between(from, to)).collect();
        assert!(drawn.contains(&from) && drawn.contains(&to));
        assert!(drawn.iter().all(|&one| one == from || one == to));
    }

    #[test]
    fn shuffling_keeps_everything() {
        let mut random = Random::new(3, Stream::World);
        let mut all: Vec<u32> = (0..50).collect();
        random.shuffle(&mut all);
        assert!(!all.is_sorted());
        all.sort_unstable();
        assert!(all.into_iter().eq(0..50));
    }
}
