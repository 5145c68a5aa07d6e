//! What process control costs, as Stevens asks: CPU of a short connection less that of the iterative server.

use super::judge::common;
use super::{ControlRow, ServersTable};
use crate::servers::contestant::{Dialect, Origin};
use crate::servers::report::ContestantFacts;
use crate::servers::workload::{Measure, Workload};
use crate::stats::Spread;

/// How much dearer than the C program of its own design a server of palco may be.
pub(super) const BY_FLOOR_MAX: f64 = 1.3;
/// The iterative server that others than palco's are compared with.
const ITERATIVE_C: &str = "C iterative";

/// A row for everybody whose short connections were counted.
pub(super) fn rows(contestants: &[ContestantFacts], tables: &[ServersTable]) -> Vec<ControlRow> {
    let cpu_in = |workload: Workload, name: &str| -> &[f64] {
        let is_asked =
            |table: &&ServersTable| (table.workload, table.dialect) == (workload, Dialect::Plain);
        let row = tables.iter().find(is_asked).and_then(|table| table.row(name));
        row.map_or(&[], |row| row.rounds(Measure::Cpu))
    };
    let plain = contestants.iter().filter(|one| one.dialect == Dialect::Plain);
    let row = |one: &ContestantFacts| {
        let cpu = cpu_in(Workload::Short, &one.name);
        let iterative = cpu_in(Workload::Short, &iterative_of(one, contestants));
        let less = Spread::of(common(cpu, iterative).map(|(own, iterative)| own - iterative));
        let by_floor = |workload| {
            let floor = cpu_in(workload, one.floor.as_deref()?);
            let (own, floor): (Vec<f64>, Vec<f64>) =
                common(cpu_in(workload, &one.name), floor).unzip();
            Spread::of_ratios(&own, &floor)
        };
        Some(ControlRow {
            contestant: one.name.clone(),
            cpu_us: Spread::of(cpu.iter().copied().filter(|cpu| cpu.is_finite()))?,
            control_us: less,
            by_floor: by_floor(Workload::Short),
            trip_by_floor: by_floor(Workload::PingPong),
        })
    };
    plain.filter_map(row).collect()
}

/// palco's iterative server in the same place, where there is one; C's for everybody else.
fn iterative_of(one: &ContestantFacts, contestants: &[ContestantFacts]) -> String {
    if one.origin != Origin::Palco {
        return ITERATIVE_C.to_owned();
    }
    let place = one.name.split_once(" × ").map_or("task", |(_, place)| place);
    let place = place.split_once(',').map_or(place, |(place, _)| place);
    let here = format!("palco iterative × {place}");
    if contestants.iter().any(|one| one.name == here) {
        here
    } else {
        "palco iterative × task".to_owned()
    }
}

impl ControlRow {
    /// Whether it is at most 1.3 times as dear as the C program of its own design: for a short connection, and for a round
    /// trip. Nothing where there is no such program, or it was not measured.
    #[must_use]
    pub fn meets(&self) -> [Option<bool>; 2] {
        [self.by_floor, self.trip_by_floor]
            .map(|ratio| ratio.map(|ratio| ratio.median <= BY_FLOOR_MAX))
    }
}
