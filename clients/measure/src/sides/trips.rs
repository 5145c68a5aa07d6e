//! The hops themselves: what a side does with the turn, and the two loops around it.
//!
//! The first side reads the clock once a round trip, so that nothing lies between two samples. What counts are the trips
//! between two moments of each side, and each side's moments lie in trips that are no samples: the second side's first
//! moment comes with its first turn after the number of trips is known, and its last one so many trips later. In between
//! each side waits exactly once a trip.

use std::io;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use palco_sys::current_processor;

use super::court::{Court, Seen};
use super::letter::Letter;
use super::stopwatch::Stopwatch;
use super::tally::{Processors, Tally};
use crate::mechanisms::End;
use crate::touch::Touch;

/// Round trips before anything is measured, and how long they may take at most; three there are in any case.
const WARM_UP: u64 = 100;
const WARM_UP_NANOS_MAX: u64 = 60_000_000;
const WARM_UP_MIN: u64 = 3;

/// A median of fewer samples is none. Of trips that take a millisecond, and vary little, fewer do: a round must end.
const SAMPLES_MIN: u64 = 200;
const SLOW_SAMPLES_MIN: u64 = 25;
const SLOW_NANOS: f64 = 1e6;
/// What fits into 2 MiB.
const SAMPLES_MAX: u64 = 1 << 18;

/// So long both sides may keep their processors in real time without a pause: the kernel wants 5 % for others.
const BURST_NANOS: u64 = 750_000_000;
const PAUSE: Duration = Duration::from_millis(60);

/// What a side does in a trip.
pub(super) trait Trips {
    /// The first side has the turn: its hop, and the wait for the answer.
    fn lead(&mut self, trip: u64) -> io::Result<()>;
    /// The second side waits for its turn.
    fn await_turn(&mut self, trip: u64) -> io::Result<()>;
    /// The second side has the turn: its hop.
    fn answer(&mut self, trip: u64) -> io::Result<()>;
    /// What was found wrong so far; no tally.
    fn seen(&self) -> Seen;
}

/// Every hop proves that it took place, in order and where it should.
#[derive(Debug)]
pub(super) struct Proven<'a, E> {
    end: E,
    court: &'a Court,
    letter: Letter,
    touch: Touch,
    /// What the sequence word must hold.
    next: u64,
    processor: u32,
    out_of_turn: u64,
    strays: u64,
}

impl<'a, E: End> Proven<'a, E> {
    /// For the side number `side`, on `processor`.
    pub(super) fn new(
        end: E,
        court: &'a Court,
        letter: Letter,
        touch: Touch,
        side: u64,
        processor: u32,
    ) -> Self {
        Self { end, court, letter, touch, next: side, processor, out_of_turn: 0, strays: 0 }
    }

    /// What is done with the turn before it is passed.
    #[inline]
    fn hop(&mut self) {
        // Whoever has the turn has the word for itself: no need to lock it. If both sides have it, a count shows that.
        let sequence = self.court.sequence();
        let value = sequence.load(Ordering::Acquire);
        self.out_of_turn += u64::from(value != self.next);
        sequence.store(value.wrapping_add(1), Ordering::Release);
        self.next += 2;
        self.strays += u64::from(current_processor() != self.processor);
        self.touch.hop();
    }

    #[inline]
    fn check(&mut self, trip: u64) {
        if trip < WARM_UP {
            self.letter.check_whole(trip);
        } else {
            self.letter.check_stamps(trip);
        }
    }
}

impl<E: End> Trips for Proven<'_, E> {
    #[inline]
    fn lead(&mut self, trip: u64) -> io::Result<()> {
        self.hop();
        self.end.pass(self.letter.stamped(trip))?;
        self.end.take(self.letter.room())?;
        self.check(trip);
        Ok(())
    }

    #[inline]
    fn await_turn(&mut self, trip: u64) -> io::Result<()> {
        self.end.take(self.letter.room())?;
        self.check(trip);
        Ok(())
    }

    #[inline]
    fn answer(&mut self, trip: u64) -> io::Result<()> {
        self.hop();
        self.end.pass(self.letter.stamped(trip))
    }

    fn seen(&self) -> Seen {
        Seen {
            strays: self.strays,
            out_of_turn: self.out_of_turn,
            spoiled: self.letter.spoiled(),
            ..Seen::default()
        }
    }
}

