//! In the process: what goes back to the address, collected and sent in one write per turn.

use std::collections::HashMap;
use std::hint;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::time::{ClockId, clock_gettime};
use parking_lot::Mutex;
use serde_json::Value;

use super::child::went_well;
use super::page::Page;
use super::ring::{Patience, Ring};
use super::turn::Turn;
use super::wire::{FromChild, Incoming, Progress, WireError, append, append_with};
use crate::grant::{CallError, Calling, Homeward, Outcome};
use crate::reply::{Responder, reply_pair};
use crate::vitals::Phase;

/// Bytes that wait to be sent beyond which calls to granted actors are refused.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// Room that is kept for the next frames.
const KEPT_BYTES: usize = 16 << 10;

/// How long to wait for room in a full ring before looking again.
const ROOM_LOOK_MS: u16 = 10;

/// How many steps may be said that nobody has taken in.
const STEPS_AHEAD_MAX: u64 = 256;

/// The one way out of an actor's process.
pub(crate) struct Post {
    out: Mutex<Out>,
    stream: UnixStream,
    /// In place of the socket, which is its doorbell then. Only the loop's thread uses it.
    ring: Option<Mutex<Ring>>,
    /// For the socket, if there is no ring.
    patience: Mutex<Patience>,
    /// What has been read from the socket.
    bytes_read: AtomicU64,
    pub(crate) page: &'static Page,
    pub(crate) turn: Arc<Turn>,
    frame_bytes_max: usize,
    steps_sent: AtomicU64,
}

#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    /// Room in which replies are written down; empty.
    spare: Vec<u8>,
    /// Calls that have no answer yet.
    calls: HashMap<u64, Responder<Outcome>>,
    next_call: u64,
    reported: (Progress, u32),
}

impl Post {
    pub(super) fn new(
        stream: UnixStream,
        ring: Option<Ring>,
        page: &'static Page,
        turn: Arc<Turn>,
        frame_bytes_max: usize,
        spins_max: u32,
    ) -> Self {
        Self {
            out: Mutex::default(),
            stream,
            ring: ring.map(Mutex::new),
            patience: Mutex::new(Patience::reserved(spins_max)),
            bytes_read: AtomicU64::new(0),
            page,
            turn,
            frame_bytes_max,
            steps_sent: AtomicU64::new(0),
        }
    }

    pub(crate) fn send(&self, head: &FromChild, body: &[u8]) -> Result<(), WireError> {
        append(&mut self.out.lock().bytes, head, body, self.frame_bytes_max)
    }

