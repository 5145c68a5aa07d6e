//! Two sides on real threads and processes: the kernel's counts say that they took turns.
//!
//! A program of its own, because a harness has threads and a process of several threads is not forked. Arguments choose
//! cases by a part of their name, as those of a harness do.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, waitpid};
use palco_measure::{
    Cores, Key, Pages, Pattern, Policy, Raw, Section, Unavailable, Unit, ping_pong, ping_pong_keys,
};
use palco_sys::{Forked, exit_at_once, fork_child, is_single_threaded, open_pidfd, wait_pidfd};

/// Rounds in which strangers may intrude before a count is held against the mechanism.
const ATTEMPTS: u32 = 20;

const BUDGET_NANOS: u64 = 5_000_000;

const CASES: [(&str, fn()); 11] = [
    ("a_copy_of_one_thread_is_a_child", a_copy_of_one_thread_is_a_child),
    ("every_mechanism_takes_turns_or_says_why_not", every_mechanism_takes_turns_or_says_why_not),
    ("who_blocks_switches_once_a_round_trip", who_blocks_switches_once_a_round_trip),
    ("messages_arrive_intact_and_are_counted", messages_arrive_intact_and_are_counted),
    ("the_broken_mechanism_is_seen_not_to_switch", the_broken_mechanism_is_seen_not_to_switch),
    ("the_yardstick_has_one_figure_and_no_proof", the_yardstick_has_one_figure_and_no_proof),
    ("a_chase_costs_far_more_than_an_empty_hop", a_chase_costs_far_more_than_an_empty_hop),
    ("long_rounds_in_real_time_pause", long_rounds_in_real_time_pause),
    ("a_side_that_goes_away_is_noticed", a_side_that_goes_away_is_noticed),
    ("this_thread_is_left_as_it_was", this_thread_is_left_as_it_was),
    ("nothing_is_left_behind", nothing_is_left_behind),
];

