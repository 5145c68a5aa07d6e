//! One run of the lab, recorded.

use std::time::Duration;

use palco_fibers::lab::{self, Call, Event, Outcome, Policy, Settings, Watch, What};

use super::{count, time};

/// Calls that come back at once, to see what a policy costs them.
pub const SHORT_CALLS: u32 = 2_000;

/// Spans that are kept; calls and hand-offs are always kept, and are bounded by the settings.
const SPANS_MAX: usize = 200_000;

/// A run and what it has come to.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was asked for.
    pub settings: Settings,
    /// What it has come to.
    pub outcome: Outcome,
    /// What happened, by time.
    pub events: Vec<Event>,
    /// Events that were not kept.
    pub dropped: u64,
    /// What the policy adds to a system call that does not block, over `ult`: medians of [`SHORT_CALLS`].
    pub extra_per_call: Duration,
}

/// Keeps events, up to a limit, and passes them on.
struct Recorder<W> {
    beside: W,
    events: Vec<Event>,
    spans: usize,
    dropped: u64,
}

impl<W: Watch> Recorder<W> {
    fn new(beside: W) -> Self {
        Self { beside, events: Vec::new(), spans: 0, dropped: 0 }
    }
}

impl<W: Watch> Watch for Recorder<W> {
    fn event(&mut self, event: &Event) {
        self.beside.event(event);
        match event.what {
            What::Ran { .. } if self.spans == SPANS_MAX => self.dropped += 1,
            What::Ran { .. } => {
                self.spans += 1;
                self.events.push(*event);
            }
            _ => self.events.push(*event),
        }
    }

    fn pulse(&mut self, elapsed: Duration) {
        self.beside.pulse(elapsed);
    }
}

/// Runs it, told to `beside` while it goes on, and then measures what the policy costs a short call.
///
/// # Errors
/// Those of [`lab::run`].
pub fn measure(settings: &Settings, beside: impl Watch) -> Result<Run, lab::Error> {
    let mut recorder = Recorder::new(beside);
    let outcome = lab::run(settings, &mut recorder)?;
    let Recorder { mut events, dropped, .. } = recorder;
    events.sort_by_key(|event| event.at);
    let own = short_call(settings.policy)?;
    let extra_per_call = own.saturating_sub(short_call(Policy::Ult)?);
    let dropped = dropped + outcome.dropped;
    Ok(Run { settings: *settings, outcome, events, dropped, extra_per_call })
}

fn short_call(policy: Policy) -> Result<Duration, lab::Error> {
    struct Nobody;
    impl Watch for Nobody {
        fn event(&mut self, _: &Event) {}
    }
    let settings = Settings { call: Call::Short, blocks: SHORT_CALLS, ..Settings::new(policy) };
    lab::run(&settings, &mut Nobody).map(|outcome| outcome.call_median)
}

impl Run {
    /// Turns of tickers at times when some call blocked.
    #[must_use]
    pub fn turns_while_blocked(&self) -> u64 {
        let mut blocked = 0_u32;
        let mut begun = 0;
        let mut turns = 0;
        for event in &self.events {
            match event.what {
                What::Blocked { ticker_turns, .. } => {
                    if blocked == 0 {
                        begun = ticker_turns;
                    }
                    blocked += 1;
                }
                What::Unblocked { ticker_turns, .. } => {
                    blocked = blocked.saturating_sub(1);
                    if blocked == 0 {
                        // Threads read the time and the turns one after the other, so these may lag behind those.
                        turns += ticker_turns.saturating_sub(begun);
                    }
                }
                What::Ran { .. }
                | What::Shipped { .. }
                | What::HandedOff { .. }
                | What::Added
                | What::Parked
                | What::Ended => {}
            }
        }
        turns
    }

