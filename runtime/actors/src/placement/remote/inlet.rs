//! The far end of a channel: messages come in, what became of them goes back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

use bytes::Bytes;
use event_listener::{Event, EventListener};
use parking_lot::Mutex;

use super::dock::Dock;
use super::home::Home;
use super::owed::Owed;
use super::session::Session;
use super::wire::{AHEAD_BYTES_MAX, AHEAD_MESSAGES_MAX, Frame, Nonsense};
use crate::DropReason;
use crate::signal::{self, INTERRUPT, KILL, STEP, SUSPEND};
use crate::vitals::AnyCell;

/// How many messages may be dealt with before that is told although more are waiting.
const TOLD_EVERY: u64 = 64;

/// All signals there are.
const SIGNALS: u32 = 0xff;

/// The far end of one channel.
pub(super) struct Inlet {
    pub(super) session: Arc<Session>,
    pub(super) channel: u64,
    pub(super) serves: Serves,
    takes_urgent: bool,
    dock: Arc<dyn Dock>,
    books: Mutex<Books>,
    /// Normal messages that urgent ones are to overtake, which are still on their way. Held while messages are put into
    /// the mailbox, so that they stay in their order.
    early: Mutex<VecDeque<Early>>,
    is_closed: AtomicBool,
    /// The next message that begins is news.
    is_idle: AtomicBool,
    /// Rung when there may be news for who attends to the life.
    news: Event,
}

/// Whom a channel leads to.
pub(super) enum Serves {
    /// An actor of its own.
    Exported,
    /// A life of an address on the other side, and its way home.
    Life(Arc<Home>),
}

#[derive(Default)]
struct Books {
    lanes: [Account; 2],
    /// A handler of a message that came here runs.
    is_running: bool,
    /// An interrupt is meant for a message that has not begun.
    is_interrupt_due: bool,
    /// Signals that have been raised, and of which has not been said that they have taken hold.
    raised: u32,
}

/// One lane's messages.
#[derive(Default)]
struct Account {
    received: u64,
    done: u64,
    told: u64,
    /// Bytes of those that are not done.
    bytes: usize,
    /// What became of messages before those ahead of them were done.
    parked: BTreeMap<u64, Outcome>,
}

struct Early {
    urgent_before: u64,
    number: u16,
    body: Bytes,
    owed: Owed,
}

/// What became of a message.
pub(super) enum Outcome {
    Done,
    Dropped(DropReason),
    /// The frame of a reply.
    Replied(Bytes),
}

