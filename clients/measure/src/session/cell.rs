//! A cell of the matrix while it is measured, and the row that it becomes.

use crate::judge;
use crate::report::{Estimate, Round, Row};
use crate::statistics::{Bootstrap, Sample, pooled_quantiles};
use crate::{Key, Raw, Section, Side, Subject};

/// What a distribution is drawn from.
const QUANTILES: [f64; 41] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45,
    0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.975, 0.98, 0.985,
    0.99, 0.9925, 0.995, 0.9975, 0.998, 0.999, 0.9995, 0.9998, 0.9999,
];

/// A subject and its rounds so far.
pub(super) struct Cell {
    pub(super) subject: Box<dyn Subject>,
    pub(super) key: Key,
    pub(super) id: String,
    /// Why it is not asked again.
    pub(super) unavailable: Option<String>,
    pub(super) taken: Vec<Taken>,
}

/// A round that was taken, reduced to what a report needs.
pub(super) struct Taken {
    /// Which; rows that were measured in the same one are paired.
    pub(super) round: u32,
    /// What was found against it in itself; the canary is judged when the session's best is known.
    pub(super) objection: Option<String>,
    /// Nanoseconds of the canary just before.
    pub(super) canary: u64,
    /// Nothing if there was not one usable sample.
    pub(super) sample: Option<Sample>,
    p99: f64,
    samples: u64,
    ratios: Vec<f64>,
    touch: Option<f64>,
    pub(super) counts: Counts,
}

/// The counts of a [`Raw`] without its samples.
pub(super) struct Counts {
    pub(super) operations: u64,
    pub(super) bytes: u64,
    pub(super) cpu_nanos: Option<u64>,
    pub(super) switches: Option<u64>,
    pub(super) must_switch: Option<bool>,
    pub(super) has_turns: bool,
    pub(super) sides: usize,
    pub(super) tells_migrations: bool,
    pub(super) tells_foreign: bool,
}

impl Taken {
    pub(super) fn new(round: u32, raw: &Raw, section: Section, canary: u64) -> Self {
        let sample = Sample::of(&raw.samples);
        let tells = |what: fn(&Side) -> bool| !raw.sides.is_empty() && raw.sides.iter().all(what);
        let sum = |total: u64, side: &Side| total.saturating_add(judge::switches(*side));
        Self {
            round,
            objection: judge::evidence(raw, section).err(),
            canary,
            p99: sample.as_ref().map_or(0.0, |sample| sample.quantile(0.99)),
            sample,
            samples: raw.samples.len() as u64,
            ratios: judge::switch_ratios(raw),
            touch: raw.touch.filter(|touch| touch.is_finite()),
            counts: Counts {
                operations: raw.operations,
                bytes: raw.bytes,
                cpu_nanos: raw.cpu_nanos,
                switches: (!raw.sides.is_empty()).then(|| raw.sides.iter().fold(0, sum)),
                must_switch: raw.switches_expected.map(|expected| expected > 0.0),
                has_turns: raw.out_of_turn.is_some(),
                sides: raw.sides.len(),
                tells_migrations: tells(|side| side.migrations.is_some()),
                tells_foreign: tells(|side| side.foreign.is_some()),
            },
        }
    }
}

/// By what a round is judged beside itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    /// Nanoseconds of the session's best canary.
    pub(super) best: f64,
    /// Whether rounds of a noisy moment count too.
    pub(super) keep_noisy: bool,
    /// Rounds without which a row is refused.
    pub(super) needed: usize,
}

impl Measure {
    /// The canary before a round by the session's best.
    pub(super) fn canary(&self, taken: &Taken) -> f64 {
        taken.canary as f64 / self.best
    }

