//! A stand-in: the address here of an actor that lives on another node on its own.
//!
//! It has a mailbox and a place in the tree like every address, and outlives connections; the actor that it stands for
//! is another's. Signals therefore act on the stand-in alone: a stop ends it when what it handed over has been dealt with.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use palco_core::ExitReason;
use palco_transport::Peer;
use serde_json::json;

use super::inbox::Came;
use super::net::Shared;
use super::options::{Disconnected, RemoteOptions};
use super::tie::{Cargo, Tie};
use super::wire::{Frame, Role};
use crate::dead_letters::DropReason;
use crate::guard::rest;
use crate::life::{EndGuard, finish};
use crate::mailbox::Fetched;
use crate::placement::window::{Asks, Nonsense, Window};
use crate::signal::{INSPECT, INTERRUPT, KILL, STEP, STOP, SUSPEND};
use crate::vitals::{AnyCell, Phase};
use crate::{Portable, SpawnError, System};

/// How often a stand-in does everything there is to do before the loop's other tasks get their turn.
const TURNS_MAX: usize = 64;

/// Whom it stands for.
pub(super) struct Whom {
    pub(super) peer: Peer,
    pub(super) name: Box<str>,
    pub(super) options: RemoteOptions,
}

pub(super) fn start<A: Portable>(
    system: &System,
    net: &Arc<Shared>,
    end: EndGuard<A>,
    whom: Whom,
) -> Result<(), SpawnError> {
    let net = Arc::clone(net);
    system.loops()?.start_near(move || run(net, end, whom))
}

async fn run<A: Portable>(net: Arc<Shared>, mut end: EndGuard<A>, whom: Whom) {
    let Some(cell) = end.cell() else { return };
    net.attach(whom.peer, &(Arc::clone(&cell) as Arc<dyn AnyCell>));
    cell.vitals.set_phase(Phase::Running);
    let mut window = Window::new(Arc::clone(&cell), whom.options.ahead(Asks::InARow));
    let role = Role::of(&window.table);
    let reason = {
        let body_max = whom.options.body_bytes_max();
        let cargo =
            Cargo { cell: &cell, window: &mut window, fetched: Fetched::default(), body_max };
        let mut stand_in = StandIn { net: &net, whom: &whom, role, cargo, tie: None };
        poll_fn(|task| stand_in.poll(task)).await
    };
    end.disarm();
    // Handed over and not known to be handled.
    window.lose();
    window.discard(DropReason::of_queued(&reason));
    drop(window);
    finish(&cell, reason);
}

struct StandIn<'a, A: Portable> {
    net: &'a Arc<Shared>,
    whom: &'a Whom,
    role: Role,
    cargo: Cargo<'a, A>,
    tie: Option<Tie>,
}