    /// Sends all that waits. Blocks while the socket is full: who reads nothing gets nothing.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.out.lock().bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let sent = self.write(&bytes);
        if bytes.capacity() <= KEPT_BYTES {
            bytes.clear();
            let mut out = self.out.lock();
            if out.bytes.is_empty() {
                out.bytes = bytes;
            }
        }
        sent
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let Some(ring) = &self.ring else { return (&self.stream).write_all(bytes) };
        let mut ring = ring.lock();
        let mut rest = bytes;
        loop {
            let sent = ring.send(rest).map_err(io::Error::other)?;
            rest = &rest[sent..];
            if ring.must_ring() {
                (&self.stream).write_all(&[0])?;
            }
            if rest.is_empty() {
                return Ok(());
            }
            // Full: the other side rings when it has made room. Not for ever, because it may have been the last bell.
            ring.end().request_bell(true);
            let mut wait = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
            let is_rung =
                poll(&mut wait, PollTimeout::from(ROOM_LOOK_MS)).is_ok_and(|ready| ready > 0);
            if is_rung && !self.hear_bells()? {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    }

    /// Takes the bells that have been rung; false if there will be no more.
    fn hear_bells(&self) -> io::Result<bool> {
        match (&self.stream).read(&mut [0; 64]) {
            Ok(bells) => Ok(bells > 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Reads what has come on the normal lane; `heard` says that its socket has something. False at its end.
    pub(super) fn read(
        &self,
        socket: &UnixStream,
        heard: bool,
        incoming: &mut Incoming,
    ) -> Result<bool, WireError> {
        let Some(ring) = &self.ring else {
            let before = incoming.buffer().len();
            let is_open = if heard { went_well(incoming.read(socket))? } else { true };
            let bytes = incoming.buffer().len() - before;
            self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
            return Ok(is_open);
        };
        let is_open = !heard || self.hear_bells().unwrap_or(false);
        ring.lock().receive(incoming.buffer())?;
        Ok(is_open)
    }

    /// Waits until the normal lane has something; for the first frame, before there is a loop. False at its end.
    pub(super) fn wait_and_read(
        &self,
        socket: &UnixStream,
        incoming: &mut Incoming,
    ) -> Result<bool, WireError> {
        let before = incoming.buffer().len();
        let mut heard = self.ring.is_none();
        loop {
            let is_open = self.read(socket, heard, incoming)?;
            if !is_open || incoming.buffer().len() > before {
                return Ok(is_open);
            }
            // With a ring: the next read waits for a bell.
            heard = self.may_wait();
        }
    }

    pub(super) fn has_ring(&self) -> bool {
        self.ring.is_some()
    }

    /// Whether the normal lane has something; looks for a moment.
    pub(super) fn spin(&self) -> bool {
        if let Some(ring) = &self.ring {
            let mut ring = ring.lock();
            self.ring_for_room(&mut ring);
            return ring.spin();
        }
        let mut patience = self.patience.lock();
        let read = self.bytes_read.load(Ordering::Relaxed);
        for _ in 0..patience.spins() {
            if self.page.bytes_sent() > read {
                patience.learn(true);
                return true;
            }
            if self.wants_a_turn() || self.turn.is_due() {
                return false;
            }
            hint::spin_loop();
        }
        patience.learn(false);
        false
    }

    /// Whether the loop may wait for its sockets: nothing has come through the ring.
    pub(super) fn may_wait(&self) -> bool {
        self.ring.as_ref().is_none_or(|ring| {
            let mut ring = ring.lock();
            self.ring_for_room(&mut ring);
            ring.may_wait()
        })
    }

    fn ring_for_room(&self, ring: &mut Ring) {
        if ring.must_ring_for_room() {
            // A broken socket shows where it is read.
            let _ = (&self.stream).write_all(&[0]);
        }
    }

    /// Sends a frame whose body is written in place.
    pub(super) fn send_with(
        &self,
        head: &FromChild,
        body: impl FnOnce(&mut Vec<u8>) -> Result<(), postcard::Error>,
    ) -> Result<(), WireError> {
        // Not under the lock: how a reply is written down is not this module's code.
        let mut frame = std::mem::take(&mut self.out.lock().spare);
        let appended = append_with(&mut frame, head, self.frame_bytes_max, body);
        let mut out = self.out.lock();
        out.bytes.extend_from_slice(&frame);
        if frame.capacity() <= KEPT_BYTES {
            frame.clear();
            out.spare = frame;
        }
        appended
    }

    /// An ask has been dealt with. The reply says it all: no progress needs to be told.
    pub(super) fn has_replied(&self, lane: usize) {
        self.out.lock().reported.0.done[lane] = self.page.standing().done[lane];
        // At once: somebody waits. A broken socket shows where it is read.
        let _ = self.flush();
    }

    /// Says how far the actor has come, if that is news, and sends all that waits.
    pub(crate) fn report(&self) -> io::Result<()> {
        let standing = self.page.standing();
        let now =
            (Progress { done: standing.done, rests: self.page.is_held() }, self.page.signals());
        let is_news = std::mem::replace(&mut self.out.lock().reported, now) != now;
        if is_news {
            // A frame of a few bytes always fits.
            let _ = self.send(&FromChild::Progress(now.0), &[]);
        }
        self.flush()
    }

    /// Whether the loop has urgent messages to read before the next message is handled.
    pub(crate) fn wants_a_turn(&self) -> bool {
        self.page.urgent_sent() > self.turn.urgent_seen.load(Ordering::Relaxed)
    }

    /// A new phase of the actor's life.
    pub(crate) fn phase(&self, phase: Phase) {
        if phase == Phase::Running {
            let _ = self.send(&FromChild::Started, &[]);
            // A broken socket shows where it is read.
            let _ = self.flush();
        }
    }

    /// Says what the handler is doing, if somebody wants to know. If nobody takes it in, it is not said: a handler never
    /// waits for those who watch it.
    pub(crate) fn step(&self, what: &str, begins: bool) {
        if !self.page.is_watched() {
            return;
        }
        let ahead = self.steps_sent.load(Ordering::Relaxed).wrapping_sub(self.page.steps_taken());
        if ahead >= STEPS_AHEAD_MAX {
            return;
        }
        self.steps_sent.fetch_add(1, Ordering::Relaxed);
        let _ = self.send(&FromChild::Step { at_ns: monotonic_ns(), begins }, what.as_bytes());
        // At once: what comes next may block. A broken socket shows where it is read.
        let _ = self.flush();
    }

    /// The state, written down because somebody asked.
    pub(crate) fn state(&self, state: Option<&Value>) {
        let body = state.and_then(|state| serde_json::to_vec(state).ok()).unwrap_or_default();
        if self.send(&FromChild::State, &body).is_err() {
            let _ = self.send(&FromChild::State, b"\"larger than a frame\"");
        }
    }

    /// The answer to a call has come.
    pub(crate) fn answered(&self, call: u64, outcome: Outcome) {
        let responder = self.out.lock().calls.remove(&call);
        if let Some(responder) = responder {
            responder.answer(outcome);
        }
    }
}

impl Homeward for Post {
    fn tell(&self, grant: u32, message: &[u8]) -> bool {
        let fits = self.out.lock().bytes.len() < WAITING_BYTES_MAX;
        let sent = fits && self.send(&FromChild::Tell { grant }, message).is_ok();
        self.turn.wake_up();
        sent
    }

    fn call(&self, grant: u32, message: &[u8], within: Duration) -> Option<Calling> {
        let (responder, answer) = reply_pair::<Outcome>();
        let mut out = self.out.lock();
        if out.bytes.len() >= WAITING_BYTES_MAX {
            return None;
        }
        out.next_call += 1;
        let call = out.next_call;
        let head = FromChild::Call { call, grant, within };
        if append(&mut out.bytes, &head, message, self.frame_bytes_max).is_ok() {
            out.calls.insert(call, responder);
        } else {
            responder.answer(Err(CallError::Malformed));
        }
        drop(out);
        self.turn.wake_up();
        Some(Box::pin(async move { answer.await.map_err(CallError::No)? }))
    }
}

/// The machine's clock, the same in all processes.
pub(super) fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}
