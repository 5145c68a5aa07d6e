//! Runs of one scenario from many seeds, several at once. What comes of them does not depend on how many.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use palco_core::Time;
use palco_sim::{Figures, Report, Scenario, Violation};
use serde::Serialize;

use super::super::bench::BROKEN;
use crate::args::Seeds;

/// Runs that went wrong and are told one by one, at most: those with the smallest seeds.
const TOLD_MAX: usize = 20;

/// Violations of one run that are told, at most.
const VIOLATIONS_MAX: usize = 20;

/// What is to be run.
pub(super) struct Runs<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) seeds: Seeds,
    pub(super) jobs: usize,
}

/// What all runs came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) figures: Figures,
    /// Of all runs, whatever the order in which they ended.
    pub(super) digest: u64,
    /// By seed: the first violations of the first runs that went wrong.
    pub(super) violations: BTreeMap<u64, Vec<Violation>>,
    pub(super) runs_violated: u64,
    pub(super) violations_all: u64,
}

/// What all of it proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// Much was done, and no check objected.
    Sound,
    /// No operation was done, so there was nothing to object to.
    Idle,
    /// A check objected.
    Violated,
}

impl Verdict {
    pub(super) const fn of(violations: u64, done: u64) -> Self {
        match (violations, done) {
            (0, 0) => Self::Idle,
            (0, _) => Self::Sound,
            (_, _) => Self::Violated,
        }
    }

    /// The worst of all.
    pub(super) fn worst(all: impl Iterator<Item = Self>) -> Self {
        all.max().unwrap_or(Self::Idle)
    }

    pub(super) fn exit_code(self) -> ExitCode {
        match self {
            Self::Sound => ExitCode::SUCCESS,
            Self::Idle => ExitCode::FAILURE,
            Self::Violated => ExitCode::from(BROKEN),
        }
    }
}

impl Outcome {
    pub(super) const fn verdict(&self) -> Verdict {
        Verdict::of(self.violations_all, self.figures.done)
    }

    /// The smallest seed of a run that went wrong.
    pub(super) fn first_violated(&self) -> Option<u64> {
        self.violations.keys().next().copied()
    }

    fn add(&mut self, report: Report) {
        let Report { seed, mut violations, digest, figures, trace: _ } = report;
        self.figures.add(&figures);
        // A sum does not ask for an order; the mixing keeps two runs from taking each other's place.
        self.digest = self.digest.wrapping_add(mixed(mixed(seed) ^ digest));
        if violations.is_empty() {
            return;
        }
        self.runs_violated += 1;
        self.violations_all += violations.len() as u64;
        violations.truncate(VIOLATIONS_MAX);
        self.violations.insert(seed, violations);
        if self.violations.len() > TOLD_MAX {
            self.violations.pop_last();
        }
    }
}

impl Runs<'_> {
    /// Runs all; after each, `told` hears what has come of all so far.
    pub(super) fn all(&self, mut told: impl FnMut(&Outcome)) -> Outcome {
        let mut outcome = Outcome::default();
        let next = AtomicU64::new(0);
        let threads = self.jobs.min(usize::try_from(self.seeds.count()).unwrap_or(usize::MAX));
        thread::scope(|scope| {
            // Whoever is ahead waits for the one who counts.
            let (sender, reports) = mpsc::sync_channel(threads);
            for _ in 0..threads {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= self.seeds.count()
                            || sender.send(one(self.scenario, self.seeds.from + number)).is_err()
                        {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for report in reports {
                outcome.add(report);
                told(&outcome);
            }
        });
        outcome
    }
}

/// Each bit of the number changes about half of the result's: the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// One run. If it panics, that is what was wrong.
pub(super) fn one(scenario: &Scenario, seed: u64) -> Report {
    catch_unwind(AssertUnwindSafe(|| palco_sim::run(scenario, seed))).unwrap_or_else(|panic| {
        let what = format!("the run did not come to its end: {}", words(panic.as_ref()));
        let violations = vec![Violation { check: "panic", at: Time::START, what }];
        Report { seed, violations, ..Report::default() }
    })
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(seed: u64, violations: usize) -> Report {
        let violation =
            || Violation { check: "floor", at: Time::START, what: format!("in {seed}") };
        let violations = (0..violations).map(|_| violation()).collect();
        Report { seed, digest: seed * 31, violations, ..Report::default() }
    }

    #[test]
    fn the_order_in_which_runs_end_changes_nothing() {
        let reports = || (0..60).map(|seed| report(seed, usize::from(seed % 2 == 1)));
        let (mut there, mut back) = (Outcome::default(), Outcome::default());
        reports().for_each(|report| there.add(report));
        reports().rev().for_each(|report| back.add(report));
        assert_eq!((there.digest, there.violations.clone()), (back.digest, back.violations));
        assert_eq!(
            (there.runs_violated, there.first_violated(), there.violations.len()),
            (30, Some(1), TOLD_MAX)
        );
        assert_eq!(there.violations.last_key_value().map(|(seed, _)| *seed), Some(39));
    }

    #[test]
    fn two_runs_that_take_each_others_place_are_noticed() {
        let digest = |digests: [u64; 2]| {
            let mut outcome = Outcome::default();
            for (seed, digest) in (0..).zip(digests) {
                outcome.add(Report { seed, digest, ..Report::default() });
            }
            outcome.digest
        };
        assert_ne!(digest([5, 9]), digest([9, 5]));
    }

    #[test]
    fn what_a_panic_says_is_kept() {
        let panic = |panic: Box<dyn Any + Send>| words(panic.as_ref()).to_owned();
        assert_eq!(panic(Box::new("oh")), "oh");
        assert_eq!(panic(Box::new("oh".to_owned())), "oh");
        assert_eq!(panic(Box::new(7)), "it panicked without words");
    }

    #[test]
    fn a_run_that_does_nothing_proves_nothing() {
        assert_eq!(Outcome::default().verdict(), Verdict::Idle);
        assert_eq!(Verdict::of(0, 5), Verdict::Sound);
        assert_eq!(Verdict::of(1, 0), Verdict::Violated);
        let worst = |all: &[Verdict]| Verdict::worst(all.iter().copied());
        assert_eq!(worst(&[Verdict::Sound, Verdict::Idle]), Verdict::Idle);
        assert_eq!(worst(&[Verdict::Violated, Verdict::Idle, Verdict::Sound]), Verdict::Violated);
    }
}
