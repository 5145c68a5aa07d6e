//! What the fibers lived through, and the figures that follow from it.

use std::time::Duration;

use super::event::FiberId;

/// Times in which a ticker stood still are kept from this on, in nanoseconds: 5 µs. Shorter ones are not worth a word.
const GAP_MIN: u64 = 5_000;

/// Gaps that one ticker keeps; the longest is known all the same.
const GAPS_MAX: usize = 1 << 18;

/// One blocking call, as its fiber saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallTime {
    /// It was asked for.
    pub(super) from: u64,
    /// Its fiber went on.
    pub(super) until: u64,
    /// Turns of all tickers in between.
    pub(super) ticker_turns: u64,
}

/// What one fiber lived through. It goes with the fiber, so nobody else writes it.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) turns: u64,
    pub(super) migrations: u64,
    pub(super) calls: Vec<CallTime>,
    pub(super) longest_gap: u64,
    gaps: Vec<(u64, u64)>,
    last_turn: Option<u64>,
    last_lwp: Option<u16>,
    calling: Option<(u64, u64)>,
}

impl Record {
    /// Whether its last turn was on another LWP.
    pub(super) fn comes_from_elsewhere(&self, lwp: u16) -> bool {
        self.last_lwp.is_some_and(|last| last != lwp)
    }

    /// It is about to have a turn.
    pub(super) fn begins(&mut self, now: u64, lwp: u16, ticker_turns: impl Fn() -> u64) {
        self.migrations += u64::from(self.comes_from_elsewhere(lwp));
        self.last_lwp = Some(lwp);
        if let Some((from, turns)) = self.calling.take() {
            self.calls.push(CallTime { from, until: now, ticker_turns: ticker_turns() - turns });
        }
    }

    /// It had a turn.
    pub(super) fn had_turn(&mut self, now: u64) {
        self.turns += 1;
        let gap = now - self.last_turn.replace(now).unwrap_or(now);
        self.longest_gap = self.longest_gap.max(gap);
        if gap >= GAP_MIN && self.gaps.len() < GAPS_MAX {
            self.gaps.push((now - gap, now));
        }
    }

    /// It wants its call made.
    pub(super) fn calls(&mut self, now: u64, ticker_turns: u64) {
        self.calling = Some((now, ticker_turns));
    }

    /// The longest gap that has something of this time in it, at least [`GAP_MIN`]: gaps follow one another.
    fn longest_gap_in(&self, from: u64, until: u64) -> u64 {
        let first = self.gaps.partition_point(|&(_, end)| end <= from);
        let within = self.gaps[first..].iter().take_while(|&&(begin, _)| begin < until);
        within.map(|(begin, end)| end - begin).max().unwrap_or(0).max(GAP_MIN)
    }
}

/// Figures over all fibers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) ticker_turns: u64,
    pub(super) migrations: u64,
    pub(super) calls: usize,
    pub(super) calls_without_a_turn: usize,
    pub(super) call_median: Duration,
    pub(super) call_longest: Duration,
    pub(super) gap_median: Duration,
    pub(super) gap_longest: Duration,
}

impl Figures {
    pub(super) fn of(records: &[(FiberId, Record)]) -> Self {
        let tickers = || {
            records.iter().filter_map(|(id, record)| match id {
                FiberId::Ticker(_) => Some(record),
                FiberId::Sleeper(_) => None,
            })
        };
        let calls = || records.iter().flat_map(|(_, record)| &record.calls);
        let mut lengths: Vec<u64> = calls().map(|call| call.until - call.from).collect();
        let worst = |call: &CallTime| {
            tickers().map(|ticker| ticker.longest_gap_in(call.from, call.until)).max().unwrap_or(0)
        };
        let mut gaps: Vec<u64> = calls().map(worst).collect();
        Self {
            ticker_turns: tickers().map(|ticker| ticker.turns).sum(),
            migrations: records.iter().map(|(_, record)| record.migrations).sum(),
            calls: lengths.len(),
            calls_without_a_turn: calls().filter(|call| call.ticker_turns == 0).count(),
            call_median: median(&mut lengths),
            call_longest: Duration::from_nanos(lengths.last().copied().unwrap_or(0)),
            gap_median: median(&mut gaps),
            gap_longest: Duration::from_nanos(
                tickers().map(|ticker| ticker.longest_gap).max().unwrap_or(0),
            ),
        }
    }
}

/// The one in the middle, or the lower of two; leaves them sorted.
fn median(lengths: &mut [u64]) -> Duration {
    lengths.sort_unstable();
    let middle = lengths.len().saturating_sub(1) / 2;
    Duration::from_nanos(lengths.get(middle).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_belongs_to_every_call_that_it_overlaps() {
        let mut ticker = Record::default();
        for now in [1_000, 2_000, 52_000, 53_000, 153_000] {
            ticker.had_turn(now);
        }
        assert_eq!((ticker.turns, ticker.longest_gap), (5, 100_000));
        assert_eq!(ticker.longest_gap_in(0, 2_000), GAP_MIN);
        assert_eq!(ticker.longest_gap_in(51_000, 52_500), 50_000);
        assert_eq!(ticker.longest_gap_in(51_000, 53_500), 100_000);
        assert_eq!(ticker.longest_gap_in(153_000, 200_000), GAP_MIN);
    }

    #[test]
    fn a_call_ends_when_its_fiber_runs_again_wherever_that_is() {
        let mut ticker = Record::default();
        ticker.had_turn(0);
        ticker.had_turn(70_000);
        let mut sleeper = Record::default();
        sleeper.begins(1_000, 0, || 1);
        sleeper.calls(10_000, 1);
        sleeper.begins(60_000, 1, || 1);
        sleeper.calls(61_000, 1);
        sleeper.begins(91_000, 1, || 2);
        assert_eq!(sleeper.calls[0], CallTime { from: 10_000, until: 60_000, ticker_turns: 0 });
        let records = [(FiberId::Ticker(0), ticker), (FiberId::Sleeper(0), sleeper)];
        let figures = Figures::of(&records);
        assert_eq!((figures.calls, figures.calls_without_a_turn), (2, 1));
        assert_eq!((figures.migrations, figures.ticker_turns), (1, 2));
        assert_eq!(figures.call_median, Duration::from_micros(30));
        assert_eq!(figures.call_longest, Duration::from_micros(50));
        assert_eq!(figures.gap_median, Duration::from_micros(70));
    }

    #[test]
    fn without_calls_there_is_nothing_to_say() {
        assert_eq!(Figures::of(&[]), Figures::default());
    }
}
