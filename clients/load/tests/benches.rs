//! Every bench with tiny counts: everybody runs, does the whole work, and has figures.
//!
//! The processes are this program again: `main` calls [`palco_actors::enter`] first.

#![cfg(test)]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use palco_actors::{PlaceKind, Repertoire};
use palco_load::actors::{self, Question, Settings};
use palco_load::observe::Mode;
use palco_load::spawn::Part;
use palco_load::{observe, spawn, urgent};
use palco_models::ModelKind;
use palco_service::services::echo::EchoService;
use palco_service::services::work::WorkService;

fn repertoire() -> Repertoire {
    let servers = palco_models::players::<EchoService>(Repertoire::new());
    palco_load::players(palco_models::players::<WorkService>(servers))
}

fn main() -> ExitCode {
    if let Err(error) = palco_actors::enter(repertoire) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let trial = |name, body: fn()| {
        Trial::test(name, move || {
            body();
            Ok(())
        })
    };
    let trials = vec![
        trial("everybody_does_the_whole_work", everybody_does_the_whole_work),
        trial("one_question_alone_can_be_asked", one_question_alone_can_be_asked),
        trial("every_way_has_its_row_with_each_parent", every_way_has_its_row_with_each_parent),
        trial(
            "every_superserver_has_its_row_with_each_program",
            every_superserver_has_its_row_with_each_program,
        ),
        trial(
            "every_mode_has_its_row_with_each_workload",
            every_mode_has_its_row_with_each_workload,
        ),
        trial(
            "held_answers_are_still_and_silence_is_foretold",
            held_answers_are_still_and_silence_is_foretold,
        ),
    ];
    // One after the other: each counts the processor time of all processes there are.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn everybody_does_the_whole_work() {
    let settings = Settings { rounds: 2, ops_per_round: 100, quick: true, ..Settings::default() };
    let mut turns = Vec::new();
    let report = actors::run(&settings, |progress| turns.push((progress.done, progress.total)));
    for table in &report.tables {
        assert!(table.rows.len() >= 2, "{}: nobody to compare with", table.question);
        for row in &table.rows {
            assert_eq!(row.refused, None, "{}: {}", table.question, row.name);
            let figures = row.figures.as_ref().expect("not refused");
            assert!(figures.ops > 0 && figures.p50_ns > 0.0 && figures.ratio.is_some());
            assert!(figures.p50_ns <= figures.max_ns, "{}: {figures:?}", row.name);
        }
    }
    assert!(report.memory.iter().all(|row| row.refused.is_none()), "{:?}", report.memory);
    let timed = report.tables.iter().map(|table| table.question.name());
    let asked: BTreeSet<_> =
        timed.chain(report.memory.iter().map(|row| row.question.name())).collect();
    assert_eq!(asked.len(), Question::ALL.len());
    let total = turns.len();
    assert!(turns.into_iter().enumerate().all(|(n, turn)| turn == (n, total)), "no turn unseen");
}

fn one_question_alone_can_be_asked() {
    let only = Some(Question::AskSameLoop);
    let settings = Settings { rounds: 1, ops_per_round: 10, only, quick: false };
    let report = actors::run(&settings, |_| {});
    assert_eq!(report.tables.len(), 1);
    assert!(report.memory.is_empty());
}

fn every_way_has_its_row_with_each_parent() {
    let only = Some(Part::Lives);
    let settings =
        spawn::Settings { rounds: 2, lives: 3, ballast_mib: 8, only, ..Default::default() };
    let mut turns = Vec::new();
    let report = spawn::run(&settings, |progress| turns.push((progress.done, progress.total)));
    assert_eq!(report.tables.len(), 2);
    assert!(report.superservers.is_none());
    for table in &report.tables {
        for row in &table.rows {
            match &row.figures {
                Some(figures) => assert!(figures.ops > 0 && figures.p50_ns > 0.0, "{}", row.name),
                None => {
                    let why = row.refused.as_ref().unwrap();
                    assert!(why.contains("no C compiler") || why.contains("only root"), "{why}");
                }
            }
        }
    }
    let total = turns.len();
    assert!(turns.into_iter().enumerate().all(|(n, turn)| turn == (n, total)), "no turn unseen");
}

