//! What comes next in an actor's life: a signal, a timer, an urgent message, a message, or rest.

use std::cmp::Ordering;
use std::task::{Context as Task, Poll, Waker};

use palco_core::{ExitReason, Time};

use super::Context;
use crate::Actor;
use crate::envelope::Envelope;
use crate::guard::rest;
use crate::signal::{INSPECT, INTERRUPT, KILL, RECYCLE, RESTART, STOP};
use crate::vitals::AnyCell;

/// How many messages an actor on a shared thread handles before the others get their turn.
pub(super) const BUDGET_MESSAGES: u32 = 64;

/// A message that an actor will send itself.
pub(super) struct Timer<A> {
    pub(super) at: Time,
    pub(super) serial: u64,
    pub(super) envelope: Box<dyn Envelope<A>>,
}

/// What comes next in an actor's life.
pub(crate) enum Next<A> {
    Message(Box<dyn Envelope<A>>),
    Inspect,
    End(ExitReason),
}

impl<A: Actor> Context<A> {
    pub(crate) fn poll_next(&mut self, task: &mut Task<'_>) -> Poll<Next<A>> {
        loop {
            let cell = &*self.cell;
            let signals = &cell.vitals.signals;
            let bits = signals.bits();
            if bits != 0 {
                if let Some(next) = self.obey(bits) {
                    return Poll::Ready(next);
                }
                if signals.must_rest(bits) {
                    cell.register(task.waker());
                    if signals.bits() == bits {
                        rest(cell, true);
                        return Poll::Pending;
                    }
                    continue;
                }
            }
            rest(cell, false);
            if cell.vitals.wants_a_turn() {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.budget == 0 {
                self.budget = BUDGET_MESSAGES;
                if self.place().shares_its_thread() {
                    task.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            if let Some(envelope) = self.take(task.waker()) {
                self.budget -= 1;
                return Poll::Ready(Next::Message(envelope));
            }
            // The mailbox knows the waker by now.
            if self.cell.vitals.signals.bits() != bits || self.poll_alarm(task).is_ready() {
                continue;
            }
            self.budget = BUDGET_MESSAGES;
            return Poll::Pending;
        }
    }

    fn obey(&self, bits: u32) -> Option<Next<A>> {
        if bits & KILL != 0 {
            Some(Next::End(ExitReason::Killed))
        } else if bits & STOP != 0 {
            Some(Next::End(ExitReason::Stopped))
        } else if bits & (RECYCLE | RESTART) != 0 {
            Some(Next::End(ExitReason::Recycled))
        } else if bits & INSPECT != 0 {
            Some(Next::Inspect)
        } else {
            if bits & INTERRUPT != 0 {
                self.cell.vitals.signals.clear(INTERRUPT); // nothing is running
                self.cell.vitals.notify();
            }
            None
        }
    }

    /// Timers and mailbox take precedence in turn, so that neither starves the other.
    /// If there is nothing, the next message wakes `waker`.
    fn take(&mut self, waker: &Waker) -> Option<Box<dyn Envelope<A>>> {
        if self.budget.is_multiple_of(2)
            && let Some(due) = self.due()
        {
            return Some(due);
        }
        self.cell.mailbox.pop_or_rest(&mut self.fetched, waker).or_else(|| self.due())
    }

    /// The message of a timer that is due.
    fn due(&mut self) -> Option<Box<dyn Envelope<A>>> {
        let first = self.timers.peek()?;
        if first.0.at > self.cell.vitals.system.clock().now() {
            return None;
        }
        self.alarm = None;
        self.cell.vitals.activity.count_timed();
        self.timers.pop().map(|timer| timer.0.envelope)
    }

    fn poll_alarm(&mut self, task: &mut Task<'_>) -> Poll<()> {
        let Some(first) = self.timers.peek().map(|timer| timer.0.at) else { return Poll::Pending };
        let clock = self.cell.vitals.system.clock();
        let alarm = match &mut self.alarm {
            Some(alarm) if alarm.deadline() == first => alarm,
            alarm => alarm.insert(Box::pin(clock.sleep_until(first))),
        };
        alarm.as_mut().poll(task)
    }
}

impl<A> PartialEq for Timer<A> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl<A> Eq for Timer<A> {}

impl<A> PartialOrd for Timer<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<A> Ord for Timer<A> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}
