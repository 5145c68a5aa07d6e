//! How long operations took and when none ended, in bounded memory however long a run is.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use palco_core::Time;
use palco_sim::history::Outcome;
use serde::Serialize;

use crate::Fault;

/// Stretches of equal length that a run is divided into.
const COLUMNS: usize = 480;

/// Latencies of each that are kept one by one.
const DOTS_MAX: u64 = 12;

/// The longest latency that is told from longer ones, in microseconds: two minutes.
const LATENCY_US_MAX: u64 = 120_000_000;

/// Gaps that are kept, at most; then only longer ones are.
const GAPS_MAX: usize = 20_000;

/// The shortest gap that is kept at first.
const GAP_MIN: Duration = Duration::from_millis(5);

/// A gap that began earlier than this before a fault is none of its making.
const AHEAD: Duration = Duration::from_millis(500);

/// So long after a fault nothing is called calm yet.
const CALM_AFTER: Duration = Duration::from_secs(1);

/// A time in which no operation ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// When the last operation before it ended, since the start.
    pub from: Duration,
    /// When the first operation after it ended.
    pub until: Duration,
}

impl Gap {
    /// How long it was.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.until.saturating_sub(self.from)
    }
}

/// How operations ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Answered.
    pub done: u64,
    /// Known not to have happened.
    pub failed: u64,
    /// Nobody knows.
    pub unknown: u64,
}

/// One stretch of the run.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) counts: Counts,
    /// Some latencies with their times, every one as likely to be kept.
    pub(crate) dots: Vec<(Duration, Duration)>,
    latencies: Histogram<u32>,
}

/// All that is counted.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) counts: Counts,
    pub(crate) columns: Vec<Column>,
    column: Duration,
    last: Duration,
    gaps: Vec<Gap>,
    gap_min: Duration,
    /// Nobody asks any more.
    is_over: bool,
    fault: Option<Fault>,
    quiet_since: Duration,
    calm: Histogram<u64>,
    during: BTreeMap<Fault, Histogram<u64>>,
    lots: u64,
}

/// Latencies of some operations, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latencies {
    /// How many operations.
    pub ops: u64,
    /// Half took less.
    pub p50_ms: f64,
    /// 99 of 100 took less.
    pub p99_ms: f64,
    /// 999 of 1 000 took less.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Latencies {
    fn of(histogram: &Histogram<u64>) -> Option<Self> {
        let ms = |q| histogram.value_at_quantile(q) as f64 / 1e3;
        (!histogram.is_empty()).then(|| Self {
            ops: histogram.len(),
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: ms(1.0),
        })
    }
}

impl Column {
    fn new() -> Self {
        Self { counts: Counts::default(), dots: Vec::new(), latencies: histogram(2) }
    }

    /// The latency that this share of the operations did not exceed.
    fn quantile(&self, q: f64) -> Option<Duration> {
        let has_any = !self.latencies.is_empty();
        has_any.then(|| Duration::from_micros(self.latencies.value_at_quantile(q)))
    }
}

fn histogram<C: hdrhistogram::Counter>(digits: u8) -> Histogram<C> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, digits).expect("the bounds are in order")
}

impl Figures {
    pub(crate) fn new(time: Duration) -> Self {
        let column = (time / COLUMNS as u32).max(Duration::from_millis(1));
        Self {
            counts: Counts::default(),
            columns: Vec::new(),
            column,
            last: Duration::ZERO,
            gaps: Vec::new(),
            gap_min: GAP_MIN,
            is_over: false,
            fault: None,
            quiet_since: Duration::ZERO,
            calm: histogram(3),
            during: BTreeMap::new(),
            lots: 1,
        }
    }

    /// A fault has begun, or none is there any more.
    pub(crate) fn fault(&mut self, fault: Option<Fault>, now: Time) {
        self.fault = fault;
        self.quiet_since = now - Time::START;
    }

