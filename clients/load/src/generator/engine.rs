//! The thread that asks: between what the kernel says it looks whether a request is due.

use std::collections::VecDeque;
use std::io;
use std::iter::Peekable;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::connection::{Asked, Bytes, Connection, Failure, Shared, Step};
use super::events::Events;
use super::schedule::Moments;
use super::{Connections, CrowdCounts, Distribution, Error, Failures, Figures, Outcome, Plan};
use crate::{cores, cpu, stats};

/// How often somebody is told how far it has come.
const TELL_EVERY: u64 = 250_000_000;
/// How often it is looked whether somebody wants to stop, and which answers have taken too long, at most.
const SWEEP_EVERY: u64 = 10_000_000;
/// Requests begun before answers are read again.
const BATCH: usize = 128;
/// Bytes read at once.
const SCRATCH_BYTES: usize = 64 << 10;
/// A closed loop rests after a failure: a server that is gone is not hammered.
const REST: u64 = 10_000_000;

struct Engine<'a> {
    plan: &'a Plan,
    shared: Shared<'a>,
    connections: Vec<Connection>,
    /// Those without a request, the one that has rested longest first.
    free: VecDeque<usize>,
    /// Since when there has always been a free connection.
    free_since: u64,
    /// Requests that are due and not begun are those before now.
    moments: Peekable<Moments<'a>>,
    begun: Instant,
    warm_up: u64,
    end: u64,
    rests_until: u64,
    in_flight: usize,
    last_answer: u64,
    /// Good answers of each connection that is kept.
    answers: Vec<u64>,
    outcome: Outcome,
}

pub(super) fn run(
    plan: &Plan,
    figures: &SyncSender<Figures>,
    stop: &AtomicBool,
) -> Result<Outcome, Error> {
    if let Some(core) = plan.core {
        cores::confine(core);
    }
    let mut engine = Engine::new(plan).map_err(Error::Kernel)?;
    let cpu_before = cpu::thread_nanos();
    let idle = engine.ask(figures, stop).map_err(Error::Kernel)?;
    let cpu_nanos = cpu::thread_nanos() - cpu_before;
    Ok(engine.finish(idle, cpu_nanos))
}

impl<'a> Engine<'a> {
    fn new(plan: &'a Plan) -> io::Result<Self> {
        let is_per_request = plan.kept() == 0;
        let shared = Shared {
            address: plan.address,
            talk: &plan.talk,
            request: plan.talk.bytes(plan.address, is_per_request),
            is_per_request,
            events: Events::new()?,
            scratch: vec![0; SCRATCH_BYTES],
            bytes: Bytes::default(),
        };
        let kept = plan.kept();
        let mut connections: Vec<_> =
            (0..kept).map(|token| Connection::new(token, &plan.talk)).collect();
        for connection in &mut connections {
            // Who cannot connect now is counted when there is something to ask.
            let _ = connection.open(&shared);
        }
        let (warm_up, lasts) = (nanos(plan.warm_up), nanos(plan.lasts));
        Ok(Self {
            plan,
            shared,
            connections,
            free: (0..kept).collect(),
            free_since: 0,
            moments: plan.schedule.moments(plan.seed, warm_up + lasts).peekable(),
            begun: Instant::now(),
            warm_up,
            end: warm_up + lasts,
            rests_until: 0,
            in_flight: 0,
            last_answer: 0,
            answers: vec![0; kept],
            outcome: empty(),
        })
    }

    fn now(&self) -> u64 {
        nanos(self.begun.elapsed())
    }

    /// Asks until all is over; for how long there was nothing to do.
    fn ask(&mut self, figures: &SyncSender<Figures>, stop: &AtomicBool) -> io::Result<u64> {
        let within = nanos(self.plan.answer_within);
        let linger = nanos(self.plan.linger).min(within);
        let sweep_every = (within / 20).clamp(1_000_000, SWEEP_EVERY);
        let (mut tell_at, mut sweep_at, mut idle) = (TELL_EVERY, sweep_every, 0);
        let mut tokens = Vec::new();
        let mut now = self.now();
        loop {
            self.begin(now);
            // The whole time, also if nothing more is due: a crowd goes on.
            let is_over = now >= self.end && self.in_flight == 0 && self.moments.peek().is_none();
            if is_over || now >= self.end.saturating_add(linger) {
                break;
            }
            if now >= sweep_at {
                if stop.load(Ordering::Relaxed) {
                    self.end = self.end.min(now);
                    break;
                }
                self.sweep(now, within);
                sweep_at = now + sweep_every;
            }
            if now >= tell_at {
                // Who does not listen is not waited for.
                let _ = figures.try_send(self.figures(now));
                tell_at = now + TELL_EVERY;
            }
            let mut wake_at = self.next_due(now).min(sweep_at).min(tell_at);
            if now < self.end {
                wake_at = wake_at.min(self.end);
            }
            let limit = Duration::from_nanos(wake_at.saturating_sub(now));
            let before = self.now();
            let is_idle = self.shared.events.wait(limit, &mut tokens)?;
            now = self.now();
            if is_idle {
                idle += now - before;
            }
            for token in &tokens {
                self.go_on(*token);
            }
            if !tokens.is_empty() {
                now = self.now();
            }
        }
        Ok(idle)
    }

    /// When the next request can begin.
    fn next_due(&mut self, now: u64) -> u64 {
        let can_open = self.connections.len() < self.most();
        if self.free.is_empty() && !can_open {
            return u64::MAX;
        }
        if self.plan.schedule.is_closed() {
            return if now < self.end { self.rests_until } else { u64::MAX };
        }
        self.moments.peek().copied().unwrap_or(u64::MAX)
    }

    /// How many connections there may be.
    const fn most(&self) -> usize {
        let (Connections::Kept(most) | Connections::PerRequest(most)) = self.plan.connections;
        most
    }

