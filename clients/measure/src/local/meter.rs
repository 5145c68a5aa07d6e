//! Times trips in batches from inside the loop that makes them, warm-up first, and notes what the kernel counted.

use palco_sys::current_processor;

use super::counted::{Charged, Counted};
use super::stand::{BURST_NANOS, take_stand};
use crate::sides::Stopwatch;
use crate::{Key, Policy, Raw, Section, Unavailable};

/// Trips of the warm-up, which fills the caches; fewer if they take more than a tenth of the budget.
const WARMUP_TRIPS: u64 = 100;
/// Trips between two looks at the clock in the warm-up; the last of them tell how long a trip takes.
const WARMUP_BATCH: u32 = 4;
/// Trips between two looks at the clock, where one look would be a large part of what is measured.
const BATCH: u32 = 64;
/// Operations that are quicker are measured in batches.
const BATCHED_BELOW_NANOS: f64 = 200.0;
/// A round that has so many samples is over; the memory for them is touched before it begins.
const SAMPLES_MAX: usize = 1 << 16;

/// A round goes on until it has so many samples, however long that takes.
const fn samples_min(section: Section) -> usize {
    match section {
        Section::Floor | Section::Switch | Section::Ring | Section::IpcLatency => 30,
        Section::WorkingSet | Section::Create | Section::Memory | Section::IpcThroughput => 5,
    }
}

/// What is to be measured in a round.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) key: Key,
    pub(crate) budget_nanos: u64,
}

/// What comes after a trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another one.
    Play,
    /// Another one, the first that counts.
    Count,
    /// Nothing: the round is over.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Warming,
    Counting,
}

/// Belongs to the side that leads. It stands on one processor from [`Meter::start`] on.
#[derive(Debug)]
pub(crate) struct Meter {
    clock: Stopwatch,
    phase: Phase,
    /// Operations in a trip: two hops in a ping-pong.
    operations: u32,
    batch: u32,
    left: u32,
    budget_nanos: u64,
    deadline: u64,
    last: u64,
    trips: u64,
    samples: Vec<f64>,
    samples_min: usize,
    samples_max: usize,
    /// All trips, those of the warm-up too.
    made: u64,
    charged: Charged,
    /// Nothing where the kernel does not count: then there is no proof.
    before: Option<Counted>,
    after: Option<Counted>,
    processor: u32,
    strays: u64,
}

impl Meter {
    /// Has the calling thread take its stand, and begins the warm-up.
    ///
    /// # Errors
    /// As [`take_stand`].
    pub(crate) fn start(plan: &Plan, operations: u32) -> Result<Self, Unavailable> {
        Self::charging(plan, operations, Charged::Thread)
    }

    /// The same, where other threads or processes do a part of the work.
    pub(crate) fn charging(
        plan: &Plan,
        operations: u32,
        charged: Charged,
    ) -> Result<Self, Unavailable> {
        let processor = take_stand(&plan.key)?;
        let mut samples = vec![-1.0; SAMPLES_MAX]; // not zeroes, which would not touch the memory
        samples.clear();
        let budget_nanos = match plan.key.policy {
            Policy::Fifo => plan.budget_nanos.min(BURST_NANOS),
            Policy::Other => plan.budget_nanos,
        };
        let clock = Stopwatch::new();
        let begin = clock.now();
        Ok(Self {
            clock,
            phase: Phase::Warming,
            operations,
            batch: WARMUP_BATCH,
            left: WARMUP_BATCH,
            budget_nanos,
            deadline: begin + clock.ticks(budget_nanos / 10),
            last: begin,
            trips: 0,
            samples,
            samples_min: samples_min(plan.key.section),
            samples_max: SAMPLES_MAX,
            made: 0,
            charged,
            before: None,
            after: None,
            processor,
            strays: 0,
        })
    }

    /// At most so many samples, where each trip leaves something behind.
    pub(crate) fn at_most(self, samples: usize) -> Self {
        Self { samples_max: samples.min(SAMPLES_MAX), ..self }
    }

