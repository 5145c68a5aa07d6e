//! Some units in a ring on one core: the knee of address spaces.
//!
//! Two processes that take turns are the best case for processes: the processor keeps the translations of both. Linux
//! gives a processor a few slots for address spaces (`TLB_NR_DYN_ASIDS` in its arch/x86/include/asm/tlbflush.h); with
//! more processes than slots each switch begins with translations lost, which is seen as soon as memory is touched. So
//! here a token goes round `units` members, each of which touches one word of each page of its own memory when it has it.
//!
//! | file | what |
//! |---|---|
//! | `ring/lap.rs` | the way of the token, as each member walks it |

mod lap;

use std::io;
use std::sync::atomic::Ordering;

use palco_sys::PrivateArea;

use self::lap::{Course, Member};
use crate::crew::{self, Gate, Post, Seen};
use crate::sides::placement::{check_policy, processors};
use crate::sides::stopwatch::Stopwatch;
use crate::sides::tally::{Processors, Tally};
use crate::{Cores, Key, Policy, Raw, Section, Subject, Unavailable, Unit};

/// The only mechanism: each member waits on a futex word of its own.
const MECHANISM: &str = "futex";

/// The most units in a ring.
pub const UNITS_MAX: u32 = 64;

/// The page whose translations are lost.
const PAGE_BYTES: u64 = 4096;

/// Bytes of the usual working set: 64 pages.
pub const WORKING_SET: u64 = 64 * PAGE_BYTES;

/// Hops before anything counts.
const WARM_UP_HOPS: u64 = 200;

/// The least number of rounds of the ring that count.
const LAPS_MIN: u64 = 200;

/// The longest burst in real time: the kernel takes the processor away from who has it for 950 ms of a second.
const BURST_NANOS_MAX: u64 = 800_000_000;

/// Rings of threads and of processes, of 2 to 32 units, with 64 pages each and with none.
#[must_use]
pub fn keys() -> Vec<Key> {
    let mut keys = Vec::new();
    for working_set in [WORKING_SET, 0] {
        for units in [2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32] {
            for unit in [Unit::Thread, Unit::Process] {
                keys.push(Key { working_set, units, ..Key::new(Section::Ring, unit, MECHANISM) });
            }
        }
    }
    keys
}

/// The ring that the key tells of; nothing for any other key.
#[must_use]
pub fn subject(key: Key) -> Option<Box<dyn Subject>> {
    let is_ring = key.section == Section::Ring
        && key.mechanism == MECHANISM
        && matches!(key.unit, Unit::Thread | Unit::Process)
        && key.cores == Cores::Same
        && (2..=UNITS_MAX).contains(&key.units)
        && (key.pattern, key.pages, key.message, key.heap) == (None, None, 0, 0);
    is_ring.then(|| Box::new(Ring { key }) as Box<dyn Subject>)
}

/// One cell.
struct Ring {
    key: Key,
}

impl Subject for Ring {
    fn key(&self) -> Key {
        self.key.clone()
    }

    fn round(&mut self, budget_nanos: u64) -> Result<Raw, Unavailable> {
        let [processor, _] = processors(self.key.cores)?;
        check_policy(self.key.policy)?;
        let budget_nanos = match self.key.policy {
            Policy::Fifo => budget_nanos.min(BURST_NANOS_MAX),
            Policy::Other => budget_nanos,
        };
        crew::check_unit(self.key.unit)?;
        let failed =
            |error: io::Error| Raw { objection: Some(error.to_string()), ..Raw::default() };
        Ok(round(&self.key, processor, budget_nanos).unwrap_or_else(failed))
    }
}

