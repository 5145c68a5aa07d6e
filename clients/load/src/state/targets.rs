//! What must hold between stateless and stateful, whatever the machine, and whether it has.

use super::Task;
use super::report::{CostFigures, StateReport};
use super::side::{Side, Way};
use super::stale::Belief;
use crate::registers::{Target, Verdict};
use crate::stats::Spread;

/// All of them, whether they could be measured or not.
pub(super) fn all(report: &StateReport) -> Vec<Target> {
    let handle = cost(report, Side::Volatile, Task::Sequential, Way::Handle);
    let opened = cost(report, Side::Volatile, Task::Sequential, Way::OpenReadClose);
    let trips = |of: Option<&CostFigures>| of.map(|figures| figures.round_trips.median);
    let saved = trips(opened).zip(trips(handle)).map(|(opened, handle)| opened / handle);
    let sent = |of: Option<&CostFigures>| of.map(|figures| figures.bytes_sent.median);
    let http = cost(report, Side::Http, Task::Sequential, Way::Request);
    let words = sent(http).zip(sent(handle)).map(|(http, handle)| http / handle);
    let stale = report.stale.iter().find(|row| row.belief == Belief::Leases);
    let old = stale.and_then(|row| row.figures).map(|figures| figures.old as f64);
    let nothing_lost = report.recovery.iter().find(|row| row.side == Side::Http);
    let http_trips = nothing_lost.and_then(|row| row.round_trips).map(|trips| trips.median);
    let terms = report.terms.iter().filter(|row| row.term_seconds > 0.0);
    let worst = terms.filter_map(|row| row.figures);
    // A renewal more or less is what the edges of the measured time make.
    let beyond = worst
        .map(|row| row.messages_per_read - row.theory_by_clock - 4.0 / row.reads.max(1) as f64);
    let beyond = beyond.max_by(f64::total_cmp);
    vec![
        target("round trips by read, open-read-close : handle kept", "≥ 3", saved, |n| n >= 3.0),
        target("bytes sent by read, http : handle kept", "> 1", words, |n| n > 1.0),
        target("old reads under leases", "0", old, |n| n == 0.0),
        target(
            "round trips to the first right bytes after a kill, http",
            "≤ 2",
            http_trips,
            |n| n <= 2.0,
        ),
        target(
            "messages by read under leases beyond 4/(R·t) and two more",
            "≤ 0.05",
            beyond,
            |n| n <= 0.05,
        ),
    ]
}

fn cost(report: &StateReport, side: Side, task: Task, way: Way) -> Option<&CostFigures> {
    let table = report.tables.iter().find(|table| table.task == task)?;
    let row = table.rows.iter().find(|row| (row.side, row.way) == (side, way))?;
    row.figures.as_ref()
}

fn target(what: &str, wanted: &str, reached: Option<f64>, holds: fn(f64) -> bool) -> Target {
    Target {
        what: what.to_owned(),
        wanted: wanted.to_owned(),
        reached: reached.and_then(|reached| Spread::of([reached])),
        verdict: Verdict::of(reached.map(holds)),
    }
}
