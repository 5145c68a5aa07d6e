//! Many seeds, each fault alone, all together and none, in each mode, with all sound quorums. A seed that fails is
//! printed with the command that runs and draws it again.

use std::time::Duration;

use palco_sim::{Fault, Faults, Figures, ModeKind, QuorumKind, Scenario, run};

const SEEDS: u64 = 200;

fn scenario(mode: ModeKind, faults: Faults) -> Scenario {
    Scenario {
        operations: 300,
        mode,
        faults,
        quorums: QuorumKind::Mixed,
        reconfigure_every: Some(Duration::from_millis(30)),
        ..Scenario::default()
    }
}

/// All seeds of a mix in each mode; what they did.
fn try_all(faults: Faults) -> Figures {
    try_all_with(faults, None)
}

/// The same, where queries ask few first, and others after so long.
fn try_all_with(faults: Faults, patience: Option<Duration>) -> Figures {
    let mut sum = Figures::default();
    let mut failed = Vec::new();
    for (mode, _) in ModeKind::ALL {
        let scenario = Scenario { patience, ..scenario(mode, faults) };
        for seed in 1..=SEEDS {
            let report = run(&scenario, seed);
            sum.add(&report.figures);
            for violation in report.violations {
                let command = scenario.command(seed);
                failed.push(format!(
                    "seed {seed}: {}: {}\n  {command} --html run.html",
                    violation.check, violation.what
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{} violations\n{}", failed.len(), failed.join("\n"));
    assert_eq!(sum.histories_undecided, 0, "the search must decide: {sum:?}");
    assert!(sum.done > 400 * SEEDS, "most of what is asked gets done: {sum:?}");
    assert!(sum.reconfigurations > SEEDS, "configurations come and go: {sum:?}");
    sum
}

/// All seeds of a fault alone, which must have been inflicted.
fn try_one(fault: Fault) -> Figures {
    let sum = try_all(Faults::NONE.with(fault));
    assert!(sum.faults > SEEDS || fault == Fault::Storm, "{fault:?} happens: {sum:?}");
    sum
}

#[test]
fn nothing_goes_wrong() {
    let sum = try_all(Faults::NONE);
    assert_eq!((sum.faults, sum.messages_lost), (0, 0));
}

#[test]
fn messages_are_lost() {
    assert!(try_one(Fault::Loss).messages_lost > SEEDS);
}

#[test]
fn messages_come_twice() {
    try_one(Fault::Duplicate);
}

#[test]
fn messages_overtake_each_other() {
    try_one(Fault::Reorder);
}

#[test]
fn the_network_is_split() {
    assert!(try_one(Fault::Partition).messages_lost > SEEDS);
}

#[test]
fn some_are_deaf_or_mute() {
    assert!(try_one(Fault::Asymmetric).messages_lost > SEEDS);
}

#[test]
fn the_network_is_a_ring() {
    assert!(try_one(Fault::Ring).messages_lost > SEEDS);
}

#[test]
fn nodes_crash_and_come_back() {
    assert!(try_one(Fault::Crash).unknown > SEEDS);
}

#[test]
fn disks_are_lost() {
    try_one(Fault::DiskLoss);
}

#[test]
fn nodes_stand_still_for_longer_than_every_timeout() {
    try_one(Fault::Pause);
}

#[test]
fn nodes_are_slow() {
    try_one(Fault::Slow);
}

#[test]
fn drivers_fight() {
    let sum = try_one(Fault::Storm);
    assert!(sum.superseded > SEEDS && sum.refused > 0, "{sum:?}");
}

#[test]
fn everything_goes_wrong_at_once() {
    try_all(Faults::all());
}

#[test]
fn queries_that_ask_few_first_miss_nothing() {
    for faults in [Faults::NONE, Faults::all()] {
        try_all_with(faults, Some(Duration::from_millis(3)));
    }
}
