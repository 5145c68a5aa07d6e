//! The address's side of an actor in a process: takes messages from the mailbox, hands them over, keeps the books,
//! passes signals on, and watches the process.
//!
//! It runs on an event loop, near the actor that started it. Everything that makes an actor an actor stays here, in
//! the parent: the mailbox, what is queued, the supervisor's verdicts; a process is only where one life takes place.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use futures_util::stream::FuturesUnordered;
use palco_core::ExitReason;
use palco_processes::Exit;

use super::force::Force;
use super::link::{Link, Look};
use super::options::ProcessOptions;
use super::wire::{Start, ToChild};
use crate::clock::Sleep;
use crate::envelope::Envelope;
use crate::grant::Outcome;
use crate::guard::{contained, rest};
use crate::life::{EndGuard, finish, verdict};
use crate::mailbox::Fetched;
use crate::observation::LifeChange;
use crate::placement::window::{Ahead, Asks, LANES, Window};
use crate::portable::to_bytes;
use crate::signal::{ENDING, RECYCLE, STEP, SUSPEND};
use crate::vitals::{AnyCell, Cell, Phase};
use crate::{DropReason, Failure, Grant, Parcel, Portable};

/// How often one relay does everything there is to do before the loop's other tasks get their turn.
const TURNS_MAX: usize = 64;

/// How much may be ahead of a process.
const AHEAD: Ahead =
    Ahead { messages_max: 64, bytes_max: usize::MAX, asks: Asks::Alone, descriptors: true };

/// What a frame needs beside its body.
const HEAD_BYTES_MAX: usize = 64;

/// Runs a portable actor through all its lives, each in a process of its own.
pub(crate) async fn run<A: Portable>(
    mut end: EndGuard<A>,
    options: ProcessOptions,
    identity: &'static str,
    mut pack: impl FnMut() -> Result<Parcel<A>, Failure>,
) {
    let Some(cell) = end.cell() else { return };
    let mut window = Window::new(Arc::clone(&cell), AHEAD);
    let reason = loop {
        let reason = live(&cell, &mut window, &options, identity, &mut pack).await;
        if reason == ExitReason::Recycled && !cell.vitals.signals.has(RECYCLE | ENDING) {
            // Its own decision, not its supervisor's: nothing to be decided.
            cell.vitals.set_process(|process| process.recycled += 1);
            let events = &cell.vitals.system.observation().events;
            events.note(&cell.vitals, &reason, LifeChange::Recycled);
            continue;
        }
        match verdict(&cell, reason).await {
            None => {
                cell.vitals.activity.restarts.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            }
            Some(reason) => break reason,
        };
    };
    end.disarm();
    window.discard(DropReason::of_queued(&reason));
    drop(window);
    drop(pack);
    finish(&cell, reason);
}

/// One life, from the start of its process to its end.
async fn live<A: Portable>(
    cell: &Arc<Cell<A>>,
    window: &mut Window<A>,
    options: &ProcessOptions,
    identity: &'static str,
    pack: &mut impl FnMut() -> Result<Parcel<A>, Failure>,
) -> ExitReason {
    cell.vitals.set_phase(Phase::Starting);
    let parcel = match contained(pack) {
        Ok(Ok(parcel)) => parcel,
        Ok(Err(failure)) => return ExitReason::StartFailed(failure.into_text()),
        Err(text) => return ExitReason::Panicked(text),
    };
    let reason = match open(cell, options, identity, parcel).await {
        Ok((link, grants)) => {
            cell.vitals.set_process(|process| {
                process.pid = Some(link.child().pid());
                process.page = Some(Arc::clone(&link.page));
                process.since = Some(cell.vitals.system.clock().now());
            });
            window.begin_life();
            let now = cell.vitals.system.real_clock().now();
            let mut relay = Relay {
                cell,
                window,
                fetched: Fetched::default(),
                force: Force::new(options, now),
                link,
                grants,
                calls: FuturesUnordered::new(),
                is_ready: false,
                ended: None,
                nonsense: None,
                alarm: None,
            };
            poll_fn(|task| relay.poll(task)).await
        }
        Err(failure) => ExitReason::StartFailed(failure.into_text()),
    };
    cell.vitals.set_process(|process| {
        process.pid = None;
        process.page = None;
        process.confinement = None;
    });
    rest(&**cell, false);
    reason
}

