//! Evidence or no number: what a round must show for its figures to count.
//!
//! | what | must be | whose count |
//! |---|---|---|
//! | switches of a side that must switch | what is due, within 1 % | the kernel's |
//! | switches of a side that must not | at most 1 in 100 operations | the kernel's |
//! | turns out of order | none | the sides' |
//! | strays, migrations | none | the sides', the kernel's |
//! | switches to anybody else | at most 1 in 100 of a side's own | the kernel's |
//! | samples | finite, not negative, and enough of them | |
//! | the canary | within 5 % of the session's best | |
//!
//! Voluntary and involuntary switches are added: which of them a wake-up makes is the scheduler's whim (EEVDF preempts the
//! waker about every other time), how many it makes is not.

use crate::{Raw, Section, Side};

/// How far the switches of a side may be from what is due.
const SWITCHES_OFF_MAX: f64 = 0.01;

/// Switches that may be more or less whatever is due: a side begins and ends to count in the middle of a turn.
const SWITCHES_AT_THE_EDGES: f64 = 2.0;

/// Switches an operation of a side that must not switch at all; the tick and its neighbours come through now and then.
const SWITCHES_STRAY_MAX: f64 = 0.01;

/// Switches to others, by own ones.
const FOREIGN_MAX: f64 = 0.01;

/// The canary before a round, by the best of the session.
pub(crate) const CANARY_MAX: f64 = 1.05;

/// Samples without which a round says nothing: as many as a section can give in the time it has.
pub(crate) const fn samples_min(section: Section) -> usize {
    match section {
        Section::Floor | Section::Switch | Section::Ring | Section::IpcLatency => 30,
        Section::WorkingSet | Section::Create => 5,
        Section::Memory | Section::IpcThroughput => 1,
    }
}

/// What the round itself shows.
///
/// # Errors
/// Every reason why it does not count, with figures.
pub(crate) fn evidence(raw: &Raw, section: Section) -> Result<(), String> {
    let mut against: Vec<String> = raw.objection.iter().cloned().collect();
    if raw.operations == 0 {
        against.push("no operation was done".to_owned());
        return Err(against.join("; "));
    }
    against.extend(samples(raw, samples_min(section)));
    match raw.switches_expected {
        Some(expected) if expected > 0.0 => {
            if raw.sides.is_empty() {
                against.push("no side counted its switches".to_owned());
            }
            against.extend(each_side(raw, |side| due(side, expected, raw.operations)));
        }
        Some(_) => against.extend(each_side(raw, |side| none_due(side, raw.operations))),
        None => {}
    }
    if let Some(turns @ 1..) = raw.out_of_turn {
        against.push(format!("{turns} of {} turns were out of order", raw.operations));
    }
    against.extend(each_side(raw, in_place));
    against.extend(each_side(raw, |side| undisturbed(side, raw)));
    if against.is_empty() { Ok(()) } else { Err(against.join("; ")) }
}

/// Whether the machine was as fast just before the round as it ever was.
///
/// # Errors
/// How much slower it was.
pub(crate) fn quietness(canary: f64) -> Result<(), String> {
    if canary <= CANARY_MAX {
        return Ok(());
    }
    let (slower, allowed) = ((canary - 1.0) * 100.0, (CANARY_MAX - 1.0) * 100.0);
    Err(format!(
        "just before, the machine was {slower:.0} % slower than at its best, where {allowed:.0} % are allowed"
    ))
}

/// Switches of each side by what was due; none where none are expected.
pub(crate) fn switch_ratios(raw: &Raw) -> Vec<f64> {
    let due = raw.switches_expected.unwrap_or(0.0) * raw.operations as f64;
    if due <= 0.0 {
        return Vec::new();
    }
    raw.sides.iter().map(|side| switches(*side) as f64 / due).collect()
}

/// By the kernel's count, of either kind.
pub(crate) const fn switches(side: Side) -> u64 {
    side.voluntary.saturating_add(side.involuntary)
}

fn samples(raw: &Raw, least: usize) -> Option<String> {
    let count = raw.samples.len();
    let is_impossible = |sample: &&f64| !sample.is_finite() || **sample < 0.0;
    if let Some(sample) = raw.samples.iter().find(is_impossible) {
        return Some(format!("a sample says {sample}, which nothing can take"));
    }
    // A sample of many operations at once is as good as many of one.
    let behind = count.saturating_mul(raw.batch.max(1) as usize);
    (behind < least).then(|| format!("{count} samples, where {least} are needed"))
}

/// What is held against each side, and against which.
fn each_side(raw: &Raw, objection: impl Fn(Side) -> Option<String>) -> Vec<String> {
    let sides = ('A'..='Z').chain(std::iter::repeat('?')).zip(&raw.sides);
    sides.filter_map(|(name, side)| Some(format!("side {name} {}", objection(*side)?))).collect()
}

fn due(side: Side, expected: f64, operations: u64) -> Option<String> {
    let due = expected * operations as f64;
    let counted = switches(side) as f64;
    // Of few that are due the edges may not be all.
    let off_max = (SWITCHES_OFF_MAX * due).max(SWITCHES_AT_THE_EDGES.min(due / 4.0));
    ((counted - due).abs() > off_max).then(|| {
        let (an_operation, must) = (Figure(counted / operations as f64), Figure(expected));
        format!("switched {an_operation} times an operation where it must {must} times ({counted} of {due:.0})")
    })
}

fn none_due(side: Side, operations: u64) -> Option<String> {
    let counted = switches(side);
    let most = SWITCHES_STRAY_MAX * operations as f64;
    (counted as f64 > most).then(|| {
        format!(
            "switched {counted} times in {operations} operations where it must not switch at all"
        )
    })
}

fn in_place(side: Side) -> Option<String> {
    match (side.strays, side.migrations) {
        (0, Some(0) | None) => None,
        (0, Some(moves)) => Some(format!("was moved to another processor {moves} times")),
        (strays, _) => Some(format!("found itself on another processor {strays} times")),
    }
}

fn undisturbed(side: Side, raw: &Raw) -> Option<String> {
    let foreign = side.foreign?;
    // Sides that need not switch are measured by what they do.
    let must_switch = raw.switches_expected.is_some_and(|expected| expected > 0.0);
    let (own, what) =
        if must_switch { (switches(side), "switches") } else { (raw.operations, "operations") };
    (foreign as f64 > FOREIGN_MAX * own as f64).then(|| {
        format!("shared its processor: {foreign} switches to others beside {own} {what} of its own")
    })
}

/// Three digits that say something.
struct Figure(f64);

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 0.0 || self.0 >= 0.1 {
            return write!(f, "{:.2}", self.0);
        }
        write!(f, "{:.2e}", self.0)
    }
}

#[cfg(test)]
mod tests;
