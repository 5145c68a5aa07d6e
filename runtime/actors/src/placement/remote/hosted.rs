//! The address's side of an actor whose lives take place on another node.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as Task, Poll};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use palco_core::ExitReason;
use palco_transport::Peer;

use super::inbox::Came;
use super::net::Shared;
use super::options::RemoteOptions;
use super::start::Start;
use super::tie::{Cargo, Tie};
use super::wire::{CALLS_MAX, Frame};
use crate::clock::Sleep;
use crate::dead_letters::DropReason;
use crate::grant::{CallError, Outcome};
use crate::guard::{contained, rest};
use crate::life::{EndGuard, finish, verdict};
use crate::mailbox::Fetched;
use crate::observation::as_current;
use crate::placement::window::{Asks, Nonsense, Window};
use crate::signal::{ENDING, INSPECT, INTERRUPT, KILL, RECYCLE, RESTART, STEP, STOP, SUSPEND};
use crate::vitals::{AnyCell, Cell, Phase};
use crate::{Failure, Parcel, Portable};

/// How often a relay does everything there is to do before the loop's other tasks get their turn.
const TURNS_MAX: usize = 64;

/// Runs a portable actor through all its lives, each on that node.
pub(super) async fn run<A: Portable>(
    mut end: EndGuard<A>,
    net: Arc<Shared>,
    peer: Peer,
    options: RemoteOptions,
    mut pack: impl FnMut() -> Result<Parcel<A>, Failure>,
) {
    let Some(cell) = end.cell() else { return };
    net.attach(peer, &(Arc::clone(&cell) as Arc<dyn AnyCell>));
    let mut window = Window::new(Arc::clone(&cell), options.ahead(Asks::Alone));
    let reason = loop {
        let life = Life { cell: &cell, net: &net, peer, options: &options };
        let reason = life.live(&mut window, &mut pack).await;
        cell.vitals.set_node(|node| (node.is_connected, node.note) = (false, None));
        rest(&*cell, false);
        match verdict(&cell, reason).await {
            None => cell.vitals.activity.restarts.fetch_add(1, Ordering::Relaxed),
            Some(reason) => break reason,
        };
    };
    end.disarm();
    window.discard(DropReason::of_queued(&reason));
    drop(window);
    drop(pack);
    finish(&cell, reason);
}

/// One life, from the connection to its end.
struct Life<'a, A: Portable> {
    cell: &'a Arc<Cell<A>>,
    net: &'a Arc<Shared>,
    peer: Peer,
    options: &'a RemoteOptions,
}

impl<A: Portable> Life<'_, A> {
    async fn live(
        &self,
        window: &mut Window<A>,
        pack: &mut impl FnMut() -> Result<Parcel<A>, Failure>,
    ) -> ExitReason {
        let cell = self.cell;
        cell.vitals.set_phase(Phase::Starting);
        let parcel = match contained(pack) {
            Ok(Ok(parcel)) => parcel,
            Ok(Err(failure)) => return ExitReason::StartFailed(failure.into_text()),
            Err(text) => return ExitReason::Panicked(text),
        };
        let body_max = self.options.body_bytes_max();
        let start = match Start::pack(&cell.vitals, &window.table, parcel, body_max) {
            Ok(start) => start,
            Err(failure) => return ExitReason::StartFailed(failure.into_text()),
        };
        window.begin_life();
        let cargo = Cargo { cell, window, fetched: Fetched::default(), body_max };
        let clock = cell.vitals.system.clock();
        let mut relay = Relay {
            life: self,
            cargo,
            start,
            tie: None,
            connect_by: Some(Box::pin(clock.sleep(self.options.connect_within))),
            calls: FuturesUnordered::new(),
            raised: 0,
            ended: None,
        };
        poll_fn(|task| relay.poll(task)).await
    }
}

type Call = Pin<Box<dyn Future<Output = (u64, Outcome)> + Send>>;

/// One life's relay.
struct Relay<'a, A: Portable> {
    life: &'a Life<'a, A>,
    cargo: Cargo<'a, A>,
    start: Start,
    tie: Option<Tie>,
    /// Until there is a connection.
    connect_by: Option<Pin<Box<Sleep>>>,
    calls: FuturesUnordered<Call>,
    /// The signals that the other node has been told are raised.
    raised: u32,
    /// Why the life is over, and after how many messages.
    ended: Option<(ExitReason, [u64; 2])>,
}