    /// A trip has been made.
    #[inline]
    pub(crate) fn trip(&mut self) -> Next {
        self.left -= 1;
        if self.left > 0 { Next::Play } else { self.lap() }
    }

    /// Makes trips until the round is over.
    pub(crate) fn run(&mut self, mut trip: impl FnMut()) {
        loop {
            trip();
            if self.trip() == Next::Over {
                return;
            }
        }
    }

    #[inline(never)]
    fn lap(&mut self) -> Next {
        let now = self.clock.now();
        self.made += u64::from(self.batch);
        let trips = f64::from(self.batch) * f64::from(self.operations);
        let nanos = self.clock.nanos(now.saturating_sub(self.last)) / trips;
        let next = match self.phase {
            Phase::Warming if self.made < WARMUP_TRIPS && now < self.deadline => Next::Play,
            Phase::Warming => {
                self.phase = Phase::Counting;
                self.batch = if nanos < BATCHED_BELOW_NANOS { BATCH } else { 1 };
                self.before = Counted::now(self.charged).ok();
                self.deadline = self.clock.now() + self.clock.ticks(self.budget_nanos);
                Next::Count
            }
            Phase::Counting => {
                self.samples.push(nanos);
                self.trips += u64::from(self.batch);
                self.strays += u64::from(current_processor() != self.processor);
                let enough = now >= self.deadline && self.samples.len() >= self.samples_min;
                if enough || self.samples.len() == self.samples_max {
                    self.after = Counted::now(self.charged).ok();
                    return Next::Over;
                }
                Next::Play
            }
        };
        self.left = self.batch;
        self.last = self.clock.now();
        next
    }

    /// Trips so far, those of the warm-up too.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// What a finished round saw; the kernel must not have switched the thread at all.
    pub(crate) fn raw(self) -> Raw {
        let counted = self.before.zip(self.after);
        let side = counted.map(|(before, after)| after.since(before, self.strays));
        let objection = side.is_none().then(|| "the kernel has not counted switches".to_owned());
        Raw {
            operations: self.trips * u64::from(self.operations),
            batch: self.batch,
            sides: side.into_iter().collect(),
            switches_expected: Some(0.0),
            cpu_nanos: counted.map(|(before, after)| after.cpu_since(before)),
            samples: self.samples,
            objection,
            ..Raw::default()
        }
    }

    /// The same, with what the units themselves have to object.
    pub(crate) fn raw_with(self, objection: Option<String>) -> Raw {
        let mut raw = self.raw();
        raw.objection = objection.or(raw.objection);
        raw
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::Unit;

    fn plan(budget_nanos: u64) -> Plan {
        let key =
            Key { policy: Policy::Other, ..Key::new(Section::Floor, Unit::Inline, "nothing") };
        Plan { key, budget_nanos }
    }

    /// On a thread of its own, which stays where it was put.
    fn measured(budget_nanos: u64, trip: fn()) -> (u64, Raw) {
        thread::spawn(move || {
            let mut meter = Meter::start(&plan(budget_nanos), 1).unwrap();
            let mut trips = 0;
            meter.run(|| {
                trips += 1;
                trip();
            });
            (trips, meter.raw())
        })
        .join()
        .unwrap()
    }

    #[test]
    fn quick_trips_are_measured_in_batches_and_all_are_accounted_for() {
        let (trips, raw) = measured(2_000_000, || ());
        assert_eq!(raw.batch, BATCH);
        assert_eq!(raw.operations, raw.samples.len() as u64 * u64::from(BATCH));
        assert_eq!(trips, raw.operations + WARMUP_TRIPS);
        assert!(raw.samples.iter().all(|sample| *sample >= 0.0));
    }

    #[test]
    fn slow_trips_are_measured_one_by_one_and_enough_of_them() {
        let (_, raw) = measured(0, || thread::park_timeout(std::time::Duration::from_micros(50)));
        assert_eq!((raw.batch, raw.samples.len()), (1, samples_min(Section::Floor)));
        assert_eq!(raw.sides.len(), 1);
        // Each of them waited in the kernel, which has counted it.
        assert!(raw.sides[0].voluntary >= 30, "{:?}", raw.sides);
    }
}