async fn open<A: Portable>(
    cell: &Arc<Cell<A>>,
    options: &ProcessOptions,
    identity: &'static str,
    parcel: Parcel<A>,
) -> Result<(Link, Vec<Grant>), Failure> {
    let path = cell.vitals.path();
    let name = path.rsplit('/').next().unwrap_or_default();
    let (mut args, luggage) = (Vec::new(), parcel.luggage);
    to_bytes(&parcel.args, &mut args)?;
    let system = &cell.vitals.system;
    let mut link = Link::open(system, options, identity, name, &luggage.descriptors).await?;
    let start = Start {
        kind: A::kind().into_owned(),
        path: path.clone(),
        parent_pid: i32::try_from(std::process::id()).unwrap_or_default(),
        confinement: options.confinement.clone(),
        descriptors: u32::try_from(luggage.descriptors.len()).unwrap_or(u32::MAX),
        grants: u32::try_from(luggage.grants.len()).unwrap_or(u32::MAX),
    };
    link.put(0, &ToChild::Start(start), &args)
        .map_err(|error| Failure::new(format!("its arguments are {error}")))?;
    Ok((link, luggage.grants))
}

type Call = Pin<Box<dyn Future<Output = (u64, Outcome)> + Send>>;

/// One life's relay.
pub(super) struct Relay<'a, A: Portable> {
    pub(super) cell: &'a Arc<Cell<A>>,
    pub(super) window: &'a mut Window<A>,
    pub(super) fetched: Fetched<Box<dyn Envelope<A>>>,
    pub(super) force: Force,
    pub(super) link: Link,
    pub(super) grants: Vec<Grant>,
    pub(super) calls: FuturesUnordered<Call>,
    /// The process has told what it obtained; signals may be sent to it.
    pub(super) is_ready: bool,
    pub(super) ended: Option<ExitReason>,
    /// What the process said that cannot be.
    pub(super) nonsense: Option<String>,
    pub(super) alarm: Option<Pin<Box<Sleep>>>,
}

