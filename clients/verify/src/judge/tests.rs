//! Judging recorded histories: true ones, and one lie of every kind, which must be objected to.

use palco_core::Time;
use palco_rambo::{NodeId, Tag, Value};
use palco_sim::history::{Change, ClientId, Invocation, OperationId};

use super::*;

/// Records what happens one after the other, a millisecond apart.
struct Script {
    history: History,
    key: Key,
    now: Time,
}

impl Script {
    fn of(key: Key) -> Self {
        Self { history: History::default(), key, now: Time::START }
    }

    fn call(&mut self, client: u32, asked: Asked) -> OperationId {
        self.now = Time::from_nanos(self.now.as_nanos() + 1_000_000);
        let (client, key, at) = (ClientId(client), self.key.clone(), self.now);
        self.history.call(Invocation { client, key, asked, at })
    }

    fn end(&mut self, operation: OperationId, outcome: Outcome) {
        self.now = Time::from_nanos(self.now.as_nanos() + 1_000_000);
        self.history.end(operation, self.now, outcome);
    }

    fn did(&mut self, asked: Asked, done: Done) {
        let operation = self.call(1, asked);
        self.end(operation, Outcome::Done(done));
    }

    fn lost(&mut self, asked: Asked) {
        let operation = self.call(2, asked);
        self.end(operation, Outcome::Unknown);
    }

    fn judged(&self) -> Judged {
        judge(&self.history, Limits::default())
    }

    #[track_caller]
    fn holds(&self) {
        let judged = self.judged();
        assert!(judged.objections.is_empty(), "{:?}", judged.objections);
        assert!(judged.undecided.is_empty());
    }

    #[track_caller]
    fn objects(&self, to: &str) {
        let judged = self.judged();
        assert!(judged.objections.iter().any(|said| said.contains(to)), "{:?}", judged.objections);
    }
}

fn plain() -> Script {
    Script::of(Key::register("x"))
}

fn cas() -> Script {
    Script::of(Key::cas("cas:x"))
}

fn value(text: &str) -> Value {
    Some(text.to_owned().into())
}

fn write(text: &str) -> Asked {
    Asked::Write(value(text))
}

fn set(text: &str) -> Asked {
    Asked::Change(Change::Set(text.to_owned().into()))
}

fn tag(sequence: u64) -> Tag {
    Tag { sequence, node: NodeId(1), boot: 1, n: 0 }
}

fn wrote(sequence: u64) -> Done {
    Done::Wrote { tag: tag(sequence) }
}

fn read(sequence: u64, text: &str) -> Done {
    Done::Read { tag: tag(sequence), value: value(text) }
}

fn changed(version: u64, text: &str) -> Done {
    Done::Changed { version, value: value(text) }
}

fn saw(version: u64, text: &str) -> Done {
    Done::Saw { version, value: value(text) }
}

#[test]
fn a_true_history_is_not_objected_to() {
    let mut script = plain();
    script.did(Asked::Read, Done::Read { tag: Tag::ZERO, value: None });
    script.did(write("a"), wrote(1));
    script.lost(write("b"));
    script.did(Asked::Read, read(1, "a"));
    // It took effect late, as it may.
    script.did(Asked::Read, read(2, "b"));
    script.holds();
}

#[test]
fn a_stale_read_is_objected_to_by_both_checkers() {
    let mut script = plain();
    script.did(write("a"), wrote(1));
    script.did(write("b"), wrote(2));
    script.did(Asked::Read, read(1, "a"));
    script.objects("L3");
    assert!(script.judged().objections.len() >= 2, "the search objects without looking at tags");
}

#[test]
fn a_lost_write_is_objected_to() {
    let mut script = plain();
    script.did(write("a"), wrote(1));
    script.did(Asked::Read, Done::Read { tag: Tag::ZERO, value: None });
    script.objects("L3");
}