impl<A: Portable> Relay<'_, A> {
    fn poll(&mut self, task: &mut Task<'_>) -> Poll<ExitReason> {
        let cell = &**self.life.cell;
        for _ in 0..TURNS_MAX {
            cell.register(task.waker());
            self.take_in();
            self.answer_calls(task);
            if let Some(reason) = self.end() {
                return Poll::Ready(reason);
            }
            if self.tie.is_none() && self.tie_up(task).is_ready() {
                let text = format!("no connection to {} came about", self.life.peer);
                return Poll::Ready(ExitReason::StartFailed(text.into()));
            }
            let bits = cell.vitals.signals.bits();
            if !self.is_open() && bits & ENDING != 0 {
                return Poll::Ready(before_life(bits));
            }
            self.pass_on_signals(bits);
            self.hand_over(bits);
            let is_same = cell.vitals.signals.bits() == bits;
            let room = self.tie.as_mut().map_or(Poll::Pending, |tie| tie.poll_room(task));
            if is_same && room.is_pending() {
                return Poll::Pending;
            }
        }
        task.waker().wake_by_ref(); // the loop's other tasks first
        Poll::Pending
    }

    fn is_open(&self) -> bool {
        self.tie.as_ref().is_some_and(Tie::is_open)
    }

    /// Begins the life when there is a connection; ready when that takes too long.
    fn tie_up(&mut self, task: &mut Task<'_>) -> Poll<()> {
        let Some(session) = self.life.net.session(self.life.peer) else {
            return match &mut self.connect_by {
                Some(limit) => limit.as_mut().poll(task),
                None => Poll::Pending,
            };
        };
        self.connect_by = None;
        let place = self.life.options.place_there;
        let grants = u32::try_from(self.start.grants.len()).unwrap_or(u32::MAX);
        let (role, name) = (self.start.role.clone(), self.start.name.clone());
        let head = |channel| Frame::Start { channel, role, name, place, grants };
        self.tie = Some(Tie::open(session, self.life.cell, head, &self.start.args));
        self.life.cell.vitals.set_node(|node| node.is_connected = true);
        Poll::Pending
    }

    /// Why the life is over, if it is.
    fn end(&mut self) -> Option<ExitReason> {
        let tie = self.tie.as_ref()?;
        let window = &mut self.cargo.window;
        // What is still on its way on the other lane comes first.
        if let Some((_, done)) = &self.ended
            && *done == window.done()
            && let Some((reason, done)) = self.ended.take()
        {
            window.end_life(done, None, DropReason::NodeLost);
            let bits = self.life.cell.vitals.signals.bits();
            let is_recycled = bits & (RECYCLE | RESTART) != 0 && bits & STOP == 0;
            return Some(match reason {
                ExitReason::Stopped if is_recycled => ExitReason::Recycled,
                reason => reason,
            });
        }
        if tie.session.is_lost() {
            window.lose();
            return Some(ExitReason::NodeLost);
        }
        None
    }

    /// Messages to the life, as many as may be ahead.
    fn hand_over(&mut self, bits: u32) {
        let Some(tie) = &mut self.tie else { return };
        if self.life.cell.vitals.phase() != Phase::Running || self.ended.is_some() {
            return;
        }
        match bits & (SUSPEND | STEP | ENDING) {
            0 => {
                tie.hand_over(&mut self.cargo, usize::MAX);
            }
            // One to be handled, unless the life has some.
            bits if bits == SUSPEND | STEP && !self.cargo.window.is_at_work() => {
                tie.hand_over(&mut self.cargo, 1);
            }
            _ => {}
        }
    }

    fn pass_on_signals(&mut self, bits: u32) {
        let (fresh, gone) = (bits & !self.raised, self.raised & !bits);
        if fresh | gone == 0 || !self.is_open() {
            return;
        }
        let Some(tie) = &self.tie else { return };
        let handed = self.cargo.window.handed();
        tie.send(
            1,
            |channel| Frame::Signals { channel, raised: fresh, cleared: gone, handed },
            &[],
        );
        self.raised = bits;
    }

    /// These signals have taken hold there.
    fn has_taken(&mut self, signals: u32) {
        let signals = signals & self.raised & (INTERRUPT | STEP | INSPECT);
        self.raised &= !signals;
        let vitals = &self.life.cell.vitals;
        vitals.signals.clear(signals);
        vitals.notify();
    }

    /// Frames from the other node.
    fn take_in(&mut self) {
        while let Some(tie) = &self.tie
            && let Some(came) = tie.take()
        {
            if self.understand(came) == Err(Nonsense)
                && let Some(tie) = &self.tie
            {
                tie.session.end("a frame out of turn");
            }
        }
    }

    fn understand(&mut self, came: Came) -> Result<(), Nonsense> {
        let Came { lane, head, body } = came;
        let vitals = &self.life.cell.vitals;
        let window = &mut self.cargo.window;
        let Some(tie) = &mut self.tie else { return Err(Nonsense) };
        match head {
            Frame::Opened { takes_urgent, .. } if !tie.is_open() => {
                tie.opened(takes_urgent);
                Ok(())
            }
            Frame::Refused { why, .. } if !tie.is_open() => {
                tie.is_over();
                self.ended.get_or_insert((ExitReason::StartFailed(why.into()), window.done()));
                Ok(())
            }
            Frame::Started { .. } => {
                vitals.set_phase(Phase::Running);
                Ok(())
            }
            Frame::Progress { done, .. } => window.done_before(lane, done),
            Frame::Dropped { index, reason, .. } => window.dropped(lane, index, reason),
            Frame::Reply { index, outcome, .. } => {
                window.replied(lane, index, outcome.map(|()| &body[..]))
            }
            Frame::Held { is_held, .. } => {
                rest(&**self.life.cell, is_held && vitals.signals.has(SUSPEND));
                Ok(())
            }
            Frame::Taken { signals, .. } => {
                self.has_taken(signals);
                Ok(())
            }
            Frame::Doing { note, .. } => {
                vitals.set_node(|node| node.note = note);
                Ok(())
            }
            Frame::State { .. } => {
                let state = if body.is_empty() {
                    Ok(())
                } else {
                    let state = serde_json::from_slice(&body).map_err(|_| Nonsense);
                    let now = vitals.system.clock().now();
                    state.map(|state| vitals.life.lock().state = Some((state, now)))
                };
                self.has_taken(INSPECT);
                state
            }
            Frame::Call { call, grant, within, .. } => self.call(call, grant, within, &body),
            Frame::Ended { done, .. } => {
                let reason = serde_json::from_slice(&body).map_err(|_| Nonsense)?;
                if (0..2).any(|lane| done[lane] > window.handed()[lane]) {
                    return Err(Nonsense);
                }
                tie.is_over();
                self.ended.get_or_insert((reason, done));
                vitals.set_phase(Phase::Stopping);
                Ok(())
            }
            _ => Err(Nonsense),
        }
    }

    /// The life talks to who was granted to it.
    fn call(
        &mut self,
        call: u64,
        grant: u32,
        within: Option<std::time::Duration>,
        message: &[u8],
    ) -> Result<(), Nonsense> {
        let grant = self.start.grants.get(grant as usize).ok_or(Nonsense)?;
        if self.calls.len() >= CALLS_MAX {
            return Err(Nonsense);
        }
        let vitals = &self.life.cell.vitals;
        let Some(within) = within else {
            let told = as_current(vitals, || grant.tell(message));
            self.answer(call, told.map(|()| Vec::new()));
            return Ok(());
        };
        let outcome = as_current(vitals, || grant.call(message, within));
        self.calls.push(Box::pin(async move { (call, outcome.await) }));
        Ok(())
    }

    /// Replies of granted actors.
    fn answer_calls(&mut self, task: &mut Task<'_>) {
        if self.calls.is_empty() {
            return;
        }
        let vitals = &self.life.cell.vitals;
        while let Poll::Ready(Some((call, outcome))) =
            as_current(vitals, || self.calls.poll_next_unpin(task))
        {
            self.answer(call, outcome);
        }
    }

    fn answer(&self, call: u64, outcome: Outcome) {
        let Some(tie) = &self.tie else { return };
        let max = self.life.options.body_bytes_max();
        let (outcome, body) = match outcome {
            Ok(body) if body.len() <= max => (Ok(()), body),
            Ok(_) => (Err(CallError::Malformed), Vec::new()),
            Err(error) => (Err(error), Vec::new()),
        };
        tie.send(0, |channel| Frame::Answer { channel, call, outcome }, &body);
    }
}

/// Why there is no life although nothing went wrong: it was not to begin.
fn before_life(bits: u32) -> ExitReason {
    if bits & KILL != 0 {
        ExitReason::Killed
    } else if bits & STOP != 0 {
        ExitReason::Stopped
    } else {
        ExitReason::Recycled
    }
}