impl Inlet {
    pub(super) fn new(
        session: &Arc<Session>,
        channel: u64,
        serves: Serves,
        takes_urgent: bool,
        dock: Arc<dyn Dock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            session: Arc::clone(session),
            channel,
            serves,
            takes_urgent,
            dock,
            books: Mutex::default(),
            early: Mutex::default(),
            is_closed: AtomicBool::new(false),
            is_idle: AtomicBool::new(false),
            news: Event::new(),
        })
    }

    pub(super) fn cell(&self) -> Arc<dyn AnyCell> {
        self.dock.cell()
    }

    pub(super) fn takes_urgent(&self) -> bool {
        self.takes_urgent
    }

    /// Sends a frame about a lane.
    pub(super) fn send(&self, lane: usize, head: &Frame, body: &[u8]) {
        self.session.send(lane, head, body);
    }

    /// A message has come over the wire.
    pub(super) fn message(
        self: &Arc<Self>,
        lane: usize,
        number: u16,
        is_ask: bool,
        urgent_before: u64,
        body: Bytes,
    ) -> Result<(), Nonsense> {
        if lane == 1 && !self.takes_urgent {
            return Err(Nonsense::OutOfTurn("an urgent message to who takes none"));
        }
        let mut early = self.early.lock();
        let (index, urgent_received) = {
            let mut books = self.books.lock();
            let index = books.lanes[lane].receive(body.len())?;
            (index, books.lanes[1].received)
        };
        let bytes = body.len();
        let owed = Owed::new(Arc::clone(self), lane, index, bytes, is_ask);
        if lane == 0 {
            if urgent_before > urgent_received + AHEAD_MESSAGES_MAX as u64 {
                return Err(Nonsense::OutOfTurn("a message behind urgent ones that cannot be"));
            }
            if urgent_before > urgent_received || !early.is_empty() {
                early.push_back(Early { urgent_before, number, body, owed });
                return Ok(());
            }
        }
        self.dock.clone().deliver(lane, number, &body, owed)?;
        while lane == 1
            && let Some(next) = early.front()
            && next.urgent_before <= urgent_received
            && let Some(next) = early.pop_front()
        {
            self.dock.clone().deliver(0, next.number, &next.body, next.owed)?;
        }
        Ok(())
    }

    /// A message's handler begins.
    pub(super) fn begin(&self) {
        let mut books = self.books.lock();
        books.is_running = true;
        let interrupt = std::mem::take(&mut books.is_interrupt_due);
        drop(books);
        if interrupt {
            signal::send(&self.dock.cell(), INTERRUPT);
        }
        // Against the fence in `rest`: either this sees that it rests, or it sees that something runs.
        fence(Ordering::SeqCst);
        if self.is_idle.load(Ordering::Relaxed) && self.is_idle.swap(false, Ordering::Relaxed) {
            self.news.notify(usize::MAX);
        }
    }

    /// Nothing runs: who attends to the life wants to know when something begins.
    pub(super) fn rest(&self) {
        self.is_idle.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// A handler has ended, or will not.
    pub(super) fn end(&self) {
        self.books.lock().is_running = false;
    }

    /// A message has been dealt with.
    pub(super) fn settle(&self, lane: usize, index: u64, bytes: usize, outcome: Outcome) {
        let mut books = self.books.lock();
        let account = &mut books.lanes[lane];
        account.bytes -= bytes;
        if index != account.done {
            account.parked.insert(index, outcome);
            return;
        }
        self.tell(lane, account, outcome);
        while let Some(outcome) = account.parked.remove(&account.done) {
            self.tell(lane, account, outcome);
        }
        let untold = account.done - account.told;
        let is_due =
            account.done == account.received || untold >= TOLD_EVERY || self.session.is_idle(lane);
        if untold > 0 && is_due {
            account.told = account.done;
            let head = Frame::Progress { channel: self.channel, done: account.done };
            self.send(lane, &head, &[]);
        }
    }

    fn tell(&self, lane: usize, account: &mut Account, outcome: Outcome) {
        let index = account.done;
        account.done += 1;
        match outcome {
            Outcome::Done => return,
            Outcome::Dropped(reason) => {
                let head = Frame::Dropped { channel: self.channel, index, reason };
                self.send(lane, &head, &[]);
            }
            Outcome::Replied(frame) => self.session.push(lane, frame),
        }
        account.told = account.done;
    }

    /// Messages dealt with, by lane.
    pub(super) fn done(&self) -> [u64; 2] {
        let books = self.books.lock();
        [0, 1].map(|lane| books.lanes[lane].done)
    }

    /// Signals of the address.
    pub(super) fn signals(
        &self,
        raised: u32,
        cleared: u32,
        handed: [u64; 2],
    ) -> Result<(), Nonsense> {
        if matches!(self.serves, Serves::Exported) || (raised | cleared) & !SIGNALS != 0 {
            return Err(Nonsense::OutOfTurn("signals that cannot be"));
        }
        let cell = self.dock.cell();
        let signals = &cell.vitals().signals;
        if cleared & SUSPEND != 0 {
            signals.clear(SUSPEND | STEP);
            signals.end_step();
            cell.wake();
        }
        let mut raised = raised;
        {
            let mut books = self.books.lock();
            books.raised = (books.raised | raised) & !cleared;
            let is_at_work = (0..2).any(|lane| books.lanes[lane].done < handed[lane]);
            // Meant for a message that has been handed over: not before its handler runs.
            if raised & INTERRUPT != 0 && is_at_work && !books.is_running {
                books.is_interrupt_due = true;
                raised &= !INTERRUPT;
            }
        }
        if raised != 0 {
            signal::send(&cell, raised);
        }
        self.news.notify(usize::MAX);
        Ok(())
    }

    /// The signals among `of` that have taken hold since they were raised.
    pub(super) fn taken(&self, of: u32) -> u32 {
        let mut books = self.books.lock();
        let waiting = if books.is_interrupt_due { INTERRUPT } else { 0 };
        let bits = self.dock.cell().vitals().signals.bits();
        let taken = books.raised & of & !bits & !waiting;
        books.raised &= !taken;
        taken
    }

    /// Whether this signal of the address is in force.
    pub(super) fn was_raised(&self, signal: u32) -> bool {
        self.books.lock().raised & signal != 0
    }

    pub(super) fn listen(&self) -> EventListener {
        self.news.listen()
    }

    /// Who has opened the channel does not want it any more, or is lost.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        if let Serves::Life(home) = &self.serves {
            home.lose();
        }
        self.early.lock().clear();
        self.news.notify(usize::MAX);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Kills the life at its next await point or checkpoint.
    pub(super) fn kill(&self) {
        signal::send(&self.dock.cell(), KILL);
    }
}

impl Account {
    /// One message more; its place in the lane.
    fn receive(&mut self, bytes: usize) -> Result<u64, Nonsense> {
        let ahead = self.received - self.done;
        let has_room = self.bytes < AHEAD_BYTES_MAX || self.bytes == 0;
        if ahead >= AHEAD_MESSAGES_MAX as u64 || !has_room {
            return Err(Nonsense::OutOfTurn("more messages than may be ahead"));
        }
        self.bytes += bytes;
        self.received += 1;
        Ok(self.received - 1)
    }
}
