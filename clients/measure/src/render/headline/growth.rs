//! Where a cost leaves its ground: the working set that no longer fits, the ring that grew too large.

use std::collections::BTreeMap;

use super::{counting, thread_switch};
use crate::render::units::{Measure, size, times};
use crate::render::words::access;
use crate::report::{Estimate, Report};
use crate::{Pages, Section, Unit};

/// A refill is told from this multiple of the bare switch on: below, one would rather speak of the switch.
const REFILL_MATTERS: f64 = 2.0;

/// A step from one ring to the next larger one is a knee from this factor on.
const KNEE: f64 = 1.15;

/// From which size on filling the caches again costs more than switching, and whether it matters who switches.
pub(super) fn working_set(report: &Report) -> Option<String> {
    let (_, switch) = thread_switch(report)?;
    let refills: Vec<_> = counting(report, Section::WorkingSet)
        .filter(|(row, _)| row.key.pages != Some(Pages::Huge))
        .filter_map(|(row, _)| Some((&row.key, row.refill.filter(finite)?)))
        .collect();
    let (first, refill) = refills
        .iter()
        .filter(|(key, refill)| {
            key.unit == Unit::Thread && refill.low > REFILL_MATTERS * switch.high
        })
        .min_by_key(|(key, _)| {
            (key.working_set, key.pattern.map_or(0, |pattern| 1 - pattern as u8))
        })?;
    let others: Vec<_> = refills
        .iter()
        .filter(|(key, _)| key.working_set == first.working_set && key.pattern == first.pattern)
        .filter(|(key, _)| matches!(key.unit, Unit::Fiber | Unit::Process))
        .collect();
    let mut text = format!(
        "From {} a side on ({}), filling the caches again costs {} a hop, {} a bare switch",
        size(first.working_set),
        access(first.pattern, None),
        Measure::Time.show(refill.value),
        times(refill.value / switch.value),
    );
    let dear: Vec<String> = others
        .iter()
        .filter(|(_, other)| other.low > switch.high)
        .map(|(key, other)| format!("a {} ({})", key.unit.name(), Measure::Time.show(other.value)))
        .collect();
    if !dear.is_empty() {
        text.push_str(&format!(", for {} too", dear.join(" and ")));
    }
    Some(format!("{text}."))
}

/// From how many processes on a ring of them costs more, while one of threads does not.
pub(super) fn ring(report: &Report) -> Option<String> {
    let set = counting(report, Section::Ring).map(|(row, _)| row.key.working_set).max()?;
    let curve = |unit: Unit| -> BTreeMap<u32, Estimate> {
        counting(report, Section::Ring)
            .filter(|(row, _)| row.key.unit == unit && row.key.working_set == set)
            .map(|(row, estimate)| (row.key.units, estimate))
            .collect()
    };
    let (processes, threads) = (curve(Unit::Process), curve(Unit::Thread));
    let steps = processes.iter().zip(processes.iter().skip(1));
    let ((before, low), (knee, high)) = steps
        .filter(|((_, low), (_, high))| high.low > low.high && high.value > KNEE * low.value)
        .max_by(|a, b| {
            let factor =
                |((_, low), (_, high)): &((_, &Estimate), (_, &Estimate))| high.value / low.value;
            factor(a).total_cmp(&factor(b))
        })?;
    let time = |estimate: &Estimate| Measure::Time.show(estimate.value);
    let mut text = format!(
        "From {knee} processes in a ring on, a hop takes {} instead of {}",
        time(high),
        time(low)
    );
    if let (Some(few), Some(many)) = (threads.get(before), threads.get(knee))
        && many.value < KNEE * few.value
    {
        text.push_str(&format!("; among threads it stays at {}", time(many)));
    }
    Some(format!("{text}."))
}

fn finite(estimate: &Estimate) -> bool {
    estimate.value.is_finite() && estimate.low.is_finite() && estimate.high.is_finite()
}