fn main() -> ExitCode {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
    let mut failed = 0;
    for (name, case) in CASES.into_iter().filter(|(name, _)| is_wanted(name)) {
        let outcome = if catch_unwind(case).is_ok() { "ok" } else { "FAILED" };
        failed += u32::from(outcome == "FAILED");
        println!("test {name} ... {outcome}");
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// In real time where that is permitted: there nothing usual runs in between.
fn policy() -> Policy {
    let key = Key::new(Section::Switch, Unit::Thread, "futex-private");
    match ping_pong(key).round(1) {
        Ok(_) => Policy::Fifo,
        Err(Unavailable(_)) => Policy::Other,
    }
}

fn key(unit: Unit, mechanism: &str) -> Key {
    Key { policy: policy(), ..Key::new(Section::Switch, unit, mechanism) }
}

fn round(key: &Key) -> Raw {
    ping_pong(key.clone()).round(BUDGET_NANOS).unwrap_or_else(|why| panic!("{key}: {why}"))
}

/// Switches of each side per round trip.
#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn switches_a_trip(raw: &Raw) -> Vec<f64> {
    let trips = raw.operations as f64 / 2.0;
    raw.sides.iter().map(|side| (side.voluntary + side.involuntary) as f64 / trips).collect()
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What is true of every round, whoever else is at work.
fn assert_in_order(key: &Key, raw: &Raw) {
    assert_eq!(raw.objection, None, "{key}");
    assert_eq!(raw.out_of_turn, Some(0), "{key}");
    assert_eq!(raw.batch, 1, "{key}");
    // How many trips fit is estimated on the way: on a host that is held up it may be few.
    assert!(!raw.samples.is_empty(), "{key}");
    assert_eq!(raw.operations, (raw.samples.len() as u64 + 1) * 2, "{key}");
    assert!(raw.samples.iter().all(|sample| *sample > 0.0), "{key}");
    assert_eq!(raw.sides.len(), 2, "{key}");
    assert!(raw.sides.iter().all(|side| side.strays == 0), "{key}: {:?}", raw.sides);
    assert!(raw.cpu_nanos.is_some_and(|nanos| nanos > 0), "{key}");
}

fn a_copy_of_one_thread_is_a_child() {
    assert!(is_single_threaded().unwrap());
    match fork_child().unwrap() {
        Forked::Copy => exit_at_once(7),
        Forked::Original { pid } => {
            let end = wait_pidfd(open_pidfd(pid).unwrap()).unwrap();
            assert_eq!(end, palco_sys::End::Exited(7));
        }
    }
}

fn every_mechanism_takes_turns_or_says_why_not() {
    let policy = policy();
    let mut unavailable = BTreeSet::new();
    for key in ping_pong_keys().into_iter().filter(|key| key.section == Section::Switch) {
        let key = Key { policy, ..key };
        match ping_pong(key.clone()).round(BUDGET_NANOS) {
            Ok(raw) => assert_in_order(&key, &raw),
            Err(why) => drop(unavailable.insert(format!("{why}"))),
        }
    }
    // Where there is one core, or no message queue, that is so; shown, so that nobody is deceived.
    unavailable.iter().for_each(|why| println!("  unavailable: {why}"));
    let futex = key(Unit::Process, "futex-shared");
    assert_in_order(&futex, &round(&futex));
}

fn who_blocks_switches_once_a_round_trip() {
    let futex = round(&key(Unit::Process, "futex-shared"));
    assert_eq!(futex.switches_expected, Some(0.5));
    for known in ping_pong_keys() {
        let key = Key { policy: policy(), ..known };
        if key.section != Section::Switch || key.cores != Cores::Same {
            continue;
        }
        let mut subject = ping_pong(key.clone());
        let mut seen = Vec::new();
        let is_exact = (0..ATTEMPTS).any(|_| {
            let Ok(raw) = subject.round(BUDGET_NANOS) else { return true };
            assert_in_order(&key, &raw);
            seen = switches_a_trip(&raw);
            raw.switches_expected.is_none()
                || seen.iter().all(|switches| (0.99..=1.01).contains(switches))
        });
        assert!(is_exact, "{key}: {seen:?}");
    }
}

fn messages_arrive_intact_and_are_counted() {
    for known in ping_pong_keys() {
        let key = Key { policy: policy(), ..known };
        if key.section != Section::IpcLatency || key.cores != Cores::Same {
            continue;
        }
        // A message that was changed on its way is an objection.
        let raw = round(&key);
        assert_in_order(&key, &raw);
        assert_eq!(raw.bytes, raw.operations * key.message, "{key}");
    }
}

fn the_broken_mechanism_is_seen_not_to_switch() {
    for unit in [Unit::Thread, Unit::Process] {
        let key = key(unit, "broken");
        let mut subject = ping_pong(key.clone());
        let hardly_switches = (0..ATTEMPTS).any(|_| {
            let raw = subject.round(BUDGET_NANOS).unwrap();
            // It must look like any other mechanism but for the evidence.
            assert_eq!(raw.objection, None, "{key}");
            assert_eq!(raw.switches_expected, Some(0.5), "{key}");
            assert!(raw.out_of_turn.is_some_and(|turns| turns > raw.operations / 4), "{raw:?}");
            switches_a_trip(&raw).iter().all(|switches| *switches < 0.2)
        });
        assert!(hardly_switches, "{key}");
    }
}

fn the_yardstick_has_one_figure_and_no_proof() {
    let raw = round(&key(Unit::Thread, "bare"));
    assert_eq!((raw.samples.len(), raw.out_of_turn, raw.objection), (1, None, None));
    assert_eq!(u64::from(raw.batch) + 2, raw.operations);
}

fn a_chase_costs_far_more_than_an_empty_hop() {
    for unit in [Unit::Thread, Unit::Process] {
        let empty = key(unit, "futex-shared");
        let chase = Key {
            section: Section::WorkingSet,
            working_set: 1 << 20,
            pattern: Some(Pattern::Chase),
            pages: Some(Pages::Small),
            ..empty.clone()
        };
        let mut seen = (0.0, 0.0);
        // A round in which the host was held up says little: one of many has to tell.
        let is_dearer = (0..ATTEMPTS).any(|_| {
            let (without, with) = (round(&empty), round(&chase));
            assert_in_order(&chase, &with);
            assert_eq!(without.touch, None);
            assert!(with.touch.is_some_and(|nanos| nanos > 0.0));
            seen = (median(&without.samples), median(&with.samples));
            seen.1 > 10.0 * seen.0
        });
        assert!(is_dearer, "{chase}: {seen:?}");
    }
}

fn long_rounds_in_real_time_pause() {
    // A second and more: what does not count are the pauses.
    let key = key(Unit::Thread, "pipe");
    let raw = ping_pong(key.clone()).round(1_000_000_000).unwrap();
    assert_in_order(&key, &raw);
}

fn a_side_that_goes_away_is_noticed() {
    for unit in [Unit::Thread, Unit::Process] {
        for mechanism in ["deserter-pipe", "deserter-futex"] {
            let raw = round(&key(unit, mechanism));
            let objection = raw.objection.expect("it is not what was to be measured");
            assert!(objection.contains("it has deserted"), "{objection}");
            assert!(raw.samples.is_empty());
        }
    }
}

fn this_thread_is_left_as_it_was() {
    let state = || {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let told = ["Cpus_allowed_list", "SigBlk", "Threads"];
        let lines = status.lines().filter(|line| told.iter().any(|told| line.starts_with(told)));
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        let descriptors = fs::read_dir("/proc/self/fd").unwrap().count();
        (lines, palco_sys::scheduling_of(0).unwrap(), descriptors)
    };
    // What is made once and kept, is made now.
    drop(round(&key(Unit::Thread, "pipe")));
    let before = state();
    for mechanism in ["signal", "mqueue", "tcp", "shm-ring"] {
        for unit in [Unit::Process, Unit::Thread] {
            drop(round(&key(unit, mechanism)));
        }
    }
    // A thread that was joined may be in the books for a moment.
    while !is_single_threaded().unwrap() {
        std::thread::yield_now();
    }
    assert_eq!(state(), before);
}

fn nothing_is_left_behind() {
    // Those of other programs may come and go meanwhile: one round without anything new is enough.
    let objects = || -> BTreeSet<String> {
        let files = ["/proc/sysvipc/msg", "/proc/sysvipc/sem"];
        let lines = files.map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let ids = text.lines().filter_map(|line| line.split_whitespace().nth(1));
            ids.map(|id| format!("{file}: {id}")).collect::<Vec<_>>()
        });
        lines.into_iter().flatten().collect()
    };
    let is_clean = (0..ATTEMPTS).any(|_| {
        let before = objects();
        for mechanism in ["sysv-msg", "sysv-sem", "broken", "deserter-futex"] {
            drop(round(&key(Unit::Process, mechanism)));
        }
        objects().is_subset(&before)
    });
    assert!(is_clean);
    let any_child = waitpid(None, Some(WaitPidFlag::WNOHANG));
    assert_eq!(any_child, Err(Errno::ECHILD), "a zombie is a child too");
}
