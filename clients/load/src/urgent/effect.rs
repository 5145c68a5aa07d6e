//! From sending a hold to reading that the request is held, on a request that computes.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use palco_core::RequestState;
use palco_urgent::{Call, Obtained};

use super::hogs::Hogs;
use super::kinds::{Beside, Solution};
use super::sender::promptly;
use super::stage::{Running, Standing, Told};

/// A minute of computing, with a checkpoint each 100 µs.
const REQUEST: &str = "cpu 60000000";

/// The request computes at least so long, if it gets a processor, before it is held again.
const PAUSE: Duration = Duration::from_millis(3);

/// What came of the holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// Nanoseconds until the client read that the request is held.
    pub(super) held: Vec<u64>,
    /// How often it read that the hold has not come about so far.
    pub(super) pending: usize,
    /// How often the request had ended.
    pub(super) ended: usize,
    /// How often it read nothing.
    pub(super) unanswered: usize,
}

impl Effects {
    pub(super) fn add(&mut self, other: Self) {
        self.held.extend(other.held);
        self.pending += other.pending;
        self.ended += other.ended;
        self.unanswered += other.unanswered;
    }
}

/// So many holds of one request, each resumed.
pub(super) fn turn(
    standing: &Standing,
    solution: Solution,
    beside: Beside,
    hogs: usize,
    samples: usize,
) -> io::Result<(Effects, Obtained)> {
    promptly(|| {
        let mut running = Running::begin(standing.address, REQUEST)?;
        // Only while it is timed: the servers are not measured at beginning and ending.
        let hogs = match beside {
            Beside::Nobody => None,
            Beside::Hogs => Some(Hogs::start(hogs)?),
        };
        let effects = sample(&mut running, solution, samples)?;
        drop(hogs);
        running.end()?;
        Ok(effects)
    })
}

fn sample(running: &mut Running, solution: Solution, samples: usize) -> io::Result<Effects> {
    let mut effects = Effects::default();
    for _ in 0..samples {
        thread::sleep(PAUSE);
        let sent = Instant::now();
        let told = running.call(solution, Call::Hold)?;
        let nanos = u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX);
        match told {
            Told::Done(RequestState::Held) => effects.held.push(nanos),
            Told::Pending(_) => effects.pending += 1,
            Told::Nothing => effects.unanswered += 1,
            Told::Done(_) => {
                effects.ended += 1;
                break;
            }
        }
        running.call(solution, Call::Resume)?;
    }
    Ok(effects)
}
