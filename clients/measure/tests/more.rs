//! What forks can be tried only by a process of one thread: the cases run one after the other on the main thread.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;

use palco_measure::pipes::{self, Calls, Slow, Textbook, Units};
use palco_measure::{Cores, Key, Policy, Raw, Section, Unavailable, Unit, peers, ring, throughput};

/// A promise and what keeps it.
type Case = (&'static str, fn());

const CASES: [Case; 7] = [
    ("the modes of a pipe between two processes are as explained", pipes_between_processes),
    ("the same between two threads", pipes_between_threads),
    ("a token goes round rings of processes and of threads in order", rings),
    ("each member of a ring in real time switches once a round", rings_in_real_time),
    ("messages arrive as they were sent, or are refused with a limit", throughput),
    ("a ring in shared memory waits less often for each message than a pipe", batching),
    ("what other tools claim stands beside the kernel's count, or why not", claims),
];

fn main() {
    for (promise, case) in CASES {
        eprint!("{promise} ... ");
        case();
        assert_eq!(children(), "", "nobody is left behind");
        assert!(palco_sys::is_single_threaded().unwrap(), "every thread has ended");
        eprintln!("ok");
    }
}

/// The ids of this process's children, zombies included.
fn children() -> String {
    fs::read_to_string("/proc/thread-self/children").unwrap()
}

fn pipes_between_processes() {
    let report = pipes::run(Units::Processes).unwrap();
    assert!(report.holds(), "{report:#?}");
    for line in &report.modes {
        let careless_look =
            line.mode.slow == Slow::Writer && line.mode.reader == Calls::NonBlocking;
        let expected = if careless_look { Textbook::Wrong } else { Textbook::Right };
        assert_eq!(line.textbook, expected, "{line:#?}");
    }
}

fn pipes_between_threads() {
    let report = pipes::run(Units::Threads).unwrap();
    assert!(report.holds(), "{report:#?}");
}

/// A short round of the subject of this key.
fn round(key: Key) -> Raw {
    let id = key.to_string();
    try_round(key).unwrap_or_else(|refusal| panic!("{id}: {refusal}"))
}

fn try_round(key: Key) -> Result<Raw, Unavailable> {
    let id = key.to_string();
    let mut subject = ring::subject(key.clone()).or_else(|| throughput::subject(key)).unwrap();
    let raw = subject.round(1_000_000)?;
    assert_eq!(raw.objection, None, "{id}");
    assert_eq!(raw.out_of_turn, Some(0), "{id}");
    assert!(raw.samples.iter().all(|sample| sample.is_finite() && *sample > 0.0), "{id}");
    Ok(raw)
}

fn rings() {
    for key in ring::keys().into_iter().filter(|key| key.units <= 8) {
        let units = u64::from(key.units);
        let raw = round(Key { policy: Policy::Other, ..key });
        assert_eq!(raw.sides.len() as u64, units);
        for side in &raw.sides {
            assert!((side.voluntary + side.involuntary) * units >= raw.operations, "{side:?}");
            assert_eq!(side.strays, 0);
        }
    }
}

fn rings_in_real_time() {
    for unit in [Unit::Thread, Unit::Process] {
        for units in [2, 5, 32] {
            let key = Key { units, ..Key::new(Section::Ring, unit, "futex") };
            match try_round(key) {
                Ok(raw) => {
                    let laps = raw.operations / u64::from(units);
                    for side in &raw.sides {
                        let switches = side.voluntary + side.involuntary;
                        assert!(switches.abs_diff(laps) <= laps / 100 + 1, "{laps}: {side:?}");
                    }
                }
                Err(refusal) => assert!(refusal.0.contains("real time"), "{refusal}"),
            }
        }
    }
}

fn throughput() {
    for key in throughput::keys() {
        let (id, message) = (key.to_string(), key.message);
        match try_round(key) {
            Ok(raw) => {
                assert!(raw.samples.len() >= 5, "{id}");
                assert_eq!(raw.bytes, raw.operations * message, "{id}");
                assert_eq!((raw.sides.len(), raw.switches_expected), (2, None), "{id}");
            }
            Err(refusal) => {
                let text = &refusal.0;
                assert!(text.contains("at most") || text.contains("no two cores"), "{id}: {text}");
            }
        }
    }
}

fn batching() {
    let waits_a_message = |mechanism: &str| {
        let key = Key::new(Section::IpcThroughput, Unit::Process, mechanism);
        let raw = round(Key { cores: Cores::Same, message: 64, policy: Policy::Other, ..key });
        // Those of full and empty buffers. The others are the scheduler's, who lets each side work for some milliseconds:
        // a matter of how fast this is compiled to be.
        let switches: u64 = raw.sides.iter().map(|side| side.voluntary).sum();
        switches as f64 / raw.operations as f64
    };
    // The least of some rounds: who else wants the processor meanwhile only adds to it.
    let rounds = (0..7).map(|_| (waits_a_message("pipe"), waits_a_message("shm-ring")));
    let (pipe, ring) = rounds
        .reduce(|least, round| (least.0.min(round.0), least.1.min(round.1)))
        .expect("there are seven");
    assert!(pipe > ring, "{pipe} waits a message through a pipe, {ring} through a ring");
}

fn claims() {
    let mut told = Vec::new();
    let claims = peers::claims(|command| told.push(command.to_owned()));
    assert_eq!(told, claims.iter().map(|claim| claim.command.clone()).collect::<Vec<_>>());
    for claim in claims {
        eprintln!("\n  {}: {}", claim.command, claim.remark);
        // A claim always has a count beside it.
        assert_eq!(claim.claimed_nanos.is_some(), claim.counted_switches.is_some(), "{claim:?}");
        assert!(!claim.remark.is_empty(), "{claim:?}");
    }
}
