//! What came of a load, and how far it has come.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{CrowdCounts, Distribution};

/// The generator's own share of a time from which on its figures are in doubt.
const LATENESS_SHARE: f64 = 0.1;
/// How busy its thread may be.
const BUSY_MAX: f64 = 0.9;

/// Requests without a good answer, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// No connection: refused, or the server cannot be reached.
    pub refused: u64,
    /// The connection was reset.
    pub reset: u64,
    /// The connection was closed before the answer was complete.
    pub closed_early: u64,
    /// What came is no answer, or one that says no.
    pub wrong_answer: u64,
    /// No answer in time.
    pub timed_out: u64,
    /// Due, but never sent: all connections were busy until the end, or this machine had none to give.
    pub not_sent: u64,
}

impl Failures {
    /// All of them.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.refused
            + self.reset
            + self.closed_early
            + self.wrong_answer
            + self.timed_out
            + self.not_sent
    }
}

/// Those that there are: `3 refused, 1 timed out`.
impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.refused, "refused"),
            (self.reset, "reset"),
            (self.closed_early, "closed early"),
            (self.wrong_answer, "wrong answer"),
            (self.timed_out, "timed out"),
            (self.not_sent, "never sent"),
        ];
        let mut before = "";
        for (count, what) in parts.iter().filter(|(count, _)| *count > 0) {
            write!(f, "{before}{count} {what}")?;
            before = ", ";
        }
        Ok(())
    }
}

/// How far a load has come. Counts begin after the warm-up.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Since the beginning, the warm-up included.
    pub elapsed: Duration,
    /// Whether nothing counts yet.
    pub is_warming_up: bool,
    /// Requests sent.
    pub sent: u64,
    /// Good answers.
    pub answered: u64,
    /// Requests without a good answer.
    pub failed: u64,
    /// Requests that wait for their answer, those of the warm-up included.
    pub in_flight: usize,
    /// As [`Outcome::response`], so far.
    pub response: Distribution,
    /// Processor time of the generator's thread.
    pub cpu: Duration,
    /// What went wrong last, if anything did.
    pub error: Option<String>,
}

/// What came of a load. Requests of the warm-up are in none of the figures, except bytes, processor time and the crowd.
/// Serialized, a name that ends with `_s` is in seconds, and one with `_ns` in nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Requests that were due.
    pub intended: u64,
    /// Requests that were sent.
    pub sent: u64,
    /// Good answers.
    pub answered: u64,
    /// The others; with those answered they are all that were due.
    pub failed: Failures,
    /// From the intended start to the answer. A request that timed out or was never sent is in it with the time it had
    /// waited when it was given up; one that failed at once is not.
    pub response: Distribution,
    /// From the actual start to the answer: what a closed loop would call latency.
    pub service: Distribution,
    /// How late the generator itself was: from the intended to the actual start where a connection was free.
    pub lateness: Distribution,
    /// From the end of the warm-up to the last answer.
    #[serde(rename = "elapsed_s", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Processor time of the generator's thread.
    #[serde(rename = "cpu_s", serialize_with = "seconds")]
    pub cpu: Duration,
    /// Which part of the time the generator's thread had something to do, from 0 to 1; waiting for the next moment is
    /// none of it.
    pub busy: f64,
    /// Jain's index of the good answers of the connections that were kept: 1 if all had as many, 1/n if one of n had all;
    /// nothing where none was kept or nothing answered (Jain, Chiu, Hawe 1984).
    pub fairness: Option<f64>,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// What the clients did that only disturb.
    pub crowd: CrowdCounts,
    /// What went wrong last, if anything did.
    pub error: Option<String>,
    /// Why these figures are to be read with care.
    pub warnings: Vec<String>,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Outcome {
    /// Good answers a second.
    #[must_use]
    pub fn per_s(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.answered as f64 / seconds } else { 0.0 }
    }

    pub(super) fn warn(&mut self, is_closed: bool) {
        if is_closed {
            self.warnings.push(
                "closed loop: the next request waits for the answer, so a server that stands still is asked nothing \
                 meanwhile, and its stalls are hidden"
                    .to_owned(),
            );
        }
        let (late, usual) = (self.lateness.p99(), self.response.p50());
        if self.lateness.count() > 0 && late.as_secs_f64() > LATENESS_SHARE * usual.as_secs_f64() {
            self.warnings.push(format!(
                "the generator was late itself: {late:?} (p99) beside a median response of {usual:?}; give it a core \
                 of its own, or ask less"
            ));
        }
        if self.busy > BUSY_MAX {
            let percent = self.busy * 100.0;
            self.warnings.push(format!(
                "the generator's thread was busy for {percent:.0} % of the time: these are its figures, not the server's"
            ));
        }
        if self.failed.not_sent > 0 {
            let count = self.failed.not_sent;
            self.warnings.push(format!(
                "{count} requests were due and never sent; they count with the time they had waited"
            ));
        }
    }
}
