//! A session: every row in every round, in changing order, until the figures have their evidence or the time is over.
//!
//! Never all rounds of one row and then all of the next: the machine drifts, and what lies between two rows would be the
//! drift. Three quarters of the budget are planned for the rounds that were asked for. The last quarter is for rows that a
//! noisy moment took rounds from: they get more, together with the rows that they are compared with, but never more than
//! twice as many again.
//!
//! Before each round a canary sings, and again while it is slow, for a noisy moment may pass. A round counts if the last one
//! was within 5 % of the session's best. The best is what one of twenty canaries reached: where a neighbour shares the core
//! all the time, a lone lucky moment would else refuse every round of the session. The grade is not as kind; it counts from
//! the luckiest moment on. `keep_noisy` lets all rounds count, and the report says so.

use std::time::{Duration, Instant};

use crate::Subject;
use crate::environment::{Conditions, Witnessed};
use crate::report::{Comparison, Report, SCHEMA, Verdict};
use crate::statistics::{Bootstrap, verdict};

mod canary;
mod cell;
mod counters;
mod order;
mod trust;

use canary::Canary;
use cell::{Cell, Measure, Taken};
use order::Orders;

/// Rounds without which nothing can be said about what lies between rounds.
const ROUNDS_MIN: u32 = 3;

/// Rounds that a row may get, as a multiple of those that were asked for.
const ROUNDS_FACTOR_MAX: u32 = 3;

/// Part of the budget that the rounds that were asked for are planned to take.
const PLANNED: f64 = 0.75;

/// Canaries before a round: a noisy moment may pass meanwhile.
const CANARIES_MAX: u32 = 12;

/// Canaries before all rounds.
const CANARIES_FIRST: u32 = 20;

/// The part of the canaries that reached the session's best.
const CANARIES_BEST: f64 = 0.05;

/// The least that a subject is asked to take.
const ASK_NANOS_MIN: u64 = 100_000;

/// How a session is run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Rounds of every row; at least 3.
    pub rounds: u32,
    /// About how long the whole takes, the look at the machine not counted.
    pub budget: Duration,
    /// The order of rows in a round, and every interval, follow from it.
    pub order_seed: u64,
    /// Rounds count even when the machine was noisy just before.
    pub keep_noisy: bool,
    /// A first look: fewer resamples, a shorter look at the machine.
    pub quick: bool,
    /// The command line, for the report.
    pub command: String,
    /// The processor on which the canary sings: that of the rows on one core.
    pub processor: Option<usize>,
    /// Id of the row that hardware counters count for; the plain one of threads if nothing is said.
    pub counted: Option<String>,
}

impl Default for Settings {
    /// Seven rounds in twenty seconds.
    fn default() -> Self {
        Self {
            rounds: 7,
            budget: Duration::from_secs(20),
            order_seed: 1,
            keep_noisy: false,
            quick: false,
            command: String::new(),
            processor: None,
            counted: None,
        }
    }
}

/// How far a session is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Rounds of rows that are done.
    pub done: usize,
    /// Rounds of rows that are planned; grows where a row needs more.
    pub total: usize,
    /// How long the rest takes if it goes on like this.
    pub eta: Duration,
    /// [`crate::report::Row::id`] of what is measured next.
    pub row: &'a str,
}

/// Measures all `subjects` and compares `pairs` of them: the question, the id of the subject, the id of its baseline.
///
/// Rows that cannot be measured, or have too little evidence, stay in the report and say why. Nothing else can fail. Takes
/// about [`Settings::budget`], unless the subjects overrun what they are given.
pub(crate) fn run(
    subjects: Vec<Box<dyn Subject>>,
    pairs: &[(String, String, String)],
    settings: &Settings,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Report {
    let conditions = Conditions::look(settings.quick);
    let canary = Canary::new(settings.processor);
    Session::new(subjects, pairs, settings, &mut || canary.sing()).measure(conditions, progress)
}

struct Session<'a> {
    cells: Vec<Cell>,
    pairs: &'a [(String, String, String)],
    edges: Vec<(usize, usize)>,
    settings: &'a Settings,
    canary: &'a mut dyn FnMut() -> u64,
    /// Nanoseconds of every canary so far, at most [`CANARIES_MAX`] a round.
    sung: Vec<u64>,
    remarks: Vec<String>,
    begin: Instant,
    /// Nanoseconds that subjects were given, and that they took.
    asked: u64,
    spent: u64,
    done: usize,
}

