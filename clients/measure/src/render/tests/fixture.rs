//! A report that looks real: every section, refused rows, rounds that do not count. Its figures are those of one
//! machine, rounded; its noise is made by a formula.

use crate::report::{
    Comparison, Counter, Environment, Estimate, Fact, Grade, PeerClaim, Report, Round, Row, SCHEMA,
    Trust, Verdict,
};
use crate::{Key, Section, Unit};

mod figures;

const ROUNDS: u32 = 9;

/// A row that counts; `spread` is how far p99 is above the median.
pub(crate) fn row(key: Key, value: f64, spread: f64) -> Row {
    let steps = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999];
    let quantiles = steps.map(|at: f64| {
        let tail = -(1.0 - at).log10() - 0.301;
        let factor = if tail < 0.0 {
            1.0 + tail * 0.2
        } else {
            1.0 + (spread - 1.0) * (tail / 1.7).powf(1.4)
        };
        (at, value * factor)
    });
    let blocks = key.section != Section::Floor && matches!(key.unit, Unit::Thread | Unit::Process);
    let times = !matches!(key.section, Section::Memory | Section::IpcThroughput);
    let rounds = (0..ROUNDS).map(|round| noisy(value, spread, round, key.mechanism.len() as u32));
    Row {
        id: key.to_string(),
        estimate: Some(around(value, 0.02)),
        refused: None,
        quantiles: if times { quantiles.to_vec() } else { Vec::new() },
        touch: None,
        refill: None,
        switches: blocks.then_some(1.0),
        cpu: times.then_some(value * 0.98),
        bytes_per_second: None,
        rounds: rounds.collect(),
        key,
    }
}

/// A row without an estimate.
pub(crate) fn refused(key: Key, why: &str) -> Row {
    Row {
        estimate: None,
        refused: Some(why.to_owned()),
        quantiles: Vec::new(),
        switches: None,
        cpu: None,
        rounds: Vec::new(),
        ..row(key, 1.0, 1.0)
    }
}

fn around(value: f64, share: f64) -> Estimate {
    let reach = value.abs() * share;
    Estimate { value, low: value - reach, high: value + 1.4 * reach }
}

fn noisy(value: f64, spread: f64, round: u32, salt: u32) -> Round {
    let wave = f64::from((round * 37 + salt * 11) % 17) / 17.0;
    let slow = (round + salt) % 11 == 4;
    let median = value * (0.98 + 0.06 * wave) * if slow { 1.6 } else { 1.0 };
    let canary = if slow { 1.21 } else { 1.0 + 0.03 * wave };
    let reason =
        format!("the canary ran {canary:.2} times as long as the best: a neighbour was at work");
    Round {
        median,
        p99: median * spread,
        operations: 20_000,
        samples: 10_000,
        canary,
        switches: vec![1.0, 1.0],
        invalid: slow.then_some(reason),
    }
}

fn comparisons() -> Vec<Comparison> {
    let all = [
        (
            "a process switch against a thread switch",
            "process/futex-shared@same",
            "thread/futex-private@same",
            (180.0, 170.0, 211.0),
            (1.151, 1.14, 1.18),
            Verdict::Slower,
        ),
        (
            "a switch of processes by a pipe against one of threads",
            "process/pipe@same",
            "thread/pipe@same",
            (150.0, 128.0, 171.0),
            (1.12, 1.10, 1.14),
            Verdict::Slower,
        ),
        (
            "an event descriptor against a futex",
            "thread/eventfd@same",
            "thread/futex-private@same",
            (-12.0, -40.0, 9.0),
            (0.99, 0.966, 1.01),
            Verdict::Alike,
        ),
        (
            "a fiber switch against a thread switch",
            "fiber/yield@same",
            "thread/futex-private@same",
            (-1180.0, -1205.0, -1161.0),
            (0.0087, 0.0084, 0.009),
            Verdict::Faster,
        ),
        (
            "siblings against one core",
            "thread/futex-private@sibling",
            "thread/futex-private@same",
            (0.0, 0.0, 0.0),
            (1.0, 1.0, 1.0),
            Verdict::Unknown,
        ),
    ];
    let estimate = |(value, low, high)| Estimate { value, low, high };
    all.into_iter()
        .map(|(question, subject, baseline, difference, ratio, verdict)| {
            let known = verdict != Verdict::Unknown;
            Comparison {
                question: question.to_owned(),
                subject: format!("switch/{subject}"),
                baseline: format!("switch/{baseline}"),
                difference: known.then(|| estimate(difference)),
                ratio: known.then(|| estimate(ratio)),
                verdict,
            }
        })
        .collect()
}

