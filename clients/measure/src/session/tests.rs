//! Whole sessions with subjects whose properties are known: each rule refuses exactly what it must.

use super::*;
use crate::report::Grade;
use crate::{Key, Raw, Section, Side, Unavailable, Unit};

mod stage;

use stage::{Stage, refused, row, settings};

#[test]
fn an_honest_row_has_its_figures() {
    let mut stage = Stage::default();
    let id = stage.honest("futex-private", 1_000.0);
    let report = stage.run(&[]);
    let row = row(&report, &id);
    let estimate = row.estimate.unwrap();
    assert!((990.0..1_010.0).contains(&estimate.value), "{estimate:?}");
    assert!(estimate.low <= estimate.value && estimate.value <= estimate.high);
    assert_eq!((row.refused.as_deref(), row.switches, row.cpu), (None, Some(1.0), Some(2_000.0)));
    assert_eq!((row.rounds.len(), report.rounds), (7, 7));
    assert!(row.rounds.iter().all(|round| round.invalid.is_none() && round.switches == [1.0, 1.0]));
    assert!(row.quantiles.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
    assert_eq!((report.trust.rounds_valid, report.trust.rounds_all), (7, 7));
}

#[test]
fn each_rule_refuses_what_breaks_it_and_nothing_else() {
    let mut stage = Stage::default();
    let honest = stage.honest("honest", 1_000.0);
    type Case = (&'static str, fn(&mut Raw), &'static str);
    let cases: [Case; 8] = [
        ("sleepy", |raw| raw.sides[1].voluntary = 0, "side B switched 0.23 times an operation"),
        ("doubled", |raw| raw.sides[0].voluntary += 400, "side A switched 1.00 times an operation"),
        ("uncounted", |raw| raw.sides.clear(), "no side counted its switches"),
        ("unordered", |raw| raw.out_of_turn = Some(9), "9 of 800 turns were out of order"),
        ("straying", |raw| raw.sides[0].strays = 2, "side A found itself on another processor"),
        ("moved", |raw| raw.sides[1].migrations = Some(1), "side B was moved to another processor"),
        ("disturbed", |raw| raw.sides[0].foreign = Some(50), "side A shared its processor"),
        ("objecting", |raw| raw.objection = Some("it was in vain".to_owned()), "it was in vain"),
    ];
    let mut ids = Vec::new();
    for (mechanism, harm, _) in cases {
        ids.push(stage.thread(mechanism, 1_000.0, move |_, mut raw| {
            harm(&mut raw);
            Ok(raw)
        }));
    }
    let report = stage.run(&[]);
    for (id, (_, _, reason)) in ids.iter().zip(cases) {
        let why = refused(&report, id);
        assert!(why.contains("0 of 7 rounds count where 4 must") && why.contains(reason), "{why}");
    }
    assert!(row(&report, &honest).estimate.is_some());
    assert_eq!((report.trust.rounds_valid, report.trust.rounds_all), (7, 63));
}

#[test]
fn what_is_broken_on_purpose_is_shown_as_refused() {
    let mut stage = Stage::default();
    let id = stage.thread("broken", 30.0, |_, mut raw| {
        raw.sides.iter_mut().for_each(|side| *side = Side { voluntary: 3, ..Side::default() });
        Ok(raw)
    });
    stage.honest("futex-private", 1_000.0);
    let report = stage.run(&[]);
    assert!(refused(&report, &id).contains("side A switched"));
    assert!(report.trust.broken_refused.as_ref().unwrap().contains("where it must 0.50 times"));
    assert!(!report.remarks.iter().any(|remark| remark.contains("broken on purpose")));
    // It is no part of the evidence of the others.
    assert_eq!((report.trust.rounds_valid, report.trust.rounds_all), (7, 7));
}

#[test]
fn a_judge_that_was_not_seen_to_refuse_is_not_trusted() {
    let warned = |stage: Stage, canary: &mut dyn FnMut() -> u64| {
        let report = stage.run_with(&[], &settings(), canary);
        assert_eq!(report.trust.broken_refused, None);
        report.remarks.iter().any(|remark| remark.contains("broken on purpose"))
    };
    let mut without = Stage::default();
    without.honest("pipe", 1_000.0);
    assert!(warned(without, &mut || 100));
    // One that shows evidence after all, and is refused for the noise alone.
    let mut noisy = Stage::default();
    noisy.honest("broken", 1_000.0);
    let mut sung = 0;
    assert!(warned(noisy, &mut || {
        sung += 1;
        if sung <= 20 { 100 } else { 200 }
    }));
    // One that this machine cannot run.
    let mut missing = Stage::default();
    missing.thread("broken", 1.0, |_, _| Err(Unavailable("no semaphores here".to_owned())));
    assert!(warned(missing, &mut || 100));
}

#[test]
fn a_row_that_the_machine_cannot_run_says_so_and_is_asked_once() {
    let mut stage = Stage::default();
    let log = stage.log.clone();
    let id = stage.thread("mq", 1.0, |_, _| Err(Unavailable("no message queues here".to_owned())));
    let other = stage.honest("pipe", 1_000.0);
    let report = stage.run(&[(&id, &other)]);
    assert_eq!(refused(&report, &id), "no message queues here");
    assert_eq!(log.borrow().iter().filter(|run| **run == id).count(), 1);
    assert_eq!(report.comparisons[0].verdict, Verdict::Unknown);
    assert!(report.comparisons[0].ratio.is_none());
}

#[test]
fn a_row_keeps_its_good_rounds_and_gets_more_for_the_bad() {
    let mut stage = Stage::default();
    let id = stage.thread("eventfd", 1_000.0, |round, mut raw| {
        // Four of the first seven are spoilt, and have other samples too.
        if round < 4 {
            raw.sides[0].strays = 1;
            raw.samples.iter_mut().for_each(|sample| *sample *= 9.0);
        }
        Ok(raw)
    });
    let report = stage.run(&[]);
    let row = row(&report, &id);
    assert_eq!(row.rounds.len(), 8);
    assert_eq!(row.rounds.iter().filter(|round| round.invalid.is_none()).count(), 4);
    assert!(row.estimate.unwrap().high < 1_100.0);
    assert!(row.quantiles.iter().all(|(_, value)| *value < 2_000.0));
}

#[test]
fn extra_rounds_have_an_end() {
    let mut stage = Stage::default();
    let id = stage.thread("eventfd", 1_000.0, |round, mut raw| {
        raw.sides[0].strays = u64::from(round != 0);
        Ok(raw)
    });
    let report = stage.run(&[]);
    assert_eq!(row(&report, &id).rounds.len(), 21);
    assert!(refused(&report, &id).contains("1 of 21 rounds count where 4 must"));
}

#[test]
fn rounds_of_noisy_moments_do_not_count_unless_they_are_to_be_kept() {
    let noisy = |keep_noisy| {
        let mut stage = Stage::default();
        let id = stage.honest("pipe", 1_000.0);
        let mut sung = 0;
        let settings = Settings { keep_noisy, ..settings() };
        let report = stage.run_with(&[], &settings, &mut || {
            sung += 1;
            if sung <= 20 { 100 } else { 120 }
        });
        let rounds = &row(&report, &id).rounds;
        assert!(rounds.iter().all(|round| (round.canary - 1.2).abs() < 1e-9));
        assert_eq!(report.grade, Grade::C);
        let is_told = report.remarks.iter().any(|remark| remark.contains("for the noise alone"));
        assert_eq!(is_told, !keep_noisy);
        (row(&report, &id).estimate.is_some(), row(&report, &id).refused.clone())
    };
    let (has_estimate, why) = noisy(false);
    assert!(!has_estimate && why.unwrap().contains("the machine was 20 % slower than at its best"));
    assert_eq!(noisy(true), (true, None));
}

#[test]
fn a_noisy_moment_is_waited_out() {
    let mut stage = Stage::default();
    let id = stage.honest("pipe", 1_000.0);
    let mut sung = 0_u64;
    // Two of three moments are noisy: each round begins in the third.
    let report = stage.run_with(&[], &settings(), &mut || {
        sung += 1;
        if sung.is_multiple_of(3) { 100 } else { 150 }
    });
    assert_eq!(row(&report, &id).rounds.len(), 7);
    assert!(row(&report, &id).rounds.iter().all(|round| round.invalid.is_none()));
}

#[test]
fn a_lone_lucky_moment_refuses_nothing_but_takes_the_grade_down() {
    let mut stage = Stage::default();
    let id = stage.honest("pipe", 1_000.0);
    let mut sung = 0;
    let report = stage.run_with(&[], &settings(), &mut || {
        sung += 1;
        if sung == 1 { 100 } else { 140 }
    });
    assert!(row(&report, &id).rounds.iter().all(|round| round.canary == 1.0));
    assert!(row(&report, &id).estimate.is_some());
    assert_eq!(report.grade, Grade::C);
}

#[test]
fn a_best_that_is_found_late_judges_the_rounds_before_it() {
    let mut stage = Stage::default();
    let id = stage.honest("pipe", 1_000.0);
    let mut sung = 0;
    let report = stage.run_with(&[], &settings(), &mut || {
        sung += 1;
        if sung < 23 { 130 } else { 100 }
    });
    let invalid = row(&report, &id).rounds.iter().filter(|round| round.invalid.is_some()).count();
    assert_eq!(invalid, 2);
    assert!(row(&report, &id).estimate.is_some());
}

#[test]
fn pairs_are_compared_round_by_round() {
    let mut stage = Stage::default();
    // Both drift alike, by far more than what lies between them.
    let drift = |round: usize, mut raw: Raw| {
        raw.samples.iter_mut().for_each(|sample| *sample *= 1.0 + 0.1 * (round % 5) as f64);
        Ok(raw)
    };
    let process = stage.add(Key::new(Section::Switch, Unit::Process, "futex"), 1_140.0, drift);
    let thread = stage.thread("futex-private", 1_000.0, drift);
    let twin = stage.thread("futex-shared", 1_000.0, drift);
    let report = stage.run(&[(&process, &thread), (&twin, &thread), (&thread, &process)]);
    let [slower, alike, faster] = &report.comparisons[..] else { panic!("three pairs") };
    let ratio = slower.ratio.unwrap();
    assert!(1.12 < ratio.low && ratio.high < 1.16, "{ratio:?}");
    assert_eq!(slower.verdict, Verdict::Slower);
    assert_eq!(alike.verdict, Verdict::Alike);
    assert_eq!(faster.verdict, Verdict::Faster);
    assert!(faster.difference.unwrap().high < 0.0);
}

#[test]
fn a_pair_that_is_no_row_is_unknown_and_said() {
    let mut stage = Stage::default();
    let id = stage.honest("pipe", 1_000.0);
    let report = stage.run(&[(&id, "switch/thread/nothing@same")]);
    assert_eq!(report.comparisons[0].verdict, Verdict::Unknown);
    assert!(report.remarks.iter().any(|remark| remark.contains("switch/thread/nothing@same")));
}

#[test]
fn the_harness_is_weighed_against_the_bare_loop() {
    let mut stage = Stage::default();
    stage.honest("futex-private", 1_030.0);
    stage.honest("bare", 1_000.0);
    let overhead = stage.run(&[]).trust.overhead.unwrap();
    assert!(1.01 < overhead.low && overhead.high < 1.05, "{overhead:?}");
}

#[test]
fn touching_is_told_apart_from_switching() {
    let mut stage = Stage::default();
    let key = Key { working_set: 1 << 16, ..Key::new(Section::WorkingSet, Unit::Thread, "futex") };
    let id =
        stage.add(key, 2_400.0, |_, raw| Ok(Raw { touch: Some(1_400.0), bytes: 800 * 64, ..raw }));
    let report = stage.run(&[]);
    let row = row(&report, &id);
    assert_eq!(row.touch.unwrap().value, 1_400.0);
    let refill = row.refill.unwrap();
    assert!(980.0 < refill.low && refill.high < 1_020.0, "{refill:?}");
    let per_second = row.bytes_per_second.unwrap();
    assert!((per_second * row.estimate.unwrap().value / 64e9 - 1.0).abs() < 1e-9);
}

#[test]
fn subjects_run_in_turns() {
    let mut stage = Stage::default();
    let log = stage.log.clone();
    let ids: Vec<String> = (0..5).map(|i| stage.honest(&format!("way-{i}"), 100.0)).collect();
    stage.run(&[]);
    let log = log.borrow();
    // The counters, where they are built in, may ask one more time at the end.
    let rounds: Vec<&[String]> = log[..35].chunks(5).collect();
    for round in &rounds {
        assert!(ids.iter().all(|id| round.contains(id)), "{round:?}");
    }
    assert!(rounds[0].iter().eq(rounds[1].iter().rev()));
    assert_ne!(rounds[0], rounds[2]);
}

#[test]
fn progress_ends_where_it_said_it_would() {
    let mut stage = Stage::default();
    let id = stage.honest("pipe", 1_000.0);
    let (mut seen, settings) = (Vec::new(), settings());
    let mut canary = || 100;
    let session = Session::new(stage.subjects, &[], &settings, &mut canary);
    session.measure(Conditions::look(true), &mut |progress| {
        assert_eq!(progress.row, id);
        seen.push((progress.done, progress.total));
    });
    assert_eq!(seen, (0..7).map(|done| (done, 7)).collect::<Vec<_>>());
}

#[test]
fn the_public_way_measures_with_a_canary_of_its_own() {
    let mut stage = Stage::default();
    let id = stage.honest("pipe", 1_000.0);
    let (twin, again) = (stage.honest("twin", 1.0), stage.honest("twin", 2.0));
    assert_eq!(twin, again);
    let settings = Settings { keep_noisy: true, rounds: 0, ..settings() };
    let report = run(stage.subjects, &[], &settings, &mut |_| {});
    assert_eq!((report.rounds, report.rows.len()), (3, 2));
    assert!(row(&report, &id).estimate.is_some());
    assert!(report.remarks.iter().any(|remark| remark.contains("two subjects are called")));
    assert!(report.trust.clock_nanos > 0.0 && !report.trust.checks.is_empty());
    assert_eq!(report.trust.counters.len(), 4);
    for counter in &report.trust.counters {
        assert!(counter.value.is_some() != counter.absent.is_some(), "{counter:?}");
    }
}

#[test]
fn a_report_survives_its_file() {
    let mut stage = Stage::default();
    // A round without one usable sample has nothing that JSON could not hold.
    let id = stage.thread("odd", 1.0, |_, raw| Ok(Raw { samples: vec![f64::NAN; 3], ..raw }));
    stage.honest("pipe", 1_000.0);
    let report = stage.run(&[]);
    assert!(refused(&report, &id).contains("which nothing can take"));
    let text = serde_json::to_string(&report).unwrap();
    let again: Report = serde_json::from_str(&text).unwrap();
    assert_eq!((again.schema, again.rows.len()), (SCHEMA, 2));
    assert_eq!(again.environment, report.environment);
    for (before, after) in report.rows.iter().zip(&again.rows) {
        assert_eq!((&before.key, &before.refused), (&after.key, &after.refused));
        assert_eq!(before.estimate.is_some(), after.estimate.is_some());
        assert_eq!(before.rounds.len(), after.rounds.len());
    }
}
