//! Times trips in batches from inside the loop that makes them, warm-up first, and notes what the kernel counted.

use palco_sys::current_processor;

use super::counted::{Charged, Counted, Ticks};
use super::stand::{BURST_NANOS, take_stand};
use crate::{Key, Policy, Raw, Unavailable};

/// Trips of each of the two warm-ups: one to fill the caches, one to see how long a trip takes.
const WARMUP_TRIPS: u32 = 100;
/// The same for what takes a hundred microseconds and more.
const WARMUP_TRIPS_SLOW: u32 = 4;
/// Trips between two looks at the clock, where one look would be a large part of what is measured.
const BATCH: u32 = 64;
/// Operations that are quicker are measured in batches.
const BATCHED_BELOW_NANOS: f64 = 200.0;
/// A round that has so many samples is over; the memory for them is touched before it begins.
const SAMPLES_MAX: usize = 1 << 16;
/// A round goes on until it has so many, however long that takes.
const SAMPLES_MIN: usize = 30;

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
    Cold,
    Warm,
    Counting,
}

/// Belongs to the side that leads. It stands on one processor from [`Meter::start`] on.
#[derive(Debug)]
pub(crate) struct Meter {
    clock: Ticks,
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
    /// All trips, those of the warm-up too.
    made: u64,
    charged: Charged,
    before: Counted,
    after: Counted,
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
        let warmup = if charged == Charged::Family { WARMUP_TRIPS_SLOW } else { WARMUP_TRIPS };
        let clock = Ticks::new();
        Ok(Self {
            clock,
            phase: Phase::Cold,
            operations,
            batch: warmup,
            left: warmup,
            budget_nanos,
            deadline: 0,
            last: clock.now(),
            trips: 0,
            samples,
            made: 0,
            charged,
            before: Counted::default(),
            after: Counted::default(),
            processor,
            strays: 0,
        })
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
            Phase::Cold => {
                self.phase = Phase::Warm;
                Next::Play
            }
            Phase::Warm => {
                self.phase = Phase::Counting;
                self.batch = if nanos < BATCHED_BELOW_NANOS { BATCH } else { 1 };
                self.before = Counted::now(self.charged);
                self.deadline = self.clock.now() + self.clock.ticks(self.budget_nanos);
                Next::Count
            }
            Phase::Counting => {
                self.samples.push(nanos);
                self.trips += u64::from(self.batch);
                self.strays += u64::from(current_processor() != self.processor);
                let enough = now >= self.deadline && self.samples.len() >= SAMPLES_MIN;
                if enough || self.samples.len() == SAMPLES_MAX {
                    self.after = Counted::now(self.charged);
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
        Raw {
            operations: self.trips * u64::from(self.operations),
            batch: self.batch,
            sides: vec![self.after.since(self.before, self.strays)],
            switches_expected: Some(0.0),
            cpu_nanos: Some(self.after.cpu_since(self.before)),
            samples: self.samples,
            ..Raw::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{Section, Unit};

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
        assert_eq!(trips, raw.operations + 2 * u64::from(WARMUP_TRIPS));
        assert!(raw.samples.iter().all(|sample| *sample >= 0.0));
    }

    #[test]
    fn slow_trips_are_measured_one_by_one_and_enough_of_them() {
        let (_, raw) = measured(0, || thread::park_timeout(std::time::Duration::from_micros(50)));
        assert_eq!((raw.batch, raw.samples.len()), (1, SAMPLES_MIN));
        assert_eq!(raw.sides.len(), 1);
        // Each of them waited in the kernel, which has counted it.
        assert!(raw.sides[0].voluntary >= 30, "{:?}", raw.sides);
    }
}
