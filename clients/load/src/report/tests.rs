//! Reports of made-up rounds.

use super::*;

fn contestant(name: &'static str) -> Contestant {
    Contestant::new(Question::AskSameLoop, name, "here", |_| Ok(Round::default()))
}

/// A round of two samples of two operations, which took so long each.
fn round(nanos: u64) -> Round {
    Round {
        samples: vec![nanos * 2; 2],
        ops: 4,
        ops_per_sample: 2,
        wall_nanos: nanos * 4,
        cpu_nanos: nanos * 4,
    }
}

fn report() -> Report {
    let contestants =
        [contestant("palco"), contestant("the peer").baseline(), contestant("the liar")];
    let played = [
        Ok(vec![round(100), round(400)]),
        Ok(vec![round(200), round(500)]),
        Err(Refusal::WrongCount { expected: 10, got: 9 }),
    ];
    Report {
        schema: SCHEMA.to_owned(),
        machine: Machine::default(),
        rounds: 2,
        tables: Table::all(&contestants, &played),
        memory: vec![MemoryRow {
            question: Question::MemoryTask,
            name: "palco".to_owned(),
            setting: "there".to_owned(),
            actors: 10,
            bytes_per_actor: Some(1_234),
            refused: None,
        }],
        notes: vec!["Read it well.".to_owned()],
    }
}

#[test]
fn figures_are_per_operation_and_ratios_per_round() {
    let table = &report().tables[0];
    assert_eq!(table.baseline.as_deref(), Some("the peer"));
    let figures = table.rows[0].figures.as_ref().unwrap();
    assert_eq!(figures.ops, 8);
    assert!((figures.best_ns - 100.0).abs() < 0.1, "{figures:?}");
    assert!((figures.median_ns - 250.0).abs() < 0.1, "{figures:?}");
    let ratio = figures.ratio.unwrap();
    assert!((ratio.min - 0.5).abs() < 0.01 && (ratio.max - 0.8).abs() < 0.01, "{ratio:?}");
}

#[test]
fn a_refused_row_has_a_reason_and_no_figures() {
    let report = report();
    let liar = &report.tables[0].rows[2];
    assert!(liar.figures.is_none());
    assert!(liar.refused.as_ref().unwrap().contains("9 where it must be 10"));
    assert!(report.to_table().contains("9 where it must be 10"));
}

#[test]
fn without_peers_a_bare_row_is_the_baseline() {
    let contestants = [contestant("palco"), contestant("bare queue")];
    let played = [Ok(vec![round(100)]), Ok(vec![round(100)])];
    let tables = Table::all(&contestants, &played);
    assert_eq!(tables[0].baseline.as_deref(), Some("bare queue"));
}

#[test]
fn a_refused_baseline_leaves_no_ratios() {
    let contestants = [contestant("palco"), contestant("the peer").baseline()];
    let played = [Ok(vec![round(100)]), Err(Refusal::Panicked)];
    let tables = Table::all(&contestants, &played);
    assert_eq!(tables[0].rows[0].figures.as_ref().unwrap().ratio, None);
}

#[test]
fn json_is_read_back() {
    let report = report();
    let read: Report = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(read.schema, SCHEMA);
    assert_eq!(read.to_json(), report.to_json());
}

#[test]
fn markdown_rows_have_as_many_cells_as_their_head() {
    let text = report().to_markdown();
    let cells = |line: &str| line.matches('|').count();
    let tables: Vec<&str> = text.split("\n## ").filter(|part| part.contains("---|")).collect();
    assert_eq!(tables.len(), 2);
    for table in tables {
        let mut lines = table.lines().filter(|line| line.starts_with('|'));
        let head = cells(lines.next().unwrap());
        assert!(lines.all(|line| cells(line) == head), "{table}");
    }
    assert!(text.contains("Read it well."));
}

#[test]
fn the_terminal_table_is_aligned() {
    let text = report().to_table();
    let start = |line: &str| line.find("here").map(|at| line[..at].chars().count());
    let starts: Vec<_> = text.lines().filter(|line| line.ends_with(" here")).map(start).collect();
    assert!(starts.len() == 2 && starts[0] == starts[1], "{text}");
}
