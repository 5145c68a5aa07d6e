//! How far it is, for who sits at a terminal and waits.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use palco_measure::timeline::count;

use super::super::bench::{clear, show};
use super::runs::Outcome;

/// Who waits shorter than this need not be told anything.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How often a line is written.
const EVERY: Duration = Duration::from_millis(200);

pub(super) struct Progress {
    runs: u64,
    /// Of the modes before this.
    runs_before: u64,
    runs_done: u64,
    begun: Instant,
    mode_begun: Instant,
    told: Option<Instant>,
    is_seen: bool,
}

impl Progress {
    pub(super) fn new(runs: u64) -> Self {
        let now = Instant::now();
        let is_seen = stderr().is_terminal();
        Self {
            runs,
            runs_before: 0,
            runs_done: 0,
            begun: now,
            mode_begun: now,
            told: None,
            is_seen,
        }
    }

    /// After each run, with what came of all runs of its mode so far.
    pub(super) fn tell(&mut self, outcome: &Outcome) {
        let done = outcome.figures.runs;
        // Another mode has begun.
        if done < self.runs_done {
            (self.runs_before, self.mode_begun) =
                (self.runs_before + self.runs_done, Instant::now());
        }
        self.runs_done = done;
        let is_due = self.begun.elapsed() >= PATIENCE
            && self.told.is_none_or(|told| told.elapsed() >= EVERY);
        if !self.is_seen || !is_due {
            return;
        }
        self.told = Some(Instant::now());
        let seconds = self.mode_begun.elapsed().as_secs_f64().max(1e-3);
        show(format_args!(
            "{}/{} runs, {} operations a second, {} violations",
            count(self.runs_before + done),
            count(self.runs),
            count((outcome.figures.done as f64 / seconds) as u64),
            count(outcome.violations_all),
        ));
    }

    pub(super) fn clear(&self) {
        if self.told.is_some() {
            clear();
        }
    }
}
