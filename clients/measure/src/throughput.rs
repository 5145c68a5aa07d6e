//! Messages one way between two processes: how many a second, whether they arrive as they were sent, and how many
//! switches each takes. Batching, not copying, explains most of what is seen, so the switches stand beside.
//!
//! | file | what |
//! |---|---|
//! | `throughput/carrier.rs` | what carries the messages, and its limits |
//! | `throughput/streams.rs`, `throughput/queues.rs` | the two ends of each |
//! | `throughput/freight.rs` | a message that is known again |
//!
//! Both sides are scheduled in the usual way: two that only stop when a buffer is full or empty would keep a processor in
//! real time from everybody else for as long as they have work.

mod carrier;
mod freight;
mod queues;
mod streams;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use palco_sys::{SharedArea, current_processor};

use self::carrier::{Carrier, Inlet, Outlet};
use self::freight::Freight;
use crate::crew::{self, Gate, Post, Seen};
use crate::sides::placement::{check_policy, processors};
use crate::sides::stopwatch::Stopwatch;
use crate::sides::tally::Tally;
use crate::{Cores, Key, Policy, Raw, Section, Subject, Unavailable, Unit};

/// Bytes of the messages that [`keys`] asks for.
pub const MESSAGES: [u64; 3] = [64, 4096, 65536];

/// The longest message.
const MESSAGE_MAX: u64 = 1 << 20;

/// Messages of the warm-up; each is compared byte by byte, later ones only now and then.
const WARM_UP: u64 = 256;

/// Later, one in so many.
const COMPARED_ONE_IN: u64 = 64;

/// A sample is at least so many nanoseconds of messages,
const SLICE_NANOS_MIN: u64 = 1_000_000;

/// and of so many buffers full: it must see the writer and the reader at work, not the one or the other.
const SLICE_BUFFERS: u64 = 4;

/// Samples of a round at least.
const SLICES_MIN: usize = 5;

/// How often a side looks where it runs.
const LOOKS_ONE_IN: u64 = 64;

/// Every carrier, with messages of each size, on one core and on two.
#[must_use]
pub fn keys() -> Vec<Key> {
    let mut keys = Vec::new();
    for cores in [Cores::Same, Cores::Other] {
        for message in MESSAGES {
            for carrier in Carrier::ALL {
                let key = Key::new(Section::IpcThroughput, Unit::Process, carrier.name());
                keys.push(Key { cores, message, policy: Policy::Other, ..key });
            }
        }
    }
    keys
}

/// What the key tells of; nothing for any other key.
#[must_use]
pub fn subject(key: Key) -> Option<Box<dyn Subject>> {
    let is_throughput = key.section == Section::IpcThroughput
        && key.unit == Unit::Process
        && key.policy == Policy::Other
        && (1..=MESSAGE_MAX).contains(&key.message)
        && (key.working_set, key.pattern, key.pages) == (0, None, None)
        && (key.units, key.heap) == (2, 0);
    let carrier = Carrier::named(&key.mechanism).filter(|_| is_throughput)?;
    Some(Box::new(OneWay { key, carrier }))
}

/// One cell.
struct OneWay {
    key: Key,
    carrier: Carrier,
}

impl Subject for OneWay {
    fn key(&self) -> Key {
        self.key.clone()
    }

    fn round(&mut self, budget_nanos: u64) -> Result<Raw, Unavailable> {
        let processors = processors(self.key.cores)?;
        check_policy(self.key.policy)?;
        crew::check_unit(self.key.unit)?;
        let bytes =
            usize::try_from(self.key.message).map_err(|error| Unavailable(error.to_string()))?;
        let ends = self.carrier.ends(bytes)?;
        let failed =
            |error: io::Error| Raw { objection: Some(error.to_string()), ..Raw::default() };
        let trip = Trip { bytes, buffer: self.carrier.buffer_bytes(), processors, budget_nanos };
        Ok(trip.run(ends).unwrap_or_else(failed))
    }
}

/// A round.
struct Trip {
    bytes: usize,
    /// Bytes that are on the way at most, more or less.
    buffer: u64,
    processors: [u32; 2],
    budget_nanos: u64,
}

/// What the receiver asks the sender for: an end. The sender says which message is the last: its number and 1 more.
struct Ending(SharedArea);

impl Ending {
    fn is_wanted(&self) -> &AtomicU64 {
        self.0.word(0)
    }

    fn last(&self) -> &AtomicU64 {
        self.0.word(1)
    }
}

