//! What follows from made-up rounds.

use super::fixture::{ROUNDS, large, plain, refused, report, row, somebody};
use super::*;

const GOOD: [f64; ROUNDS] = [10.0, 11.0, 10.5, 10.2, 10.1];
const ALIKE: [f64; ROUNDS] = [10.2, 10.8, 10.4, 10.3, 10.0];
const BAD: [f64; ROUNDS] = [30.0, 33.0, 31.0, 30.5, 32.0];
const ALL: [f64; ROUNDS] = [1.0; ROUNDS];

fn names(report: &ServersReport, ranking: usize) -> Vec<Vec<&str>> {
    let groups = report.rankings[ranking].groups.iter();
    groups.map(|group| group.members.iter().map(|(name, _)| name.as_str()).collect()).collect()
}

fn people(names: &[&str]) -> Vec<ContestantFacts> {
    names.iter().map(|name| somebody(name, Origin::C, None)).collect()
}

#[test]
fn who_cannot_be_told_apart_is_in_one_group() {
    let rows = vec![
        row("slow", &[(Measure::Cpu, &BAD)]),
        row("fast", &[(Measure::Cpu, &GOOD)]),
        row("as fast", &[(Measure::Cpu, &ALIKE)]),
    ];
    let report = report(people(&["slow", "fast", "as fast"]), vec![plain(Workload::Short, rows)]);
    assert_eq!(names(&report, 0), [vec!["fast", "as fast"], vec!["slow"]]);
    let ranking = &report.rankings[0];
    let places = ["slow", "as fast", "nobody"].map(|name| ranking.place(name));
    assert_eq!(places, [Some(2), Some(1), None]);
    let sentence = &ranking.sentence;
    assert!(sentence.starts_with("2 servers share the first place"), "{sentence}");
    assert!(sentence.contains("Last is slow with 31 µs"), "{sentence}");
}

#[test]
fn who_answered_too_little_or_nothing_is_not_ranked_but_named() {
    let rows = vec![
        row("good", &[(Measure::P99, &GOOD), (Measure::Answered, &ALL)]),
        row("stuck", &[(Measure::P99, &[1.0; ROUNDS]), (Measure::Answered, &[0.3; ROUNDS])]),
        row("silent", &[(Measure::Answered, &ALL), (Measure::P99, &[f64::NAN; ROUNDS])]),
        refused("absent", "it is not here"),
    ];
    let contestants = people(&["good", "stuck", "silent", "absent"]);
    let report = report(contestants, vec![plain(Workload::Block, rows)]);
    assert_eq!(names(&report, 0), [vec!["good"]]);
    let ranking = &report.rankings[0];
    let failed: Vec<_> = ranking.failed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(failed, ["stuck"]);
    assert!(ranking.sentence.contains("stuck (30 % answered)"), "{}", ranking.sentence);
    assert!(ranking.sentence.contains("Without this figure: silent."), "{}", ranking.sentence);
    assert!(!ranking.sentence.contains("absent"), "{}", ranking.sentence);
}

#[test]
fn everything_answered_by_all_is_one_group() {
    let rows = ["a", "b", "c"].map(|name| row(name, &[(Measure::Answered, &ALL)]));
    let dead = row("dead", &[(Measure::Answered, &[0.0; ROUNDS])]);
    let rows: Vec<_> = rows.into_iter().chain([dead]).collect();
    let report = report(people(&["a", "b", "c", "dead"]), vec![plain(Workload::Slowloris, rows)]);
    assert_eq!(names(&report, 0), [vec!["a", "b", "c"], vec!["dead"]]);
}

#[test]
fn few_rounds_tell_nobody_apart_and_the_sentence_says_so() {
    let rows =
        vec![row("a", &[(Measure::Cpu, &GOOD[..2])]), row("b", &[(Measure::Cpu, &BAD[..2])])];
    let report = report(people(&["a", "b"]), vec![plain(Workload::Short, rows)]);
    assert_eq!(names(&report, 0), [vec!["a", "b"]]);
    let sentence = &report.rankings[0].sentence;
    assert!(sentence.starts_with("The rounds tell no server from another"), "{sentence}");
    assert!(sentence.contains("2 rounds cannot tell"), "{sentence}");
}

#[test]
fn a_round_that_is_missing_counts_for_nobody() {
    let gap = [10.0, f64::NAN, 10.5, 10.2, 10.1];
    let rows = vec![row("a", &[(Measure::Cpu, &gap)]), row("b", &[(Measure::Cpu, &BAD[..4])])];
    let report = report(people(&["a", "b"]), vec![plain(Workload::Short, rows)]);
    assert_eq!(names(&report, 0), [vec!["a"], vec!["b"]]);
    let back: ServersReport = serde_json::from_str(&report.to_json()).unwrap();
    let rounds = back.tables[0].rows[0].rounds(Measure::Cpu);
    assert!(rounds[1].is_nan() && rounds.len() == ROUNDS, "{rounds:?}");
}