impl<'a> Session<'a> {
    fn new(
        subjects: Vec<Box<dyn Subject>>,
        pairs: &'a [(String, String, String)],
        settings: &'a Settings,
        canary: &'a mut dyn FnMut() -> u64,
    ) -> Self {
        let (mut cells, mut remarks): (Vec<Cell>, _) = (Vec::new(), Vec::new());
        for cell in subjects.into_iter().map(Cell::new) {
            if cells.iter().any(|other| other.id == cell.id) {
                remarks.push(format!("two subjects are called {}: one was left out", cell.id));
            } else {
                cells.push(cell);
            }
        }
        let find = |id: &str| cells.iter().position(|cell| cell.id == id);
        let mut edges: Vec<(usize, usize)> = Vec::new();
        for (question, subject, baseline) in pairs {
            match (find(subject), find(baseline)) {
                (Some(subject), Some(baseline)) => edges.push((subject, baseline)),
                _ => remarks.push(format!("{question}: one of {subject} and {baseline} is no row")),
            }
        }
        edges.extend(trust::harness_and_bare(&cells));
        let sung = (0..CANARIES_FIRST).map(|_| canary()).collect();
        let begin = Instant::now();
        let (asked, spent, done) = (0, 0, 0);
        Self { cells, pairs, edges, settings, canary, sung, remarks, begin, asked, spent, done }
    }

    fn rounds(&self) -> u32 {
        self.settings.rounds.max(ROUNDS_MIN)
    }