impl<A: Portable> Relay<'_, A> {
    fn poll(&mut self, task: &mut Task<'_>) -> Poll<ExitReason> {
        let cell = &**self.cell;
        for _ in 0..TURNS_MAX {
            cell.register(task.waker());
            self.link.page.watch(cell.vitals.is_watched());
            self.take_in(task, Look::Glance);
            let bits = cell.vitals.signals.bits();
            self.pass_on_signals(bits);
            if cell.vitals.phase() == Phase::Running {
                match bits & (SUSPEND | STEP | ENDING) {
                    0 => self.hand_over(usize::MAX),
                    // One to be handled, unless the process has some.
                    bits if bits == SUSPEND | STEP && !self.window.is_at_work() => {
                        self.hand_over(1)
                    }
                    _ => {}
                }
            }
            if self.force.watches() {
                let now = cell.vitals.system.real_clock().now();
                let is_at_work = self.window.is_at_work() && !cell.vitals.signals.is_held();
                self.force.watch(&self.link, now, is_at_work);
            }
            if let Err(error) = self.link.poll_write(task) {
                self.nonsense.get_or_insert(error.to_string());
            }
            // Spins: the answer may be near.
            if self.link.has_ring() && self.window.owes_a_reply() && self.take_in(task, Look::Spin)
            {
                if cell.mailbox.queued() > 0 {
                    continue;
                }
                // So may the next question: first its asker, on this loop perhaps, then a turn in which to rest.
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Poll::Ready(exit) = self.link.poll_exit(task) {
                // What it had written before it ended.
                while let Poll::Ready(Ok(())) = self.link.poll_read(task, Look::Glance) {
                    self.frames();
                }
                self.frames();
                return Poll::Ready(self.end(exit.ok()));
            }
            if self.link.has_ring() && self.take_in(task, Look::Rest) {
                continue;
            }
            if cell.vitals.signals.bits() == bits && self.poll_alarm(task).is_pending() {
                return Poll::Pending;
            }
        }
        task.waker().wake_by_ref(); // the loop's other tasks first
        Poll::Pending
    }

    /// Messages from the mailbox to the process, as many as it may be ahead, at most `most`.
    fn hand_over(&mut self, most: usize) {
        let mut handed = 0;
        self.cell.mailbox.rest();
        let body_max = self.link.frame_bytes_max.saturating_sub(HEAD_BYTES_MAX);
        for lane in [1, 0] {
            // First those that a former process has not begun.
            self.send(lane);
            while handed < most
                && self.link.takes_more(lane)
                && let Some(is_ask) = self.is_next_an_ask(lane)
                && self.window.has_room(lane, is_ask)
                && let Some(envelope) = self.cell.mailbox.fetch(LANES[lane], &mut self.fetched)
            {
                self.window.add(lane, envelope, body_max);
                handed += 1;
                self.send(lane);
            }
        }
    }

    fn is_next_an_ask(&mut self, lane: usize) -> Option<bool> {
        self.cell.mailbox.look(LANES[lane], &mut self.fetched, |envelope| envelope.is_ask())
    }

    fn send(&mut self, lane: usize) {
        while self.link.takes_more(lane)
            && let Some(handed) = self.window.next_to_send(lane)
        {
            let head = ToChild::Message {
                number: handed.number,
                is_ask: handed.responder.is_some(),
                descriptors: handed.descriptors.len() as u8,
            };
            // Before it is on its way: it may be what somebody looks at.
            self.link.page.watch(self.cell.vitals.is_watched());
            let passed = self.link.pass(lane, &handed.descriptors);
            if passed.and_then(|()| self.link.put(lane, &head, &handed.body)).is_err() {
                self.nonsense.get_or_insert_with(|| "a message grew over the frame limit".into());
            }
            if lane == 1 {
                self.link.page.announce_urgent();
            }
        }
    }

    fn pass_on_signals(&mut self, bits: u32) {
        if let Some(text) = &self.nonsense {
            if self.force.kills_for_nonsense(&self.link) {
                let actor = self.cell.vitals.path();
                tracing::error!(%actor, text, "its process sent what cannot be: killed");
            }
            return;
        }
        if bits == 0 && self.force.is_at_rest() {
            return; // the common case, in which the clock need not be read
        }
        let now = self.cell.vitals.system.real_clock().now();
        let cell = &**self.cell;
        if !self.is_ready {
            self.force.before_ready(&self.link, bits, now);
            return;
        }
        let taken = self.force.pass_on(&mut self.link, bits, now, self.window.is_at_work());
        if taken != 0 {
            cell.vitals.signals.clear(taken);
            cell.vitals.notify();
        }
        let held = bits & SUSPEND != 0 && self.force.is_held(&self.link);
        rest(cell, held);
        if self.force.recycles(&self.link, now, self.window.handled()) {
            self.link.page.raise(RECYCLE);
        }
    }

    /// Wakes again when time alone brings something about.
    fn poll_alarm(&mut self, task: &mut Task<'_>) -> Poll<()> {
        let Some(at) = self.force.next() else {
            self.alarm = None;
            return Poll::Pending;
        };
        let clock = self.cell.vitals.system.real_clock();
        let alarm = match &mut self.alarm {
            Some(alarm) if alarm.deadline() == at => alarm,
            alarm => alarm.insert(Box::pin(clock.sleep_until(at))),
        };
        let ready = alarm.as_mut().poll(task);
        if ready.is_ready() {
            self.alarm = None;
        }
        ready
    }

    /// Why the life is over, from all that is known.
    fn end(&mut self, exit: Option<Exit>) -> ExitReason {
        let standing = self.link.page.standing();
        let reason = match (self.nonsense.take(), self.ended.take(), exit) {
            (Some(text), ..) => {
                ExitReason::Failed(format!("its process sent what cannot be: {text}").into())
            }
            (None, Some(reason), _) => reason,
            (None, None, Some(exit)) => {
                let processes = self.cell.vitals.system.processes();
                self.force.reason(exit, self.link.page.fatal(), processes.oom_kills())
            }
            (None, None, None) => ExitReason::Failed("its process is lost".into()),
        };
        let dropped = match &reason {
            ExitReason::Killed => DropReason::Killed,
            ExitReason::Panicked(_) => DropReason::Panicked,
            _ => DropReason::ProcessEnded,
        };
        self.window.end_life(standing.done, standing.running, dropped);
        reason
    }
}

impl<A: Portable> Drop for Relay<'_, A> {
    /// Also when the place goes away under the actor: what was fetched and not handed over is queued.
    fn drop(&mut self) {
        self.cell.mailbox.give_back(&mut self.fetched);
    }
}
