//! One timer of a connection, for all its time limits.
//!
//! Most limits are set anew long before they are reached. So the timer is armed only by who really waits, and one that
//! is armed for an earlier moment is left alone: it wakes the actor once for nothing, which sees that it is early.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use palco_actors::{Clock, Sleep, Time};

#[derive(Debug)]
pub(crate) struct Timer<'a> {
    clock: &'a Clock,
    armed: RefCell<Option<(Sleep, Waker)>>,
}

impl<'a> Timer<'a> {
    pub(crate) fn new(clock: &'a Clock) -> Self {
        Self { clock, armed: RefCell::new(None) }
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// How long it is until `at`; none when that has come.
    pub(crate) fn left(&self, at: Time) -> Option<Duration> {
        Some(at.since(self.now())).filter(|left| !left.is_zero())
    }

    /// Whether `at` has come; if not, `task` is woken then.
    pub(crate) fn poll(&self, task: &Context<'_>, at: Time) -> Poll<()> {
        let now = self.now();
        if now >= at {
            return Poll::Ready(());
        }
        let mut armed = self.armed.borrow_mut();
        let is_armed = armed.as_ref().is_some_and(|(sleep, waker)| {
            (now..=at).contains(&sleep.deadline()) && waker.will_wake(task.waker())
        });
        if is_armed {
            return Poll::Pending;
        }
        let (sleep, _) = armed.insert((self.clock.sleep_until(at), task.waker().clone()));
        Pin::new(sleep).poll(&mut Context::from_waker(task.waker()))
    }

    /// Runs `future`, but gives up at the moment that `at` says when it has to wait.
    pub(crate) async fn within<T>(
        &self,
        at: impl FnOnce() -> Time,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let (mut future, mut at, mut deadline) = (pin!(future), Some(at), None);
        poll_fn(|task| {
            if let Poll::Ready(output) = future.as_mut().poll(task) {
                return Poll::Ready(Some(output));
            }
            let deadline = *deadline.get_or_insert_with(|| at.take().expect("asked once")());
            self.poll(task, deadline).map(|()| None)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use palco_threads::block_on;

    use super::*;

    #[test]
    fn an_early_timer_is_set_again_and_a_late_one_is_replaced() {
        let clock = Clock::real();
        let timer = Timer::new(&clock);
        let mut at = timer.now() + Duration::from_millis(5);
        assert_eq!(block_on(timer.within(|| at, pending::<()>())), None);
        assert!(timer.now() >= at);
        for ms in [200_000, 20, 10] {
            at = timer.now() + Duration::from_millis(ms);
            let first = poll_fn(|task| Poll::Ready(timer.poll(task, at).is_pending()));
            assert!(block_on(first), "it waits");
        }
        assert_eq!(block_on(timer.within(|| at, pending::<()>())), None);
        assert!(timer.now() >= at);
    }

    #[test]
    fn who_does_not_wait_is_not_asked_for_a_limit() {
        let clock = Clock::real();
        let timer = Timer::new(&clock);
        let done = block_on(timer.within(|| unreachable!("nothing waits"), async { 7 }));
        assert_eq!(done, Some(7));
        assert!(timer.armed.borrow().is_none());
    }
}