/// The mechanism and nothing else.
#[derive(Debug)]
pub(super) struct Bare<E>(pub(super) E);

impl<E: End> Trips for Bare<E> {
    #[inline]
    fn lead(&mut self, _: u64) -> io::Result<()> {
        self.0.pass(&[])?;
        self.0.take(&mut [])
    }

    #[inline]
    fn await_turn(&mut self, _: u64) -> io::Result<()> {
        self.0.take(&mut [])
    }

    #[inline]
    fn answer(&mut self, _: u64) -> io::Result<()> {
        self.0.pass(&[])
    }

    fn seen(&self) -> Seen {
        Seen::default()
    }
}

/// How many trips are measured, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub(super) clock: Stopwatch,
    pub(super) budget_nanos: u64,
    /// What a trip takes, if it is known from an earlier round.
    pub(super) trip_nanos: Option<f64>,
    pub(super) bursts: Bursts,
    pub(super) readings: Readings,
}

/// Whether the sides may keep their processors as long as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bursts {
    /// They may.
    Unlimited,
    /// The first side pauses now and then; the second one sleeps meanwhile, as it has not got the turn.
    Paused,
    /// The round is one burst, because a side that has not got the turn does not sleep.
    One,
}

/// When the clock is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readings {
    /// Around every round trip.
    EachTrip,
    /// At the beginning and at the end.
    Once,
}

/// What the first side has measured.
#[derive(Debug)]
pub(super) struct Measured {
    /// Nanoseconds a hop.
    pub(super) samples: Vec<f64>,
    /// Trips that were counted: one more than there are in the samples.
    pub(super) trips: u64,
    /// What a trip takes, for the next round.
    pub(super) trip_nanos: f64,
    pub(super) seen: Seen,
    /// Switches of both sides' processors meanwhile, where they are counted.
    pub(super) switches: Option<[u64; 2]>,
}

impl Measure {
    /// The first side, from the warm-up to the end.
    pub(super) fn lead(
        self,
        trips: &mut impl Trips,
        court: &Court,
        processors: Option<&Processors>,
    ) -> io::Result<Measured> {
        let (begin, warm_nanos) = self.warm_up(trips)?;
        let trip_nanos = self.trip_nanos.unwrap_or(warm_nanos);
        let wanted = self.samples_wanted(trip_nanos);
        // Written once, so that no page of it is new when it is written again.
        let mut ticks = vec![1; usize::try_from(wanted).map_err(io::Error::other)?];
        court.count(wanted + 1);
        trips.lead(begin)?;
        let mut count = Counting::begin(processors)?;
        match self.readings {
            Readings::EachTrip => self.each_trip(trips, begin + 1, &mut ticks, &mut count)?,
            Readings::Once => {
                let start = self.clock.now();
                for trip in begin + 1..=begin + wanted {
                    trips.lead(trip)?;
                }
                ticks = vec![self.clock.now().wrapping_sub(start)];
            }
        }
        trips.lead(begin + 1 + wanted)?;
        let (tally, switches) = count.so_far()?;
        #[expect(clippy::cast_precision_loss, reason = "a few thousand trips")]
        let hops = match self.readings {
            Readings::EachTrip => 2.0,
            Readings::Once => wanted as f64 * 2.0,
        };
        let samples = ticks.into_iter().map(|ticks| self.clock.nanos(ticks) / hops).collect();
        let seen = Seen { tally, ..trips.seen() };
        Ok(Measured { samples, trips: wanted + 1, trip_nanos, seen, switches })
    }