#[test]
fn a_lie_that_only_values_tell_is_objected_to() {
    let mut script = plain();
    script.did(write("a"), wrote(1));
    script.did(write("b"), wrote(2));
    // Under the newest tag the old value.
    script.did(Asked::Read, read(2, "a"));
    script.objects("where \"b\" was written");
}

#[test]
fn a_write_of_unknown_outcome_takes_effect_once() {
    let mut script = plain();
    script.lost(write("b"));
    script.did(Asked::Read, read(1, "b"));
    script.did(write("a"), wrote(2));
    script.holds();
    script.did(Asked::Read, read(3, "b"));
    script.objects("which no write was given");
}

#[test]
fn what_nobody_wrote_is_objected_to() {
    let mut script = plain();
    script.did(Asked::Read, read(1, "ghost"));
    script.objects("which no write was given");
}

#[test]
fn a_lost_increment_and_a_double_one_are_objected_to() {
    let add = || Asked::Change(Change::Add(1));
    let mut script = cas();
    script.did(add(), changed(1, "1"));
    script.did(add(), changed(1, "1"));
    script.objects("version 1");
    let mut script = cas();
    script.did(add(), changed(1, "1"));
    script.did(Asked::Read, saw(2, "2"));
    script.objects("one came twice");
}

#[test]
fn last_reads_are_judged_by_all_that_was_answered() {
    let mut script = plain();
    script.did(write("a"), wrote(4));
    script.lost(write("late"));
    script.did(write("b"), wrote(7));
    let lasts = Last::of(&script.history);
    let [last] = &lasts[..] else { panic!("one key") };
    let judged = |reads: &[Done]| {
        let mut begun = last.begin(script.now);
        for done in reads {
            let read = begun.call(ClientId(0), Asked::Read, script.now);
            begun.end(read, script.now, done.clone());
        }
        judge(&begun.history, Limits::default()).objections
    };
    assert_eq!(judged(&[read(7, "b"), read(7, "b")]), Vec::<String>::new());
    // What was unknown may still happen, and stays then.
    assert_eq!(judged(&[read(7, "b"), read(8, "late")]), Vec::<String>::new());
    assert!(!judged(&[read(8, "late"), read(7, "b")]).is_empty());
    assert!(!judged(&[read(4, "a")]).is_empty(), "an acknowledged write is lost");
    assert!(!judged(&[Done::Read { tag: Tag::ZERO, value: None }]).is_empty(), "all is lost");
}

#[test]
fn last_reads_of_versions_are_judged_too() {
    let mut script = cas();
    script.did(set("a"), changed(1, "a"));
    script.lost(Asked::Change(Change::Swap { expected: 1, value: value("never") }));
    script.lost(set("late"));
    script.did(set("b"), changed(2, "b"));
    script.lost(Asked::Change(Change::Swap { expected: 2, value: value("next") }));
    let lasts = Last::of(&script.history);
    let [last] = &lasts[..] else { panic!("one key") };
    let judged = |version: u64, text: &str| {
        let mut begun = last.begin(script.now);
        let read = begun.call(ClientId(0), Asked::Read, script.now);
        begun.end(read, script.now, saw(version, text));
        judge(&begun.history, Limits::default()).objections
    };
    assert_eq!(judged(2, "b"), Vec::<String>::new());
    assert_eq!(judged(3, "next"), Vec::<String>::new());
    assert_eq!(judged(3, "late"), Vec::<String>::new());
    assert_eq!(judged(4, "late"), Vec::<String>::new(), "after the swap");
    assert!(!judged(1, "a").is_empty(), "an acknowledged change is lost");
    assert!(!judged(3, "never").is_empty(), "its version was over");
    assert!(!judged(5, "late").is_empty(), "more versions than changes");
}

#[test]
fn a_search_that_gives_up_is_no_pass() {
    let mut script = plain();
    for number in 0..50 {
        script.did(write(&number.to_string()), wrote(number + 1));
    }
    let judged = judge(&script.history, Limits { steps_max: 3 });
    assert!(judged.objections.is_empty() && judged.undecided.len() == 1, "{judged:?}");
}
