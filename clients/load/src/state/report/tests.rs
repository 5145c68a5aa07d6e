//! What was found is shown whole.

use palco_measure::{Conditions, Witnessed};

use super::*;
use crate::state::sftp::Tally;
use crate::state::{Belief, Readers, StaleFigures, TermFigures};

fn sample(ops: u64, round_trips: u64) -> Sample {
    let tally = Tally { round_trips: round_trips * ops, sent: 30 * ops, received: 4_100 * ops };
    Sample { ops, seconds: 2.0, cpu_seconds: 0.5, p50_nanos: 40_000, p99_nanos: 90_000, tally }
}

fn report() -> StateReport {
    let cell = |side, way| Cell { task: Task::Sequential, side, way };
    let found = Found {
        cells: vec![
            (cell(Side::Http, Way::Request), Ok(vec![sample(9, 1)])),
            (cell(Side::Nginx, Way::Request), Err("absent: apt-get install <nginx>".to_owned())),
            (cell(Side::Volatile, Way::OpenReadClose), Ok(vec![sample(7, 3)])),
            (
                cell(Side::Volatile, Way::Handle),
                Ok(vec![sample(100, 1), sample(300, 1), sample(200, 1)]),
            ),
        ],
        ahead: vec![AheadRow {
            side: Side::Volatile,
            readers: Readers::Sequential,
            reads: 200,
            reads_ahead: 150,
            refused: None,
        }],
        memory: vec![MemoryRow {
            side: Side::Http,
            handles: 0,
            state_bytes: Some(0.0),
            memory_bytes: None,
            refused: None,
        }],
        recovery: vec![RecoveryRow::refused(Side::Http, Some("absent: not here".to_owned()))],
        stale: vec![StaleRow {
            side: Side::Leases,
            belief: Belief::Leases,
            figures: Some(StaleFigures {
                reads: 5,
                old: 1,
                p50_ms: 0.0,
                p99_ms: 3.0,
                max_ms: 3.0,
                requests: 0.5,
                writes: 4,
                write_p50_ms: 1.0,
                write_p99_ms: 2.0,
            }),
            refused: None,
        }],
        terms: [0.1, 1.0]
            .map(|term_seconds| TermRow {
                term_seconds,
                figures: Some(TermFigures {
                    reads: 100,
                    reads_per_second: 50.0,
                    messages_per_second: 2.0,
                    messages_per_read: 0.04,
                    theory: 0.02,
                    theory_by_clock: 0.04,
                }),
                refused: None,
            })
            .to_vec(),
    };
    let seen = Conditions::look(true).look_again(&Witnessed::default());
    StateReport::new(&Settings::default(), found, Vec::new(), seen, Duration::from_secs(9))
}

#[test]
fn every_cell_has_its_row_and_medians_are_those_of_rounds() {
    let report = report();
    assert_eq!(report.tables.len(), 1);
    let figures = report.tables[0].rows[3].figures.as_ref().unwrap();
    assert_eq!(figures.ops, 600);
    assert_eq!((figures.per_second.median, figures.per_second.max), (100.0, 150.0));
    assert_eq!(figures.per_cpu_second.unwrap().median, 400.0);
    assert_eq!((figures.p50_us.median, figures.round_trips.median), (40.0, 1.0));
    assert_eq!((figures.bytes_sent.median, figures.bytes_received.median), (30.0, 4_100.0));
}

#[test]
fn an_old_read_under_a_lease_is_seen() {
    use crate::registers::Verdict::{Met, NotMet, Unknown};
    let report = report();
    let verdicts: Vec<_> = report.targets.iter().map(|target| target.verdict).collect();
    assert_eq!(verdicts, [Met, NotMet, NotMet, Unknown, Met], "{:?}", report.targets);
}

#[test]
fn who_is_not_there_and_what_does_not_hold_is_in_every_form() {
    let report = report();
    for text in [report.to_table(), report.to_markdown(), report.to_html()] {
        assert!(text.contains("apt-get install") && text.contains("absent: not here"), "{text}");
        assert!(text.contains("not measured") && text.contains("NOT MET"), "{text}");
    }
    let page = report.to_html();
    assert!(page.contains("apt-get install &lt;nginx&gt;"));
    assert_eq!(page.matches("<svg").count(), 2, "bars and curves");
    assert_eq!(page.matches("<polyline").count(), 3, "{page}");
    for section in report.sections() {
        let columns = section.head.len();
        assert!(section.rows.iter().all(|row| row.len() == columns), "{}", section.title);
    }
}

#[test]
fn a_report_is_read_back_and_can_be_kept() {
    let report = report();
    let back: StateReport = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(back.to_json(), report.to_json());
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("reports");
    palco_measure::kept::keep(&kept, "state", &report.to_json(), &report.to_html()).unwrap();
    assert_eq!(palco_measure::kept::kept(&kept).len(), 1);
}
