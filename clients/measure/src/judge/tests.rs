//! Each rule refuses what it must, names it with figures, and lets the rest pass.

use proptest::prelude::*;

use super::*;

/// A blocking ping-pong of two sides, as it should be.
fn honest() -> Raw {
    let side = Side { voluntary: 300, involuntary: 200, migrations: Some(0), ..Side::default() };
    Raw {
        samples: vec![1_000.0; 500],
        operations: 1_000,
        batch: 1,
        sides: vec![Side { foreign: Some(5), ..side }, side],
        switches_expected: Some(0.5),
        out_of_turn: Some(0),
        ..Raw::default()
    }
}

fn objection(raw: &Raw) -> String {
    evidence(raw, Section::Switch).expect_err("must be refused")
}

fn with_side_b(change: impl FnOnce(&mut Side)) -> Raw {
    let mut raw = honest();
    change(&mut raw.sides[1]);
    raw
}

#[test]
fn an_honest_round_counts() {
    assert_eq!(evidence(&honest(), Section::Switch), Ok(()));
    assert_eq!(switch_ratios(&honest()), [1.0, 1.0]);
}

#[test]
fn what_is_not_known_is_not_held_against_a_round() {
    let silent = Raw { switches_expected: None, out_of_turn: None, sides: vec![], ..honest() };
    assert_eq!(evidence(&silent, Section::Switch), Ok(()));
    assert!(switch_ratios(&silent).is_empty());
}

#[test]
fn who_does_not_switch_where_it_must_has_no_number() {
    // Each side takes its own semaphore again: nobody switches.
    let raw = with_side_b(|side| (side.voluntary, side.involuntary) = (20, 0));
    let expected =
        "side B switched 2.00e-2 times an operation where it must 0.50 times (20 of 500)";
    assert_eq!(objection(&raw), expected);
}

#[test]
fn the_kernel_may_be_one_percent_off_and_no_more() {
    let counted = |count| with_side_b(|side| (side.voluntary, side.involuntary) = (count, 0));
    for fine in [495, 500, 505] {
        assert_eq!(evidence(&counted(fine), Section::Switch), Ok(()), "{fine}");
    }
    for wrong in [0, 494, 506, 750, 1_000] {
        assert!(objection(&counted(wrong)).contains("side B switched"), "{wrong}");
    }
}

#[test]
fn few_switches_may_lose_their_edges_and_never_all() {
    let short = |counted| Raw {
        samples: vec![8e6; 5],
        operations: 10,
        sides: vec![Side { voluntary: counted, ..Side::default() }],
        ..honest()
    };
    assert_eq!(evidence(&short(6), Section::WorkingSet), Ok(()));
    assert!(evidence(&short(7), Section::WorkingSet).is_err());
    assert!(evidence(&short(0), Section::WorkingSet).is_err());
    let tiny = Raw { operations: 2, ..short(0) };
    assert!(evidence(&tiny, Section::WorkingSet).is_err());
}

#[test]
fn who_must_not_switch_may_hardly_do_so() {
    let fiber = |counted| Raw {
        switches_expected: Some(0.0),
        sides: vec![Side { involuntary: counted, foreign: Some(counted), ..Side::default() }],
        ..honest()
    };
    assert_eq!(evidence(&fiber(10), Section::Switch), Ok(()));
    assert!(objection(&fiber(11)).contains("switched 11 times in 1000 operations"));
}

#[test]
fn switches_that_must_be_and_were_not_counted_are_no_evidence() {
    assert_eq!(objection(&Raw { sides: vec![], ..honest() }), "no side counted its switches");
}

#[test]
fn a_turn_out_of_order_refuses_the_round() {
    let raw = Raw { out_of_turn: Some(3), ..honest() };
    assert_eq!(objection(&raw), "3 of 1000 turns were out of order");
}

#[test]
fn who_leaves_its_processor_is_refused() {
    let strayed = with_side_b(|side| side.strays = 1);
    assert_eq!(objection(&strayed), "side B found itself on another processor 1 times");
    let moved = with_side_b(|side| side.migrations = Some(2));
    assert_eq!(objection(&moved), "side B was moved to another processor 2 times");
    assert_eq!(evidence(&with_side_b(|side| side.migrations = None), Section::Switch), Ok(()));
}

#[test]
fn a_shared_processor_is_refused() {
    assert_eq!(evidence(&with_side_b(|side| side.foreign = Some(5)), Section::Switch), Ok(()));
    let shared = objection(&with_side_b(|side| side.foreign = Some(6)));
    assert!(shared.contains("6 switches to others beside 500 switches"), "{shared}");
}

#[test]
fn an_objection_of_the_round_itself_stands_with_all_others() {
    let raw = Raw {
        objection: Some("the clock went backwards".to_owned()),
        out_of_turn: Some(1),
        ..honest()
    };
    let expected = "the clock went backwards; 1 of 1000 turns were out of order";
    assert_eq!(objection(&raw), expected);
}

#[test]
fn too_few_samples_and_those_that_are_no_numbers_are_refused() {
    let few = Raw { samples: vec![1.0; 29], ..honest() };
    assert_eq!(objection(&few), "29 samples, where 30 are needed");
    assert_eq!(evidence(&few, Section::Create), Ok(()));
    for strange in [f64::NAN, f64::INFINITY, -1.0] {
        let mut raw = honest();
        raw.samples[7] = strange;
        assert!(objection(&raw).contains("which nothing can take"), "{strange}");
    }
    assert_eq!(objection(&Raw { operations: 0, ..honest() }), "no operation was done");
}

#[test]
fn a_canary_that_sings_slower_is_noticed() {
    assert_eq!(quietness(1.0), Ok(()));
    assert_eq!(quietness(1.05), Ok(()));
    assert!(quietness(1.08).unwrap_err().contains("8 % slower"));
}

proptest! {
    #[test]
    fn nothing_that_is_counted_makes_a_judge_panic(
        voluntary: u64, involuntary: u64, strays: u64, foreign: Option<u64>,
        operations: u64, expected in proptest::option::of(-1e3..1e3_f64),
    ) {
        let side = Side { voluntary, involuntary, strays, migrations: None, foreign };
        let raw = Raw { operations, switches_expected: expected, sides: vec![side; 30], ..honest() };
        let _ = evidence(&raw, Section::Ring);
        prop_assert!(switch_ratios(&raw).iter().all(|ratio| ratio.is_finite()));
    }

    #[test]
    fn a_round_counts_exactly_where_the_sum_is_within_a_percent(voluntary in 0..3_000_u64, involuntary in 0..3_000_u64) {
        let raw = with_side_b(|side| (side.voluntary, side.involuntary) = (voluntary, involuntary));
        let within = (495..=505).contains(&(voluntary + involuntary));
        prop_assert_eq!(evidence(&raw, Section::Switch).is_ok(), within);
    }
}