    fn invalid(&self, taken: &Taken) -> Option<String> {
        let noise = judge::quietness(self.canary(taken)).err().filter(|_| !self.keep_noisy);
        let reasons: Vec<String> = taken.objection.iter().cloned().chain(noise).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

impl Cell {
    pub(super) fn new(subject: Box<dyn Subject>) -> Self {
        let key = subject.key();
        let id = key.to_string();
        Self { subject, key, id, unavailable: None, taken: Vec::new() }
    }

    /// The rounds that count.
    pub(super) fn valid(&self, measure: Measure) -> impl Iterator<Item = &Taken> {
        self.taken.iter().filter(move |taken| measure.invalid(taken).is_none())
    }

    /// What is compared, round by round, with another cell: rounds in which both count.
    pub(super) fn paired<'a>(
        &'a self,
        baseline: &'a Self,
        measure: Measure,
    ) -> Vec<(&'a Sample, &'a Sample)> {
        let other = |round| baseline.valid(measure).find(|taken| taken.round == round);
        let pairs = self.valid(measure).filter_map(|taken| {
            Some((taken.sample.as_ref()?, other(taken.round)?.sample.as_ref()?))
        });
        pairs.collect()
    }

    /// Why there is no estimate, if there is none.
    pub(super) fn refused(&self, measure: Measure) -> Option<String> {
        if self.unavailable.is_some() {
            return self.unavailable.clone();
        }
        let (valid, all) = (self.valid(measure).count(), self.taken.len());
        if valid >= measure.needed {
            return None;
        }
        let why = self.taken.iter().find_map(|taken| measure.invalid(taken));
        let why = why.unwrap_or_else(|| "there was no time for more".to_owned());
        Some(format!("{valid} of {all} rounds count where {} must: {why}", measure.needed))
    }

    pub(super) fn row(&self, measure: Measure, bootstrap: Bootstrap) -> Row {
        let refused = self.refused(measure);
        let rounds = self.taken.iter().map(|taken| self.round(taken, measure)).collect();
        let mut row = Row {
            id: self.id.clone(),
            key: self.key.clone(),
            estimate: None,
            refused,
            quantiles: Vec::new(),
            touch: None,
            refill: None,
            switches: None,
            cpu: None,
            bytes_per_second: None,
            rounds,
        };
        if row.refused.is_none() {
            self.fill(&mut row, measure, bootstrap);
        }
        row
    }

    fn fill(&self, row: &mut Row, measure: Measure, bootstrap: Bootstrap) {
        let valid: Vec<&Taken> = self.valid(measure).collect();
        let samples: Vec<&Sample> =
            valid.iter().filter_map(|taken| taken.sample.as_ref()).collect();
        row.estimate = bootstrap.of_medians(&self.id, &samples);
        row.quantiles = pooled_quantiles(&samples, &QUANTILES);
        let touches: Vec<(&Sample, Sample)> = valid
            .iter()
            .filter_map(|taken| Some((taken.sample.as_ref()?, Sample::single(taken.touch?)?)))
            .collect();
        if touches.len() >= measure.needed {
            let alone: Vec<&Sample> = touches.iter().map(|(_, touch)| touch).collect();
            let pairs: Vec<_> = touches.iter().map(|(gross, touch)| (*gross, touch)).collect();
            row.touch = bootstrap.of_medians(&format!("{} touch", self.id), &alone);
            row.refill = bootstrap.difference(&format!("{} refill", self.id), &pairs);
        }
        row.switches = an_operation(&valid, |counts| counts.switches);
        row.cpu = an_operation(&valid, |counts| counts.cpu_nanos);
        let moved = an_operation(&valid, |counts| Some(counts.bytes));
        row.bytes_per_second = bytes_per_second(self.key.section, moved, row.estimate);
    }

    fn round(&self, taken: &Taken, measure: Measure) -> Round {
        Round {
            median: taken.sample.as_ref().map_or(0.0, Sample::median),
            p99: taken.p99,
            operations: taken.counts.operations,
            samples: taken.samples,
            canary: measure.canary(taken),
            switches: taken.ratios.clone(),
            invalid: measure.invalid(taken),
        }
    }
}

/// The sum over rounds by the sum of their operations; nothing unless every round tells.
fn an_operation(rounds: &[&Taken], count: impl Fn(&Counts) -> Option<u64>) -> Option<f64> {
    let mut total = 0.0;
    for taken in rounds {
        total += count(&taken.counts)? as f64;
    }
    let operations: f64 = rounds.iter().map(|taken| taken.counts.operations as f64).sum();
    (operations > 0.0).then(|| total / operations)
}

/// From the bytes that an operation moves and what the section's figure says about its time.
fn bytes_per_second(section: Section, moved: Option<f64>, cost: Option<Estimate>) -> Option<f64> {
    let (moved, cost) = (moved.filter(|&bytes| bytes > 0.0)?, cost?.value);
    match section {
        Section::IpcThroughput => Some(moved * cost),
        Section::Memory => None,
        Section::Floor
        | Section::Switch
        | Section::WorkingSet
        | Section::Ring
        | Section::Create
        | Section::IpcLatency => (cost > 0.0).then(|| moved * 1e9 / cost),
    }
}
