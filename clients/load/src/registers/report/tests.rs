//! What was found is shown whole.

use palco_measure::{Conditions, Witnessed};

use super::*;
use crate::actors::Refusal;
use crate::registers::Calm;

fn report() -> RegistersReport {
    let contestants = [Store::Palco, Store::Etcd].map(|store| Contestant {
        store,
        cluster: Err(Refusal::Absent("not here".to_owned())),
        idle: (store == Store::Palco).then_some(0.01),
    });
    let cells: Vec<_> = [1, 64]
        .into_iter()
        .flat_map(|clients| {
            (0..2).map(move |store| Cell { store, operation: Operation::Get, clients })
        })
        .collect();
    let sample = |ops| Sample {
        ops,
        seconds: 2.0,
        cpu_seconds: 0.5,
        p50_nanos: 40_000,
        p99_nanos: 90_000,
        wire_bytes: Some(512.0),
        ..Sample::default()
    };
    let refused = || Err("absent: not installed: apt-get install <etcd>".to_owned());
    let played =
        [Ok(vec![sample(100), sample(300), sample(200)]), refused(), Ok(Vec::new()), refused()];
    let calm =
        Calm { ops: 9, gap_ms: 1.0, client_gap_ms: 11.0, p50_ms: 0.5, p999_ms: 2.0, max_ms: 3.0 };
    let gap = GapRow {
        store: Store::Palco,
        event: "a member is killed".to_owned(),
        before: Some(calm),
        during: Some(calm),
        event_ms: 0.0,
        failures: 2,
        refused: None,
    };
    let found = Found {
        contestants: &contestants,
        cells: &cells,
        played: &played,
        gaps: vec![gap],
        versions: Vec::new(),
        missing: vec!["something is missing".to_owned()],
        kept: None,
    };
    let seen = Conditions::look(true).look_again(&Witnessed::default());
    RegistersReport::new(&Settings::default(), found, seen, Duration::from_secs(9))
}

#[test]
fn every_cell_has_its_row_and_medians_are_those_of_rounds() {
    let report = report();
    assert_eq!(report.tables.len(), 2);
    assert!(report.tables.iter().all(|table| table.rows.len() == 2));
    let figures = report.tables[0].rows[0].figures.as_ref().unwrap();
    assert_eq!(figures.ops, 600);
    assert_eq!((figures.per_second.median, figures.per_second.max), (100.0, 150.0));
    assert_eq!(figures.per_cpu_second.median, 400.0);
    assert_eq!((figures.p50_us.median, figures.wire_bytes.unwrap().median), (40.0, 512.0));
    assert_eq!(figures.flushes, None);
}

#[test]
fn who_is_not_there_and_what_is_not_met_is_in_every_form() {
    let report = report();
    for text in [report.to_table(), report.to_markdown(), report.to_html()] {
        assert!(text.contains("not installed: apt-get install"), "{text}");
        assert!(text.contains("not measured") && text.contains("a member is killed"), "{text}");
    }
    assert!(report.to_html().contains("apt-get install &lt;etcd&gt;"));
    for section in report.sections() {
        let columns = section.head.len();
        assert!(section.rows.iter().all(|row| row.len() == columns), "{}", section.title);
    }
}

#[test]
fn a_report_is_read_back_and_can_be_kept() {
    let report = report();
    let back: RegistersReport = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(back.to_json(), report.to_json());
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("reports");
    palco_measure::kept::keep(&kept, "registers", &report.to_json(), &report.to_html()).unwrap();
    let listed = palco_measure::kept::kept(&kept);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].date, report.environment.date);
}