impl Trip {
    /// The calling process receives, the other one sends.
    fn run(&self, (outlet, inlet): (Box<dyn Outlet>, Box<dyn Inlet>)) -> io::Result<Raw> {
        let ending = Ending(SharedArea::with_room(2, 0)?);
        let posts = self.processors.map(|processor| Post { processor, policy: Policy::Other });
        let mut raw = Raw { batch: 1, ..Raw::default() };
        let lead = |inlet: Box<dyn Inlet>, gate: &Gate| {
            gate.gather()?;
            gate.start()?;
            self.receive(inlet, &ending, &mut raw)
        };
        let work = |number: usize, outlet: Box<dyn Outlet>, gate: &Gate| {
            gate.ready(number)?;
            self.send(outlet, &ending)
        };
        let seen = crew::run(Unit::Process, &posts, (inlet, lead), vec![outlet], &work)?;
        let spoiled: u64 = seen.iter().map(|seen| seen.wrong).sum();
        if spoiled > 0 {
            raw.objection = Some(format!("{spoiled} messages were not what was sent"));
        }
        raw.sides = seen.iter().map(|seen| seen.side(None)).collect();
        raw.out_of_turn = Some(spoiled);
        raw.cpu_nanos = Some(seen.iter().map(|seen| seen.tally.cpu_nanos).sum());
        Ok(raw)
    }

    /// Sends until the receiver has enough.
    fn send(&self, mut outlet: Box<dyn Outlet>, ending: &Ending) -> io::Result<Seen> {
        let mut freight = Freight::new(self.bytes);
        let (mut before, mut strays) = (Tally::default(), 0);
        for number in 0.. {
            if number == WARM_UP {
                (before, strays) = (Tally::now()?, 0);
            }
            let is_last = number >= WARM_UP && ending.is_wanted().load(Ordering::Acquire) != 0;
            if is_last {
                ending.last().store(number + 1, Ordering::Release);
            }
            outlet.send(freight.stamped(number))?;
            if number % LOOKS_ONE_IN == 0 {
                strays += u64::from(current_processor() != self.processors[1]);
            }
            if is_last {
                outlet.flush()?;
                break;
            }
        }
        Ok(Seen { tally: Tally::now()? - before, strays, wrong: 0 })
    }

    /// Receives until the time is over, and then what is still on its way.
    fn receive(
        &self,
        mut inlet: Box<dyn Inlet>,
        ending: &Ending,
        raw: &mut Raw,
    ) -> io::Result<Seen> {
        let (mut freight, clock) = (Freight::new(self.bytes), Stopwatch::new());
        let buffers = (SLICE_BUFFERS * self.buffer).div_ceil(self.bytes as u64);
        let slice_ticks = clock.ticks(SLICE_NANOS_MIN);
        let budget = clock.ticks(self.budget_nanos);
        let (mut before, mut wrong, mut strays) = (Tally::default(), 0, 0);
        let (mut begin, mut slice_begin, mut in_slice) = (0, 0, 0_u32);
        for number in 0.. {
            if number == WARM_UP {
                (before, strays) = (Tally::now()?, 0);
                begin = clock.now();
                slice_begin = begin;
            }
            inlet.receive(freight.room())?;
            let is_compared = number < WARM_UP || number % COMPARED_ONE_IN == 0;
            let is_right = if is_compared { freight.is_whole(number) } else { freight.is(number) };
            wrong += u64::from(!is_right);
            if number % LOOKS_ONE_IN == 0 {
                strays += u64::from(current_processor() != self.processors[0]);
            }
            if number < WARM_UP {
                continue;
            }
            in_slice += 1;
            // Reading the clock costs as much as some carriers take for a message.
            if u64::from(in_slice) >= buffers && (in_slice % 16 == 0 || buffers < 256) {
                let now = clock.now();
                let ticks = now.wrapping_sub(slice_begin);
                if ticks >= slice_ticks {
                    raw.samples.push(f64::from(in_slice) * 1e9 / clock.nanos(ticks));
                    (slice_begin, in_slice) = (now, 0);
                }
                if now.wrapping_sub(begin) >= budget && raw.samples.len() >= SLICES_MIN {
                    ending.is_wanted().store(1, Ordering::Release);
                }
            }
            if ending.last().load(Ordering::Acquire) == number + 1 {
                raw.operations = number + 1 - WARM_UP;
                raw.bytes = raw.operations * self.bytes as u64;
                break;
            }
        }
        Ok(Seen { tally: Tally::now()? - before, strays, wrong })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_subject_and_no_other_key_has() {
        assert_eq!(keys().len(), 2 * MESSAGES.len() * Carrier::ALL.len());
        for key in keys() {
            assert_eq!(subject(key.clone()).map(|subject| subject.key()), Some(key));
        }
        let usual = || keys().remove(0);
        let others = [
            Key { section: Section::IpcLatency, ..usual() },
            Key { unit: Unit::Thread, ..usual() },
            Key { mechanism: "pigeon".to_owned(), ..usual() },
            Key { policy: Policy::Fifo, ..usual() },
            Key { message: 0, ..usual() },
            Key { units: 3, ..usual() },
        ];
        for key in others {
            assert!(subject(key.clone()).is_none(), "{key}");
        }
    }
}
