//! What a history accepts, how it is split, and what changes do.

use bytes::Bytes;
use palco_rambo::{Tag, Value};
use proptest::prelude::*;

use super::*;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

fn read(client: u32, key: &'static str, nanos: u64) -> Invocation {
    let client = ClientId(client);
    Invocation { client, key: Key::register(key), asked: Asked::Read, at: at(nanos) }
}

fn nothing() -> Outcome {
    Outcome::Done(Done::Read { tag: Tag::ZERO, value: None })
}

fn text(text: &'static str) -> Value {
    Some(Bytes::from_static(text.as_bytes()))
}

#[test]
fn operations_of_a_key_stay_in_the_order_of_their_calls() {
    let mut history = History::default();
    let first = history.call(read(1, "a", 1));
    let other = history.call(read(2, "b", 2));
    let second = history.call(read(3, "a", 3));
    history.end(second, at(4), nothing());
    history.end(first, at(5), Outcome::Unknown);

    let keys = history.per_key();
    let ids: Vec<Vec<OperationId>> =
        keys.iter().map(|(_, operations)| operations.iter().map(|o| o.id).collect()).collect();
    assert_eq!(ids, [vec![first, second], vec![other]]);
    let ends: Vec<Option<u32>> =
        history.operations().iter().map(|o| o.returned.map(|returned| returned.event)).collect();
    assert_eq!(ends, [Some(4), None, Some(3)]);
}

#[test]
fn a_list_of_events_that_no_run_could_record_is_refused() {
    let end = |operation, nanos| Event::Return {
        operation: OperationId(operation),
        at: at(nanos),
        outcome: nothing(),
    };
    let call = |nanos| Event::Call(read(1, "a", nanos));
    let refusal = |events: Vec<Event>| History::try_from(events).unwrap_err();
    let operation = OperationId(0);
    assert_eq!(refusal(vec![end(0, 1), call(2)]), Malformed::NotCalled { event: 0, operation });
    assert_eq!(
        refusal(vec![call(1), end(0, 2), end(0, 3)]),
        Malformed::EndsTwice { event: 2, operation }
    );
    assert_eq!(refusal(vec![call(2), end(0, 1)]), Malformed::Backwards { event: 1, at: at(1) });
    assert!(History::try_from(vec![call(1), end(0, 1)]).is_ok());
}

#[test]
#[should_panic(expected = "operation 0 ends twice")]
fn an_operation_ends_once() {
    let mut history = History::default();
    let operation = history.call(read(1, "a", 1));
    history.end(operation, at(2), Outcome::Failed);
    history.end(operation, at(3), Outcome::Failed);
}

#[test]
fn changes_do_what_they_say_and_refuse_what_does_not_fit() {
    let swap = |expected| Change::Swap { expected, value: text("new") };
    assert_eq!(swap(3).apply(3, &text("old")), Some(text("new")));
    assert_eq!(swap(3).apply(4, &text("old")), None);
    let append = Change::Append(Bytes::from_static(b"b"));
    assert_eq!(append.apply(0, &None), Some(text("b")));
    assert_eq!(append.apply(9, &text("a")), Some(text("ab")));
    assert_eq!(Change::Add(-3).apply(0, &None), Some(text("-3")));
    assert_eq!(Change::Add(2).apply(1, &text("-3")), Some(text("-1")));
    assert_eq!(Change::Add(1).apply(1, &text("x")), None);
    assert_eq!(Change::Add(1).apply(1, &Some(Bytes::from(i64::MAX.to_string()))), None);
    assert_eq!(Change::Set(Bytes::from_static(b"s")).apply(1, &None), Some(text("s")));
    assert_eq!(Change::Delete.apply(1, &text("a")), Some(None));
}

#[test]
fn an_operation_reads_as_a_line() {
    let mut history = History::default();
    let operation = history.call(read(7, "a", 1_500));
    let open = history.operations()[0].to_string();
    assert_eq!(open, "c7 read → no answer [1.5µs, …]");
    history.end(operation, at(2_000_000), nothing());
    assert_eq!(history.operations()[0].to_string(), "c7 read → nothing (tag 0) [1.5µs, 2ms]");
}

proptest! {
    #[test]
    fn a_history_survives_being_stored(
        keys in proptest::collection::vec((0..3u8, any::<bool>()), 0..40),
    ) {
        let mut history = History::default();
        for (nanos, (key, ends)) in (0..).zip(keys) {
            let name = ["a", "b", "c"][usize::from(key)];
            let operation = history.call(read(u32::from(key), name, nanos));
            if ends {
                history.end(operation, at(nanos), nothing());
            }
        }
        let stored = postcard::to_allocvec(&history).unwrap();
        prop_assert_eq!(postcard::from_bytes::<History>(&stored).unwrap(), history);
    }

    #[test]
    fn stored_bytes_from_outside_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(history) = postcard::from_bytes::<History>(&bytes) {
            prop_assert_eq!(history.operations().len(), history.len());
        }
    }
}
