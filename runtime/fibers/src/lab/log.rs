//! What one thread has to tell, gathered without a lock and given away in chunks.

use std::time::Duration;

use super::event::{Event, FiberId, Fibers, Lane, What};
use super::world::World;

/// Events that travel together.
const CHUNK: usize = 256;

/// Turns of different fibers within this become one span: 50 µs.
const GRAIN: u64 = 50_000;

/// A span is told after this at the latest: 1 ms.
const SPAN_MAX: u64 = 1_000_000;

/// A chunk is given away after this even when it is not full, so that somebody can watch: 20 ms.
const FLUSH_AFTER: u64 = 20_000_000;

/// The same before the thread waits, perhaps for long: 1 ms.
const FLUSH_BEFORE_REST_AFTER: u64 = 1_000_000;

/// Turns that are not told yet.
struct Span {
    fibers: Fibers,
    from: u64,
    until: u64,
    turns: u64,
}

/// The log of one thread.
pub(super) struct Log<'w> {
    world: &'w World,
    lane: Lane,
    span: Option<Span>,
    chunk: Vec<Event>,
    flushed: u64,
}

impl<'w> Log<'w> {
    pub(super) fn new(world: &'w World, lane: Lane) -> Self {
        let mut log = Self { world, lane, span: None, chunk: Vec::new(), flushed: 0 };
        log.tell(world.now(), What::Added);
        log
    }

    /// A fiber had a turn here.
    pub(super) fn ran(&mut self, fiber: FiberId, from: u64, until: u64) {
        if let Some(span) = &mut self.span {
            let length = until - span.from;
            let is_alone = span.fibers == Fibers::only(fiber);
            if length < GRAIN || (is_alone && length < SPAN_MAX) {
                span.fibers = span.fibers.with(fiber);
                span.until = until;
                span.turns += 1;
                return;
            }
        }
        self.close();
        self.span = Some(Span { fibers: Fibers::only(fiber), from, until, turns: 1 });
    }

    /// Something else happened here.
    pub(super) fn tell(&mut self, at: u64, what: What) {
        self.close();
        self.push(at, what);
    }

    /// The thread goes into a call, which may be long: what it knows is given away before.
    pub(super) fn blocks(&mut self, at: u64, fiber: FiberId) {
        self.tell(at, What::Blocked { fiber, ticker_turns: self.world.ticker_turns() });
        if self.world.settings().call.length().as_nanos() >= u128::from(FLUSH_AFTER) {
            self.flush(at);
        }
    }

    /// The call has come back.
    pub(super) fn unblocks(&mut self, at: u64, fiber: FiberId) {
        self.tell(at, What::Unblocked { fiber, ticker_turns: self.world.ticker_turns() });
    }

    /// The thread waits for something to run.
    pub(super) fn parks(&mut self, at: u64) {
        self.tell(at, What::Parked);
        if at.saturating_sub(self.flushed) >= FLUSH_BEFORE_REST_AFTER {
            self.flush(at);
        }
    }

    fn close(&mut self) {
        if let Some(Span { fibers, from, until, turns }) = self.span.take() {
            self.push(from, What::Ran { fibers, turns, until: Duration::from_nanos(until) });
        }
    }

    fn push(&mut self, at: u64, what: What) {
        self.chunk.push(Event { at: Duration::from_nanos(at), lane: self.lane, what });
        if self.chunk.len() >= CHUNK || at.saturating_sub(self.flushed) >= FLUSH_AFTER {
            self.flush(at);
        }
    }

    fn flush(&mut self, at: u64) {
        self.flushed = at;
        if !self.chunk.is_empty() {
            self.world.give_away(std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK)));
        }
    }
}

impl Drop for Log<'_> {
    fn drop(&mut self) {
        let now = self.world.now();
        self.tell(now, What::Ended);
        self.flush(now);
    }
}
