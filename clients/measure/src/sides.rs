//! Two sides that pass a turn to and fro, and everything that proves that they did.
//!
//! | file | what |
//! |---|---|
//! | `placement.rs` | where both run, and in real time if they may |
//! | `plan.rs` | what each side does, and what becomes of what it saw |
//! | `second.rs` | the second side: a thread or a forked child |
//! | `court.rs` | what both share beside their mechanism |
//! | `trips.rs` | the hops and the loops around them |
//! | `letter.rs` | the message that goes to and fro |
//! | `tally.rs` | what the kernel has counted |
//! | `stopwatch.rs` | the clock |
//!
//! The first side runs on the calling thread. Nobody waits for ever: descriptors end with their side, every other wait is
//! ended by an alarm, a child dies with its parent and is killed and reaped when it does not answer.

mod court;
mod letter;
pub(crate) mod placement;
mod plan;
mod second;
pub(crate) mod stopwatch;
pub(crate) mod tally;
mod trips;

use std::io;
use std::sync::Arc;

use palco_sys::FutexScope;

use self::court::Court;
use self::plan::Plan;
use self::second::Second;
use self::tally::Processors;
use crate::mechanisms::deserter::desert;
use crate::mechanisms::locks::{Condition, Park};
use crate::mechanisms::queues::{Posix, Ring, SystemV};
use crate::mechanisms::semaphores::Semaphore;
use crate::mechanisms::streams::{Datagrams, Events, pipes, tcp, unix_seqpackets, unix_streams};
use crate::mechanisms::words::{Futex, Spin, SpinFutex, Yielding};
use crate::mechanisms::{Mechanism, Ticket, signal};
use crate::{Cores, Key, Policy, Raw, Section, Subject, Unavailable, Unit};

pub(crate) use self::stopwatch::Stopwatch;

/// Sizes of messages of which latencies are measured.
const MESSAGES: [u64; 2] = [64, 4096];

/// A ping-pong of two threads or two processes: sections switch, working set and latency of messages. The mechanisms
/// `bare` and `broken` are there to judge the harness by, `deserter-pipe` and `deserter-futex` for its tests.
///
/// A mechanism that does not exist, or not for this unit, is a subject too: it says so in its first round. A round with
/// processes needs a process of one thread.
#[must_use]
pub fn subject(key: Key) -> Box<dyn Subject> {
    Box::new(PingPong { key, place: None, trip_nanos: None })
}

/// What [`subject`] measures on a machine that has and permits everything; without working sets, and without what is
/// broken on purpose.
#[must_use]
pub fn keys() -> Vec<Key> {
    let mut all = Vec::new();
    for unit in [Unit::Thread, Unit::Process] {
        for mechanism in Mechanism::ALL {
            for cores in [Cores::Same, Cores::Sibling, Cores::Other] {
                if mechanism.admit(unit, cores, Policy::Fifo).is_err() {
                    continue;
                }
                let name = mechanism.name();
                all.push(Key { cores, ..Key::new(Section::Switch, unit, name) });
                let messages = MESSAGES.into_iter().filter(|_| mechanism.carries_bytes());
                all.extend(messages.map(|message| Key {
                    cores,
                    message,
                    ..Key::new(Section::IpcLatency, unit, name)
                }));
            }
        }
    }
    all
}

#[derive(Debug)]
struct PingPong {
    key: Key,
    /// Where, and the counters of it: made in the first round.
    place: Option<([u32; 2], Option<Processors>)>,
    /// From the first round.
    trip_nanos: Option<f64>,
}

impl Subject for PingPong {
    fn key(&self) -> Key {
        self.key.clone()
    }

