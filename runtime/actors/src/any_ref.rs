//! An address without the actor's type: signals, snapshots, the wait for the end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use palco_core::{ActorId, ExitReason};

use crate::context::Exited;
use crate::observation::{Notes, Peeked};
use crate::signal::{self, INSPECT, INTERRUPT, KILL, RESTART, STEP, STOP, SUSPEND};
use crate::snapshot::{ActorSnapshot, Inspection};
use crate::vitals::{AnyCell, Phase, Vitals};
use crate::{Effect, PlaceKind, Restart, Signal};

/// The address of any actor.
#[derive(Clone)]
pub struct AnyRef {
    cell: Arc<dyn AnyCell>,
}

impl AnyRef {
    pub(crate) fn new(cell: Arc<dyn AnyCell>) -> Self {
        Self { cell }
    }

    fn vitals(&self) -> &Vitals {
        self.cell.vitals()
    }

    /// The actor's id.
    #[must_use]
    pub fn id(&self) -> ActorId {
        self.vitals().id
    }

    /// The actor's path.
    #[must_use]
    pub fn path(&self) -> String {
        self.vitals().path()
    }

    /// The living children, in the order in which they were started.
    #[must_use]
    pub fn children(&self) -> Vec<Self> {
        self.vitals().children.lock().by_id.values().cloned().map(Self::new).collect()
    }

    /// What can be seen of the actor from outside, without asking it.
    #[must_use]
    pub fn snapshot(&self) -> ActorSnapshot {
        ActorSnapshot::of(&*self.cell)
    }

    pub(crate) fn is_in_process(&self) -> bool {
        self.vitals().place == PlaceKind::Process
    }

    pub(crate) fn wake(&self) {
        self.cell.wake();
    }