    /// What a call took beyond the time that it slept for, in the middle.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.outcome.call_median.saturating_sub(self.settings.call.length())
    }

    /// What the policy did, and what came of it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Outcome { total, ideal, .. } = self.outcome;
        let (total, ideal) = (time(total), time(ideal));
        format!("{} All calls took {total} instead of {ideal}.", self.deed())
    }

    fn deed(&self) -> String {
        let Outcome { calls, calls_without_a_turn, gap_median, helpers, handoffs, added, .. } =
            self.outcome;
        let still = time(gap_median);
        let delay = time(self.delay());
        let turns = count(self.turns_while_blocked());
        let tickers = many(self.settings.tickers, "the ticker", "the tickers");
        match self.settings.policy {
            Policy::Ult if calls_without_a_turn == calls => format!(
                "Nobody helped: {tickers} had no turn in any of the {calls} calls, and stood still for {still} each time, as \
                 long as a call."
            ),
            Policy::Ult => format!(
                "Nobody helped: fibers of an LWP that blocked stood still for {still} each time, those of other LWPs went on; \
                 in {calls_without_a_turn} of {calls} calls {tickers} had no turn."
            ),
            Policy::Offload => format!(
                "{calls} calls were given to {helpers} {}: meanwhile {tickers} had {turns} turns and stood still for {still} at \
                 most in the usual call; no fiber moved, and the usual call took {delay} longer than it slept.",
                many(helpers, "helper", "helpers"),
            ),
            Policy::Go => format!(
                "{handoffs} times the watcher found an LWP in a call and gave its processor to another: {tickers} had {turns} \
                 turns during calls; the fiber that came back had to wait for its turn, so the usual call took {delay} longer \
                 than it slept."
            ),
            Policy::Solaris if added == 0 => format!(
                "No LWP was added, because one of the {} was always free: {tickers} had {turns} turns during calls.",
                self.settings.lwps
            ),
            Policy::Solaris => format!(
                "When the last LWP blocked while a fiber was ready, {added} {} added, as by SIGWAITING: {tickers} had {turns} \
                 turns during calls; the usual call took {delay} longer than it slept.",
                many(usize::try_from(added).unwrap_or(usize::MAX), "LWP was", "LWPs were"),
            ),
        }
    }
}

fn many<'a>(number: usize, one: &'a str, several: &'a str) -> &'a str {
    if number == 1 { one } else { several }
}

#[cfg(test)]
pub(super) mod tests {
    use palco_fibers::lab::{FiberId, Fibers, Lane};

    use super::*;

    /// Two calls of 5 ms: of an LWP that blocks while a helper and another LWP do something.
    pub(crate) fn run(policy: Policy) -> Run {
        let ms = Duration::from_millis;
        let (ticker, sleeper) = (FiberId::Ticker(0), FiberId::Sleeper(0));
        let event = |at, lane, what| Event { at: ms(at), lane, what };
        let ran = |until| What::Ran { fibers: Fibers::only(ticker), turns: 7, until: ms(until) };
        let blocked = |ticker_turns| What::Blocked { fiber: sleeper, ticker_turns };
        let unblocked = |ticker_turns| What::Unblocked { fiber: sleeper, ticker_turns };
        let (lwp, other) = (Lane::Lwp(0), Lane::Lwp(1));
        let events = vec![
            event(0, lwp, What::Added),
            event(0, lwp, ran(1)),
            event(1, lwp, blocked(7)),
            event(2, Lane::Watcher, What::HandedOff { from: 0, to: 1 }),
            event(2, other, ran(6)),
            event(6, lwp, unblocked(14)),
            event(6, other, blocked(14)),
            event(11, other, unblocked(14)),
            event(11, lwp, What::Ended),
        ];
        let outcome = Outcome {
            ticker_turns: 14,
            gap_longest: ms(5),
            gap_median: ms(5),
            calls: 2,
            calls_without_a_turn: 1,
            call_median: Duration::from_micros(5_070),
            call_longest: ms(6),
            total: ms(11),
            ideal: ms(10),
            lwps: 2,
            helpers: 1,
            handoffs: 1,
            added: 1,
            migrations: 1,
            dropped: 0,
        };
        let settings = Settings { blocks: 2, ..Settings::new(policy) };
        Run { settings, outcome, events, dropped: 0, extra_per_call: Duration::from_nanos(60) }
    }

    #[test]
    fn turns_while_several_calls_block_count_once() {
        let mut run = run(Policy::Go);
        assert_eq!(run.turns_while_blocked(), 7);
        let fiber = FiberId::Sleeper(1);
        let event = |at, what| Event { at: Duration::from_millis(at), lane: Lane::Helper(0), what };
        run.events.push(event(3, What::Blocked { fiber, ticker_turns: 10 }));
        run.events.push(event(8, What::Unblocked { fiber, ticker_turns: 14 }));
        run.events.sort_by_key(|event| event.at);
        assert_eq!(run.turns_while_blocked(), 7);
    }

    #[test]
    fn every_policy_has_a_sentence_of_its_own_with_its_figures() {
        let sentences = Policy::ALL.map(|policy| run(policy).sentence());
        for (sentence, word) in
            sentences.iter().zip(["1 of 2 calls", "1 helper", "1 times", "1 LWP was"])
        {
            assert!(sentence.contains(word) && sentence.ends_with('.'), "{sentence}");
        }
    }

    #[test]
    fn a_recorder_keeps_calls_even_when_it_has_no_room_for_spans() {
        let run = run(Policy::Ult);
        let mut recorder = Recorder::new(Vec::new());
        recorder.spans = SPANS_MAX;
        run.events.iter().for_each(|event| recorder.event(event));
        assert_eq!((recorder.dropped, recorder.events.len()), (2, run.events.len() - 2));
        assert_eq!(recorder.beside.len(), run.events.len());
    }
}
