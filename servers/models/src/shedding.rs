//! Load shedding: who has waited too long to be accepted, while nobody waits less, is told that the server is busy, so
//! that the server's time goes to clients that are still waiting for it.
//!
//! When a queue is too long is `CoDel`'s rule (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012; RFC
//! 8289, section 3): a burst fills a queue for a moment and is served; only a queue that stands, in which even the shortest
//! wait of an interval is too long, means that more comes than can be served. What happens then is Maurer's ("Fail at
//! Scale", ACM Queue 13(8), 2015, and `Codel` of folly): whoever has waited for more than twice the target is shed, at
//! once. `CoDel` itself drops a little more often with every drop, for senders that slow down; clients of a server that is
//! overrun do not.
//!
//! Deviations: the queue is the kernel's, so what is measured is the wait of who leaves it, and the rule is asked once for
//! each accepted connection; each acceptor has a state of its own, which comes to the same because all take from one queue.
//! The first of an interval is judged too (folly never sheds it): a slow acceptor sees no second.

use std::time::Duration;

use palco_actors::Time;

use crate::deadlines::{DeadlineError, check_length};

/// For how long even the shortest wait must be too long (`CoDel`'s interval).
const INTERVAL: Duration = Duration::from_millis(100);

/// When to shed load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shedding {
    /// The longest wait in the accept queue that is still good (`CoDel`'s target); while the queue stands, nobody is served
    /// who has waited for more than twice as long. Some 50 ms suit most servers.
    pub above: Duration,
}

impl Shedding {
    /// # Errors
    /// [`DeadlineError`] when it has no length that can be kept.
    pub(crate) fn check(&self) -> Result<(), DeadlineError> {
        check_length(Some(self.above), "shed-above")
    }
}

/// What one acceptor knows of the queue.
#[derive(Debug)]
pub(crate) struct Shedder {
    target: Duration,
    /// When the interval ends, and the shortest wait in it.
    ends: Time,
    shortest: Duration,
    /// Even the shortest wait of the interval before this one was too long.
    stands: bool,
}

impl Shedder {
    pub(crate) fn new(shedding: Shedding) -> Self {
        Self { target: shedding.above, ends: Time::START, shortest: Duration::ZERO, stands: false }
    }

    /// Whether to shed a connection that has waited for so long until `now`.
    pub(crate) fn sheds(&mut self, waited: Duration, now: Time) -> bool {
        if now >= self.ends {
            self.stands = self.shortest > self.target;
            (self.ends, self.shortest) = (now + INTERVAL, waited);
        } else {
            self.shortest = self.shortest.min(waited);
        }
        self.stands && waited > self.target * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(9);

    fn at(ms: u64) -> Time {
        Time::START + Duration::from_millis(ms)
    }

    fn shedder() -> Shedder {
        Shedder::new(Shedding { above: TARGET })
    }

    #[test]
    fn a_burst_is_served() {
        let mut shedder = shedder();
        for ms in 0..99 {
            assert!(!shedder.sheds(LONG, at(ms)));
        }
        assert!(!shedder.sheds(TARGET, at(99)), "the queue was empty");
        assert!((100..199).all(|ms| !shedder.sheds(LONG, at(ms))), "a new interval");
    }

    #[test]
    fn of_a_queue_that_stands_nobody_is_served_who_has_waited_for_long() {
        let mut shedder = shedder();
        let shed: Vec<u64> = (0..1_000).filter(|ms| shedder.sheds(LONG, at(*ms))).collect();
        assert_eq!(shed, (100..1_000).collect::<Vec<u64>>());
        assert!(!shedder.sheds(TARGET * 2, at(1_000)), "there is time left for this one");
        assert!(shedder.sheds(TARGET * 3, at(1_001)));
        assert!(!shedder.sheds(Duration::ZERO, at(1_002)));
        assert!(shedder.sheds(LONG, at(1_003)), "until the interval is over");
        assert!((1_100..1_199).all(|ms| !shedder.sheds(LONG, at(ms))), "it stands no more");
    }

    #[test]
    fn who_accepts_seldom_sheds_too() {
        let mut shedder = shedder();
        assert!(!shedder.sheds(LONG, at(0)));
        assert!(shedder.sheds(LONG, at(1_000)));
        assert!(!shedder.sheds(Duration::ZERO, at(2_000)));
        assert!(!shedder.sheds(LONG, at(3_000)));
    }
}