fn trust() -> Trust {
    let counter = |name: &str| Counter {
        name: name.to_owned(),
        value: None,
        row: "switch/thread/futex-private@same".to_owned(),
        absent: Some("the kernel has no driver for hardware counters here".to_owned()),
    };
    let checks = [
        "Each side switched as often as it must, by the kernel's count: 0.99 to 1.01 of it",
        "Every turn was the next in order",
        "No side was found on another processor than its own",
        "The canary before it was within 5 % of the best",
    ];
    Trust {
        clock: "time stamp counter, 2.0 GHz, constant and nonstop".to_owned(),
        clock_nanos: 20.0,
        overhead: Some(Estimate { value: 1.021, low: 1.008, high: 1.034 }),
        rounds_valid: 871,
        rounds_all: 954,
        checks: checks.map(str::to_owned).to_vec(),
        broken_refused: Some(
            "side B switched 0.02 times a round trip where it must switch once".to_owned(),
        ),
        counters: vec![counter("instructions"), counter("dTLB load misses")],
    }
}

fn environment() -> Environment {
    let facts = [
        ("machine", "processor", "Sapphire Rapids class, 2 processors", true),
        ("machine", "hypervisor", "KVM", true),
        ("machine", "flags", "pcid invpcid constant_tsc nonstop_tsc", false),
        ("kernel", "release", "6.18.44", true),
        ("kernel", "preemption", "dynamic", false),
        ("kernel", "clocksource", "tsc", true),
        ("kernel", "vulnerabilities/meltdown", "Not affected", true),
        ("build", "rustc", "1.95.0 -O3", true),
        ("limits", "rtprio", "99", false),
        ("moment", "load average", "1.18 2.04 2.79", false),
    ];
    let fact = |(group, name, value, decides): (&str, &str, &str, bool)| Fact {
        group: group.to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
        decides,
    };
    Environment {
        facts: facts.map(fact).to_vec(),
        caches: vec![
            ("L1d".to_owned(), 48 << 10),
            ("L2".to_owned(), 2 << 20),
            ("L3".to_owned(), 32 << 20),
        ],
        date: "2026-11-22 15:00 UTC".to_owned(),
    }
}

fn peers() -> Vec<PeerClaim> {
    let claim =
        |command: &str, claimed_nanos, claimed, counted, true_nanos, remark: &str| PeerClaim {
            command: command.to_owned(),
            claimed_nanos,
            claimed_switches: claimed,
            counted_switches: counted,
            true_nanos,
            remark: remark.to_owned(),
        };
    vec![
        claim(
            "perf bench sched pipe",
            Some(1310.0),
            Some(200_000),
            Some(199_999),
            Some(1310.0),
            "Agrees with the kernel.",
        ),
        claim(
            "stress-ng --switch (sem-sysv)",
            Some(213.0),
            Some(4_684_450),
            Some(9),
            None,
            "It does not switch: each side takes its own semaphore again.",
        ),
        claim("lat_ctx -s 0 2", None, None, None, None, "Not installed: it is part of lmbench."),
    ]
}

/// A report with every section.
pub(crate) fn report() -> Report {
    Report {
        schema: SCHEMA,
        command: "palco bench switch".to_owned(),
        environment: environment(),
        grade: Grade::B,
        remarks: vec!["Others used 9.6 % of the processors' time while it ran.".to_owned()],
        rounds: ROUNDS,
        seconds: 20.3,
        rows: figures::rows(),
        comparisons: comparisons(),
        trust: trust(),
        peers: peers(),
    }
}

/// A report of nothing.
pub(crate) fn empty() -> Report {
    Report {
        schema: SCHEMA,
        command: String::new(),
        environment: Environment::default(),
        grade: Grade::C,
        remarks: Vec::new(),
        rounds: 0,
        seconds: 0.0,
        rows: Vec::new(),
        comparisons: Vec::new(),
        trust: Trust::default(),
        peers: Vec::new(),
    }
}
