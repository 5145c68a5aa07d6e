//! What a load has counted so far: written by its thread, read by whoever looks.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;

use crate::generator::{Figures, Outcome};

/// Over how long a rate is taken.
const RATE_OVER: Duration = Duration::from_secs(1);

/// The longest text of an error that is kept, in characters.
const ERROR_CHARS_MAX: usize = 200;

/// What a load has counted so far. Every request that was sent was answered, has failed or is in flight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveFigures {
    /// Whether it goes on.
    pub is_running: bool,
    /// For how long it has been, or had been, going on.
    pub elapsed: Duration,
    /// Requests begun.
    pub sent: u64,
    /// Good answers.
    pub answered: u64,
    /// Requests without a good answer: refused, broken, not connected.
    pub failed: u64,
    /// Requests that wait for their answer.
    pub in_flight: u64,
    /// Good answers a second, over the last second.
    pub per_s: f64,
    /// Response times in powers of two, from when a request was due: bucket `i` counts those below `2^i` microseconds and not below
    /// `2^(i-1)`; empty buckets at the end are left out.
    pub histogram: Vec<u64>,
    /// Processor time of the load's own thread.
    pub cpu: Duration,
    /// What went wrong last, if anything did.
    pub error: Option<String>,
}

/// The figures as they were last, and what their rate is taken from.
#[derive(Debug, Default)]
pub(super) struct Books(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    figures: LiveFigures,
    /// When how many had been answered, over the last second.
    answers: VecDeque<(Duration, u64)>,
}

impl Books {
    /// Of a load that has begun.
    pub(super) fn begun() -> Self {
        let books = Self::default();
        books.0.lock().figures.is_running = true;
        books
    }

    pub(super) fn note(&self, seen: &Figures) {
        let mut state = self.0.lock();
        let per_s = state.rate(seen.elapsed, seen.answered);
        state.figures = LiveFigures {
            is_running: true,
            elapsed: seen.elapsed,
            sent: seen.sent,
            answered: seen.answered,
            failed: seen.failed,
            in_flight: seen.in_flight as u64,
            per_s,
            histogram: seen.response.powers_of_two(),
            cpu: seen.cpu,
            error: seen.error.as_deref().map(shown),
        };
    }

    /// Nobody asks any more; what was never sent is no request.
    pub(super) fn end(&self, outcome: &Outcome) {
        self.0.lock().figures = LiveFigures {
            is_running: false,
            elapsed: outcome.elapsed,
            sent: outcome.sent,
            answered: outcome.answered,
            failed: outcome.failed.all() - outcome.failed.not_sent,
            in_flight: 0,
            per_s: 0.0,
            histogram: outcome.response.powers_of_two(),
            cpu: outcome.cpu,
            error: outcome.error.as_deref().map(shown),
        };
    }

    /// It could not begin.
    pub(super) fn fail(&self, why: &str) {
        let figures = &mut self.0.lock().figures;
        (figures.is_running, figures.error) = (false, Some(shown(why)));
    }

    pub(super) fn figures(&self) -> LiveFigures {
        self.0.lock().figures.clone()
    }
}

impl State {
    /// Answers a second, over the last second.
    fn rate(&mut self, now: Duration, answers: u64) -> f64 {
        self.answers.push_back((now, answers));
        while self.answers.len() > 2 && now - self.answers[1].0 >= RATE_OVER {
            self.answers.pop_front();
        }
        let (since, then) = self.answers[0];
        let seconds = (now - since).as_secs_f64();
        if seconds > 0.0 { (answers - then) as f64 / seconds } else { 0.0 }
    }
}

fn shown(error: &str) -> String {
    error.chars().take(ERROR_CHARS_MAX).collect()
}
