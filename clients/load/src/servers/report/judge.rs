//! Who is better than whom, and by how much: told from the rounds, or not at all.

use palco_measure::{EFFECT_MIN, difference_of_rounds, ratio_of_rounds};

use crate::servers::workload::Measure;

/// Fewer common rounds tell nobody apart: of two, both go the same way half of the time by chance.
pub(super) const ROUNDS_MIN: usize = 3;

/// Of the requests that were due, what a server must have answered to be ranked by anything else.
pub(super) const ANSWERED_MIN: f64 = 0.95;

/// Where 0 is a good figure there is no ratio to it: the least difference worth a word, in the measure's own unit.
const fn least(measure: Measure) -> Option<f64> {
    match measure {
        Measure::Cpu
        | Measure::SparseCpu
        | Measure::P50
        | Measure::P99
        | Measure::Saturation
        | Measure::Recovery => None,
        // Shares of a whole: what 3 % are elsewhere.
        Measure::Answered | Measure::Balance | Measure::Fairness | Measure::Lost => {
            Some(EFFECT_MIN)
        }
        // What a single request leaves behind; less is stacks and the allocator.
        Measure::Growth => Some(1.0),
        // Of a thousand connections half a MiB, which an allocator takes at a time.
        Measure::MemoryPerConnection => Some(0.5),
    }
}

/// Whether `a` is better than `b` by this measure: the interval of what lies between the same rounds of both excludes
/// that they are alike, and it is more than 3 % and more than the least that is worth a word.
pub(super) fn is_better(name: &str, seed: u64, measure: Measure, a: &[f64], b: &[f64]) -> bool {
    let is_pair = |(a, b): &(&f64, &f64)| a.is_finite() && b.is_finite();
    if a.iter().zip(b).filter(is_pair).count() < ROUNDS_MIN {
        return false;
    }
    let (less, more) = if measure.is_cost() { (a, b) } else { (b, a) };
    if least(measure).is_none()
        && let Some(ratio) = ratio_of_rounds(name, seed, more, less)
    {
        return ratio.low > 1.0 && ratio.value > 1.0 + EFFECT_MIN;
    }
    let Some(difference) = difference_of_rounds(name, seed, more, less) else { return false };
    let size = median(more).map_or(0.0, f64::abs);
    let worth = (EFFECT_MIN * size).max(least(measure).unwrap_or(0.0));
    difference.low > 0.0 && difference.value > worth
}

/// How many times better `a` is than `b`, both medians; below 1 it is worse. Where 0 is possible the least difference
/// stands for less.
pub(super) fn factor(measure: Measure, a: f64, b: f64) -> f64 {
    let least = least(measure).unwrap_or(f64::MIN_POSITIVE);
    let (less, more) = if measure.is_cost() { (a, b) } else { (b, a) };
    (more.max(least) / less.max(least)).min(FACTOR_MAX)
}

/// More is without end: one of both is nothing.
pub(super) const FACTOR_MAX: f64 = 1e6;

/// Of those rounds that have a value.
pub(super) fn median(rounds: &[f64]) -> Option<f64> {
    let finite = rounds.iter().copied().filter(|value| value.is_finite());
    crate::Spread::of(finite).map(|spread| spread.median)
}

/// The rounds that both have.
pub(super) fn common<'a>(a: &'a [f64], b: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    let pairs = a.iter().copied().zip(b.iter().copied());
    pairs.filter(|(a, b)| a.is_finite() && b.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn better(measure: Measure, a: &[f64], b: &[f64]) -> bool {
        is_better("x", 7, measure, a, b)
    }

    #[test]
    fn less_of_a_cost_is_better_and_more_of_what_is_wanted() {
        let (low, high) = ([1.0, 1.1, 0.9], [2.0, 2.1, 1.9]);
        assert!(better(Measure::Cpu, &low, &high) && !better(Measure::Cpu, &high, &low));
        assert!(better(Measure::Saturation, &high, &low));
        assert!(!better(Measure::Saturation, &low, &high));
    }

    #[test]
    fn what_goes_both_ways_or_is_small_is_not_told_apart() {
        assert!(!better(Measure::Cpu, &[1.0, 2.0, 1.0], &[2.0, 1.0, 2.0]));
        assert!(!better(Measure::Cpu, &[1.0; 5], &[1.02; 5]));
        assert!(!better(Measure::Answered, &[1.0; 5], &[0.98; 5]));
        assert!(!better(Measure::Lost, &[0.0; 5], &[0.0; 5]));
        assert!(!better(Measure::Growth, &[500.0; 5], &[510.0; 5]));
    }

    #[test]
    fn zero_is_better_than_something() {
        assert!(better(Measure::Lost, &[0.0; 3], &[1.0; 3]));
        assert!(better(Measure::Growth, &[0.0; 3], &[300.0; 3]));
        assert!(better(Measure::Answered, &[1.0; 3], &[0.0; 3]));
        assert!(better(Measure::Cpu, &[0.0; 3], &[5.0; 3]));
    }

    #[test]
    fn too_few_common_rounds_tell_nobody_apart() {
        assert!(!better(Measure::Cpu, &[1.0; 2], &[9.0; 2]));
        assert!(!better(Measure::Cpu, &[1.0, f64::NAN, 1.0], &[9.0; 3]));
        assert!(!better(Measure::Cpu, &[], &[9.0; 3]));
    }

    #[test]
    fn factors_are_finite() {
        assert_eq!(factor(Measure::Cpu, 2.0, 6.0), 3.0);
        assert!((factor(Measure::Lost, 0.0, 0.6) - 20.0).abs() < 1e-9);
        assert_eq!(factor(Measure::Saturation, 10.0, 0.0), FACTOR_MAX);
        assert_eq!(factor(Measure::Answered, 1.0, 0.5), 2.0);
    }
}