    pub(crate) fn ended(&mut self, called: Time, at: Time, outcome: &Outcome) {
        let (called, at) = (called - Time::START, at - Time::START);
        // What ends after the run's time belongs to its end.
        let place = (at.as_nanos() / self.column.as_nanos()) as usize;
        let place = place.min(COLUMNS - 1);
        if self.columns.len() <= place {
            self.columns.resize_with(place + 1, Column::new);
        }
        let column = &mut self.columns[place];
        for counts in [&mut self.counts, &mut column.counts] {
            match outcome {
                Outcome::Done(_) => counts.done += 1,
                Outcome::Failed => counts.failed += 1,
                Outcome::Unknown => counts.unknown += 1,
            }
        }
        if outcome.done().is_none() {
            return;
        }
        let took = at.saturating_sub(called);
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, LATENCY_US_MAX);
        column.latencies.saturating_record(us);
        if column.counts.done <= DOTS_MAX {
            column.dots.push((at, took));
        } else {
            // Vitter's algorithm R, with Knuth's linear congruential numbers (MMIX).
            self.lots = self
                .lots
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let lot = (self.lots >> 33) % column.counts.done;
            if lot < DOTS_MAX {
                column.dots[lot as usize] = (at, took);
            }
        }
        match self.fault {
            Some(fault) => {
                self.during.entry(fault).or_insert_with(|| histogram(3)).saturating_record(us);
            }
            None if called >= self.quiet_since + CALM_AFTER => self.calm.saturating_record(us),
            None => {}
        }
        if !self.is_over {
            self.gap(Gap { from: self.last, until: at });
        }
        self.last = self.last.max(at);
    }

    fn gap(&mut self, gap: Gap) {
        if gap.length() < self.gap_min {
            return;
        }
        self.gaps.push(gap);
        while self.gaps.len() > GAPS_MAX {
            self.gap_min *= 2;
            self.gaps.retain(|gap| gap.length() >= self.gap_min);
        }
    }

    /// Clients stop now: what has not ended until then is a gap, and what ends late is none.
    pub(crate) fn stop(&mut self, now: Time) {
        self.is_over = true;
        let until = now - Time::START;
        self.gap(Gap { from: self.last, until });
        self.last = self.last.max(until);
    }

    /// Until when anything is known.
    pub(crate) fn lasted(&self) -> Duration {
        self.last
    }

    /// The longest gap of which a part lies in this time, which may be none of the noted ones.
    pub(crate) fn longest_gap(&self, from: Duration, until: Duration) -> Option<Gap> {
        let meets = |gap: &&Gap| gap.from < until && gap.until > from;
        self.gaps.iter().filter(meets).max_by_key(|gap| gap.length()).copied()
    }

    /// The longest gap that a fault of this time can have made: one that began in it, or so shortly before that it was no
    /// more than the time between two answers.
    pub(crate) fn longest_gap_by(&self, from: Duration, until: Duration) -> Option<Gap> {
        let begins = |gap: &&Gap| gap.from < until && gap.until > from && gap.from + AHEAD >= from;
        self.gaps.iter().filter(begins).max_by_key(|gap| gap.length()).copied()
    }

    /// The longest gaps, in no order.
    pub(crate) fn longest_gaps(&self, most: usize) -> Vec<Gap> {
        let mut gaps = self.gaps.clone();
        gaps.sort_unstable_by_key(|gap| std::cmp::Reverse(gap.length()));
        gaps.truncate(most);
        gaps
    }

    /// Where each stretch with an answer begins, and the median and the 99th percentile of its latencies.
    pub(crate) fn spread(&self) -> Vec<(Duration, Duration, Duration)> {
        let begins = (0_u32..).map(|number| self.column * number);
        let columns = begins.zip(&self.columns);
        columns.filter_map(|(at, of)| Some((at, of.quantile(0.5)?, of.quantile(0.99)?))).collect()
    }

    /// When nothing was wrong, nor had been for a second.
    pub(crate) fn calm(&self) -> Option<Latencies> {
        Latencies::of(&self.calm)
    }

    /// During faults of this kind.
    pub(crate) fn during(&self, fault: Fault) -> Option<Latencies> {
        Latencies::of(self.during.get(&fault)?)
    }
}