/// Runs the ring once, with the calling thread as its first member.
fn round(key: &Key, processor: u32, budget_nanos: u64) -> io::Result<Raw> {
    let course = Course::new(key.units, crew::scope_of(key.unit))?;
    let post = Post { processor, policy: key.policy };
    let mut raw = Raw { batch: 1, ..Raw::default() };
    let mut foreign = None;
    let lead = |(), gate: &Gate| {
        let mut member = Member::new(&course, 0, processor, memory_of(key)?);
        gate.gather()?;
        let clock = Stopwatch::new();
        raw.touch = member.touch_nanos(clock);
        let counter = Processors::new([processor; 2]);
        gate.start()?;
        let (seen, others) = drive(&mut member, clock, budget_nanos, counter.as_ref(), &mut raw)?;
        foreign = others;
        Ok(seen)
    };
    let follow = |number: usize, (), gate: &Gate| {
        let mut member = Member::new(&course, number, processor, memory_of(key)?);
        gate.ready(number)?;
        follow(&mut member)
    };
    let others = usize::try_from(key.units - 1).map_err(io::Error::other)?;
    let seen = crew::run(key.unit, &[post], ((), lead), vec![(); others], &follow)?;
    // All switches of the processor, less those of the members; each member is told its share of the rest.
    let own: u64 = seen.iter().map(|seen| seen.tally.switches()).sum();
    let share = |all: u64| all.saturating_sub(own).div_ceil(u64::from(key.units));
    raw.sides = seen.iter().map(|seen| seen.side(foreign.map(share))).collect();
    raw.out_of_turn = Some(seen.iter().map(|seen| seen.wrong).sum());
    raw.cpu_nanos = Some(seen.iter().map(|seen| seen.tally.cpu_nanos).sum());
    // In real time nobody runs before who has the token waits for it again; otherwise who is woken may, at once.
    raw.switches_expected = match key.policy {
        Policy::Fifo => Some(1.0 / f64::from(key.units)),
        Policy::Other => None,
    };
    Ok(raw)
}

/// The memory that a member touches: made by itself, so that it shares no page with the others.
fn memory_of(key: &Key) -> io::Result<Option<PrivateArea>> {
    let bytes = usize::try_from(key.working_set).map_err(io::Error::other)?;
    (bytes > 0).then(|| PrivateArea::new(bytes, false)).transpose()
}

/// The first member: sends the token round, reads the clock each time, says when it counts and when it ends. Returns with
/// its own counts those of the processor.
fn drive(
    member: &mut Member<'_>,
    clock: Stopwatch,
    budget_nanos: u64,
    counter: Option<&Processors>,
    raw: &mut Raw,
) -> io::Result<(Seen, Option<u64>)> {
    let units = u64::from(member.course.units);
    let first = WARM_UP_HOPS.div_ceil(units) + 1;
    member.course.begin().store(first, Ordering::Relaxed);
    let budget = clock.ticks(budget_nanos);
    let all_switches = || counter.and_then(Processors::switches).map(|[all, _]| all);
    let (mut before, mut all_before, mut begin) = (Tally::default(), None, 0);
    for lap in 1.. {
        // The token is here.
        if lap == first {
            member.forget();
            (before, all_before) = (Tally::now()?, all_switches());
            begin = clock.now();
        }
        let start = clock.now();
        let is_over = lap >= first + LAPS_MIN && start.wrapping_sub(begin) >= budget;
        if is_over {
            let tally = Tally::now()? - before;
            let all = all_switches().zip(all_before).map(|(now, before)| now - before);
            raw.operations = (lap - first) * units;
            member.course.end().store(lap, Ordering::Relaxed);
            member.hop(lap)?;
            return Ok((Seen { tally, strays: member.strays, wrong: member.wrong }, all));
        }
        member.hop(lap)?;
        member.await_token(lap + 1)?;
        // In the first lap that counts everybody looks at its own counts, which takes longer than a hop.
        if lap > first {
            let ticks = clock.now().wrapping_sub(start);
            raw.samples.push(clock.nanos(ticks) / f64::from(member.course.units));
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Every other member: hands the token on until the last lap.
fn follow(member: &mut Member<'_>) -> io::Result<Seen> {
    let mut before = Tally::default();
    for lap in 1.. {
        member.await_token(lap)?;
        if lap == member.course.begin().load(Ordering::Relaxed) {
            member.forget();
            before = Tally::now()?;
        }
        if lap == member.course.end().load(Ordering::Relaxed) {
            let tally = Tally::now()? - before;
            member.hop(lap)?;
            return Ok(Seen { tally, strays: member.strays, wrong: member.wrong });
        }
        member.hop(lap)?;
    }
    Err(io::ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests;