    fn measure(mut self, conditions: Conditions, progress: &mut dyn FnMut(Progress<'_>)) -> Report {
        self.begin = Instant::now();
        let mut orders = Orders::new(self.edges.clone(), self.settings.order_seed);
        let deadline = self.begin + self.settings.budget.mul_f64(PLANNED);
        for round in 0..self.rounds() {
            let order = orders.next_round(self.cells.len());
            let left = deadline.saturating_duration_since(Instant::now());
            let ask = self.share(left, (self.rounds() - round) as usize * self.cells.len());
            let total = self.rounds() as usize * self.cells.len();
            self.round(round, &order, ask, total, progress);
        }
        self.extra_rounds(&mut orders, progress);
        let counters = self.counters();
        self.report(conditions, counters)
    }

    /// What each of `turns` may take of the time that is left, so that the whole takes as long as it may: subjects take
    /// more than they are asked to, as they start threads and processes and warm up.
    fn share(&self, left: Duration, turns: usize) -> u64 {
        let each = left.as_nanos() as f64 / turns.max(1) as f64;
        let kept = if self.spent == 0 { 1.0 } else { self.asked as f64 / self.spent as f64 };
        ((each * kept.clamp(0.1, 1.0)) as u64).max(ASK_NANOS_MIN)
    }

    fn round(
        &mut self,
        round: u32,
        order: &[usize],
        ask: u64,
        total: usize,
        progress: &mut dyn FnMut(Progress<'_>),
    ) {
        for &index in order {
            let average = self.begin.elapsed().as_secs_f64() / self.done.max(1) as f64;
            let left = if self.done == 0 {
                self.settings.budget.mul_f64(PLANNED)
            } else {
                Duration::from_secs_f64(average * total.saturating_sub(self.done) as f64)
            };
            progress(Progress { done: self.done, total, eta: left, row: &self.cells[index].id });
            self.take(round, index, ask);
            self.done += 1;
        }
    }

    fn take(&mut self, round: u32, index: usize, ask: u64) {
        if self.cells[index].unavailable.is_some() {
            return;
        }
        let begin = Instant::now();
        let canary = self.quiet_moment();
        let cell = &mut self.cells[index];
        match cell.subject.round(ask) {
            Ok(raw) => cell.taken.push(Taken::new(round, &raw, cell.key.section, canary)),
            Err(unavailable) => cell.unavailable = Some(unavailable.to_string()),
        }
        self.asked += ask;
        self.spent += u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
    }

    /// The canary just before a round; sings again, some times, while the machine is noisy.
    fn quiet_moment(&mut self) -> u64 {
        let slow = self.best() * crate::judge::CANARY_MAX;
        let mut nanos = u64::MAX;
        for _ in 0..CANARIES_MAX {
            nanos = (self.canary)();
            self.sung.push(nanos);
            if nanos as f64 <= slow {
                break;
            }
        }
        nanos
    }

    /// Nanoseconds of the session's best canary so far.
    fn best(&self) -> f64 {
        let mut sung = self.sung.clone();
        let rank = (CANARIES_BEST * sung.len() as f64) as usize;
        let rank = rank.min(sung.len().saturating_sub(1));
        sung.select_nth_unstable(rank).1.max(&mut 1).to_owned() as f64
    }

    /// How rounds are judged by what is known now.
    fn measure_now(&self) -> Measure {
        let needed = self.rounds().div_ceil(2).max(ROUNDS_MIN) as usize;
        Measure { best: self.best(), keep_noisy: self.settings.keep_noisy, needed }
    }

    /// More rounds for rows that lack valid ones through no fault of their own, and for what they are compared with.
    fn extra_rounds(&mut self, orders: &mut Orders, progress: &mut dyn FnMut(Progress<'_>)) {
        let deadline = self.begin + self.settings.budget;
        for round in self.rounds()..self.rounds() * ROUNDS_FACTOR_MAX {
            let lacking = self.lacking();
            let left = deadline.saturating_duration_since(Instant::now());
            if lacking.is_empty() || left.is_zero() {
                return;
            }
            let mut order = orders.next_round(self.cells.len());
            order.retain(|index| lacking.contains(index));
            let ask = self.share(left, order.len());
            // No longer than the rounds before: there may have to be several of these.
            let ask = ask.min((self.asked / self.done.max(1) as u64).max(ASK_NANOS_MIN));
            self.round(round, &order, ask, self.done + order.len(), progress);
        }
    }

    fn lacking(&self) -> Vec<usize> {
        let measure = self.measure_now();
        // A row of which no round ever had its evidence will not have it in the next.
        let may_recover = |index: usize| {
            let cell = &self.cells[index];
            cell.unavailable.is_none() && cell.taken.iter().any(|taken| taken.objection.is_none())
        };
        let mut lacking: Vec<usize> = (0..self.cells.len())
            .filter(|&index| {
                may_recover(index) && self.cells[index].valid(measure).count() < measure.needed
            })
            .collect();
        for &(a, b) in &self.edges {
            let pairs = self.cells[a].paired(&self.cells[b], measure).len();
            if may_recover(a) && may_recover(b) && pairs < measure.needed {
                lacking.extend([a, b]);
            }
        }
        lacking.sort_unstable();
        lacking.dedup();
        lacking
    }

    fn counters(&mut self) -> Vec<crate::report::Counter> {
        let ask = (self.asked / self.done.max(1) as u64).max(ASK_NANOS_MIN);
        let index = match &self.settings.counted {
            Some(wanted) => self.cells.iter().position(|cell| cell.id == *wanted),
            None => trust::harness(&self.cells),
        };
        let cell = index.map(|index| &mut self.cells[index]);
        let row = cell.as_ref().map(|cell| cell.id.clone()).or(self.settings.counted.clone());
        counters::count(&row.unwrap_or_default(), cell, ask)
    }

    fn report(mut self, conditions: Conditions, counters: Vec<crate::report::Counter>) -> Report {
        let seconds = self.begin.elapsed().as_secs_f64();
        let measure = self.measure_now();
        let resamples = if self.settings.quick { 1_000 } else { 5_000 };
        let bootstrap = Bootstrap { resamples, seed: self.settings.order_seed };
        let luckiest = self.sung.iter().copied().min().unwrap_or(1).max(1) as f64;
        let canaries = self.sung.iter().map(|&nanos| nanos as f64 / luckiest).collect();
        let witnessed = Witnessed { canaries, order_seed: self.settings.order_seed };
        let seen = conditions.look_again(&witnessed);
        let trust = trust::found(&self.cells, measure, bootstrap, counters);
        let mut remarks = seen.remarks;
        remarks.append(&mut self.remarks);
        remarks.extend(trust::warning(&trust));
        remarks.extend(trust::for_noise_alone(&self.cells, measure));
        if self.settings.keep_noisy {
            remarks.push("rounds of noisy moments count too, as was asked for".to_owned());
        }
        Report {
            schema: SCHEMA,
            command: self.settings.command.clone(),
            environment: seen.environment,
            grade: seen.grade,
            remarks,
            rounds: self.rounds(),
            seconds,
            rows: self.cells.iter().map(|cell| cell.row(measure, bootstrap)).collect(),
            comparisons: self.comparisons(measure, bootstrap),
            trust,
            peers: Vec::new(),
        }
    }

    fn comparisons(&self, measure: Measure, bootstrap: Bootstrap) -> Vec<Comparison> {
        let find = |id: &str| {
            let cell = self.cells.iter().find(|cell| cell.id == id)?;
            cell.refused(measure).is_none().then_some(cell)
        };
        let compare = |(question, subject, baseline): &(String, String, String)| {
            let mut comparison = Comparison {
                question: question.clone(),
                subject: subject.clone(),
                baseline: baseline.clone(),
                difference: None,
                ratio: None,
                verdict: Verdict::Unknown,
            };
            let Some((a, b)) = find(subject).zip(find(baseline)) else { return comparison };
            let pairs = a.paired(b, measure);
            if pairs.len() >= measure.needed && a.key.section.measure() == b.key.section.measure() {
                let name = format!("{subject} by {baseline}");
                comparison.difference = bootstrap.difference(&name, &pairs);
                comparison.ratio = bootstrap.ratio(&name, &pairs);
                let both = comparison.difference.zip(comparison.ratio);
                comparison.verdict =
                    both.map_or(Verdict::Unknown, |(d, r)| verdict(a.key.section, d, r));
            }
            comparison
        };
        self.pairs.iter().map(compare).collect()
    }
}

#[cfg(test)]
mod tests;
