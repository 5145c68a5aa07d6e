//! The whole contest with tiny counts: everybody runs, does the whole work, and has figures.

use std::collections::BTreeSet;

use palco_load::actors::{self, Question, Settings};

#[test]
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

#[test]
fn one_question_alone_can_be_asked() {
    let only = Some(Question::AskSameLoop);
    let settings = Settings { rounds: 1, ops_per_round: 10, only, quick: false };
    let report = actors::run(&settings, |_| {});
    assert_eq!(report.tables.len(), 1);
    assert!(report.memory.is_empty());
}
