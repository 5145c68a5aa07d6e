//! What each of the two sides does, from its beginning to what it saw.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use palco_sys::Alarm;

use super::court::{Court, Seen};
use super::letter::Letter;
use super::placement::{self, Placement};
use super::stopwatch::Stopwatch;
use super::tally::Processors;
use super::trips::{self, Bare, Bursts, Measure, Measured, Proven, Readings, Trips};
use crate::mechanisms::{End, Mechanism, Role, Ticket, Wait};
use crate::touch::Touch;
use crate::{Key, Policy, Raw, Side, Unavailable};

/// When the alarm rings first, beside four times the budget, and then how often.
const PATIENCE: Patience =
    Patience { first: Duration::from_secs(10), then: Duration::from_millis(500) };
/// The same where a side is known to go away.
const IMPATIENCE: Patience =
    Patience { first: Duration::from_millis(300), then: Duration::from_millis(20) };

#[derive(Clone, Copy, Debug)]
struct Patience {
    first: Duration,
    then: Duration,
}

/// What both sides must know.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    key: Key,
    mechanism: Mechanism,
    processors: [u32; 2],
    /// Bytes that go with the turn.
    bytes: usize,
    budget_nanos: u64,
    patience: Patience,
}

/// What a round has brought.
#[derive(Debug)]
pub(super) struct Led {
    pub(super) measured: Measured,
    /// What the touch costs without a switch.
    hot_touch: Option<f64>,
    /// What the second side saw.
    followed: Seen,
}

/// All trips, and what the second side has to say. The first side's end, and what it shares with the other, is kept until
/// then: the second side may still use it.
fn measured(
    measure: Measure,
    mut trips: impl Trips,
    court: &Court,
    hot_touch: Option<f64>,
    counters: Option<&Processors>,
) -> io::Result<Led> {
    let measured = measure.lead(&mut trips, court, counters)?;
    Ok(Led { measured, hot_touch, followed: court.await_report()? })
}

impl Plan {
    /// Which mechanism the key names, if it can be used like this here.
    pub(super) fn check(key: &Key) -> Result<Mechanism, Unavailable> {
        let name = &key.mechanism;
        let mechanism = Mechanism::named(name)
            .ok_or_else(|| Unavailable(format!("there is no mechanism {name} of two sides")))?;
        mechanism.admit(key.unit, key.cores, key.policy)?;
        if key.message > 0 && !mechanism.carries_bytes() {
            return Err(Unavailable(format!("{name} carries no bytes")));
        }
        if key.units != 2 {
            return Err(Unavailable(format!("a ping-pong has two units, not {}", key.units)));
        }
        placement::check_policy(key.policy)?;
        Ok(mechanism)
    }

    pub(super) fn new(
        key: &Key,
        mechanism: Mechanism,
        processors: [u32; 2],
        budget_nanos: u64,
    ) -> Result<Self, Unavailable> {
        let bytes = if mechanism.carries_bytes() { key.message.max(1) } else { 0 };
        let bytes = usize::try_from(bytes).map_err(|error| Unavailable(error.to_string()))?;
        let patience = match mechanism {
            Mechanism::DeserterPipe | Mechanism::DeserterFutex => IMPATIENCE,
            _ => {
                let budget = Duration::from_nanos(budget_nanos.saturating_mul(4));
                Patience { first: PATIENCE.first.saturating_add(budget), ..PATIENCE }
            }
        };
        Ok(Self { key: key.clone(), mechanism, processors, bytes, budget_nanos, patience })
    }

