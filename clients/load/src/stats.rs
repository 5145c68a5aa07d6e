//! Quantiles of samples, and ratios that are paired round by round.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Digits that a recorded time keeps.
const DIGITS: u8 = 3;

/// The longest sample that is told from longer ones: a minute.
const NANOS_MAX: u64 = 60_000_000_000;

/// A median and what lay around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of the rounds were below.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of no values there is none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Self { median, min, max })
    }

    /// Of the ratios of each value to the baseline's of the same round.
    pub(crate) fn of_ratios(values: &[f64], baseline: &[f64]) -> Option<Self> {
        let pairs = values.iter().zip(baseline).filter(|(_, baseline)| **baseline > 0.0);
        Self::of(pairs.map(|(value, baseline)| value / baseline))
    }
}

/// Samples of several rounds, each of a number of operations.
pub(crate) struct Samples {
    nanos: Histogram<u64>,
    ops_per_sample: f64,
}

impl Samples {
    pub(crate) fn new(ops_per_sample: u64) -> Self {
        let nanos = Histogram::new_with_bounds(1, NANOS_MAX, DIGITS).expect("bounds far apart");
        Self { nanos, ops_per_sample: ops_per_sample as f64 }
    }

    pub(crate) fn add(&mut self, nanos: &[u64]) {
        for sample in nanos {
            self.nanos.saturating_record(*sample);
        }
    }

    /// Nanoseconds an operation; `quantile` 0.5 is the median, 1.0 the maximum.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        self.nanos.value_at_quantile(quantile) as f64 / self.ops_per_sample
    }
}

/// The middle of `values` in any order; 0 of none.
pub(crate) fn middle(values: &mut [u64]) -> u64 {
    if values.is_empty() {
        return 0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable(middle).1
}

/// Jain's index of fairness: 1 if all have as much, 1/n if one of n has everything; nothing of nothing (Jain, Chiu and
/// Hawe, "A quantitative measure of fairness", 1984).
pub(crate) fn jain(shares: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let (count, sum) = (shares.clone().count() as f64, shares.clone().sum::<f64>());
    let squares = shares.map(|share| share * share).sum::<f64>();
    (squares > 0.0).then(|| sum * sum / (count * squares))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fairness_is_between_one_of_n_and_all_alike() {
        let of = |shares: &[f64]| jain(shares.iter().copied());
        assert_eq!(of(&[3.0, 3.0, 3.0, 3.0]), Some(1.0));
        assert_eq!(of(&[5.0, 0.0, 0.0, 0.0]), Some(0.25));
        assert_eq!(of(&[0.0, 0.0]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn an_even_number_of_values_has_its_median_between_two() {
        let spread = Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (2.5, 1.0, 4.0));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratios_are_paired_by_round() {
        // Both were twice as slow in the second round: the ratio does not notice.
        let spread = Spread::of_ratios(&[10.0, 20.0], &[20.0, 40.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (0.5, 0.5, 0.5));
        assert_eq!(Spread::of_ratios(&[10.0], &[0.0]), None);
    }

    #[test]
    fn a_sample_of_several_operations_is_divided() {
        let mut samples = Samples::new(16);
        samples.add(&[160, 320, 1_600]);
        assert!((samples.quantile(0.5) - 20.0).abs() < 0.1);
        assert!((samples.quantile(1.0) - 100.0).abs() < 0.2);
    }

    #[test]
    fn a_long_sample_is_not_cut() {
        let mut samples = Samples::new(1);
        samples.add(&[1, 3_000_000_000]);
        assert!((samples.quantile(1.0) / 3e9 - 1.0).abs() < 0.01);
    }

    #[test]
    fn the_middle_needs_no_order() {
        assert_eq!(middle(&mut [9, 1, 5]), 5);
        assert_eq!(middle(&mut []), 0);
    }
}