    /// The process that the actor lives in, if that is its own, or stands for; as [`ActorSnapshot`] shows it.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.vitals().process().and_then(|process| process.pid)
    }

    /// Whether the actor rests because of a [`Signal::Suspend`].
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.vitals().signals.is_held()
    }

    /// Whether [`Signal::Restart`] has an effect: it has a supervisor that starts it again.
    #[must_use]
    pub fn can_be_restarted(&self) -> bool {
        let vitals = self.vitals();
        vitals.reports_to.is_some() && vitals.restart != Restart::Never
    }

    /// What was noted of its messages while the system was observed.
    #[must_use]
    pub fn notes(&self) -> Notes {
        self.vitals().notes().unwrap_or_default()
    }

    /// The distributions alone of [`AnyRef::notes`]: how long messages waited, and how long their handlers ran.
    #[must_use]
    pub fn durations(&self) -> (Vec<u64>, Vec<u64>) {
        self.vitals().durations()
    }

    /// Grows by one when its place begins to run the actor's code, and by one when it gets the place back; while the
    /// system is observed. An odd number that stays the same is a handler that keeps its place to itself.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.vitals().activity.turns()
    }

    /// The first messages of its mailbox, urgent ones first; not those that it has taken out already and not begun.
    #[must_use]
    pub fn peek(&self, max: usize) -> Vec<Peeked> {
        self.cell.peek(max)
    }

    /// Has all its messages noted as long as the answer lives, if the system is observed at all.
    pub fn look(&self) -> Look {
        self.vitals().onlookers.fetch_add(1, Ordering::Relaxed);
        self.wake();
        Look(self.clone())
    }

    /// Sends a signal and returns at once.
    pub fn signal(&self, signal: Signal) {
        let bit = match signal {
            Signal::Suspend => SUSPEND,
            Signal::Interrupt => INTERRUPT,
            Signal::Stop => STOP,
            Signal::Kill => KILL,
            Signal::Inspect => INSPECT,
            Signal::Step if self.vitals().signals.has(SUSPEND) => STEP,
            Signal::Step => return,
            Signal::Restart if self.can_be_restarted() => RESTART,
            Signal::Restart => return,
            Signal::Resume => {
                self.vitals().signals.clear(SUSPEND | STEP);
                self.vitals().signals.end_step();
                self.cell.wake();
                return;
            }
        };
        signal::send(&self.cell, bit);
    }

    /// Sends a signal and waits until it has taken hold, at most `within`. Cancel-safe; the signal stays sent.
    pub async fn signal_within(&self, signal: Signal, within: Duration) -> Effect {
        let vitals = self.vitals();
        let lives = vitals.life.lock().ended;
        self.signal(signal);
        let effect = vitals.until(|vitals| {
            let ended = vitals.phase() == Phase::Ended;
            let done = match signal {
                Signal::Suspend => vitals.signals.is_held(),
                Signal::Resume => !vitals.signals.is_held(),
                Signal::Interrupt => !vitals.signals.has(INTERRUPT),
                Signal::Stop => ended,
                // Taken back without an end: there was no life to end, the actor waits to be started again.
                Signal::Kill => vitals.life.lock().ended > lives || !vitals.signals.has(KILL),
                Signal::Inspect => !vitals.signals.has(INSPECT),
                Signal::Step => !vitals.signals.has(STEP) && !vitals.signals.is_stepping(),
                Signal::Restart => {
                    !vitals.signals.has(RESTART) && vitals.phase() != Phase::Starting
                }
            };
            if ended { Some(Effect::Ended) } else { done.then_some(Effect::Done) }
        });
        match vitals.system.within(within, effect).await {
            Some(effect) => effect,
            None => {
                let current = vitals.activity.current();
                let running = current.map(|(_, since)| vitals.system.clock().now() - since);
                Effect::Pending {
                    message: vitals
                        .activity
                        .noted()
                        .or(current.map(|(message, _)| message))
                        .map(str::to_owned),
                    running_ms: running.map_or(0, |time| time.as_millis() as u64),
                }
            }
        }
    }

    /// Has the actor write down its state between two messages and returns it with everything else; marks it stale
    /// if the actor does not get to it within `within`.
    pub async fn inspect(&self, within: Duration) -> Inspection {
        let effect = self.signal_within(Signal::Inspect, within).await;
        Inspection::of(&*self.cell, effect == Effect::Done)
    }

    /// Completes when the actor has ended for good. Cancel-safe.
    pub async fn exited(&self) -> ExitReason {
        self.vitals().until(Vitals::exit).await
    }

    /// Completes when the actor has passed its start hook: true, or false if it has ended instead. Cancel-safe.
    pub async fn started(&self) -> bool {
        let phase = self.vitals().until(|vitals| match vitals.phase() {
            // Stopping: perhaps because it could not start.
            Phase::Starting | Phase::Restarting | Phase::Stopping => None,
            Phase::Running => Some(true),
            Phase::Ended => Some(false),
        });
        phase.await
    }

    /// Calls `news` once when the actor has ended for good; at once if it has. Called where the actor ends, so it must
    /// be quick; actors [watch](crate::Context::watch) instead.
    pub fn on_exit(&self, news: impl FnOnce(Exited) + Send + 'static) {
        let mut life = self.vitals().life.lock();
        let exited = |vitals: &Vitals, reason: &ExitReason| Exited {
            id: vitals.id,
            path: vitals.path().into(),
            reason: reason.clone(),
        };
        match life.exit.clone() {
            Some(reason) => {
                drop(life);
                news(exited(self.vitals(), &reason));
            }
            None => {
                life.watchers.push(Box::new(move |vitals, reason| news(exited(vitals, reason))));
            }
        }
    }
}

/// A look at one actor that lasts as long as this lives.
#[derive(Debug)]
#[must_use = "nobody looks any more when it is dropped"]
pub struct Look(AnyRef);

impl Drop for Look {
    fn drop(&mut self) {
        self.0.vitals().onlookers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for AnyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyRef({})", self.path())
    }
}
