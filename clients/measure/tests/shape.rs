//! What a run must find on any machine: shapes, not nanoseconds. Rounds fork, so it is a plain `main` in one thread.

use std::process::ExitCode;

use palco_measure::matrix::{Extent, Filter, Topic};
use palco_measure::report::{Estimate, Report};
use palco_measure::{Run, Unit};

/// How often a run is repeated that has refused a row: somebody else may have been at work.
const TRIES: u32 = 5;

fn main() -> ExitCode {
    for attempt in 1..=TRIES {
        let report = run(attempt.into());
        match shape(&report) {
            Ok(()) => {
                eprintln!("{}", report.to_text(None));
                return ExitCode::SUCCESS;
            }
            Err(why) if attempt == TRIES => {
                eprintln!("{}\nnot the shape: {why}", report.to_text(None))
            }
            Err(why) => eprintln!("once more: {why}"),
        }
    }
    ExitCode::FAILURE
}

fn run(seed: u64) -> Report {
    let run = Run {
        topic: Topic::Switch,
        extent: Extent::Quick,
        filter: Filter {
            units: vec![Unit::Fiber, Unit::Thread, Unit::Process],
            ..Filter::default()
        },
        rounds: 7,
        seed,
        keep_noisy: true,
        peers: false,
        command: "a test".to_owned(),
    };
    run.measure(&mut |_| {}).expect("one thread, and cells that fit")
}

/// Whether the report says what it must, whatever the machine.
fn shape(report: &Report) -> Result<(), String> {
    let broken = report.trust.broken_refused.as_ref();
    let broken = broken.ok_or("the broken mechanism was not refused")?;
    if !broken.contains("out of order") || !broken.contains("an operation where it must") {
        return Err(format!("the broken mechanism was refused for another reason: {broken}"));
    }
    let thread = estimate(report, "switch/thread/futex-private@same")?;
    let fiber = estimate(report, "switch/fiber/yield@same")?;
    expect(
        fiber.value < thread.value / 20.0,
        "a fiber switch is below a twentieth of a thread's",
        fiber,
        thread,
    )?;
    let thread = estimate(report, "switch/thread/futex-shared@same")?;
    let process = estimate(report, "switch/process/futex-shared@same")?;
    expect(
        process.low >= 0.95 * thread.value,
        "a process switch is no cheaper than a thread's",
        process,
        thread,
    )?;
    for (unit, mechanism) in [("thread", "futex-shared"), ("process", "futex-shared")] {
        let hop = |bytes: u64| {
            estimate(report, &format!("working-set/{unit}/{mechanism}@same/ws={bytes}/chase/4K"))
        };
        let (chase, empty) = (hop(1 << 20)?, hop(0)?);
        expect(chase.value > 10.0 * empty.value, "chasing 1 MiB is ten empty hops", chase, empty)?;
    }
    let overhead = report.trust.overhead.ok_or("the overhead was not measured")?;
    if overhead.low > 1.05 {
        return Err(format!("the harness costs more than 5 %: {overhead:?}"));
    }
    Ok(())
}

/// In the usual way where real time is not permitted.
fn estimate(report: &Report, id: &str) -> Result<Estimate, String> {
    let as_usual = id.replacen("@same", "@same/usual", 1);
    let row = report.row(id).or_else(|| report.row(&as_usual));
    let row = row.ok_or_else(|| format!("no row {id}"))?;
    row.estimate.ok_or_else(|| format!("{id}: {}", row.refused.as_deref().unwrap_or("nothing")))
}

fn expect(holds: bool, what: &str, one: Estimate, other: Estimate) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| format!("{what}: {one:?} against {other:?}"))
}
