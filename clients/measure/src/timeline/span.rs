//! Events as stretches of time.

use std::collections::BTreeMap;

use palco_fibers::lab::{Event, FiberId, Fibers, Lane, What};

/// What a thread did for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It ran fibers.
    Ran { fibers: Fibers, turns: u64 },
    /// It was in the call of a fiber, during which tickers had turns.
    Blocked { fiber: FiberId, ticker_turns: u64 },
}

/// A stretch of time of one thread, in nanoseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) doing: Doing,
}

impl Span {
    pub(super) fn length(&self) -> u64 {
        self.until.saturating_sub(self.from)
    }

    /// How much of it lies between two times.
    pub(super) fn within(&self, from: u64, until: u64) -> u64 {
        self.until.min(until).saturating_sub(self.from.max(from))
    }
}

/// The spans of each thread that has any, by time. A call that has not come back lasts until `end`.
pub(super) fn spans<'e>(
    events: impl IntoIterator<Item = &'e Event>,
    end: u64,
) -> BTreeMap<Lane, Vec<Span>> {
    let mut lanes: BTreeMap<Lane, Vec<Span>> = BTreeMap::new();
    let mut calls: BTreeMap<Lane, (u64, FiberId, u64)> = BTreeMap::new();
    for event in events {
        let (at, lane) = (nanoseconds(event.at), event.lane);
        match event.what {
            What::Ran { fibers, turns, until } => {
                let doing = Doing::Ran { fibers, turns };
                let span = Span { from: at, until: nanoseconds(until), doing };
                lanes.entry(lane).or_default().push(span);
            }
            What::Blocked { fiber, ticker_turns } => {
                calls.insert(lane, (at, fiber, ticker_turns));
            }
            What::Unblocked { ticker_turns, .. } => {
                let Some((from, fiber, before)) = calls.remove(&lane) else { continue };
                let doing = Doing::Blocked { fiber, ticker_turns: ticker_turns - before };
                lanes.entry(lane).or_default().push(Span { from, until: at, doing });
            }
            What::Shipped { .. }
            | What::HandedOff { .. }
            | What::Added
            | What::Parked
            | What::Ended => {}
        }
    }
    for (lane, (from, fiber, _)) in calls {
        let doing = Doing::Blocked { fiber, ticker_turns: 0 };
        lanes.entry(lane).or_default().push(Span { from, until: end.max(from), doing });
    }
    lanes
}

pub(super) fn nanoseconds(length: std::time::Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use palco_fibers::lab::Policy;

    use super::super::run::tests::run;
    use super::*;

    #[test]
    fn a_call_is_a_span_from_its_beginning_to_its_end_or_to_now() {
        let events = run(Policy::Go).events;
        let all = spans(&events, 20_000_000);
        let blocked = |lane: &Lane| {
            let spans = all[lane].iter().filter(|span| matches!(span.doing, Doing::Blocked { .. }));
            spans.map(|span| (span.from, span.until)).collect::<Vec<_>>()
        };
        assert_eq!(blocked(&Lane::Lwp(0)), [(1_000_000, 6_000_000)]);
        assert_eq!(blocked(&Lane::Lwp(1)), [(6_000_000, 11_000_000)]);
        let unfinished = spans(&events[..3], 20_000_000);
        let last = unfinished[&Lane::Lwp(0)][1];
        assert_eq!((last.from, last.until, last.length()), (1_000_000, 20_000_000, 19_000_000));
        assert_eq!(last.within(0, 2_000_000), 1_000_000);
    }
}
