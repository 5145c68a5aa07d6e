//! A run is made by its scenario and its seed, and by nothing else.

use std::time::Duration;

use palco_sim::trace::Happening;
use palco_sim::{Faults, ModeKind, QuorumKind, Report, Scenario, TraceWish, run};

fn scenario() -> Scenario {
    Scenario {
        operations: 400,
        quorums: QuorumKind::Mixed,
        faults: Faults::all(),
        trace: TraceWish::Last(100_000),
        ..Scenario::default()
    }
}

fn trace_of(report: &Report) -> String {
    let trace = report.trace.as_ref().expect("it was wished for");
    format!("{:?} {:?}", trace.nodes, trace.events)
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    for seed in [3, 16] {
        let (one, same) = (run(&scenario(), seed), run(&scenario(), seed));
        assert_eq!(one.digest, same.digest);
        assert_eq!(one.figures, same.figures);
        assert_eq!(one.violations, same.violations);
        assert!(trace_of(&one) == trace_of(&same), "the traces of seed {seed} differ");
        assert_ne!(one.digest, run(&scenario(), seed + 1).digest);
    }
}

#[test]
fn recording_a_run_does_not_change_it() {
    let silent = Scenario { trace: TraceWish::None, ..scenario() };
    let (one, other) = (run(&scenario(), 5), run(&silent, 5));
    assert_eq!((one.digest, one.figures), (other.digest, other.figures));
    assert!(other.trace.is_none());
}

#[test]
fn a_recording_keeps_the_last_events_in_order_of_time() {
    let report = run(&Scenario { trace: TraceWish::Last(500), ..scenario() }, 2);
    let trace = report.trace.expect("it was wished for");
    assert_eq!(trace.events.len(), 500);
    assert!(trace.dropped > 0);
    assert!(trace.events.is_sorted_by_key(|traced| traced.at));
    let all = run(&scenario(), 2).trace.expect("it was wished for");
    assert_eq!(all.events.len() as u64, 500 + trace.dropped);
    let seen = |is: fn(&Happening) -> bool| all.events.iter().any(|traced| is(&traced.what));
    assert!(seen(|what| matches!(what, Happening::Message { arrived: None, .. })));
    assert!(seen(|what| matches!(what, Happening::Message { arrived: Some(_), .. })));
    assert!(seen(|what| matches!(what, Happening::Asked { .. })));
    assert!(seen(|what| matches!(what, Happening::Told { tag: Some(_), .. })));
    assert!(seen(|what| matches!(what, Happening::Held { .. })));
    assert!(seen(|what| matches!(what, Happening::Learned { .. })));
    assert!(seen(|what| matches!(what, Happening::Fault { .. })));
}

#[test]
fn every_operation_is_counted_once_by_its_end() {
    for faults in [Faults::NONE, Faults::all()] {
        let scenario = Scenario { faults, ..scenario() };
        let figures = run(&scenario, 7).figures;
        let counted = figures.done + figures.unknown + figures.failed;
        // At the end every key is read at least once more.
        assert!(counted >= scenario.operations + u64::from(scenario.keys), "{figures:?}");
        assert_eq!(figures.done, figures.reads + figures.writes + figures.changes);
        assert!(figures.reads_one_round <= figures.reads);
        assert!(figures.messages_lost <= figures.messages * 2 && figures.flushes > 0);
    }
}

#[test]
fn quiet_runs_of_any_shape_end_well_and_cost_what_the_protocol_says() {
    for mode in ModeKind::ALL.map(|(mode, _)| mode) {
        for (nodes, members, clients) in [(1, 1, 1), (3, 3, 2), (9, 9, 20), (12, 4, 5)] {
            let scenario = Scenario {
                nodes,
                members,
                clients,
                mode,
                operations: 300,
                cas_percent: 0,
                ..Scenario::default()
            };
            let report = run(&scenario, 1);
            assert_eq!(report.violations, [], "{}", scenario.command(1));
            let figures = report.figures;
            assert_eq!(figures.write_rounds, figures.writes * 2, "{}", scenario.command(1));
            assert_eq!(figures.messages_lost, 0);
        }
    }
}

#[test]
fn reconfigurations_alone_never_stop_the_clients() {
    let scenario = Scenario {
        operations: 3_000,
        reconfigure_every: Some(Duration::from_millis(10)),
        quorums: QuorumKind::Mixed,
        ..Scenario::default()
    };
    let report = run(&scenario, 4);
    assert_eq!(report.violations, []);
    assert!(report.figures.reconfigurations > 20, "{:?}", report.figures);
    assert!(report.figures.gap_max < Duration::from_millis(60), "{:?}", report.figures.gap_max);
}
