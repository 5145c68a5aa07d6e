//! Reports of runs that never were.

use std::time::Duration;

use palco_urgent::Obtained;

use super::*;
use crate::urgent::effect::Effects;
use crate::urgent::flow::Flow;
use crate::urgent::silence::{Said, Try};
use crate::urgent::turns::{Flows, Held, Tries, Wakes};

fn found(obtained: Policy) -> Found {
    let obtained = Obtained { policy: obtained, why: None };
    let mut wakes = Vec::new();
    let mut held = Vec::new();
    for beside in Beside::ALL {
        for solution in Solution::ALL {
            let nanos = vec![9_000, 90_000];
            let (policy, obtained) = (Policy::default(), obtained.clone());
            wakes.push(Wakes { policy, obtained, solution, beside, nanos });
            for (model, place) in crate::urgent::stage::cells() {
                let effects = Effects { held: vec![2_000_000], pending: 1, ..Effects::default() };
                held.push(Held { model, place, policy, solution, beside, effects });
            }
        }
    }
    let flow = Flow {
        before: 1e6,
        in_flight: 2048,
        held_bytes: 0,
        held_for: Duration::from_millis(300),
        after: 2e6,
    };
    let flows = Solution::ALL.map(|solution| {
        let place = palco_actors::PlaceKind::Thread;
        Flows { place, solution, flows: vec![flow, flow], failure: None }
    });
    let tried = |queued, announced: Option<u64>, said| {
        let announced = announced.map(Duration::from_millis);
        Try {
            queued,
            stood: Duration::from_millis(60),
            announced,
            raised: None,
            arrived: None,
            said,
        }
    };
    let tries = [(8, tried(8192, Some(3), Said::Sent)), (81, tried(82944, None, Said::Silenced))];
    let tries = tries.map(|(kib, tried)| Tries {
        wanted: kib * 1024,
        stood: Duration::ZERO,
        tries: vec![tried],
        commands: vec![50_000],
    });
    Found { wakes, held, flows: flows.into(), tries: tries.into(), sender: obtained }
}

fn report(found: &Found) -> UrgentReport {
    UrgentReport::new(Machine::default(), &Settings::default(), found)
}

fn kept(report: &UrgentReport) -> Vec<bool> {
    report.verdicts.iter().map(|verdict| verdict.is_kept).collect()
}

#[test]
fn a_run_that_keeps_all_promises_says_so() {
    let report = report(&found(Policy::default()));
    assert_eq!(kept(&report), [true; 3]);
    assert!(report.holds());
}

#[test]
fn a_byte_during_a_hold_breaks_a_property() {
    let mut found = found(Policy::default());
    found.flows[1].flows[1].held_bytes = 1;
    let report = report(&found);
    assert_eq!(kept(&report), [true, false, true]);
    assert!(!report.holds());
    assert!(report.to_table().contains("FAIL"));
}

#[test]
fn an_answer_that_does_not_flow_or_cannot_be_held_breaks_a_property() {
    let mut still = found(Policy::default());
    still.flows[0].flows[0].after = 0.0;
    assert!(!report(&still).holds());
    let mut lost = found(Policy::default());
    lost.flows[0].failure = Some("the request is running, not held".to_owned());
    assert!(!report(&lost).holds());
    assert!(report(&lost).to_markdown().contains("FAIL: the request is running"));
}

#[test]
fn silence_that_was_not_foretold_breaks_a_property_and_so_does_a_false_alarm() {
    for (index, announced) in [(0, None), (1, Some(Duration::from_millis(1)))] {
        let mut found = found(Policy::default());
        found.tries[index].tries[0].announced = announced;
        let report = report(&found);
        assert_eq!(kept(&report), [true, true, false]);
        assert!(!report.holds());
    }
}

#[test]
fn a_target_that_is_missed_breaks_nothing() {
    let mut slow = found(Policy::default());
    slow.wakes.last_mut().unwrap().nanos.push(251_000_000);
    for report in [report(&slow), report(&found(Policy::Usual))] {
        assert_eq!(kept(&report), [false, true, true]);
        assert!(report.holds());
        assert!(report.to_markdown().contains("| missed |"));
    }
}

#[test]
fn json_is_read_back() {
    let json = report(&found(Policy::default())).to_json();
    let read: UrgentReport = serde_json::from_str(&json).unwrap();
    assert_eq!(read.to_json(), json);
}

#[test]
fn markdown_rows_have_as_many_cells_as_their_head() {
    let text = report(&found(Policy::default())).to_markdown();
    let mut width = 0;
    for line in text.lines() {
        let cells = line.matches('|').count();
        match line.starts_with('|') {
            true if width == 0 => width = cells,
            true => assert_eq!(cells, width, "{line}"),
            false => width = 0,
        }
    }
    let expected = crate::urgent::stage::cells().count() * Beside::ALL.len();
    assert_eq!(text.lines().filter(|line| line.contains(" × ")).count(), expected);
}
