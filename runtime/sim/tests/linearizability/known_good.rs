//! Histories that a register may well have, however odd they look.

use palco_rambo::{Key, Tag};
use palco_sim::{
    history::{Asked, Change, ClientId, Done, History, Invocation, Outcome},
    linearizability::{Limits, Verdict, check},
};

use crate::scene::{
    Scene, append, asks_write, bytes, changed, mismatch, read, saw, swap, value, write,
};

#[test]
fn one_after_another() {
    Scene::register()
        .line(1, (1, 2), read(""))
        .line(1, (3, 4), write("x"))
        .line(2, (5, 6), read("x"))
        .line(1, (7, 8), write(""))
        .line(2, (9, 10), read(""))
        .accepted();
}

#[test]
fn a_write_takes_effect_anywhere_between_call_and_return() {
    Scene::register()
        .line(1, (1, 10), write("x"))
        .line(2, (2, 3), read(""))
        .line(2, (4, 5), read("x"))
        .line(3, (6, 7), write("y"))
        .line(2, (8, 9), read("y"))
        .accepted();
}

#[test]
fn an_unknown_write_takes_effect_late_or_never() {
    let unknown = || (asks_write("x"), Outcome::Unknown);
    Scene::register()
        .line(1, (1, 2), unknown())
        .line(2, (3, 4), write("y"))
        .line(2, (5, 6), read("y"))
        .line(2, (7, 8), read("x"))
        .accepted();
    Scene::register().line(1, (1, 2), unknown()).line(2, (3, 4), read("")).accepted();
}

#[test]
fn two_unknown_writes_of_one_value_take_effect_twice() {
    Scene::register()
        .open(1, 1, asks_write("x"))
        .open(2, 2, asks_write("x"))
        .line(3, (3, 4), read("x"))
        .line(3, (5, 6), write("y"))
        .line(3, (7, 8), read("x"))
        .accepted();
}

#[test]
fn a_failed_write_leaves_nothing() {
    Scene::register()
        .line(1, (1, 2), (asks_write("x"), Outcome::Failed))
        .line(2, (3, 4), read(""))
        .accepted();
}

#[test]
fn changes_follow_each_other() {
    Scene::cas()
        .line(1, (1, 4), changed(swap(0, "1"), 1, "1"))
        .line(2, (2, 3), mismatch(swap(0, "9"), 1, "1"))
        .line(1, (5, 6), changed(Change::Add(41), 2, "42"))
        .line(2, (7, 8), changed(append("0"), 3, "420"))
        .line(2, (9, 10), changed(Change::Set(bytes("z")), 4, "z"))
        .line(1, (11, 12), mismatch(Change::Add(1), 4, "z"))
        .line(1, (13, 14), changed(Change::Delete, 5, ""))
        .line(1, (15, 16), changed(swap(5, ""), 6, ""))
        .line(2, (17, 18), saw(6, ""))
        .accepted();
}

#[test]
fn unknown_changes_fill_the_versions_that_nobody_claims() {
    Scene::cas()
        .open(1, 1, Asked::Change(append("x")))
        .open(2, 2, Asked::Change(append("y")))
        .open(3, 3, Asked::Change(append("z")))
        .line(4, (4, 5), changed(append("w"), 3, "yxw"))
        .line(4, (6, 7), saw(4, "yxwz"))
        .accepted();
}

#[test]
fn keys_are_judged_apart() {
    let mut history = History::default();
    for (nanos, (name, text)) in (1..).zip([("a", "x"), ("b", "y")]) {
        let at = palco_core::Time::from_nanos(nanos);
        let (client, key) = (ClientId(1), Key::register(name));
        let asked = Asked::Write(value(text));
        let write = history.call(Invocation { client, key: key.clone(), asked, at });
        history.end(write, at, Outcome::Done(Done::Wrote { tag: Tag::ZERO }));
        let read = history.call(Invocation { client, key, asked: Asked::Read, at });
        let (tag, value) = (Tag::ZERO, value(text));
        history.end(read, at, Outcome::Done(Done::Read { tag, value }));
    }
    assert_eq!(check(&history, Limits::default()), Verdict::Linearizable);
    assert_eq!(check(&History::default(), Limits::default()), Verdict::Linearizable);
}

#[test]
fn many_unknown_writes_are_decided() {
    // Each value is read once, latest first: there are 62! orders of the writes.
    let texts: Vec<&'static str> = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        .split("")
        .skip(1)
        .collect();
    let texts = &texts[..62];
    let mut scene = Scene::register();
    for (n, text) in (1..).zip(texts) {
        scene = scene.open(n, u64::from(n), asks_write(text));
    }
    for (n, text) in (0..).zip(texts.iter().rev()) {
        scene = scene.line(1000, (1000 + 2 * n, 1001 + 2 * n), read(text));
    }
    scene.accepted();
    scene.line(1000, (2000, 2001), read("0")).line(1000, (2002, 2003), read("1")).refused_at(2003);
}
