//! Two series of rounds that were measured in turns, for those who measure elsewhere.

use super::{Bootstrap, Sample};
use crate::report::Estimate;

/// Resamples behind an interval.
const RESAMPLES: u32 = 5_000;

/// `a` by `b`, paired by round: the median of the ratios, and where it would lie in 95 of 100 runs like this one.
///
/// The `n`th of both are of the same round; a round counts where both are finite. `name` and `seed` decide what is drawn:
/// the same give the same interval. Nothing where no round counts, or where one of `b` is not more than 0.
///
/// One round has an interval without width: who wants to tell two apart must ask for some.
#[must_use]
pub fn ratio_of_rounds(name: &str, seed: u64, a: &[f64], b: &[f64]) -> Option<Estimate> {
    of_pairs(name, seed, a, b, Bootstrap::ratio)
}

/// `a` less `b`, paired by round, in the unit of both; otherwise as [`ratio_of_rounds`].
#[must_use]
pub fn difference_of_rounds(name: &str, seed: u64, a: &[f64], b: &[f64]) -> Option<Estimate> {
    of_pairs(name, seed, a, b, Bootstrap::difference)
}

fn of_pairs(
    name: &str,
    seed: u64,
    a: &[f64],
    b: &[f64],
    estimate: impl Fn(&Bootstrap, &str, &[(&Sample, &Sample)]) -> Option<Estimate>,
) -> Option<Estimate> {
    let rounds = a.iter().zip(b);
    let both = rounds.filter_map(|(&a, &b)| Sample::single(a).zip(Sample::single(b)));
    let both: Vec<_> = both.collect();
    let pairs: Vec<_> = both.iter().map(|(a, b)| (a, b)).collect();
    estimate(&Bootstrap { resamples: RESAMPLES, seed }, name, &pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_are_slow_for_both_tell_nothing() {
        let ratio = ratio_of_rounds("x", 1, &[2.0, 20.0, 4.0], &[1.0, 10.0, 2.0]).unwrap();
        assert_eq!((ratio.low, ratio.value, ratio.high), (2.0, 2.0, 2.0));
        let less = difference_of_rounds("x", 1, &[2.0, 20.0, 4.0], &[1.0, 19.0, 3.0]).unwrap();
        assert_eq!((less.low, less.value, less.high), (1.0, 1.0, 1.0));
    }

    #[test]
    fn an_interval_holds_what_was_seen_either_way() {
        let ratio = ratio_of_rounds("x", 1, &[9.0, 11.0, 10.0, 12.0], &[10.0; 4]).unwrap();
        assert!(ratio.low < 1.0 && 1.0 < ratio.high, "{ratio:?}");
    }

    #[test]
    fn a_round_that_one_of_both_has_not_does_not_count() {
        let ratio = ratio_of_rounds("x", 1, &[f64::NAN, 3.0, 9.0], &[1.0, 1.0]).unwrap();
        assert_eq!(ratio.value, 3.0);
        assert_eq!(ratio_of_rounds("x", 1, &[f64::NAN], &[1.0]), None);
        assert_eq!(ratio_of_rounds("x", 1, &[1.0], &[0.0]), None);
        assert_eq!(difference_of_rounds("x", 1, &[], &[]), None);
    }
}
