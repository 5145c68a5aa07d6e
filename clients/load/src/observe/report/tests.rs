//! Losses, columns, and what is read back.

use super::*;
use crate::actors::{Refusal, Round};

fn turn(ops: u64, cpu_nanos: u64) -> Turn {
    let samples = vec![1_000, 2_000];
    let round = Round { samples, ops, ops_per_sample: 1, wall_nanos: 1_000_000_000, cpu_nanos };
    Turn { round, looking_nanos: cpu_nanos / 10, seen: Seen { deltas: 2, ..Seen::default() } }
}

fn report() -> ObserveReport {
    let played: Played = vec![
        Ok(vec![turn(1_000, 500_000_000), turn(2_000, 500_000_000)]),
        Ok(vec![turn(950, 500_000_000), turn(1_800, 500_000_000)]),
        Ok(vec![turn(500, 1_000_000_000), turn(2_000, 1_000_000_000)]),
        Err(Refusal::Panicked),
    ];
    let settings = Settings { rounds: 2, ..Settings::default() };
    let played = Workload::ALL.map(|workload| (workload, played.clone()));
    ObserveReport::new(Machine::default(), &settings, played)
}

#[test]
fn a_loss_is_that_of_the_same_round() {
    let report = report();
    let [off, attached, watched, _] = &report.tables[2].rows[..] else { panic!("four modes") };
    assert_eq!(off.loss, Some(Spread { median: 0.0, min: 0.0, max: 0.0 }));
    let (attached, watched) = (attached.loss.unwrap(), watched.loss.unwrap());
    assert!((attached.min - 5.0).abs() < 0.01 && (attached.max - 10.0).abs() < 0.01);
    assert!((watched.min - 0.0).abs() < 0.01 && (watched.max - 50.0).abs() < 0.01);
}

#[test]
fn shares_are_those_of_one_core() {
    let row = &report().tables[0].rows[2];
    let (all, looking) = (row.cpu_percent.unwrap(), row.looking_percent.unwrap());
    assert!((all.median - 100.0).abs() < 0.01 && (looking.median - 10.0).abs() < 0.01);
    assert_eq!(row.seen.deltas, 4);
}

#[test]
fn a_turn_that_failed_says_why() {
    for text in [report().to_table(), report().to_markdown()] {
        assert!(text.contains("panicked"), "{text}");
    }
}

#[test]
fn json_is_read_back() {
    let json = report().to_json();
    let read: ObserveReport = serde_json::from_str(&json).unwrap();
    assert_eq!(read.to_json(), json);
}

#[test]
fn markdown_rows_have_as_many_cells_as_their_head() {
    let text = report().to_markdown();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(lines.len(), Workload::ALL.len() * (2 + Mode::ALL.len()));
    assert!(lines.iter().all(|line| line.matches('|').count() == HEAD.len() + 1), "{text}");
}