    fn round(&mut self, budget_nanos: u64) -> Result<Raw, Unavailable> {
        let mechanism = Plan::check(&self.key)?;
        let processors = self.place()?;
        let plan = Plan::new(&self.key, mechanism, processors, budget_nanos)?;
        let bytes = plan.bytes();
        match mechanism {
            Mechanism::Yield => self.play(&plan, Yielding::pair()),
            Mechanism::FutexPrivate | Mechanism::Bare => {
                self.play(&plan, Futex::pair(FutexScope::Private))
            }
            Mechanism::FutexShared => self.play(&plan, Futex::pair(FutexScope::Shared)),
            Mechanism::Condvar => self.play(&plan, Ok(Condition::pair())),
            Mechanism::Park => self.play(&plan, Ok(Park::pair())),
            Mechanism::EventFd => self.play(&plan, Events::pair()),
            Mechanism::Pipe => self.play(&plan, pipes()),
            Mechanism::UnixStream => self.play(&plan, unix_streams()),
            Mechanism::UnixSeqpacket => self.play(&plan, unix_seqpackets()),
            Mechanism::Mqueue => self.play(&plan, Posix::pair(bytes)),
            Mechanism::SysvSem => self.play(&plan, Semaphore::pair()),
            Mechanism::SysvMsg => self.play(&plan, SystemV::pair(bytes)),
            Mechanism::ShmRing => self.play(&plan, Ring::pair(bytes)),
            Mechanism::Signal => self.play(&plan, signal::pair()),
            Mechanism::Tcp => self.play(&plan, tcp()),
            Mechanism::Udp => self.play(&plan, Datagrams::pair()),
            Mechanism::Spin => self.play(&plan, Spin::pair()),
            Mechanism::SpinFutex => self.play(&plan, SpinFutex::pair()),
            Mechanism::Broken => self.play(&plan, Semaphore::broken_pair()),
            Mechanism::DeserterPipe => self.play(&plan, pipes().map(desert)),
            Mechanism::DeserterFutex => {
                self.play(&plan, Futex::pair(FutexScope::Shared).map(desert))
            }
        }
    }
}

impl PingPong {
    /// Where both sides run, and the counters of these processors; from the first round on the same.
    fn place(&mut self) -> Result<[u32; 2], Unavailable> {
        if let Some((processors, _)) = &self.place {
            return Ok(*processors);
        }
        let processors = placement::processors(self.key.cores)?;
        self.place = Some((processors, Processors::new(processors)));
        Ok(processors)
    }

    /// One round.
    fn play<T: Ticket>(
        &mut self,
        plan: &Plan,
        pair: io::Result<[T; 2]>,
    ) -> Result<Raw, Unavailable> {
        let [first, second] = pair.map_err(|error| cannot("be made", &error))?;
        let court = Court::new().map_err(|error| cannot("be made", &error))?;
        let court = Arc::new(court);
        let job = {
            let (plan, court) = (plan.clone(), court.clone());
            move || plan.follow(second, &court)
        };
        let started = match self.key.unit {
            Unit::Process => Second::in_child(first, job),
            Unit::Inline | Unit::Fiber | Unit::Task | Unit::Thread => {
                Second::on_thread(job).map(|second| (first, second))
            }
        };
        let (first, second) = started.map_err(|error| cannot("have a second side", &error))?;
        let counters = self.place.as_ref().and_then(|(_, counters)| counters.as_ref());
        let led = match plan.lead(first, &court, self.trip_nanos, counters) {
            Ok(led) => second.finish().map(|()| led),
            Err(error) => {
                // A second side that cannot be told is ended by its alarm.
                drop(court.call_off());
                second.abandon();
                Err(error)
            }
        };
        match led {
            Ok(led) => {
                self.trip_nanos = Some(led.measured.trip_nanos);
                Ok(plan.raw(led, counters))
            }
            Err(error) => {
                let told = court.failure().map(|text| format!("; the second side: {text}"));
                let text = format!("the first side: {error}{}", told.unwrap_or_default());
                Ok(Raw { objection: Some(text), ..Raw::default() })
            }
        }
    }
}

fn cannot(what: &str, error: &io::Error) -> Unavailable {
    Unavailable(format!("it cannot {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_once_and_names_a_mechanism() {
        let mut ids: Vec<_> = keys().iter().map(Key::to_string).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        for key in keys() {
            let mechanism = Plan::check(&key);
            let refused = |why: &Unavailable| why.0.starts_with("real time is not permitted");
            assert!(mechanism.as_ref().err().is_none_or(refused), "{key}: {mechanism:?}");
        }
    }

    #[test]
    fn what_cannot_be_done_says_so_in_its_first_round() {
        let refused = |key: Key| subject(key).round(1).unwrap_err().0;
        let key = |mechanism| Key {
            policy: Policy::Other,
            ..Key::new(Section::Switch, Unit::Thread, mechanism)
        };
        assert!(refused(key("telepathy")).contains("telepathy"));
        assert!(refused(key("spin")).contains("waits for ever"));
        assert!(refused(Key { message: 64, ..key("futex-shared") }).contains("carries no bytes"));
        assert!(refused(Key { units: 3, ..key("pipe") }).contains("two"));
        // Tests run on threads of their own.
        let process = Key { unit: Unit::Process, ..key("pipe") };
        assert!(refused(process).contains("several threads"));
    }
}