    /// Returns how many trips it took, and the median of what each did.
    fn warm_up(&self, trips: &mut impl Trips) -> io::Result<(u64, f64)> {
        let (begin, most) = (self.clock.now(), self.clock.ticks(WARM_UP_NANOS_MAX));
        let (mut last, mut each) = (begin, Vec::new());
        for trip in 0..WARM_UP {
            trips.lead(trip)?;
            let now = self.clock.now();
            each.push(now.wrapping_sub(last));
            last = now;
            if trip + 1 >= WARM_UP_MIN && now.wrapping_sub(begin) > most {
                break;
            }
        }
        let made = each.len() as u64;
        each.sort_unstable();
        Ok((made, self.clock.nanos(each[each.len() / 2]).max(1.0)))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates, and what comes out is limited"
    )]
    fn samples_wanted(&self, trip_nanos: f64) -> u64 {
        let fit = |nanos: u64| (nanos as f64 / trip_nanos) as u64;
        let least = if trip_nanos < SLOW_NANOS { SAMPLES_MIN } else { SLOW_SAMPLES_MIN };
        let wanted = fit(self.budget_nanos).clamp(least, SAMPLES_MAX);
        match self.bursts {
            Bursts::Unlimited | Bursts::Paused => wanted,
            Bursts::One => wanted.min(fit(BURST_NANOS)).max(1),
        }
    }

    fn each_trip(
        &self,
        trips: &mut impl Trips,
        first: u64,
        ticks: &mut [u64],
        count: &mut Counting<'_>,
    ) -> io::Result<()> {
        let burst = match self.bursts {
            Bursts::Paused => self.clock.ticks(BURST_NANOS),
            Bursts::Unlimited | Bursts::One => u64::MAX,
        };
        let mut last = self.clock.now();
        let mut burst_begin = last;
        for (trip, sample) in (first..).zip(ticks) {
            trips.lead(trip)?;
            let now = self.clock.now();
            *sample = now.wrapping_sub(last);
            last = now;
            if now.wrapping_sub(burst_begin) > burst {
                count.pause()?;
                last = self.clock.now();
                burst_begin = last;
            }
        }
        Ok(())
    }
}

/// Counts of the first side and of both processors since a moment, without those of the pauses.
struct Counting<'a> {
    processors: Option<&'a Processors>,
    tally: Tally,
    switches: Option<[u64; 2]>,
}

impl<'a> Counting<'a> {
    fn begin(processors: Option<&'a Processors>) -> io::Result<Self> {
        let switches = processors.and_then(Processors::switches);
        Ok(Self { processors, tally: Tally::now()?, switches })
    }

    /// Sleeps, and moves the beginning by what was counted meanwhile.
    fn pause(&mut self) -> io::Result<()> {
        let (tally, switches) = self.so_far()?;
        thread::sleep(PAUSE);
        let again = Self::begin(self.processors)?;
        self.tally = again.tally - tally;
        let both = again.switches.zip(switches);
        self.switches = both.map(|(again, made)| less(again, made));
        Ok(())
    }

    fn so_far(&self) -> io::Result<(Tally, Option<[u64; 2]>)> {
        let tally = Tally::now()? - self.tally;
        let switches = self.processors.and_then(Processors::switches).zip(self.switches);
        Ok((tally, switches.map(|(now, begin)| less(now, begin))))
    }
}

fn less(now: [u64; 2], earlier: [u64; 2]) -> [u64; 2] {
    [now[0].saturating_sub(earlier[0]), now[1].saturating_sub(earlier[1])]
}

/// The second side, until the first one has what it wants.
pub(super) fn follow(trips: &mut impl Trips, court: &Court) -> io::Result<Seen> {
    let mut counting: Option<(Tally, u64)> = None;
    let mut trip = 0;
    loop {
        trips.await_turn(trip)?;
        match counting {
            None => {
                if let Some(count) = court.counted() {
                    counting = Some((Tally::now()?, trip + count));
                }
            }
            Some((begin, last)) if trip == last => {
                let tally = Tally::now()? - begin;
                trips.answer(trip)?;
                return Ok(Seen { tally, ..trips.seen() });
            }
            Some(_) => {}
        }
        trips.answer(trip)?;
        trip += 1;
    }
}