impl<A: Portable> StandIn<'_, A> {
    fn poll(&mut self, task: &mut Task<'_>) -> Poll<ExitReason> {
        for _ in 0..TURNS_MAX {
            let cell = &**self.cargo.cell;
            cell.register(task.waker());
            if let Some(reason) = self.take_in() {
                return Poll::Ready(reason);
            }
            self.tie_up();
            let bits = cell.vitals.signals.bits();
            if let Some(reason) = self.obey(bits) {
                return Poll::Ready(reason);
            }
            self.pass_on(bits);
            let is_same = cell.vitals.signals.bits() == bits;
            let room = self.tie.as_mut().map_or(Poll::Pending, |tie| tie.poll_room(task));
            if is_same && room.is_pending() {
                return Poll::Pending;
            }
        }
        task.waker().wake_by_ref(); // the loop's other tasks first
        Poll::Pending
    }

    /// Notices a connection that is over, and makes use of one that there is.
    fn tie_up(&mut self) {
        if self.tie.as_ref().is_some_and(|tie| tie.session.is_lost()) {
            self.untie();
        }
        if self.tie.is_some() {
            return;
        }
        let Some(session) = self.net.session(self.whom.peer) else { return };
        let (role, name) = (self.role.clone(), self.whom.name.clone().into_string());
        let find = |channel| Frame::Find { channel, role, name };
        self.tie = Some(Tie::open(session, self.cargo.cell, find, &[]));
    }

    /// What was handed over and is not known to be handled is lost.
    fn untie(&mut self) {
        self.tie = None;
        // First, since who asked may look.
        self.cargo.cell.vitals.set_node(|node| node.is_connected = false);
        self.cargo.window.lose();
    }

    /// Frames from the other node. Some reason is the end of the stand-in.
    fn take_in(&mut self) -> Option<ExitReason> {
        while let Some(tie) = &mut self.tie
            && let Some(Came { lane, head, body }) = tie.take()
        {
            let window = &mut self.cargo.window;
            let understood = match head {
                Frame::Unknown { .. } => Ok(()),
                Frame::Opened { takes_urgent, .. } if !tie.is_open() => {
                    tie.opened(takes_urgent);
                    self.cargo.cell.vitals.set_node(|node| node.is_connected = true);
                    Ok(())
                }
                Frame::Refused { why, .. } if !tie.is_open() => {
                    tie.is_over();
                    return Some(ExitReason::StartFailed(why.into()));
                }
                Frame::Progress { done, .. } => window.done_before(lane, done),
                Frame::Dropped { index, reason, .. } => window.dropped(lane, index, reason),
                Frame::Reply { index, outcome, .. } => {
                    window.replied(lane, index, outcome.map(|()| &body[..]))
                }
                Frame::Gone { .. } => {
                    tie.is_over();
                    self.untie();
                    Ok(())
                }
                _ => Err(Nonsense),
            };
            if understood == Err(Nonsense)
                && let Some(tie) = &self.tie
            {
                tie.session.end("a frame out of turn");
            }
        }
        None
    }

    fn obey(&mut self, bits: u32) -> Option<ExitReason> {
        let vitals = &self.cargo.cell.vitals;
        if bits & KILL != 0 {
            return Some(ExitReason::Killed);
        }
        if bits & STOP != 0 {
            if !self.cargo.window.is_at_work() {
                return Some(ExitReason::Stopped);
            }
            if vitals.phase() != Phase::Stopping {
                vitals.set_phase(Phase::Stopping);
            }
        }
        if bits & INSPECT != 0 {
            let is_found = self.tie.as_ref().is_some_and(Tie::is_open);
            let state = json!({
                "peer": self.whom.peer,
                "name": self.whom.name,
                "is_connected": self.net.session(self.whom.peer).is_some(),
                "is_found": is_found,
                "ahead": self.cargo.window.ahead(),
            });
            vitals.life.lock().state = Some((state, vitals.system.clock().now()));
        }
        if bits & (INSPECT | INTERRUPT) != 0 {
            vitals.signals.clear(INSPECT | INTERRUPT); // nothing runs here
            vitals.notify();
        }
        None
    }

    /// Messages to the other node, or away.
    fn pass_on(&mut self, bits: u32) {
        let cell = Arc::clone(self.cargo.cell);
        rest(&*cell, bits & SUSPEND != 0 && bits & STOP == 0);
        if bits & STOP != 0 {
            return;
        }
        let may_go = bits & SUSPEND == 0;
        match &mut self.tie {
            Some(tie) if tie.is_open() => {
                let most = if may_go { usize::MAX } else { usize::from(bits & STEP != 0) };
                let handed = tie.hand_over(&mut self.cargo, most);
                if !may_go && handed > 0 {
                    cell.vitals.signals.clear(STEP);
                    cell.vitals.notify();
                }
            }
            Some(_) | None => {
                if may_go && self.whom.options.disconnected == Disconnected::Drop {
                    self.drop_all();
                }
            }
        }
    }

    /// Nobody is there to take them, and they are not to wait.
    fn drop_all(&mut self) {
        self.cargo.window.discard(DropReason::NodeLost);
        self.cargo.cell.mailbox.rest();
        for lane in [1, 0] {
            while let Some(envelope) = self.cargo.fetch(lane) {
                self.cargo.window.turn_away(lane, envelope, DropReason::NodeLost);
            }
        }
    }
}