    /// Bytes that go with the turn.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn measure(&self, trip_nanos: Option<f64>) -> Measure {
        let bursts = match (self.key.policy, self.mechanism, self.mechanism.wait()) {
            (Policy::Other, ..) => Bursts::Unlimited,
            (Policy::Fifo, Mechanism::Bare, _) | (Policy::Fifo, _, Wait::Looks) => Bursts::One,
            (Policy::Fifo, _, Wait::Blocks | Wait::LooksThenBlocks) => Bursts::Paused,
        };
        let readings = match self.mechanism {
            Mechanism::Bare => Readings::Once,
            _ => Readings::EachTrip,
        };
        let (clock, budget_nanos) = (Stopwatch::new(), self.budget_nanos);
        Measure { clock, budget_nanos, trip_nanos, bursts, readings }
    }

    /// The first side's part: from being where it should be to having all results. Restores the calling thread.
    pub(super) fn lead<T: Ticket>(
        &self,
        ticket: T,
        court: &Court,
        trip_nanos: Option<f64>,
        counters: Option<&Processors>,
    ) -> io::Result<Led> {
        let measure = self.measure(trip_nanos);
        let _alarm = Alarm::set(self.patience.first, self.patience.then)?;
        let _before = Placement::save()?;
        let end = ticket.arrive()?;
        court.await_ready()?;
        placement::stay_on(self.processors[0])?;
        let mut touch = Touch::of(&self.key, 0)?;
        placement::be_scheduled(self.key.policy)?;
        let hot_touch = touch.hot_nanos(measure.clock);
        court.go()?;
        match self.mechanism {
            Mechanism::Bare => measured(measure, Bare(end), court, hot_touch, counters),
            _ => {
                let trips = self.proven(Role::First, end, court, touch);
                measured(measure, trips, court, hot_touch, counters)
            }
        }
    }

    /// The second side's part: reports whatever becomes of it.
    pub(super) fn follow<T: Ticket>(&self, ticket: T, court: &Court) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _alarm = Alarm::set(self.patience.first, self.patience.then)?;
            placement::stay_on(self.processors[1])?;
            let touch = Touch::of(&self.key, 1)?;
            let end = ticket.arrive()?;
            placement::be_scheduled(self.key.policy)?;
            court.be_ready()?;
            match self.mechanism {
                Mechanism::Bare => trips::follow(&mut Bare(end), court),
                _ => trips::follow(&mut self.proven(Role::Second, end, court, touch), court),
            }
        }));
        let result = result.unwrap_or_else(|_| Err(io::Error::other("it has panicked")));
        // If even this fails, the first side's alarm rings.
        drop(court.report(&result));
    }

    fn proven<'a, E: End>(
        &self,
        role: Role,
        end: E,
        court: &'a Court,
        touch: Touch,
    ) -> Proven<'a, E> {
        let (letter, side) = (Letter::new(self.bytes), role.index());
        Proven::new(end, court, letter, touch, side as u64, self.processors[side])
    }

    /// What was seen, for whoever judges it.
    pub(super) fn raw(&self, led: Led, counters: Option<&Processors>) -> Raw {
        let Led { measured, hot_touch, followed } = led;
        let both = [measured.seen, followed];
        let operations = measured.trips * 2;
        let has_idle = self.processors[0] != self.processors[1];
        let idles = has_idle && self.mechanism.wait() != Wait::Looks;
        let own = both.map(|seen| seen.tally.switches());
        let foreign = counters
            .zip(measured.switches)
            .map(|(counters, all)| counters.foreign(all, own, idles));
        let sides = [0, 1].map(|side| Side {
            voluntary: both[side].tally.voluntary,
            involuntary: both[side].tally.involuntary,
            strays: both[side].strays,
            migrations: both[side].tally.migrations,
            foreign: foreign.map(|foreign| foreign[side]),
        });
        let batch = match self.mechanism {
            Mechanism::Bare => u32::try_from(operations - 2).unwrap_or(u32::MAX),
            _ => 1,
        };
        let is_proven = self.mechanism != Mechanism::Bare;
        let spoiled: u64 = both.iter().map(|seen| seen.spoiled).sum();
        let text = || format!("{spoiled} messages did not arrive as they were sent");
        Raw {
            samples: measured.samples,
            operations,
            batch,
            touch: hot_touch,
            bytes: operations * self.key.message,
            sides: sides.into(),
            switches_expected: self.mechanism.switches_expected(self.key.cores, self.key.policy),
            out_of_turn: is_proven.then(|| both.iter().map(|seen| seen.out_of_turn).sum()),
            cpu_nanos: Some(both.iter().map(|seen| seen.tally.cpu_nanos).sum()),
            objection: (spoiled > 0).then(text),
        }
    }
}
