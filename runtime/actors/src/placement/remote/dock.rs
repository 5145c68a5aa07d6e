//! At the far end: from bytes into the mailbox of one actor, without ever waiting.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::owed::Owed;
use super::wire::Nonsense;
use crate::envelope::Envelope;
use crate::guard::contained;
use crate::observation::Stamped;
use crate::placement::delivered::Receipt;
use crate::placement::window::LANES;
use crate::portable::MessageTable;
use crate::vitals::{AnyCell, Cell};
use crate::{DropReason, Portable, SendError};

/// One actor, whatever its type, as a channel sees it.
pub(super) trait Dock: Send + Sync {
    /// Puts a message into the mailbox; what has no room there waits beside it, bounded by what may be ahead.
    fn deliver(
        self: Arc<Self>,
        lane: usize,
        number: u16,
        body: &[u8],
        owed: Owed,
    ) -> Result<(), Nonsense>;

    fn cell(&self) -> Arc<dyn AnyCell>;
}

pub(super) struct DockOf<A: Portable> {
    cell: Arc<Cell<A>>,
    table: Arc<MessageTable<A>>,
    sides: [Mutex<Side<A>>; 2],
}

/// Messages for which the mailbox had no room.
struct Side<A: Portable> {
    waiting: VecDeque<Box<dyn Envelope<A>>>,
    is_watched: bool,
}

impl<A: Portable> DockOf<A> {
    pub(super) fn new(cell: Arc<Cell<A>>, table: Arc<MessageTable<A>>) -> Self {
        let side = || Mutex::new(Side { waiting: VecDeque::new(), is_watched: false });
        Self { cell, table, sides: [side(), side()] }
    }

    fn try_send(
        &self,
        lane: usize,
        envelope: Box<dyn Envelope<A>>,
    ) -> Option<Box<dyn Envelope<A>>> {
        match self.cell.mailbox.try_send(LANES[lane], envelope, |envelope| envelope) {
            Ok(()) => None,
            Err(SendError::Full(envelope)) => Some(envelope),
            Err(SendError::Closed(envelope)) => {
                envelope.discard(DropReason::ActorStopped);
                None
            }
        }
    }

    /// True if nothing is left.
    fn send_waiting(&self, lane: usize) -> bool {
        let mut side = self.sides[lane].lock();
        while let Some(envelope) = side.waiting.pop_front() {
            if let Some(envelope) = self.try_send(lane, envelope) {
                side.waiting.push_front(envelope);
                return false;
            }
        }
        side.is_watched = false;
        true
    }

    /// Has what waits put into the mailbox when there is room.
    fn watch_room(self: Arc<Self>, lane: usize) {
        let system = self.cell.vitals.system.clone();
        let watched = system.loops().and_then(|loops| {
            loops.start_near(move || async move {
                loop {
                    let room = self.cell.mailbox.lane(LANES[lane]).listen_for_room();
                    if self.send_waiting(lane) {
                        return;
                    }
                    room.await;
                }
            })
        });
        if let Err(error) = watched {
            tracing::error!(%error, "messages of another node cannot wait");
        }
    }
}

impl<A: Portable> Dock for DockOf<A> {
    fn deliver(
        self: Arc<Self>,
        lane: usize,
        number: u16,
        body: &[u8],
        owed: Owed,
    ) -> Result<(), Nonsense> {
        let entry = self.table.entries.get(usize::from(number));
        let entry = entry.ok_or(Nonsense::OutOfTurn("a message that is in no table"))?;
        let receipt = Receipt::Remote(owed);
        let received = contained(|| (entry.receive)(body, VecDeque::new(), receipt));
        let envelope = received
            .map_err(|_| Nonsense::OutOfTurn("a message that panics when it is read"))?
            .map_err(Nonsense::Malformed)?;
        let envelope = Stamped::wrap(envelope, self.cell.stamp(LANES[lane]));
        let mut side = self.sides[lane].lock();
        if side.waiting.is_empty() {
            let Some(envelope) = self.try_send(lane, envelope) else { return Ok(()) };
            side.waiting.push_back(envelope);
        } else {
            side.waiting.push_back(envelope);
        }
        let is_watched = std::mem::replace(&mut side.is_watched, true);
        drop(side);
        if !is_watched {
            self.watch_room(lane);
        }
        Ok(())
    }

    fn cell(&self) -> Arc<dyn AnyCell> {
        Arc::clone(&self.cell) as Arc<dyn AnyCell>
    }
}