/// Those that are not on this machine have a row too; palco cannot be one of them, for this program has no command line.
fn every_superserver_has_its_row_with_each_program() {
    let only = Some(Part::Superservers);
    let patience = Duration::from_millis(100);
    let settings =
        spawn::Settings { rounds: 2, connections: 3, patience, only, ..Default::default() };
    let mut turns = Vec::new();
    let report = spawn::run(&settings, |progress| turns.push((progress.done, progress.total)));
    assert!(report.tables.is_empty());
    let found = report.superservers.as_ref().unwrap();
    assert!((2..=3).contains(&found.tables.len()));
    for table in &found.tables {
        assert_eq!(table.rows.len(), 6);
        for row in &table.rows {
            match (&row.sequential, &row.concurrent) {
                (Some(one), Some(several)) => {
                    let name = format!("{}, {}", row.name, table.program);
                    assert_eq!(row.failure, None, "{name}");
                    assert!(one.ops > 0 && several.ops > 0 && one.p50_ns <= one.max_ns, "{name}");
                }
                _ => {
                    let why = row.refused.as_ref().unwrap();
                    assert!(why.starts_with("absent: "), "{}: {why}", row.name);
                }
            }
        }
    }
    let total = turns.len();
    assert!(turns.into_iter().enumerate().all(|(n, turn)| turn == (n, total)), "no turn unseen");
}

fn every_mode_has_its_row_with_each_workload() {
    let settings = observe::Settings {
        rounds: 2,
        warm_up: Duration::from_millis(20),
        window: Duration::from_millis(60),
        actors: 40,
        paced_messages: 10_000,
    };
    let mut turns = Vec::new();
    let report = observe::run(&settings, |progress| turns.push((progress.done, progress.total)));
    for table in &report.tables {
        assert_eq!(table.rows.iter().map(|row| row.mode).collect::<Vec<_>>(), Mode::ALL);
        for row in &table.rows {
            let name = format!("{}: {}", table.title, row.mode.name());
            assert_eq!(row.refused, None, "{name}");
            let figures = row.figures.as_ref().expect("not refused");
            assert!(figures.ops > 0 && figures.cpu_ns > 0.0 && row.loss.is_some(), "{name}");
            assert_eq!(row.seen.deltas > 0, row.mode >= Mode::Watched, "{name}");
            assert_eq!(row.seen.captured > 0, row.mode == Mode::Captured, "{name}");
        }
    }
    let total = turns.len();
    assert!(turns.into_iter().enumerate().all(|(n, turn)| turn == (n, total)), "no turn unseen");
}

/// The figures are those of a busy machine, and not looked at; the properties hold on any.
fn held_answers_are_still_and_silence_is_foretold() {
    let settings =
        urgent::Settings { rounds: 1, hogs: 2, wakes: 5, holds: 1, ..Default::default() };
    let mut turns = Vec::new();
    let report =
        urgent::run(&settings, |progress| turns.push((progress.part, progress.done))).unwrap();
    assert!(report.holds(), "{:#?}", report.verdicts);
    let cells = ModelKind::ALL.len() * PlaceKind::OF_THIS_MACHINE.len();
    let ways = urgent::Solution::ALL.len() * urgent::Beside::ALL.len();
    assert_eq!(report.wakes.len(), 3 * ways);
    assert_eq!(report.effects.len(), 2 * cells * ways);
    assert_eq!(report.flows.len(), PlaceKind::OF_THIS_MACHINE.len() * urgent::Solution::ALL.len());
    assert_eq!(report.silence.len(), urgent::QUEUED_KIB.len() + urgent::STOOD.1.len());
    for row in &report.wakes {
        assert_eq!(row.latency.samples, 5, "{row:?}");
        assert!(row.latency.p50_us > 0.0 && row.latency.p50_us <= row.latency.max_us, "{row:?}");
    }
    for row in &report.effects {
        let held = row.latency.map_or(0, |latency| latency.samples);
        assert_eq!(held + row.pending + row.ended + row.unanswered, 1, "{row:?}");
    }
    for row in &report.flows {
        assert_eq!((row.held_bytes, row.holds), (0, 1), "{row:?}");
    }
    let silent: Vec<_> = report.silence.iter().filter(|row| row.silent > 0).collect();
    assert!(silent.iter().all(|row| row.queued_kib >= 64), "{silent:?}");
    assert!(!silent.is_empty());
    let rows = [report.wakes.len(), report.effects.len(), report.flows.len(), report.silence.len()];
    assert_eq!(turns.len(), rows.iter().sum::<usize>(), "no turn unseen");
    assert_eq!(turns.iter().filter(|(_, done)| *done == 0).count(), rows.len());
}
