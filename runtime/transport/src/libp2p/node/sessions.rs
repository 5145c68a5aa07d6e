//! Sessions: their lanes, their life, their end.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ::libp2p::swarm::ConnectionId;
use futures_util::AsyncReadExt;
use futures_util::future::select;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::super::greeting::{Decided, Hello};
use super::super::stream::{Inward, Outward};
use super::connections::Streams;
use super::{Node, Told};
use crate::{Event, Lane, Outbox, Peer, Session};

/// How often in the time after which it would be lost a node says that it lives.
const BEATS: u32 = 4;

/// The session with a peer.
pub(super) struct Current {
    session: Session,
    connection: ConnectionId,
    outbox: Outbox,
    lanes: Vec<AbortHandle>,
    is_over: Arc<AtomicBool>,
    /// Counted by the lanes, and how many there were when it was last looked at.
    reads: Arc<AtomicU64>,
    reads_seen: u64,
    heard: Instant,
    began: Instant,
    /// Of the other node.
    pub(super) boot: u64,
    pub(super) decided: Decided,
}

impl Node {
    pub(super) fn begin_session(
        &mut self,
        id: ConnectionId,
        peer: Peer,
        streams: Streams,
        theirs: Hello,
        decided: Decided,
        first: Vec<u8>,
    ) {
        self.is_session(id);
        self.session_last += 1;
        let session = self.session_last;
        let (outbox, drains) = Outbox::new(self.settings.lane_bytes);
        let (is_over, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let introduction = theirs.introduction;
        self.hear.hear(Event::Connected { peer, session, introduction, outbox: outbox.clone() });

        let frame_bytes_max = self.settings.frame_bytes_max;
        let beat = (self.settings.lost_after / BEATS).max(std::time::Duration::from_millis(1));
        let mut first = Some(first);
        let mut lanes = Vec::new();
        for ((lane, stream), drain) in Lane::ALL.into_iter().zip(streams).zip(drains) {
            let (read, write) = stream.split();
            let inward = Inward {
                peer,
                session,
                lane,
                hear: Arc::clone(&self.hear),
                reads: Arc::clone(&reads),
                is_over: Arc::clone(&is_over),
                frame_bytes_max,
            };
            let (beat, first) = match lane {
                Lane::Urgent => (Some(beat), None),
                Lane::Normal => (None, first.take()),
                Lane::Bulk => (None, None),
            };
            let outward =
                Outward { drain, beat, first: first.unwrap_or_default(), frame_bytes_max };
            // Both directions on one task: a stream of yamux 0.13 that waits for room in its connection wakes the task that
            // asked last, so that of two tasks one may never be woken (libp2p/rust-yamux, issue 232).
            lanes.push(self.tasks.spawn(async move {
                let (why, _) =
                    select(pin!(inward.run(read)), pin!(outward.run(write))).await.factor_first();
                Told::LaneEnded { peer, session, why }
            }));
        }
        let now = Instant::now();
        let current = Current {
            session,
            connection: id,
            outbox,
            lanes,
            is_over,
            reads,
            reads_seen: 0,
            heard: now,
            began: now,
            boot: theirs.boot,
            decided,
        };
        self.sessions.insert(peer, current);
    }

    pub(super) fn on_lane_ended(&mut self, peer: Peer, session: Session, why: &str) {
        if self.sessions.get(&peer).is_some_and(|current| current.session == session) {
            self.end_session(peer, why);
        }
    }

    /// Ends the session with a peer, if there is one.
    pub(super) fn end_session(&mut self, peer: Peer, why: &str) {
        let Some(current) = self.sessions.remove(&peer) else { return };
        current.is_over.store(true, Ordering::Relaxed);
        current.outbox.close();
        current.lanes.iter().for_each(AbortHandle::abort);
        let (session, now) = (current.session, Instant::now());
        self.hear.hear(Event::Lost { peer, session, why: why.to_owned() });
        let (decides, lot) = (self.decides(peer), self.lots.draw());
        if let Some(sought) = self.sought.get_mut(&peer) {
            sought.ended(now.duration_since(current.began), now, lot);
            if !decides {
                sought.over = Some(current.decided);
            }
        }
        self.close(current.connection);
    }

    /// Looks who has been silent for too long.
    pub(super) fn look(&mut self) {
        let (now, lost_after) = (Instant::now(), self.settings.lost_after);
        // A node that was itself held up has not listened: what it missed says nothing about others.
        let was_held_up = now.duration_since(self.looked) >= lost_after / 2;
        self.looked = now;
        let mut silent = Vec::new();
        for (peer, current) in &mut self.sessions {
            let reads = current.reads.load(Ordering::Relaxed);
            if reads != current.reads_seen || was_held_up {
                current.reads_seen = reads;
                current.heard = now;
            } else if now.duration_since(current.heard) >= lost_after {
                silent.push(*peer);
            }
        }
        for peer in silent {
            let why = format!("it said nothing for {} ms", lost_after.as_millis());
            self.end_session(peer, &why);
        }
        self.close_overdue(now);
    }
}