fn two_works(second: [(&str, &[f64]); 3]) -> ServersReport {
    let first = [("a", &GOOD), ("b", &[15.0; ROUNDS]), ("c", &BAD)];
    let first = first.map(|(name, rounds)| row(name, &[(Measure::Cpu, rounds)]));
    let second = second.map(|(name, rounds)| row(name, &[(Measure::P99, rounds)]));
    let tables =
        vec![plain(Workload::Short, first.to_vec()), plain(Workload::Block, second.to_vec())];
    report(people(&["a", "b", "c"]), tables)
}

#[test]
fn opposite_rankings_reverse_and_two_servers_show_it() {
    let report = two_works([("a", &BAD), ("b", &[15.0; ROUNDS]), ("c", &GOOD)]);
    let [reversal] = report.reversals.as_slice() else { panic!("{:?}", report.reversals) };
    assert_eq!((reversal.first, reversal.second), (Workload::Short, Workload::Block));
    assert!((reversal.tau + 1.0).abs() < 1e-9, "{reversal:?}");
    let sentence = &reversal.sentence;
    assert!(
        sentence.contains("a is better than c (CPU per answer: 10.2 µs against 31 µs, 3.04 times)"),
        "{sentence}"
    );
    assert!(sentence.contains("time: 10.2 µs against 31 µs, 3.04 times)"), "{sentence}");
}

#[test]
fn the_same_order_does_not_reverse_nor_does_one_that_cannot_be_told() {
    let same = two_works([("a", &GOOD), ("b", &[15.0; ROUNDS]), ("c", &BAD)]);
    assert_eq!(same.reversals, []);
    let swapped_behind_the_first = two_works([("a", &GOOD), ("b", &BAD), ("c", &[15.0; ROUNDS])]);
    assert_eq!(swapped_behind_the_first.reversals, []);
    let tied = two_works([("a", &ALIKE), ("b", &GOOD), ("c", &GOOD)]);
    assert_eq!(tied.reversals, []);
}

#[test]
fn who_fails_is_last_on_that_side() {
    let short = [row("a", &[(Measure::Cpu, &GOOD)]), row("b", &[(Measure::Cpu, &BAD)])];
    let block = [
        row("a", &[(Measure::P99, &GOOD), (Measure::Answered, &[0.1; ROUNDS])]),
        row("b", &[(Measure::P99, &BAD), (Measure::Answered, &ALL)]),
    ];
    let tables =
        vec![plain(Workload::Short, short.to_vec()), plain(Workload::Block, block.to_vec())];
    let report = report(people(&["a", "b"]), tables);
    let [reversal] = report.reversals.as_slice() else { panic!("{:?}", report.reversals) };
    assert!(reversal.sentence.contains("10 % answered"), "{}", reversal.sentence);
}

#[test]
fn control_is_paired_with_the_iterative_server_of_the_same_origin() {
    let iterative = [5.0, 50.0, 6.0, 7.0, 8.0];
    let plus = |more: f64| iterative.map(|cpu| cpu + more);
    let times = |by: f64| iterative.map(|cpu| cpu * by);
    let contestants = vec![
        somebody("palco iterative × task", Origin::Palco, Some("C iterative")),
        somebody("palco team × task, own sockets", Origin::Palco, Some("C iterative")),
        somebody("C iterative", Origin::C, None),
        somebody("the peer", Origin::Peer, None),
        somebody("never asked", Origin::Peer, None),
    ];
    let rows = vec![
        row("palco iterative × task", &[(Measure::Cpu, &times(1.2))]),
        row("palco team × task, own sockets", &[(Measure::Cpu, &times(2.0))]),
        row("C iterative", &[(Measure::Cpu, &iterative)]),
        row("the peer", &[(Measure::Cpu, &plus(3.0))]),
    ];
    let report = report(contestants, vec![plain(Workload::Short, rows)]);
    assert_eq!(report.control.len(), 4);
    let ratios = [0, 1].map(|row| report.control[row].by_floor.unwrap().median);
    assert!((ratios[0] - 1.2).abs() < 1e-9 && (ratios[1] - 2.0).abs() < 1e-9, "{ratios:?}");
    assert_eq!(
        [0, 1, 2].map(|row| report.control[row].meets()[0]),
        [Some(true), Some(false), None]
    );
    assert_eq!(report.control[0].control_us.unwrap().max, 0.0);
    let of_peer = report.control[3].control_us.unwrap();
    assert!((of_peer.min - 3.0).abs() < 1e-9 && (of_peer.max - 3.0).abs() < 1e-9, "{of_peer:?}");
    assert_eq!(report.control[0].trip_by_floor, None);
}

#[test]
fn nothing_measured_is_a_report_too() {
    let report = report(Vec::new(), Vec::new());
    assert!(report.rankings.is_empty() && report.reversals.is_empty());
    assert_eq!(report.summary().len(), 1);
}

#[test]
fn a_large_report_says_what_matters_and_is_read_back() {
    let report = large();
    let said = report.summary();
    assert!((3..=6).contains(&said.len()), "{said:#?}");
    assert!(!report.reversals.is_empty());
    let back: ServersReport = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(back.summary(), said);
    let sentences = |report: &ServersReport| {
        report.reversals.iter().map(|of| of.sentence.clone()).collect::<Vec<_>>()
    };
    assert_eq!(sentences(&back), sentences(&report));
}
