//! What is refused, what is said of each row, and how it looks.

use super::*;
use crate::report::{Fact, Grade, Round, SCHEMA, Trust};
use crate::{Key, Section, Unit};

fn fact(group: &str, name: &str, value: &str, decides: bool) -> Fact {
    Fact { group: group.to_owned(), name: name.to_owned(), value: value.to_owned(), decides }
}

fn row(section: Section, mechanism: &str, medians: &[f64]) -> Row {
    let key = Key::new(section, Unit::Thread, mechanism);
    let value = medians.get(medians.len() / 2).copied();
    let round = |median: f64| Round {
        median,
        p99: median,
        operations: 100,
        samples: 100,
        canary: 1.0,
        switches: vec![],
        invalid: None,
    };
    Row {
        id: key.to_string(),
        key,
        estimate: value.map(|value| Estimate { value, low: value, high: value }),
        refused: value.is_none().then(|| "no | such device".to_owned()),
        quantiles: vec![],
        touch: None,
        refill: None,
        switches: None,
        cpu: None,
        bytes_per_second: None,
        rounds: medians.iter().copied().map(round).collect(),
    }
}

fn report(rows: Vec<Row>) -> Report {
    let facts = vec![
        fact("kernel", "release", "6.18", true),
        fact("machine", "processor", "A Fast One", true),
        fact("moment", "load", "0.1", false),
    ];
    let environment =
        Environment { facts, date: "2026-01-02T03:04:05Z".to_owned(), ..Environment::default() };
    Report {
        schema: SCHEMA,
        command: "palco switch".to_owned(),
        environment,
        grade: Grade::A,
        remarks: vec![],
        rounds: 7,
        seconds: 1.0,
        rows,
        comparisons: vec![],
        trust: Trust::default(),
        peers: vec![],
    }
}

/// Seven rounds around `center`, up to 1 % off.
fn around(center: f64) -> Vec<f64> {
    [0.99, 0.995, 0.998, 1.0, 1.001, 1.004, 1.01].map(|factor| center * factor).to_vec()
}

fn switch(mechanism: &str, center: f64) -> Row {
    row(Section::Switch, mechanism, &around(center))
}

#[test]
fn rows_are_compared_by_their_ids() {
    let a = report(vec![switch("pipe", 1_000.0), switch("yield", 500.0), switch("old", 1.0)]);
    let b = report(vec![switch("new", 1.0), switch("yield", 400.0), switch("pipe", 1_005.0)]);
    let compared = compare(&a, &b, false).unwrap();
    let said: Vec<_> = compared.rows.iter().map(|row| (row.id.as_str(), row.verdict)).collect();
    assert_eq!(
        said,
        [
            ("switch/thread/yield@same", Verdict::Faster),
            ("switch/thread/pipe@same", Verdict::Alike)
        ]
    );
    let ratio = compared.rows[0].ratio.unwrap();
    assert!(0.77 < ratio.low && ratio.low <= 0.8 && 0.8 <= ratio.high && ratio.high < 0.83);
    assert_eq!(compared.only_before, ["switch/thread/old@same"]);
    assert_eq!(compared.only_after, ["switch/thread/new@same"]);
}

#[test]
fn other_machines_are_refused_and_each_difference_is_named() {
    let (a, mut b) = (report(vec![]), report(vec![]));
    b.environment.facts[0].value = "6.19".to_owned();
    b.environment.facts[2].value = "9.9".to_owned();
    b.environment.facts.push(fact("machine", "hypervisor", "none", true));
    let refusal = compare(&a, &b, false).unwrap_err();
    let expected = "the reports are not of the same conditions: kernel release: `6.18` and `6.19`; \
        machine hypervisor: `not said` and `none`; --force compares nevertheless";
    assert_eq!(refusal.to_string(), expected);
    let forced = compare(&a, &b, true).unwrap();
    assert_eq!(forced.differences.len(), 2);
    assert!(forced.to_text().contains("NOT COMPARABLE, and forced: kernel release: 6.18 before"));
}

#[test]
fn another_schema_cannot_be_forced() {
    let (a, mut b) = (report(vec![]), report(vec![]));
    b.schema += 1;
    assert_eq!(compare(&a, &b, true).unwrap_err(), Refusal::Schema { before: 1, after: 2 });
}

#[test]
fn rows_without_evidence_are_unknown_and_say_why() {
    let refused = || row(Section::Switch, "pipe", &[]);
    let a = report(vec![refused(), switch("mq", 1.0), row(Section::Switch, "few", &[1.0, 1.0])]);
    let mut b = report(vec![switch("pipe", 1.0), switch("mq", 9.0), switch("few", 9.0)]);
    for round in &mut b.rows[1].rounds[2..] {
        round.invalid = Some("side A strayed".to_owned());
    }
    let compared = compare(&a, &b, false).unwrap();
    assert!(compared.rows.iter().all(|row| row.verdict == Verdict::Unknown && row.ratio.is_none()));
    assert_eq!(compared.rows[0].remark.as_deref(), Some("before: no | such device"));
    for row in &compared.rows[1..] {
        assert_eq!(row.remark.as_deref(), Some("fewer than 3 rounds count in one of them"));
    }
}

#[test]
fn more_messages_a_second_are_faster() {
    let of = |center| report(vec![row(Section::IpcThroughput, "pipe", &around(center))]);
    let verdict = |a, b| compare(&of(a), &of(b), false).unwrap().rows[0].verdict;
    assert_eq!(verdict(1e6, 2e6), Verdict::Faster);
    assert_eq!(verdict(2e6, 1e6), Verdict::Slower);
}

#[test]
fn a_row_of_zeroes_is_not_divided_by() {
    let a = report(vec![row(Section::Switch, "pipe", &[0.0; 7])]);
    let compared = compare(&a, &report(vec![switch("pipe", 1.0)]), false).unwrap();
    assert_eq!((compared.rows[0].ratio, compared.rows[0].verdict), (None, Verdict::Unknown));
}

#[test]
fn both_forms_show_every_row() {
    let a =
        report(vec![switch("pipe", 1_000.0), row(Section::Switch, "mq", &[]), switch("old", 1.0)]);
    let b = report(vec![switch("pipe", 1_200.0), switch("mq", 3.0)]);
    let compared = compare(&a, &b, false).unwrap();
    let text = compared.to_text();
    let line = text.lines().find(|line| line.starts_with("switch/thread/pipe@same")).unwrap();
    for part in ["1000 ns a hop", "1200 ns a hop", "1.200 [1.1", "slower"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(text.contains("unknown: before: no | such device"));
    assert!(text.contains("only before: switch/thread/old@same"));
    let markdown = compared.to_markdown();
    assert!(markdown.contains("| row | before | after |") && markdown.contains("|---|---:|"));
    assert!(markdown.contains("no \\| such device"));
    let table = markdown.lines().filter(|line| line.starts_with('|'));
    assert_eq!(table.count(), 4);
    assert!(serde_json::to_string(&compared).unwrap().contains("\"verdict\":\"slower\""));
}
