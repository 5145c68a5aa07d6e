//! Random histories of a real atomic register, and the same with one thing changed.

use bytes::Bytes;
use palco_rambo::{Class, Key, Value};
use palco_sim::{
    history::{Asked, Done, Event, History, Outcome},
    linearizability::{Extent, Limits, Verdict, check},
};
use proptest::prelude::*;

use crate::{
    naive,
    tape::{Turn, World},
};

/// Operations of a history that every order is tried for.
const NAIVE_OPERATIONS_MAX: usize = 6;

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![Just(Key::register("a")), Just(Key::cas("a"))]
}

fn tape(turns: usize) -> impl Strategy<Value = Vec<Turn>> {
    prop::collection::vec(any::<Turn>(), turns)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_atomic_register_passes(key in key(), clients in 1..8_usize, tape in tape(600)) {
        let world = World::play(key, clients, usize::MAX, &tape);
        prop_assert!(world.judged.is_ok(), "{}", world.judged.unwrap_err());
        let verdict = check(&world.history, Limits::default());
        prop_assert_eq!(verdict, Verdict::Linearizable);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_history_with_one_fault_is_refused_if_no_order_exists(
        key in key(),
        clients in 1..5_usize,
        tape in tape(40),
        place in any::<prop::sample::Index>(),
        how in any::<u8>(),
    ) {
        let world = World::play(key, clients, NAIVE_OPERATIONS_MAX, &tape);
        let mut events = world.history.events().to_vec();
        prop_assume!(!events.is_empty());
        let class = match &events[0] {
            Event::Call(invocation) => invocation.key.class,
            Event::Return { .. } => unreachable!("a history begins with a call"),
        };
        let place = place.index(events.len());
        distort(&mut events[place], class, how);
        let history = History::try_from(events).unwrap();
        agrees_with_naive(&history);
    }
}

/// The verdict is that of all orders, and so are the smallest part without an order and the order that is shown.
#[track_caller]
pub(crate) fn agrees_with_naive(history: &History) -> Option<u32> {
    let operations = history.operations();
    let expected = naive::first_refused(&operations);
    match check(history, Limits::default()) {
        Verdict::Linearizable => assert_eq!(expected, None, "wrongly accepted: {operations:#?}"),
        Verdict::Violated(violation) => {
            assert_eq!(Some(violation.event), expected, "{violation}");
            assert_eq!(violation.extent, Extent::Smallest);
            let (event, order) = (violation.event, &violation.order);
            assert!(naive::may_begin_with(&operations, event, order), "{violation}");
        }
        undecided @ Verdict::Undecided { .. } => panic!("{undecided:?}"),
    }
    expected
}

/// Changes one thing that was asked or told.
fn distort(event: &mut Event, class: Class, how: u8) {
    match event {
        Event::Call(invocation) => match &mut invocation.asked {
            Asked::Write(value) => *value = other(value, how),
            Asked::Read | Asked::Change(_) => {}
        },
        Event::Return { outcome, .. } => match outcome {
            Outcome::Done(done) => match (how % 4, class) {
                (0, _) => *outcome = Outcome::Failed,
                (1, Class::Cas) => distort_version(done, how),
                (_, _) => distort_value(done, how),
            },
            Outcome::Unknown => *outcome = Outcome::Failed,
            Outcome::Failed => *outcome = Outcome::Unknown,
        },
    }
}

fn distort_value(done: &mut Done, how: u8) {
    match done {
        Done::Read { value, .. }
        | Done::Saw { value, .. }
        | Done::Changed { value, .. }
        | Done::Mismatch { value, .. } => *value = other(value, how),
        Done::Wrote { .. } => {}
    }
}

fn distort_version(done: &mut Done, how: u8) {
    match done {
        Done::Saw { version, .. }
        | Done::Changed { version, .. }
        | Done::Mismatch { version, .. } => {
            *version = if how < 128 { *version + 1 } else { version.saturating_sub(1) };
        }
        Done::Read { .. } | Done::Wrote { .. } => {}
    }
}

fn other(value: &Value, how: u8) -> Value {
    let values = [None, Some("1"), Some("2")].map(|text| text.map(Bytes::from));
    let others: Vec<&Value> = values.iter().filter(|other| *other != value).collect();
    others[usize::from(how / 4) % others.len()].clone()
}
