//! One connection to a peer: channels in both directions, and what waits to be sent.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use event_listener::EventListener;
use palco_core::Time;
use palco_transport::{Outbox, Peer, PushError};
use parking_lot::Mutex;

use super::inbox::Inbox;
use super::inlet::Inlet;
use super::wire::{Frame, LANES, Nonsense, Role, encode};
use crate::System;
use crate::system::WeakSystem;

/// Channels that a peer may have open here at once.
const CHANNELS_MAX: usize = 4096;

/// Bytes that wait in a lane beyond which no more messages are handed over.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// Bytes of replies that a peer does not take, beyond what the outbox holds; then the connection is ended.
const OVERDUE_BYTES_MAX: usize = 64 << 20;

/// One connection.
pub(super) struct Session {
    pub(super) peer: Peer,
    pub(super) number: u64,
    pub(super) since: Time,
    pub(super) traffic: Traffic,
    system: WeakSystem,
    outbox: Outbox,
    is_lost: AtomicBool,
    ours: Mutex<Ours>,
    theirs: Mutex<Theirs>,
    overdue: Mutex<Overdue>,
}

/// What has crossed.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) frames_sent: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    pub(super) frames_received: AtomicU64,
    pub(super) bytes_received: AtomicU64,
}

/// Channels that were opened here.
#[derive(Default)]
struct Ours {
    last: u64,
    open: HashMap<u64, Weak<Inbox>>,
}

/// Channels that the peer has opened.
#[derive(Default)]
struct Theirs {
    last: u64,
    open: HashMap<u64, Their>,
}

#[derive(Clone)]
pub(super) enum Their {
    /// It waits for somebody who has this name.
    Finding {
        name: Box<str>,
        role: Role,
    },
    /// A life begins.
    Starting,
    Open(Arc<Inlet>),
}

/// What the outbox had no room for.
#[derive(Default)]
struct Overdue {
    lanes: [VecDeque<Bytes>; 2],
    bytes: usize,
    is_watched: bool,
}

impl Session {
    pub(super) fn new(system: &System, peer: Peer, number: u64, outbox: Outbox) -> Arc<Self> {
        Arc::new(Self {
            peer,
            number,
            since: system.clock().now(),
            traffic: Traffic::default(),
            system: system.downgrade(),
            outbox,
            is_lost: AtomicBool::new(false),
            ours: Mutex::default(),
            theirs: Mutex::default(),
            overdue: Mutex::default(),
        })
    }

    pub(super) fn system(&self) -> Option<System> {
        self.system.upgrade()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }

    /// The connection is over, or is to be: nothing more is sent, lives of the peer end, whoever waits is told.
    pub(super) fn lose(&self) {
        if self.is_lost.swap(true, Ordering::AcqRel) {
            return;
        }
        self.outbox.close();
        let theirs = std::mem::take(&mut self.theirs.lock().open);
        let ours = std::mem::take(&mut self.ours.lock().open);
        *self.overdue.lock() = Overdue::default();
        for their in theirs.into_values() {
            if let Their::Open(inlet) = their {
                inlet.close();
            }
        }
        for inbox in ours.into_values().filter_map(|inbox| inbox.upgrade()) {
            inbox.wake();
        }
    }

    /// Whether a lane of a mailbox may hand over more.
    pub(super) fn takes_more(&self, lane: usize) -> bool {
        self.outbox.waiting_bytes(LANES[lane]) < WAITING_BYTES_MAX
            && self.overdue.lock().lanes[lane].is_empty()
    }

    pub(super) fn is_idle(&self, lane: usize) -> bool {
        self.outbox.waiting_bytes(LANES[lane]) == 0
    }

    /// Completes when there may be more room, if that happens after this was called.
    pub(super) fn room(&self) -> EventListener {
        self.outbox.room()
    }

    /// Sends a frame, in the order of its lane. Never waits: what has no room now is kept, within bounds.
    pub(super) fn send(self: &Arc<Self>, lane: usize, head: &Frame, body: &[u8]) {
        self.push(lane, encode(head, body));
    }

    pub(super) fn push(self: &Arc<Self>, lane: usize, frame: Bytes) {
        self.traffic.frames_sent.fetch_add(1, Ordering::Relaxed);
        self.traffic.bytes_sent.fetch_add(frame.len() as u64, Ordering::Relaxed);
        let mut overdue = self.overdue.lock();
        let frame = if overdue.lanes[lane].is_empty() {
            match self.outbox.try_push(LANES[lane], frame) {
                Ok(()) | Err(PushError::Closed(_)) => return,
                Err(PushError::Full(frame)) => frame,
            }
        } else {
            frame
        };
        overdue.bytes += frame.len();
        let is_too_much = overdue.bytes > OVERDUE_BYTES_MAX;
        overdue.lanes[lane].push_back(frame);
        let is_watched = std::mem::replace(&mut overdue.is_watched, true);
        drop(overdue);
        if is_too_much {
            // The carrier says that it is over: here locks may be held that telling everybody needs.
            tracing::error!(peer = %self.peer, "it takes nothing of what it is sent: connection ended");
            self.outbox.close();
        } else if !is_watched {
            self.watch_room();
        }
    }

