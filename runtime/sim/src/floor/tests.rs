//! What the floor accepts, and what it must object to.

use bytes::Bytes;
use palco_rambo::NodeId;

use super::*;

/// A floor over one key, with a clock that ticks at each call and return.
struct Stage {
    floor: Floor,
    key: KeyIndex,
    nanos: u64,
}

fn register() -> Stage {
    stage(&Key::register("a"))
}

fn cas() -> Stage {
    stage(&Key::cas("a"))
}

fn stage(key: &Key) -> Stage {
    let mut floor = Floor::default();
    let key = floor.intern(key);
    Stage { floor, key, nanos: 0 }
}

impl Stage {
    fn at(&mut self) -> Time {
        self.nanos += 1;
        Time::from_nanos(self.nanos)
    }

    fn enter(&mut self, client: u32, asked: Asked) -> Entered {
        let at = self.at();
        self.floor.enter(self.key, ClientId(client), at, asked)
    }

    fn done(&mut self, operation: Entered, done: Done) -> Judged {
        let at = self.at();
        self.floor.done(operation, at, &done)
    }

    fn at_once(&mut self, asked: Asked, done: Done) -> Judged {
        let operation = self.enter(0, asked);
        self.done(operation, done)
    }
}

fn text(text: &'static str) -> Value {
    Some(bytes(text))
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn tag(sequence: u64) -> Tag {
    Tag { sequence, node: NodeId(1), boot: 1, n: 0 }
}

fn read(sequence: u64, value: &'static str) -> Done {
    Done::Read { tag: tag(sequence), value: text(value) }
}

fn wrote(sequence: u64) -> Done {
    Done::Wrote { tag: tag(sequence) }
}

fn write(value: &'static str) -> Asked {
    Asked::Write(text(value))
}

fn append(value: &'static str) -> Asked {
    Asked::Change(Change::Append(bytes(value)))
}

fn changed(version: u64, value: &'static str) -> Done {
    Done::Changed { version, value: text(value) }
}

fn saw(version: u64, value: &'static str) -> Done {
    Done::Saw { version, value: text(value) }
}

#[track_caller]
fn objects(judged: Judged, words: &str) {
    let violation = judged.expect_err("the floor must object");
    let message = violation.to_string();
    assert!(message.contains(words), "{message}");
}

#[test]
fn absent_then_written_then_deleted_is_good() {
    let mut stage = register();
    let absent = Done::Read { tag: Tag::ZERO, value: None };
    stage.at_once(Asked::Read, absent).unwrap();
    stage.at_once(write("x"), wrote(1)).unwrap();
    stage.at_once(Asked::Read, read(1, "x")).unwrap();
    stage.at_once(Asked::Write(None), wrote(2)).unwrap();
    stage.at_once(Asked::Read, Done::Read { tag: tag(2), value: None }).unwrap();
    stage.floor.finish().unwrap();
}

#[test]
fn a_read_below_the_floor_names_both_operations() {
    let mut stage = register();
    let early = stage.enter(8, Asked::Read);
    stage.at_once(write("x"), wrote(1)).unwrap();
    let late = stage.enter(7, Asked::Read);
    let absent = || Done::Read { tag: Tag::ZERO, value: None };
    stage.done(early, absent()).unwrap();
    objects(
        stage.done(late, absent()),
        "key a: c7 [4ns, 6ns] asked `read` and returned tag 0, which is not at least tag 1.n1.1.0 of c0 [2ns, 3ns], \
         completed before (RAMBO.md §1.8, L3)",
    );
}

#[test]
fn a_read_raises_the_floor_too() {
    let mut stage = register();
    let _unknown = stage.enter(1, write("x"));
    stage.floor.issued(stage.key, tag(1), &text("x")).unwrap();
    stage.at_once(Asked::Read, read(1, "x")).unwrap();
    let absent = Done::Read { tag: Tag::ZERO, value: None };
    objects(stage.at_once(Asked::Read, absent), "not at least");
}

#[test]
fn a_write_at_the_floor_is_refused() {
    let mut stage = register();
    stage.at_once(write("x"), wrote(1)).unwrap();
    objects(stage.at_once(write("x"), wrote(1)), "not above tag 1.n1.1.0");
    objects(register().at_once(write("x"), Done::Wrote { tag: Tag::ZERO }), "not above tag 0");
}

#[test]
fn two_writes_under_way_together_may_not_share_a_tag() {
    let mut stage = register();
    let (one, other) = (stage.enter(1, write("x")), stage.enter(2, write("x")));
    stage.done(one, wrote(1)).unwrap();
    objects(stage.done(other, wrote(1)), "made twice");

    let mut stage = register();
    stage.floor.issued(stage.key, tag(1), &text("x")).unwrap();
    stage.floor.issued(stage.key, tag(1), &text("x")).unwrap();
    objects(stage.floor.issued(stage.key, tag(1), &text("y")), "made twice");
    objects(stage.at_once(write("y"), wrote(1)), "made twice");
}

#[test]
fn a_read_returns_what_was_written_whenever_that_becomes_known() {
    let mut stage = register();
    stage.at_once(write("x"), wrote(1)).unwrap();
    objects(stage.at_once(Asked::Read, read(1, "y")), "saw \"y\"");

    let mut stage = register();
    let writing = stage.enter(1, write("x"));
    stage.at_once(Asked::Read, read(1, "y")).unwrap();
    objects(stage.done(writing, wrote(1)), "where \"x\" was written");

    let mut stage = register();
    stage.at_once(Asked::Read, read(1, "y")).unwrap();
    objects(stage.floor.issued(stage.key, tag(1), &text("x")), "where \"x\" was written");

    let absent = Done::Read { tag: Tag::ZERO, value: text("x") };
    objects(register().at_once(Asked::Read, absent), "where nothing was written");
}

#[test]
fn a_tag_that_nobody_issued_is_refused_in_the_end() {
    let mut stage = register();
    stage.at_once(Asked::Read, read(1, "x")).unwrap();
    objects(stage.floor.finish(), "c0 [1ns, 2ns] saw tag 1.n1.1.0, which no write was given");
    stage.floor.issued(stage.key, tag(1), &text("x")).unwrap();
    stage.floor.finish().unwrap();
}

#[test]
fn a_read_from_the_future_is_refused_when_the_future_comes() {
    let mut stage = register();
    let writing = stage.enter(1, Asked::Read);
    stage.done(writing, read(2, "x")).unwrap();
    let mut early = stage.enter(2, write("x"));
    // Its floor was taken before the read ended, but its call comes after: only the order of events tells.
    early.floor.height = Height::Tag(Tag::ZERO);
    objects(stage.done(early, wrote(2)), "had not begun");
}

#[test]
fn versions_of_one_key_are_good_in_order() {
    let mut stage = cas();
    let overtaken = stage.enter(1, Asked::Change(Change::Swap { expected: 0, value: None }));
    stage.at_once(append("a"), changed(1, "a")).unwrap();
    stage.at_once(append("b"), changed(2, "ab")).unwrap();
    stage.at_once(Asked::Read, saw(2, "ab")).unwrap();
    let mismatch = Done::Mismatch { version: 1, value: text("a") };
    stage.done(overtaken, mismatch).unwrap();
    stage.floor.finish().unwrap();
}

#[test]
fn an_update_lost_by_a_change_is_refused_in_any_order_of_returns() {
    let mut stage = cas();
    stage.at_once(append("a"), changed(1, "a")).unwrap();
    objects(stage.at_once(append("b"), changed(2, "b")), "an update was lost");

    let mut stage = cas();
    let first = stage.enter(1, append("a"));
    let second = stage.enter(2, append("b"));
    stage.done(second, changed(2, "b")).unwrap();
    objects(stage.done(first, changed(1, "a")), "c2 [2ns, 3ns] asked `append \"b\"`");

    objects(cas().at_once(append("b"), changed(1, "bb")), "came twice");
}

#[test]
fn versions_are_made_once_and_hold_one_value() {
    let mut stage = cas();
    let (one, other) = (stage.enter(1, append("a")), stage.enter(2, append("a")));
    stage.done(one, changed(1, "a")).unwrap();
    objects(stage.done(other, changed(1, "a")), "version 1 was made twice");
    objects(stage.at_once(Asked::Read, saw(1, "b")), "saw \"b\"");
    objects(
        stage.at_once(Asked::Read, Done::Saw { version: 0, value: None }),
        "at least version 1",
    );
}

#[test]
fn more_versions_than_changes_are_refused_in_the_end() {
    let mut stage = cas();
    let set = || Asked::Change(Change::Set(bytes("x")));
    let _unknown = stage.enter(1, set());
    let failed = stage.enter(2, set());
    stage.at_once(Asked::Read, saw(1, "x")).unwrap();
    stage.floor.finish().unwrap();
    stage.at_once(Asked::Read, saw(2, "x")).unwrap();
    stage.floor.finish().unwrap();
    stage.floor.failed(&failed);
    objects(stage.floor.finish(), "version 2 after 0 changes and 1 whose outcome is unknown");
}

#[test]
fn an_answer_to_another_question_is_refused() {
    objects(register().at_once(Asked::Read, saw(1, "x")), "cannot be the answer");
    objects(cas().at_once(Asked::Read, read(1, "x")), "cannot be the answer");
    objects(cas().at_once(write("x"), wrote(1)), "cannot be the answer");
    let swap = || Asked::Change(Change::Swap { expected: 1, value: text("x") });
    objects(cas().at_once(swap(), changed(3, "x")), "cannot be the answer");
    let mismatch = Done::Mismatch { version: 1, value: None };
    objects(cas().at_once(swap(), mismatch), "cannot be the answer");
}