    /// Begins what is due, as far as there are connections.
    fn begin(&mut self, mut now: u64) {
        for _ in 0..BATCH {
            if self.next_due(now) > now {
                return;
            }
            let intended = if self.plan.schedule.is_closed() {
                now
            } else {
                match self.moments.next() {
                    Some(moment) => moment,
                    None => return,
                }
            };
            let token = self.free.pop_front().unwrap_or_else(|| {
                let token = self.connections.len();
                self.connections.push(Connection::new(token, &self.plan.talk));
                token
            });
            if intended >= self.warm_up {
                self.outcome.intended += 1;
                self.outcome.sent += 1;
                if intended >= self.free_since {
                    self.outcome.lateness.record(now - intended);
                }
            }
            self.in_flight += 1;
            let step = self.connections[token].ask(Asked { intended, sent: now }, &mut self.shared);
            now = self.now();
            self.take(token, step, now);
        }
    }

    fn go_on(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let step = connection.go_on(&mut self.shared);
        if !matches!(step, Step::Waiting) {
            let now = self.now();
            self.take(token, step, now);
        }
    }

    /// What a connection has come to.
    fn take(&mut self, token: usize, step: Step, now: u64) {
        let (failure, text) = match step {
            Step::Waiting => return,
            Step::Answered => {
                let Some(asked) = self.over(token, now) else { return };
                self.last_answer = now;
                if asked.intended >= self.warm_up {
                    self.outcome.answered += 1;
                    if let Some(answers) = self.answers.get_mut(token) {
                        *answers += 1;
                    }
                    self.outcome.response.record(now - asked.intended);
                    self.outcome.service.record(now - asked.sent);
                }
                return;
            }
            Step::Failed(failure, text) => (failure, text),
        };
        let Some(asked) = self.over(token, now) else { return };
        self.rests_until = now + REST;
        self.outcome.error = Some(text);
        if asked.intended < self.warm_up {
            return;
        }
        let failed = &mut self.outcome.failed;
        match failure {
            Failure::Refused => failed.refused += 1,
            Failure::Reset => failed.reset += 1,
            Failure::ClosedEarly => failed.closed_early += 1,
            Failure::WrongAnswer => failed.wrong_answer += 1,
            Failure::NotSent => {
                failed.not_sent += 1;
                self.outcome.sent -= 1;
                self.outcome.response.record(now - asked.intended);
            }
        }
    }

    /// A connection is free again; what it had been asked.
    fn over(&mut self, token: usize, now: u64) -> Option<Asked> {
        let asked = self.connections[token].asked.take()?;
        self.release(token, now);
        Some(asked)
    }

    fn release(&mut self, token: usize, now: u64) {
        self.in_flight -= 1;
        if self.free.is_empty() && self.connections.len() == self.most() {
            self.free_since = now;
        }
        self.free.push_back(token);
    }

    /// Gives up what has taken too long.
    fn sweep(&mut self, now: u64, within: u64) {
        for token in 0..self.connections.len() {
            let is_late = |asked: Asked| now.saturating_sub(asked.sent) >= within;
            if self.connections[token].asked.is_some_and(is_late) {
                self.give_up(token, now);
            }
        }
    }

    fn give_up(&mut self, token: usize, now: u64) {
        let Some(asked) = self.connections[token].give_up(&self.shared) else { return };
        self.release(token, now);
        self.outcome.error = Some("no answer in time".to_owned());
        if asked.intended >= self.warm_up {
            self.outcome.failed.timed_out += 1;
            self.outcome.response.record(now - asked.intended);
        }
    }

    fn figures(&self, now: u64) -> Figures {
        Figures {
            elapsed: Duration::from_nanos(now),
            is_warming_up: now < self.warm_up,
            sent: self.outcome.sent,
            answered: self.outcome.answered,
            failed: self.outcome.failed.all(),
            in_flight: self.in_flight,
            response: self.outcome.response.clone(),
            cpu: Duration::from_nanos(cpu::thread_nanos()),
            error: self.outcome.error.clone(),
        }
    }

    /// What is still open counts with the time it has waited.
    fn finish(mut self, idle: u64, cpu_nanos: u64) -> Outcome {
        let now = self.now();
        for token in 0..self.connections.len() {
            self.give_up(token, now);
        }
        let mut unsent = 0;
        for intended in self.moments.by_ref().take_while(|moment| *moment < self.end) {
            if intended >= self.warm_up {
                unsent += 1;
                self.outcome.response.record(now - intended);
            }
        }
        let mut outcome = self.outcome;
        outcome.intended += unsent;
        outcome.failed.not_sent += unsent;
        let over = self.end.max(self.last_answer).min(now).saturating_sub(self.warm_up);
        outcome.elapsed = Duration::from_nanos(over);
        outcome.cpu = Duration::from_nanos(cpu_nanos);
        outcome.busy = 1.0 - idle as f64 / now.max(1) as f64;
        outcome.fairness = stats::jain(self.answers.iter().map(|answers| *answers as f64));
        outcome.bytes_in = self.shared.bytes.received;
        outcome.bytes_out = self.shared.bytes.sent;
        outcome.warn(self.plan.schedule.is_closed());
        outcome
    }
}

fn empty() -> Outcome {
    Outcome {
        intended: 0,
        sent: 0,
        answered: 0,
        failed: Failures::default(),
        response: Distribution::new(),
        service: Distribution::new(),
        lateness: Distribution::new(),
        elapsed: Duration::ZERO,
        cpu: Duration::ZERO,
        busy: 0.0,
        fairness: None,
        bytes_in: 0,
        bytes_out: 0,
        crowd: CrowdCounts::default(),
        error: None,
        warnings: Vec::new(),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
