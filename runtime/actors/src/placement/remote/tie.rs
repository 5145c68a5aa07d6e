//! The near end of a channel: from the mailbox of an address to the other node.

use std::sync::Arc;
use std::task::{Context as Task, Poll};

use event_listener::EventListener;
use futures_util::FutureExt;

use super::inbox::{Came, Inbox};
use super::session::Session;
use super::wire::Frame;
use crate::envelope::Envelope;
use crate::mailbox::Fetched;
use crate::placement::window::{LANES, Window};
use crate::vitals::{AnyCell, Cell};
use crate::{DropReason, Portable};

/// The near end of one channel. Dropped, the channel is over.
pub(super) struct Tie {
    pub(super) session: Arc<Session>,
    channel: u64,
    inbox: Arc<Inbox>,
    /// What the other end has said of it.
    stage: Stage,
    /// Something waits for room in the way out.
    is_blocked: bool,
    room: Option<EventListener>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Asked,
    Open {
        takes_urgent: bool,
    },
    /// There is no such channel any more.
    Over,
}

/// What an address has and hands over.
pub(super) struct Cargo<'a, A: Portable> {
    pub(super) cell: &'a Arc<Cell<A>>,
    pub(super) window: &'a mut Window<A>,
    pub(super) fetched: Fetched<Box<dyn Envelope<A>>>,
    pub(super) body_max: usize,
}

impl Tie {
    /// Opens a channel by the frame that `head` makes for its number.
    pub(super) fn open<A: Portable>(
        session: Arc<Session>,
        cell: &Arc<Cell<A>>,
        head: impl FnOnce(u64) -> Frame,
        body: &[u8],
    ) -> Self {
        let cell = Arc::clone(cell) as Arc<dyn AnyCell>;
        let inbox = Arc::new(Inbox::new(Arc::downgrade(&cell)));
        let channel = session.open(&inbox, head, body);
        Self { session, channel, inbox, stage: Stage::Asked, is_blocked: false, room: None }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open { .. })
    }

    /// The other end is ready.
    pub(super) fn opened(&mut self, takes_urgent: bool) {
        self.stage = Stage::Open { takes_urgent };
    }

    /// The other end says that it is over.
    pub(super) fn is_over(&mut self) {
        self.stage = Stage::Over;
    }

    pub(super) fn take(&self) -> Option<Came> {
        self.inbox.take()
    }

    pub(super) fn send(&self, lane: usize, head: impl FnOnce(u64) -> Frame, body: &[u8]) {
        self.session.send(lane, &head(self.channel), body);
    }

    /// Messages from the mailbox to the other node, as many as may be ahead, at most `most`; how many those were.
    pub(super) fn hand_over<A: Portable>(
        &mut self,
        cargo: &mut Cargo<'_, A>,
        most: usize,
    ) -> usize {
        let Stage::Open { takes_urgent } = self.stage else { return 0 };
        self.is_blocked = false;
        if most == 0 {
            return 0;
        }
        let mut handed = 0;
        cargo.cell.mailbox.rest();
        for lane in [1, 0] {
            // First those that a former life has not begun.
            self.send_added(cargo.window, lane);
            while handed < most
                && self.has_room(lane)
                && let Some(is_ask) = cargo.is_next_an_ask(lane)
                && cargo.window.has_room(lane, is_ask)
                && let Some(envelope) = cargo.fetch(lane)
            {
                if lane == 1 && !takes_urgent {
                    cargo.window.turn_away(lane, envelope, DropReason::NotPortable);
                    continue;
                }
                cargo.window.add(lane, envelope, cargo.body_max);
                handed += 1;
                self.send_added(cargo.window, lane);
            }
        }
        handed
    }

    fn has_room(&mut self, lane: usize) -> bool {
        let has_room = self.session.takes_more(lane);
        self.is_blocked |= !has_room;
        has_room
    }

    fn send_added<A: Portable>(&mut self, window: &mut Window<A>, lane: usize) {
        while self.has_room(lane) {
            let urgent_before = window.handed()[1];
            let Some(handed) = window.next_to_send(lane) else { return };
            let head = Frame::Message {
                channel: self.channel,
                number: handed.number,
                is_ask: handed.responder.is_some(),
                urgent_before: if lane == 0 { urgent_before } else { 0 },
            };
            self.session.send(lane, &head, &handed.body);
        }
    }

    /// Ready if there may be room again for what waits; if there is none, `task` is woken when there is.
    pub(super) fn poll_room(&mut self, task: &mut Task<'_>) -> Poll<()> {
        if !self.is_blocked {
            self.room = None;
            return Poll::Pending;
        }
        let mut room = self.room.take().unwrap_or_else(|| self.session.room());
        // Against room that was made before this listened.
        let has_room = self.session.takes_more(0) && self.session.takes_more(1);
        if has_room || room.poll_unpin(task).is_ready() {
            self.is_blocked = false;
            return Poll::Ready(());
        }
        self.room = Some(room);
        Poll::Pending
    }
}

impl<A: Portable> Cargo<'_, A> {
    fn is_next_an_ask(&mut self, lane: usize) -> Option<bool> {
        self.cell.mailbox.look(LANES[lane], &mut self.fetched, |envelope| envelope.is_ask())
    }

    pub(super) fn fetch(&mut self, lane: usize) -> Option<Box<dyn Envelope<A>>> {
        self.is_next_an_ask(lane)?;
        self.cell.mailbox.fetch(LANES[lane], &mut self.fetched)
    }
}

impl<A: Portable> Drop for Cargo<'_, A> {
    /// Also when the place goes away under the actor: what was fetched and not handed over is queued.
    fn drop(&mut self) {
        self.cell.mailbox.give_back(&mut self.fetched);
    }
}

impl Drop for Tie {
    fn drop(&mut self) {
        self.session.release(self.channel);
        if self.stage != Stage::Over && !self.session.is_lost() {
            self.session.send(0, &Frame::Close { channel: self.channel }, &[]);
        }
    }
}
