//! Laws of medians and intervals, and how often an interval holds a truth that is known.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const QUICK: Bootstrap = Bootstrap { resamples: 200, seed: 1 };

fn samples(rounds: &[Vec<f64>]) -> Vec<Sample> {
    rounds.iter().filter_map(|round| Sample::of(round)).collect()
}

fn estimate(rounds: &[Vec<f64>]) -> Estimate {
    let samples = samples(rounds);
    QUICK.of_medians("row", &samples.iter().collect::<Vec<_>>()).unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// Rounds that lie around 100 by 5, each with samples that lie around it by 3.
fn noisy_rounds(chance: &mut Chance, rounds: usize, shift: f64) -> Vec<Vec<f64>> {
    let mut round = || {
        let center = 100.0 + shift + 5.0 * chance.normal();
        (0..101).map(|_| center + 3.0 * chance.normal()).collect()
    };
    (0..rounds).map(|_| round()).collect()
}

/// In how many of 100 sessions the interval held the truth.
fn coverage(rounds: usize) -> f64 {
    let mut chance = Chance::new(rounds as u64);
    let sessions = 600;
    let held = (0..sessions).filter(|_| {
        let estimate = estimate(&noisy_rounds(&mut chance, rounds, 0.0));
        (estimate.low..=estimate.high).contains(&100.0)
    });
    held.count() as f64 * 100.0 / f64::from(sessions)
}

#[test]
fn an_interval_holds_the_truth_about_95_times_of_100() {
    for rounds in [5, 7, 11, 25] {
        let coverage = coverage(rounds);
        assert!((92.5..=99.5).contains(&coverage), "{rounds} rounds: {coverage} of 100");
    }
}

#[test]
fn a_paired_difference_is_found_where_rounds_drift_more_than_it() {
    // Both drift by 5 from round to round; what lies between them is 2, and only pairs can show it.
    let mut chance = Chance::new(9);
    let base = samples(&noisy_rounds(&mut chance, 11, 0.0));
    let moved: Vec<Sample> = base
        .iter()
        .map(|sample| Sample::of(&sample.kept.iter().map(|x| x + 2.0).collect::<Vec<_>>()).unwrap())
        .collect();
    let pairs: Vec<_> = moved.iter().zip(&base).collect();
    let difference = QUICK.difference("pair", &pairs).unwrap();
    assert!(close(difference.value, 2.0), "{difference:?}");
    assert!(difference.low > 1.0 && difference.high < 3.0, "{difference:?}");
}

#[test]
fn a_median_drawn_by_its_place_is_distributed_as_one_drawn_sample_by_sample() {
    let mut chance = Chance::new(4);
    let values: Vec<f64> = (0..51).map(f64::from).collect();
    let sample = Sample::of(&values).unwrap();
    let mut by_place: Vec<f64> = (0..20_000).map(|_| sample.redrawn_median(&mut chance)).collect();
    let mut one_by_one: Vec<f64> =
        (0..20_000).map(|_| median((0..51).map(|_| values[chance.below(51)])).unwrap()).collect();
    by_place.sort_by(f64::total_cmp);
    one_by_one.sort_by(f64::total_cmp);
    for q in [0.025, 0.25, 0.5, 0.75, 0.975] {
        let (a, b) = (quantile(&by_place, q), quantile(&one_by_one, q));
        assert!((a - b).abs() <= 1.0, "{q}: {a} and {b}");
    }
}

#[test]
fn the_same_data_give_the_same_figures() {
    let rounds = noisy_rounds(&mut Chance::new(2), 7, 0.0);
    assert_eq!(estimate(&rounds), estimate(&rounds));
}

#[test]
fn verdicts_need_both_a_difference_and_an_effect() {
    let between = |value, low, high| Estimate { value, low, high };
    let say =
        |section, difference, ratio| verdict(section, difference, between(ratio, ratio, ratio));
    let sure = between(5.0, 4.0, 6.0);
    assert_eq!(say(Section::Switch, sure, 1.05), Verdict::Slower);
    assert_eq!(say(Section::Switch, sure, 1.029), Verdict::Alike);
    assert_eq!(say(Section::Switch, between(5.0, -1.0, 9.0), 1.5), Verdict::Alike);
    assert_eq!(say(Section::Switch, between(-5.0, -6.0, -4.0), 0.9), Verdict::Faster);
    assert_eq!(say(Section::IpcThroughput, sure, 1.05), Verdict::Faster);
    assert_eq!(say(Section::IpcThroughput, between(-5.0, -6.0, -4.0), 0.9), Verdict::Slower);
}

#[test]
fn nothing_comes_of_nothing() {
    assert!(Sample::of(&[]).is_none() && Sample::of(&[f64::NAN, f64::INFINITY]).is_none());
    assert!(QUICK.of_medians("row", &[]).is_none());
    assert!(QUICK.ratio_unpaired("row", &[1.0], &[]).is_none());
    let (one, zero) = (Sample::single(1.0).unwrap(), Sample::single(0.0).unwrap());
    assert!(QUICK.ratio("row", &[(&one, &zero)]).is_none());
    assert!(pooled_quantiles(&[], &[0.5]).is_empty());
}

#[test]
fn a_thinned_round_keeps_its_quantiles() {
    let values: Vec<f64> = (0..100_000).map(f64::from).collect();
    let sample = Sample::of(&values).unwrap();
    assert_eq!(sample.kept.len(), KEPT_MAX);
    for q in [0.01, 0.5, 0.99, 0.999] {
        assert!((sample.quantile(q) - q * 100_000.0).abs() < 50.0, "{q}: {}", sample.quantile(q));
    }
}

#[test]
fn pooled_rounds_weigh_as_much_as_they_have_samples() {
    // 9 of 10 samples are of the first round, thinned or not.
    let first = Sample::of(&vec![1.0; 90_000]).unwrap();
    let second = Sample::of(&vec![2.0; 10_000]).unwrap();
    let pooled = pooled_quantiles(&[&first, &second], &[0.5, 0.89, 0.91, 0.999]);
    assert_eq!(pooled, [(0.5, 1.0), (0.89, 1.0), (0.91, 2.0), (0.999, 2.0)]);
}

fn some_rounds() -> impl Strategy<Value = Vec<Vec<f64>>> {
    vec(vec(0.1..1e6_f64, 1..40), 1..9)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_interval_holds_its_median(rounds in some_rounds()) {
        let found = estimate(&rounds);
        prop_assert!(found.low <= found.value && found.value <= found.high);
        let all = rounds.iter().flatten().copied();
        let (least, most) = all.fold((f64::MAX, 0.0), |(l, m): (f64, f64), x| (l.min(x), m.max(x)));
        prop_assert!(least <= found.low && found.high <= most);
    }

    #[test]
    fn order_does_not_matter(rounds in some_rounds(), seed in any::<u64>()) {
        let mut chance = Chance::new(seed);
        let mut shuffled = rounds.clone();
        chance.shuffle(&mut shuffled);
        shuffled.iter_mut().for_each(|round| chance.shuffle(round));
        prop_assert_eq!(estimate(&rounds), estimate(&shuffled));
    }

    #[test]
    fn another_measure_scales_everything(rounds in some_rounds(), factor in 0.01..100.0_f64) {
        let scaled: Vec<Vec<f64>> =
            rounds.iter().map(|round| round.iter().map(|x| x * factor).collect()).collect();
        let (a, b) = (estimate(&rounds), estimate(&scaled));
        prop_assert!(close(a.value * factor, b.value));
        prop_assert!(close(a.low * factor, b.low) && close(a.high * factor, b.high));
    }

    #[test]
    fn medians_agree_however_they_are_computed(mut values in vec(-1e6..1e6_f64, 1..60)) {
        let expected = median(values.iter().copied()).unwrap();
        prop_assert!(close(median_in_place(&mut values), expected));
    }

    #[test]
    fn quantiles_ascend(values in vec(any::<f64>(), 0..60), wanted in vec(0.0..1.0_f64, 1..20)) {
        let mut wanted = wanted;
        wanted.sort_by(f64::total_cmp);
        let sample = Sample::of(&values);
        let pooled = pooled_quantiles(&sample.iter().collect::<Vec<_>>(), &wanted);
        prop_assert!(pooled.is_sorted_by(|a, b| a.1 <= b.1));
        prop_assert_eq!(pooled.len(), sample.map_or(0, |_| wanted.len()));
    }
}
