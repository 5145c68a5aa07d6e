//! Load shedding: who has waited too long to be accepted, while nobody waits less, is told that the server is busy, so
//! that the server's time goes to clients that are still waiting for it.
//!
//! The rule is `CoDel`'s (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012; RFC 8289), applied to
//! the kernel's accept queue as Maurer describes it for servers ("Fail at Scale", ACM Queue 13(8), 2015). A burst fills
//! a queue for a moment and is served; only a queue that stands, in which even the shortest wait of an interval is too
//! long, means that more comes than can be served.
//!
//! Deviations: the queue is the kernel's, so what is measured is the wait of who leaves it and the rule is asked once
//! for each accepted connection; and each acceptor has a state of its own, which comes to the same because all take from
//! one queue. That the queue has been empty is known from the next connection, which has not waited.

use std::time::Duration;

use palco_actors::Time;

use crate::deadlines::{DeadlineError, check_length};

/// For how long even the shortest wait must be too long (`CoDel`'s interval).
const INTERVAL: Duration = Duration::from_millis(100);

/// When to shed load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shedding {
    /// The longest wait in the accept queue that is still good (`CoDel`'s target). Some 50 ms suit most servers.
    pub above: Duration,
}

impl Shedding {
    /// # Errors
    /// [`DeadlineError`] when it has no length that can be kept.
    pub(crate) fn check(&self) -> Result<(), DeadlineError> {
        check_length(Some(self.above), "shed-above")
    }
}

/// `CoDel`'s state, in its authors' words.
#[derive(Debug)]
pub(crate) struct Shedder {
    target: Duration,
    /// When the wait will have been above the target for an interval, if it is above.
    first_above: Option<Time>,
    is_dropping: bool,
    drop_next: Time,
    /// Shed since it began to shed, and at the beginning of that.
    count: u32,
    last_count: u32,
}

impl Shedder {
    pub(crate) fn new(shedding: Shedding) -> Self {
        Self {
            target: shedding.above,
            first_above: None,
            is_dropping: false,
            drop_next: Time::START,
            count: 0,
            last_count: 0,
        }
    }

    /// Whether to shed a connection that has waited for so long until `now`.
    pub(crate) fn sheds(&mut self, waited: Duration, now: Time) -> bool {
        let may_drop = self.is_above_for_an_interval(waited, now);
        if !self.is_dropping {
            if may_drop {
                self.begin(now);
            }
            return may_drop;
        }
        if !may_drop {
            self.is_dropping = false;
            return false;
        }
        if now < self.drop_next {
            return false;
        }
        self.count = self.count.saturating_add(1);
        self.drop_next = control_law(self.drop_next, self.count);
        true
    }

    fn is_above_for_an_interval(&mut self, waited: Duration, now: Time) -> bool {
        if waited < self.target {
            self.first_above = None;
            return false;
        }
        match self.first_above {
            None => {
                self.first_above = Some(now + INTERVAL);
                false
            }
            Some(first_above) => now >= first_above,
        }
    }

    /// Begins to drop: if it did so a moment ago, at about the rate that it had reached.
    fn begin(&mut self, now: Time) {
        self.is_dropping = true;
        let delta = self.count - self.last_count;
        let was_recent = now < self.drop_next + 16 * INTERVAL;
        self.count = if delta > 1 && was_recent { delta } else { 1 };
        self.last_count = self.count;
        self.drop_next = control_law(now, self.count);
    }
}

/// Sooner, the more have been shed, so that the rate grows linearly.
fn control_law(at: Time, count: u32) -> Time {
    at + INTERVAL.div_f64(f64::from(count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(50);

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
            assert!(!shedder.sheds(Duration::from_secs(9), at(ms)));
        }
        assert!(!shedder.sheds(TARGET - Duration::from_millis(1), at(99)), "the queue was empty");
        assert!(!shedder.sheds(Duration::from_secs(9), at(150)), "a new interval");
    }

    #[test]
    fn a_standing_queue_is_shed_faster_and_faster_until_it_stands_no_more() {
        let mut shedder = shedder();
        let shed: Vec<u64> = (0..1_000).filter(|ms| shedder.sheds(TARGET, at(*ms))).collect();
        assert_eq!(shed[..2], [100, 200]);
        let pauses: Vec<u64> = shed.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{pauses:?}");
        assert!(pauses.last() < Some(&40), "{pauses:?}");
        assert!(!shedder.sheds(Duration::ZERO, at(1_000)));
        assert!(!shedder.sheds(TARGET, at(1_001)), "not before another interval");
        let again: Vec<u64> = (1_002..1_300).filter(|ms| shedder.sheds(TARGET, at(*ms))).collect();
        assert!(again.len() > 3, "it begins at about the rate that it had: {again:?}");
    }

    #[test]
    fn one_who_is_accepted_late_after_a_pause_is_not_shed() {
        let mut shedder = shedder();
        assert!(!shedder.sheds(TARGET, at(0)));
        assert!(!shedder.sheds(Duration::ZERO, at(5_000)));
        assert!(!shedder.sheds(TARGET, at(5_001)));
    }
}
