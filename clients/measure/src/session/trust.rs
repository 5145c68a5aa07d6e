//! What a session found out about itself: what was checked, what the harness costs, and whether its judge can refuse.

use std::hint::black_box;
use std::time::Instant;

use super::cell::{Cell, Measure, Taken};
use crate::report::{Counter, Estimate, Trust};
use crate::sides::Stopwatch;
use crate::statistics::{Bootstrap, median};
use crate::{Cores, Section, Unit};

/// Mechanism whose hop is compared with that of a bare loop.
const HARNESS: &str = "futex-private";

/// Mechanism of the bare loop.
const BARE: &str = "bare";

/// Mechanism that is broken on purpose.
const BROKEN: &str = "broken";

/// The rows that tell what the harness costs: its own futex hop, and the same without any harness.
pub(super) fn harness_and_bare(cells: &[Cell]) -> Option<(usize, usize)> {
    let harness = harness(cells)?;
    let policy = cells[harness].key.policy;
    let is_bare = |cell: &Cell| is_plain(cell, BARE) && cell.key.policy == policy;
    Some((harness, cells.iter().position(is_bare)?))
}

/// The plain row of threads.
pub(super) fn harness(cells: &[Cell]) -> Option<usize> {
    cells.iter().position(|cell| is_plain(cell, HARNESS) && cell.key.section == Section::Switch)
}

fn is_plain(cell: &Cell, mechanism: &str) -> bool {
    let key = &cell.key;
    key.mechanism == mechanism
        && key.unit == Unit::Thread
        && key.cores == Cores::Same
        && matches!(key.section, Section::Switch | Section::Floor)
        && key.working_set == 0
        && key.message == 0
}

/// Everything but the figures.
pub(super) fn found(
    cells: &[Cell],
    measure: Measure,
    bootstrap: Bootstrap,
    counters: Vec<Counter>,
) -> Trust {
    let honest = || cells.iter().filter(|cell| cell.key.mechanism != BROKEN);
    let (clock, clock_nanos) = clock();
    Trust {
        clock,
        clock_nanos,
        overhead: overhead(cells, measure, bootstrap),
        rounds_valid: honest().map(|cell| cell.valid(measure).count() as u64).sum(),
        rounds_all: honest().map(|cell| cell.taken.len() as u64).sum(),
        checks: checks(cells),
        broken_refused: cells.iter().find_map(refused_for_its_evidence),
        counters,
    }
}

/// What a reader must know if the judge has not been seen to refuse.
pub(super) fn warning(trust: &Trust) -> Option<String> {
    trust.broken_refused.is_none().then(|| {
        "no mechanism that is broken on purpose was refused in this run: nothing shows that its checks can fail"
            .to_owned()
    })
}

/// How many rows have no figures for nothing but the noise around them, and what to do about it.
pub(super) fn for_noise_alone(cells: &[Cell], measure: Measure) -> Option<String> {
    let is_refused = |cell: &&Cell| {
        let proven = cell.taken.iter().filter(|taken| taken.objection.is_none()).count();
        proven >= measure.needed && cell.refused(measure).is_some()
    };
    let rows = cells.iter().filter(|cell| cell.unavailable.is_none()).filter(is_refused).count();
    (rows > 0).then(|| {
        format!("{rows} rows are refused for the noise alone: measure again when the machine is quiet, or let noisy rounds count")
    })
}

fn overhead(cells: &[Cell], measure: Measure, bootstrap: Bootstrap) -> Option<Estimate> {
    let (harness, bare) = harness_and_bare(cells)?;
    let pairs = cells[harness].paired(&cells[bare], measure);
    (pairs.len() >= measure.needed).then(|| bootstrap.ratio("overhead", &pairs)).flatten()
}

/// Only a refusal of every round by what the round itself showed proves anything: noise refuses the honest too.
fn refused_for_its_evidence(cell: &Cell) -> Option<String> {
    let is_broken = cell.key.mechanism == BROKEN;
    let all = is_broken && cell.taken.iter().all(|taken| taken.objection.is_some());
    cell.taken.first().filter(|_| all)?.objection.clone()
}

/// What a round must show to count, each with the number of rounds in which it was checked.
fn checks(cells: &[Cell]) -> Vec<String> {
    let all: Vec<&Taken> = cells.iter().flat_map(|cell| &cell.taken).collect();
    let of = all.len();
    let check = |what: &str, otherwise: &str, is_checked: &dyn Fn(&Taken) -> bool| {
        let checked = all.iter().filter(|taken| is_checked(taken)).count();
        let otherwise = if checked == of { "" } else { otherwise };
        format!("{what}: checked in {checked} of {of} rounds{otherwise}")
    };
    let none = "; in the others there is nothing to check";
    let untold = "; in the others the kernel does not tell";
    vec![
        check(
            "each side that must switch does so as often as its mechanism says, within 1 %, by the kernel's count",
            none,
            &|taken| taken.counts.must_switch == Some(true),
        ),
        check(
            "each side that must not switch does so in at most 1 of 100 operations, by the kernel's count",
            none,
            &|taken| taken.counts.must_switch == Some(false),
        ),
        check("no turn is out of order", none, &|taken| taken.counts.has_turns),
        check("no side finds itself on another processor", none, &|taken| taken.counts.sides > 0),
        check("no side is moved between processors, by the kernel's count", untold, &|taken| {
            taken.counts.tells_migrations
        }),
        check(
            "at most 1 of 100 switches on a side's processor is to somebody else",
            untold,
            &|taken| taken.counts.tells_foreign,
        ),
        check("there are enough samples, and all of them are numbers", none, &|_| true),
        check("just before, the machine was within 5 % of its best in this run", none, &|_| true),
    ]
}

/// Which clock samples are taken with, and what it takes to read it.
fn clock() -> (String, f64) {
    const READS: u32 = 1_000;
    let stopwatch = Stopwatch::new();
    let read = || {
        let begin = Instant::now();
        for _ in 0..READS {
            black_box(stopwatch.now());
        }
        begin.elapsed().as_nanos() as f64 / f64::from(READS)
    };
    let nanos = median((0..21).map(|_| read())).unwrap_or(0.0);
    let name = match stopwatch {
        Stopwatch::Cycles(_) => {
            "the processor's cycle counter (constant, non-stop, and the kernel's clock source)"
        }
        Stopwatch::Monotonic(_) => "CLOCK_MONOTONIC",
    };
    (name.to_owned(), nanos)
}
