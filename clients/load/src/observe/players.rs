//! The actors of a stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam::utils::CachePadded;
use palco_actors::{Actor, ActorRef, Context, Failure, Handler, Message};
use parking_lot::Mutex;

use crate::cores;

/// Messages that one token makes. Then it is over, and another begins something new, as a request does.
pub(super) const HOPS: u64 = 10;

/// The deadline that every ask carries; never reached.
pub(super) const ASK_WITHIN: Duration = Duration::from_secs(60);

/// How often a pacer sends what is due.
const PACE: Duration = Duration::from_millis(10);

/// What is later than this part of a second is not caught up.
const LATE: u64 = 20;

/// What a turn has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    WarmUp,
    Measured,
    /// No new tokens, ticks and asks.
    Over,
}

/// The account of a turn. Each loop has its own line, and one more is for who is on none: so each has one writer.
pub(super) struct Book {
    lines: Box<[CachePadded<Line>]>,
    phase: CachePadded<AtomicU8>,
    /// How long the asks took that were measured, in nanoseconds.
    pub(super) latencies: Mutex<Vec<u64>>,
}

#[derive(Default)]
pub(super) struct Line {
    pub(super) tokens: Count,
    pub(super) messages: Count,
    pub(super) asks: Count,
}

/// With one writer.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    fn add(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

impl Book {
    pub(super) fn new(loops: usize) -> Self {
        let lines = (0..=loops).map(|_| CachePadded::default()).collect();
        let phase = CachePadded::new(AtomicU8::new(Phase::WarmUp as u8));
        Self { lines, phase, latencies: Mutex::default() }
    }

    fn line(&self, index: usize) -> &Line {
        &self.lines[index]
    }

    /// A token is about to be sent by somebody who is on no loop.
    pub(super) fn enter_token(&self) {
        self.line(self.lines.len() - 1).tokens.add();
    }

    pub(super) fn sum(&self, of: fn(&Line) -> &Count) -> u64 {
        self.lines.iter().map(|line| of(line).0.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }

    fn is(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    pub(super) fn is_over(&self) -> bool {
        self.is(Phase::Over)
    }

    /// Notes an ask that took from `begun` until now, if it is measured.
    pub(super) fn note_ask(&self, begun: Instant, latencies: &mut Vec<u64>) {
        let nanos = begun.elapsed().as_nanos();
        if self.is(Phase::Measured) {
            latencies.push(u64::try_from(nanos).unwrap_or(u64::MAX));
        }
    }
}

/// Passes tokens on, and answers.
pub(super) struct Runner {
    pub(super) book: Arc<Book>,
    /// The number of its loop.
    pub(super) line: usize,
    /// Whether a token that is over has a successor.
    pub(super) circulates: bool,
    /// Where its loop is to stay; else the kernel may put two of them on one core for a whole turn.
    pub(super) core: Option<usize>,
    pub(super) wiring: Option<Wiring>,
}

/// Known only once all have been started.
pub(super) struct Wiring {
    /// Gets the token next; on the same loop.
    pub(super) next: ActorRef<Runner>,
    /// Gets a new token; on another loop, if there is one.
    pub(super) far: ActorRef<Runner>,
}

/// With how many messages it has still to make, with this one.
pub(super) struct Token(pub(super) u64);

/// Answered with the next number.
pub(super) struct Question(pub(super) u64);

impl Actor for Runner {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Failure> {
        if let Some(core) = self.core {
            cores::confine(core);
        }
        Ok(())
    }
}

impl Message for Wiring {
    type Reply = ();
}

impl Message for Token {
    type Reply = ();
}

impl Message for Question {
    type Reply = u64;
}

impl Handler<Wiring> for Runner {
    async fn handle(&mut self, wiring: Wiring, _: &mut Context<Self>) {
        self.wiring = Some(wiring);
    }
}

impl Handler<Token> for Runner {
    async fn handle(&mut self, Token(left): Token, cx: &mut Context<Self>) {
        let line = self.book.line(self.line);
        line.messages.add();
        let Some(wiring) = &self.wiring else { return };
        // A token that finds no room shows in the account.
        if left > 1 {
            let _ = wiring.next.try_tell(Token(left - 1));
        } else if self.circulates && !self.book.is_over() {
            cx.begin_trace();
            line.tokens.add();
            let _ = wiring.far.try_tell(Token(HOPS));
        }
    }
}

impl Handler<Question> for Runner {
    async fn handle(&mut self, Question(number): Question, _: &mut Context<Self>) -> u64 {
        self.book.line(self.line).asks.add();
        number + 1
    }
}

/// Sends so many messages a second, as the first ones of tokens.
pub(super) struct Pacer {
    pub(super) book: Arc<Book>,
    pub(super) line: usize,
    pub(super) tokens_per_second: u64,
    pub(super) targets: Arc<[ActorRef<Runner>]>,
    pub(super) turn: usize,
    pub(super) sent: u64,
    pub(super) begun: Option<Instant>,
}

/// Time to send what is due.
pub(super) struct Tick;

impl Actor for Pacer {}

impl Message for Tick {
    type Reply = ();
}

impl Handler<Tick> for Pacer {
    async fn handle(&mut self, _: Tick, cx: &mut Context<Self>) {
        if self.book.is_over() {
            return;
        }
        cx.tell_after(PACE, Tick);
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let due = (begun.elapsed().as_secs_f64() * self.tokens_per_second as f64) as u64;
        self.sent = self.sent.max(due.saturating_sub(self.tokens_per_second / LATE));
        while self.sent < due {
            self.sent += 1;
            // Far from one to the next, so that all have their turn before one has its second.
            self.turn = (self.turn + 7) % self.targets.len();
            cx.begin_trace();
            self.book.line(self.line).tokens.add();
            let _ = self.targets[self.turn].try_tell(Token(HOPS));
        }
    }
}

/// Asks one question after the other, from within its handler.
pub(super) struct Asker {
    pub(super) book: Arc<Book>,
    pub(super) runner: ActorRef<Runner>,
}

/// Until the turn is over.
pub(super) struct Ask;

impl Actor for Asker {}

impl Message for Ask {
    type Reply = ();
}

impl Handler<Ask> for Asker {
    async fn handle(&mut self, _: Ask, cx: &mut Context<Self>) {
        let mut latencies = Vec::with_capacity(1 << 20);
        let mut number = 0;
        while !self.book.is_over() {
            cx.begin_trace();
            let begun = Instant::now();
            // A wrong answer ends it: then questions are missing in the account, and latencies as well.
            match self.runner.ask(Question(number), ASK_WITHIN).await {
                Ok(answer) if answer == number + 1 => number = answer,
                _ => return,
            }
            self.book.note_ask(begun, &mut latencies);
        }
        *self.book.latencies.lock() = latencies;
    }
}