#[cfg(test)]
mod tests {
    use palco_rambo::Tag;
    use palco_sim::history::Done;

    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    fn done() -> Outcome {
        Outcome::Done(Done::Read { tag: Tag::ZERO, value: None })
    }

    #[test]
    fn gaps_lie_between_operations_that_ended_well() {
        let mut figures = Figures::new(Duration::from_secs(60));
        figures.ended(at(0), at(10), &done());
        figures.ended(at(0), at(50), &Outcome::Unknown);
        figures.ended(at(20), at(110), &done());
        figures.stop(at(130));
        let longest = figures.longest_gap(Duration::ZERO, Duration::MAX).unwrap();
        assert_eq!(longest.length(), Duration::from_millis(100));
        let last = figures.longest_gap(Duration::from_millis(115), Duration::MAX).unwrap();
        assert_eq!(last.length(), Duration::from_millis(20));
        assert_eq!(figures.counts, Counts { done: 2, failed: 0, unknown: 1 });
    }

    #[test]
    fn who_is_answered_after_the_end_makes_no_gap() {
        let mut figures = Figures::new(Duration::from_secs(60));
        figures.ended(at(0), at(10), &done());
        figures.stop(Time::START + Duration::from_millis(20));
        figures.ended(at(5), at(900), &done());
        let longest = figures.longest_gap(Duration::ZERO, Duration::MAX).unwrap();
        assert_eq!(longest.length().as_millis(), 10);
        assert_eq!(figures.counts.done, 2);
    }

    #[test]
    fn a_gap_that_was_there_before_is_not_made_by_a_fault() {
        let mut figures = Figures::new(Duration::from_secs(60));
        figures.ended(at(0), at(1), &done());
        figures.ended(at(0), at(4_001), &done());
        figures.ended(at(0), at(4_101), &done());
        let [before, second, late] = [900, 2_000, 4_050].map(Duration::from_millis);
        assert_eq!(
            figures.longest_gap_by(second, late).map(|gap| gap.length().as_millis()),
            Some(100)
        );
        assert_eq!(
            figures
                .longest_gap_by(before - Duration::from_millis(500), second)
                .map(|gap| gap.length().as_secs()),
            Some(4)
        );
    }

    #[test]
    fn what_is_kept_stays_bounded_and_the_longest_gap_stays() {
        let mut figures = Figures::new(Duration::from_secs(60));
        let mut now = 0;
        for number in 0..GAPS_MAX as u64 * 3 {
            now += 6 + number % 7 + if number == 9 { 5_000 } else { 0 };
            figures.ended(at(now - 1), at(now), &done());
        }
        assert!(figures.gaps.len() <= GAPS_MAX);
        let longest = figures.longest_gap(Duration::ZERO, Duration::MAX).unwrap();
        assert!(longest.length() > Duration::from_secs(5));
        assert!(figures.columns.len() <= COLUMNS);
        assert!(figures.columns.iter().all(|column| column.dots.len() as u64 <= DOTS_MAX));
    }

    #[test]
    fn calm_begins_a_while_after_a_fault() {
        let mut figures = Figures::new(Duration::from_secs(60));
        figures.fault(Some(Fault::Kill), at(0));
        figures.ended(at(0), at(40), &done());
        figures.fault(None, at(100));
        figures.ended(at(200), at(300), &done());
        figures.ended(at(1_200), at(1_202), &done());
        assert_eq!(figures.during(Fault::Kill).map(|of| of.ops), Some(1));
        assert_eq!(figures.calm().map(|of| of.ops), Some(1));
        assert_eq!(figures.during(Fault::Pause), None);
    }
}
