//! A run as data: what `--json` prints.

use palco_fibers::lab::{Call, Cores, Event, Outcome, What};
use serde::Serialize;

use super::Run;
use super::span::nanoseconds;

/// Settings, figures and events of a run. Times are nanoseconds; events count from the start of the run.
#[derive(Clone, Debug, Serialize)]
pub struct RunView {
    /// `ult`, `offload`, `go` or `solaris`.
    pub policy: &'static str,
    /// What the policy did, for people.
    pub sentence: String,
    /// LWPs at the start.
    pub lwps: usize,
    /// Fibers that give way for ever.
    pub tickers: usize,
    /// Fibers that call.
    pub sleepers: usize,
    /// Calls of each of them.
    pub blocks: u32,
    /// How long a call sleeps.
    pub block_ns: u64,
    /// Whether all threads had the same core.
    pub one_core: bool,
    /// Turns of all tickers.
    pub ticker_turns: u64,
    /// Those at times when some call blocked.
    pub ticker_turns_while_blocked: u64,
    /// For each call, the longest time in which a ticker stood still; of these the median.
    pub gap_median_ns: u64,
    /// The longest of all.
    pub gap_longest_ns: u64,
    /// Calls made.
    pub calls: usize,
    /// Those during which no ticker had a turn.
    pub calls_without_a_turn: usize,
    /// From the wish for a call until its fiber ran again: the median.
    pub call_median_ns: u64,
    /// The longest.
    pub call_longest_ns: u64,
    /// What the policy adds to a system call that does not block: a median.
    pub extra_per_call_ns: u64,
    /// Until the last sleeper was done.
    pub total_ns: u64,
    /// If nobody ever waited for anything but its own call.
    pub ideal_ns: u64,
    /// LWPs at once, at most.
    pub lwps_most: usize,
    /// Threads that made calls.
    pub helpers: usize,
    /// Processors that were given to another LWP.
    pub handoffs: u64,
    /// LWPs that were added because all blocked.
    pub added: u64,
    /// How often a fiber moved to another LWP.
    pub migrations: u64,
    /// Events that are not in `events`.
    pub events_dropped: u64,
    /// What happened, by time.
    pub events: Vec<EventView>,
}

/// An event. Fields that it does not have are left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventView {
    /// When.
    pub at_ns: u64,
    /// Which thread: `LWP 0`, `helper 0`, `watcher`.
    pub lane: String,
    /// `ran`, `blocked`, `unblocked`, `shipped`, `handed_off`, `added`, `parked`, `ended`.
    pub what: &'static str,
    /// Whose turns or call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fibers: Vec<String>,
    /// Of `ran`: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u64>,
    /// Of `ran`: the end of the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ns: Option<u64>,
    /// Of `blocked` and `unblocked`: turns of all tickers so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticker_turns: Option<u64>,
    /// Of `handed_off`: from which LWP to which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lwps: Option<(u16, u16)>,
}

impl From<&Run> for RunView {
    fn from(run: &Run) -> Self {
        let Run { settings, outcome, events, dropped, extra_per_call } = run;
        let Outcome { calls, calls_without_a_turn, ticker_turns, .. } = *outcome;
        Self {
            policy: settings.policy.name(),
            sentence: run.sentence(),
            lwps: settings.lwps,
            tickers: settings.tickers,
            sleepers: settings.sleepers,
            blocks: settings.blocks,
            block_ns: match settings.call {
                Call::Sleep(length) => nanoseconds(length),
                Call::Short => 0,
            },
            one_core: settings.cores == Cores::One,
            ticker_turns,
            ticker_turns_while_blocked: run.turns_while_blocked(),
            gap_median_ns: nanoseconds(outcome.gap_median),
            gap_longest_ns: nanoseconds(outcome.gap_longest),
            calls,
            calls_without_a_turn,
            call_median_ns: nanoseconds(outcome.call_median),
            call_longest_ns: nanoseconds(outcome.call_longest),
            extra_per_call_ns: nanoseconds(*extra_per_call),
            total_ns: nanoseconds(outcome.total),
            ideal_ns: nanoseconds(outcome.ideal),
            lwps_most: outcome.lwps,
            helpers: outcome.helpers,
            handoffs: outcome.handoffs,
            added: outcome.added,
            migrations: outcome.migrations,
            events_dropped: *dropped,
            events: events.iter().map(EventView::from).collect(),
        }
    }
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        let bare =
            Self { at_ns: nanoseconds(event.at), lane: event.lane.to_string(), ..Self::default() };
        match event.what {
            What::Ran { fibers, turns, until } => Self {
                what: "ran",
                fibers: fibers.iter().map(|fiber| fiber.to_string()).collect(),
                turns: Some(turns),
                until_ns: Some(nanoseconds(until)),
                ..bare
            },
            What::Blocked { fiber, ticker_turns } => Self {
                what: "blocked",
                fibers: vec![fiber.to_string()],
                ticker_turns: Some(ticker_turns),
                ..bare
            },
            What::Unblocked { fiber, ticker_turns } => Self {
                what: "unblocked",
                fibers: vec![fiber.to_string()],
                ticker_turns: Some(ticker_turns),
                ..bare
            },
            What::Shipped { fiber } => {
                Self { what: "shipped", fibers: vec![fiber.to_string()], ..bare }
            }
            What::HandedOff { from, to } => {
                Self { what: "handed_off", lwps: Some((from, to)), ..bare }
            }
            What::Added => Self { what: "added", ..bare },
            What::Parked => Self { what: "parked", ..bare },
            What::Ended => Self { what: "ended", ..bare },
        }
    }
}

#[cfg(test)]
mod tests {
    use palco_fibers::lab::Policy;

    use super::super::run::tests::run;
    use super::*;

    #[test]
    fn an_event_has_the_fields_that_it_needs_and_no_others() {
        let view = serde_json::to_value(RunView::from(&run(Policy::Go))).unwrap();
        let expected = serde_json::json!({
            "at_ns": 1_000_000, "lane": "LWP 0", "what": "blocked", "fibers": ["sleeper 0"], "ticker_turns": 7,
        });
        assert_eq!(view["events"][2], expected);
        assert_eq!(view["events"][3]["lwps"], serde_json::json!([0, 1]));
        assert_eq!((&view["policy"], &view["block_ns"]), (&"go".into(), &5_000_000.into()));
    }
}