    /// Has what is overdue sent when there is room.
    fn watch_room(self: &Arc<Self>) {
        let Some(system) = self.system() else { return };
        let session = Arc::clone(self);
        let watched = system.loops().and_then(|loops| {
            loops.start_near(move || async move {
                loop {
                    let room = session.outbox.room();
                    if session.is_lost() || session.send_overdue() {
                        return;
                    }
                    room.await;
                }
            })
        });
        if let Err(error) = watched {
            tracing::error!(peer = %self.peer, %error, "what waits for it cannot be sent");
            self.outbox.close();
        }
    }

    /// True if nothing is left.
    fn send_overdue(&self) -> bool {
        let mut overdue = self.overdue.lock();
        for lane in [1, 0] {
            while let Some(frame) = overdue.lanes[lane].pop_front() {
                let bytes = frame.len();
                if let Err(PushError::Full(frame)) = self.outbox.try_push(LANES[lane], frame) {
                    overdue.lanes[lane].push_front(frame);
                    break;
                }
                overdue.bytes -= bytes;
            }
        }
        let is_over = overdue.lanes.iter().all(VecDeque::is_empty);
        overdue.is_watched = !is_over;
        is_over
    }

    /// Ends the connection because of what the peer does.
    pub(super) fn end(&self, why: &str) {
        if !self.is_lost() {
            tracing::error!(peer = %self.peer, session = self.number, why, "connection ended");
        }
        self.lose();
    }

    /// A new channel from here, by the frame that `head` makes for its number.
    pub(super) fn open(
        self: &Arc<Self>,
        inbox: &Arc<Inbox>,
        head: impl FnOnce(u64) -> Frame,
        body: &[u8],
    ) -> u64 {
        // Held while the frame is sent: channels are opened in the order of their numbers.
        let mut ours = self.ours.lock();
        ours.last += 1;
        let channel = ours.last;
        ours.open.insert(channel, Arc::downgrade(inbox));
        self.send(0, &head(channel), body);
        channel
    }

    /// A channel from here is not used any more.
    pub(super) fn release(&self, channel: u64) {
        self.ours.lock().open.remove(&channel);
    }

    /// Where frames of the far end of a channel go; nothing if it is not used any more.
    pub(super) fn inbox(&self, channel: u64) -> Result<Option<Arc<Inbox>>, Nonsense> {
        let ours = self.ours.lock();
        if channel > ours.last {
            return Err(Nonsense::OutOfTurn("a frame of a channel that was never opened"));
        }
        Ok(ours.open.get(&channel).and_then(Weak::upgrade))
    }

    /// The peer opens a channel. False if it has too many.
    pub(super) fn accept(&self, channel: u64, their: Their) -> Result<bool, Nonsense> {
        let mut theirs = self.theirs.lock();
        if channel <= theirs.last {
            return Err(Nonsense::OutOfTurn("a channel that was opened before"));
        }
        theirs.last = channel;
        if theirs.open.len() >= CHANNELS_MAX {
            return Ok(false);
        }
        theirs.open.insert(channel, their);
        Ok(true)
    }

    /// A channel that the peer has opened; nothing if it is over.
    pub(super) fn their(&self, channel: u64) -> Result<Option<Their>, Nonsense> {
        let theirs = self.theirs.lock();
        if channel > theirs.last {
            return Err(Nonsense::OutOfTurn("a frame of a channel that was never opened"));
        }
        Ok(theirs.open.get(&channel).cloned())
    }

    /// What the peer waits for is there; false if it does not wait any more.
    pub(super) fn settle(&self, channel: u64, inlet: &Arc<Inlet>) -> bool {
        let mut theirs = self.theirs.lock();
        let Some(their) = theirs.open.get_mut(&channel) else { return false };
        *their = Their::Open(Arc::clone(inlet));
        // Lost in the meantime: then nobody takes care of it any more.
        drop(theirs);
        !self.is_lost()
    }

    /// The same for a channel that waits for a name; false also if somebody else has been found.
    pub(super) fn settle_finding(&self, channel: u64, inlet: &Arc<Inlet>) -> bool {
        let mut theirs = self.theirs.lock();
        match theirs.open.get_mut(&channel) {
            Some(their @ Their::Finding { .. }) => {
                *their = Their::Open(Arc::clone(inlet));
                true
            }
            Some(Their::Starting | Their::Open(_)) | None => false,
        }
    }

    /// A channel of the peer is over.
    pub(super) fn drop_their(&self, channel: u64) -> Option<Their> {
        self.theirs.lock().open.remove(&channel)
    }

    /// The channels of the peer that wait for a name.
    pub(super) fn finding(&self, wanted: &str) -> Vec<(u64, Role)> {
        let theirs = self.theirs.lock();
        let waiting = theirs.open.iter().filter_map(|(channel, their)| match their {
            Their::Finding { name, role } if **name == *wanted => Some((*channel, role.clone())),
            Their::Finding { .. } | Their::Starting | Their::Open(_) => None,
        });
        waiting.collect()
    }

    pub(super) fn has_received(&self, frames: &[Bytes]) {
        let bytes: usize = frames.iter().map(Bytes::len).sum();
        self.traffic.frames_received.fetch_add(frames.len() as u64, Ordering::Relaxed);
        self.traffic.bytes_received.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
