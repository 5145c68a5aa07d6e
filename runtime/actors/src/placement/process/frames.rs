//! What an actor's process sends, understood: progress, replies, state, calls, and its end. Nothing in it is trusted.

use std::task::{Context as Task, Poll};

use futures_util::StreamExt;
use palco_core::Time;

use super::link::Look;
use super::post::monotonic_ns;
use super::relay::Relay;
use super::wire::{FromChild, ToChild};
use crate::grant::CallError;
use crate::observation::as_current;
use crate::placement::window::Nonsense;
use crate::signal::INSPECT;
use crate::vitals::{Phase, Vitals};
use crate::{ExitReason, Portable};

/// Calls of one process to granted actors that may be under way; then nothing more is read from it.
const CALLS_MAX: usize = 256;

/// How much of a step's text is kept.
const STEP_CHARS_MAX: usize = 48;

/// How often one process is read from before the loop's other tasks get their turn.
const READS_MAX: usize = 16;

impl<A: Portable> Relay<'_, A> {
    /// Frames from the process.
    /// True if any came.
    pub(super) fn take_in(&mut self, task: &mut Task<'_>, look: Look) -> bool {
        for turn in 0..READS_MAX {
            self.frames();
            let was_full = self.calls.len() >= CALLS_MAX;
            self.answer_calls(task);
            let has_room = self.calls.len() < CALLS_MAX;
            if !has_room || self.nonsense.is_some() {
                return turn > 0;
            }
            if was_full {
                continue;
            }
            let look = match look {
                Look::Spin if !self.window.owes_a_reply() => Look::Glance,
                look => look,
            };
            match self.link.poll_read(task, look) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => self.nonsense = Some(error.to_string()),
                Poll::Pending => return turn > 0,
            }
        }
        task.waker().wake_by_ref(); // the loop's other tasks first
        true
    }

    pub(super) fn frames(&mut self) {
        while self.nonsense.is_none() && self.calls.len() < CALLS_MAX {
            let max = self.link.frame_bytes_max;
            let (head, body) = match self.link.incoming.next::<FromChild>(max) {
                Ok(Some((head, body))) => (head, body),
                Ok(None) => return,
                Err(error) => {
                    self.nonsense = Some(error.to_string());
                    return;
                }
            };
            let understood = match head {
                FromChild::Refused(why) => {
                    self.ended.get_or_insert(ExitReason::StartFailed(why.into()));
                    Ok(())
                }
                FromChild::Ready(obtained) => {
                    self.is_ready = true;
                    self.cell
                        .vitals
                        .set_process(|process| process.confinement = Some(obtained.to_string()));
                    Ok(())
                }
                FromChild::Started => {
                    self.cell.vitals.set_phase(Phase::Running);
                    Ok(())
                }
                FromChild::Progress(progress) => {
                    let done = |lane: usize| self.window.done_before(lane, progress.done[lane]);
                    [0, 1].into_iter().try_for_each(done)
                }
                FromChild::Dropped { lane, index, reason } => match lane {
                    0 | 1 => self.window.dropped(lane.into(), index, reason),
                    _ => Err(Nonsense),
                },
                FromChild::Reply { lane, index, outcome } => match lane {
                    0 | 1 => self.window.replied(lane.into(), index, outcome.map(|()| body)),
                    _ => Err(Nonsense),
                },
                FromChild::State => {
                    let vitals = &self.cell.vitals;
                    let state = if body.is_empty() {
                        Ok(())
                    } else {
                        let state = serde_json::from_slice(body).map_err(|_| Nonsense);
                        let now = vitals.system.clock().now();
                        state.map(|state| vitals.life.lock().state = Some((state, now)))
                    };
                    self.force.has_taken(INSPECT);
                    vitals.signals.clear(INSPECT);
                    vitals.notify();
                    state
                }
                FromChild::Step { at_ns, begins } => {
                    self.link.page.take_step();
                    let text = std::str::from_utf8(body).map_err(|_| Nonsense);
                    text.map(|text| match begins {
                        true => self.cell.vitals.begin_trace(),
                        false => note_step(&self.cell.vitals, text, at_ns),
                    })
                }
                FromChild::Call { call, grant, within } => match self.grants.get(grant as usize) {
                    Some(grant) => {
                        let outcome = grant.call(body, within);
                        self.calls.push(Box::pin(async move { (call, outcome.await) }));
                        Ok(())
                    }
                    None => Err(Nonsense),
                },
                FromChild::Tell { grant } => match self.grants.get(grant as usize) {
                    Some(grant) => {
                        if let Err(error) = as_current(&self.cell.vitals, || grant.tell(body)) {
                            tracing::warn!(from = %self.cell.vitals.path(), ?error, "not delivered");
                        }
                        Ok(())
                    }
                    None => Err(Nonsense),
                },
                FromChild::Ended => {
                    let reason = serde_json::from_slice(body).map_err(|_| Nonsense);
                    reason.map(|reason| {
                        self.ended.get_or_insert(reason);
                        self.cell.vitals.set_phase(Phase::Stopping);
                    })
                }
            };
            if understood == Err(Nonsense) {
                self.nonsense = Some("a frame out of turn".to_owned());
            }
        }
    }

    /// Replies of granted actors, back to the process.
    fn answer_calls(&mut self, task: &mut Task<'_>) {
        if self.calls.is_empty() {
            return; // the common case
        }
        let vitals = &self.cell.vitals;
        while let Poll::Ready(Some((call, outcome))) =
            as_current(vitals, || self.calls.poll_next_unpin(task))
        {
            let (outcome, body) = match outcome {
                Ok(body) => (Ok(()), body),
                Err(error) => (Err(error), Vec::new()),
            };
            let sent = self.link.put(0, &ToChild::Answer { call, outcome }, &body);
            if sent.is_err() {
                let outcome = Err(CallError::Malformed);
                let _ = self.link.put(0, &ToChild::Answer { call, outcome }, &[]);
            }
        }
    }
}

/// Enters what a handler in the process says it is doing. A process that tells another time is not believed: it is now at
/// the latest.
fn note_step(vitals: &Vitals, text: &str, at_ns: u64) {
    let (now, now_ns) = (vitals.system.clock().now(), monotonic_ns());
    let at = Time::from_nanos(now.as_nanos().saturating_sub(now_ns.saturating_sub(at_ns)));
    let text: String = text.chars().take(STEP_CHARS_MAX).collect();
    vitals.step_at((!text.is_empty()).then(|| text.into()), at);
}
