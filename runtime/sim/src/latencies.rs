//! How long things took: counts in buckets whose width grows with the value, exact to a sixteenth.

use std::time::Duration;

/// Buckets for each power of two.
const STEPS: u64 = 16;

/// A histogram of durations in nanoseconds. Two of them can be added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
}

impl Latencies {
    /// One more.
    pub(crate) fn record(&mut self, duration: Duration) {
        let bucket = bucket(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
    }

    /// All of another.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
    }

    /// Not exceeded by this many of a hundred; zero if there are none.
    pub(crate) fn percentile(&self, percent: u64) -> Duration {
        let wanted = (self.total * percent).div_ceil(100);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return Duration::from_nanos(lower_bound(bucket as u64));
            }
        }
        Duration::ZERO
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < STEPS {
        return nanos as usize;
    }
    let power = u64::from(nanos.ilog2());
    let step = (nanos >> (power - u64::from(STEPS.ilog2()))) - STEPS;
    ((power - u64::from(STEPS.ilog2()) + 1) * STEPS + step) as usize
}

fn lower_bound(bucket: u64) -> u64 {
    let (power, step) = (bucket / STEPS, bucket % STEPS);
    if power == 0 { step } else { (STEPS + step) << (power - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..5_000).chain((10..63).map(|power| (1 << power) + 12_345)) {
            let at = bucket(value) as u64;
            assert!(lower_bound(at) <= value && value < lower_bound(at + 1), "{value}");
            assert!(lower_bound(at + 1) - lower_bound(at) <= (value / STEPS).max(1), "{value}");
        }
    }

    #[test]
    fn percentiles_are_right_to_a_sixteenth_also_of_a_sum() {
        let (mut one, mut other) = (Latencies::default(), Latencies::default());
        for micros in 1..=1_000 {
            let half = if micros % 2 == 0 { &mut one } else { &mut other };
            half.record(Duration::from_micros(micros));
        }
        one.add(&other);
        for (percent, micros) in [(50, 500), (99, 990), (100, 1_000)] {
            let found = one.percentile(percent).as_micros();
            assert!(found <= micros && found * 16 >= micros * 15 - 16, "{percent}: {found}");
        }
        assert_eq!(Latencies::default().percentile(50), Duration::ZERO);
    }
}
