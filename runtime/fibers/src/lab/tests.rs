//! The four policies, on real threads: what must be so whatever the machine does.

use std::collections::HashMap;

use super::*;

fn settings(policy: Policy) -> Settings {
    let call = Call::Sleep(Duration::from_millis(2));
    Settings { call, blocks: 10, ..Settings::new(policy) }
}

fn run_all(settings: &Settings) -> (Outcome, Vec<Event>) {
    let mut events = Vec::new();
    let outcome = run(settings, &mut events).unwrap();
    assert_eq!(outcome.dropped, 0);
    events.sort_by_key(|event| event.at);
    (outcome, events)
}

/// Turns of all tickers during each call, from the events.
fn turns_while_blocked(events: &[Event]) -> Vec<u64> {
    let mut begun = HashMap::new();
    let mut turns = Vec::new();
    for event in events {
        match event.what {
            What::Blocked { fiber, ticker_turns } => {
                assert_eq!(begun.insert(fiber, (event.lane, ticker_turns)), None);
            }
            What::Unblocked { fiber, ticker_turns } => {
                let (lane, before) = begun.remove(&fiber).unwrap();
                assert_eq!(lane, event.lane, "a call comes back where it was made");
                turns.push(ticker_turns - before);
            }
            _ => {}
        }
    }
    assert!(begun.is_empty(), "every call comes back");
    turns
}

fn count(events: &[Event], is_it: impl Fn(&What) -> bool) -> usize {
    events.iter().filter(|event| is_it(&event.what)).count()
}

#[test]
fn without_help_the_ticker_has_no_turn_while_a_call_blocks() {
    let (outcome, events) = run_all(&settings(Policy::Ult));
    assert_eq!(turns_while_blocked(&events), [0; 10]);
    assert_eq!((outcome.calls, outcome.calls_without_a_turn), (10, 10));
    assert!(outcome.gap_median >= Duration::from_millis(2), "{outcome:?}");
    assert!(outcome.total >= outcome.ideal, "{outcome:?}");
    assert_eq!((outcome.lwps, outcome.helpers, outcome.handoffs, outcome.added), (1, 0, 0, 0));
    assert_eq!(outcome.migrations, 0);
}

#[test]
fn with_help_the_ticker_has_turns_while_calls_block() {
    for policy in [Policy::Offload, Policy::Go, Policy::Solaris] {
        let (outcome, events) = run_all(&settings(policy));
        let turns = turns_while_blocked(&events);
        assert_eq!(turns.len(), 10);
        assert!(turns.iter().any(|turns| *turns > 0), "{policy}: {turns:?}");
        assert!(outcome.calls_without_a_turn < 10, "{policy}: {outcome:?}");
        assert!(outcome.call_median >= Duration::from_millis(2), "{policy}: {outcome:?}");
    }
}

#[test]
fn offloaded_calls_block_helpers_only_and_fibers_stay() {
    let (outcome, events) = run_all(&settings(Policy::Offload));
    assert_eq!((outcome.lwps, outcome.helpers, outcome.migrations), (1, 1, 0));
    assert_eq!(count(&events, |what| matches!(what, What::Shipped { .. })), 10);
    let blocked = events.iter().filter(|event| matches!(event.what, What::Blocked { .. }));
    assert!(blocked.clone().all(|event| event.lane == Lane::Helper(0)));
    assert_eq!(blocked.count(), 10);
}

#[test]
fn a_processor_that_is_handed_off_takes_the_fibers_with_it() {
    let (outcome, events) = run_all(&settings(Policy::Go));
    let handoffs = count(&events, |what| matches!(what, What::HandedOff { .. }));
    assert!(handoffs >= 1);
    assert_eq!(outcome.handoffs, handoffs as u64);
    assert_eq!(outcome.lwps, 2, "one processor and one sleeper never need more");
    assert!(outcome.migrations >= 1, "{outcome:?}");
}

#[test]
fn one_lwp_is_added_when_all_block_and_not_before() {
    let (outcome, events) = run_all(&settings(Policy::Solaris));
    assert_eq!((outcome.lwps, outcome.added), (2, 1));
    assert_eq!(count(&events, |what| *what == What::Added), 2);
    assert_eq!(count(&events, |what| *what == What::Ended), 2);
    // Another LWP is there that is never in a call: nobody is added for it.
    let (outcome, _) = run_all(&Settings { lwps: 3, sleepers: 2, ..settings(Policy::Solaris) });
    assert_eq!((outcome.lwps, outcome.added), (3, 0));
}

#[test]
fn every_mixture_ends_with_all_calls_made_and_every_turn_told() {
    for policy in Policy::ALL {
        for (lwps, tickers, sleepers, cores) in [
            (1, 1, 5, Cores::One),
            (3, 2, 4, Cores::One),
            (2, 3, 3, Cores::All),
            (4, 1, 16, Cores::All),
        ] {
            let call = Call::Sleep(Duration::from_micros(300));
            let settings = Settings { policy, lwps, tickers, sleepers, call, blocks: 5, cores };
            let (outcome, events) = run_all(&settings);
            assert_eq!(outcome.calls, 5 * sleepers, "{settings:?}");
            assert_eq!(turns_while_blocked(&events).len(), 5 * sleepers);
            assert!(outcome.lwps <= lwps + sleepers && outcome.helpers <= sleepers);
            let told = events.iter().map(|event| match event.what {
                What::Ran { turns, .. } => turns,
                _ => 0,
            });
            // A sleeper has two turns for each call, and one to end.
            let sleepers_turns = 11 * sleepers as u64;
            assert_eq!(told.sum::<u64>(), outcome.ticker_turns + sleepers_turns, "{settings:?}");
        }
    }
}

#[test]
fn spans_of_one_lane_never_overlap() {
    for policy in Policy::ALL {
        let (_, events) = run_all(&Settings { tickers: 2, ..settings(policy) });
        let mut ends = HashMap::new();
        for event in events {
            let end = ends.entry(event.lane).or_insert(Duration::ZERO);
            assert!(event.at >= *end, "{policy}: {event:?} begins before {end:?}");
            match event.what {
                What::Ran { until, .. } => *end = until,
                _ => *end = event.at,
            }
        }
    }
}

#[test]
fn calls_that_come_back_at_once_need_no_help_under_go() {
    let settings = Settings { call: Call::Short, blocks: 1000, ..Settings::new(Policy::Go) };
    let (outcome, _) = run_all(&settings);
    assert_eq!(outcome.calls, 1000);
    assert!(outcome.handoffs < 1000, "{outcome:?}");
}

#[test]
fn nothing_is_started_for_settings_without_sense() {
    let mut events = Vec::new();
    let error = run(&Settings { lwps: 0, ..settings(Policy::Ult) }, &mut events).unwrap_err();
    assert!(matches!(error, Error::Settings(SettingsError::Number { .. })), "{error}");
    assert!(events.is_empty());
}
