//! Histories that no register has, each with the return that gives it away.

use palco_sim::{
    history::{Asked, Change, Outcome},
    linearizability::{Limits, Verdict, check},
};

use crate::scene::{Scene, append, asks_write, bytes, changed, mismatch, read, saw, swap, write};

#[test]
fn a_stale_read() {
    let scene = Scene::register().line(1, (1, 2), write("x")).line(1, (3, 4), write("y")).line(
        2,
        (5, 6),
        read("x"),
    );
    let violation = scene.refused_at(6);
    assert_eq!(
        violation.to_string(),
        "key a: no order explains\n  \
           c2 read → \"x\" (tag 0) [5ns, 6ns]\n\
         which is the first return without one.\n\
         The order that explains most has 2 operations:\n  \
           c1 write \"x\" → done (tag 0) [1ns, 2ns]    then it holds \"x\"\n  \
           c1 write \"y\" → done (tag 0) [3ns, 4ns]    then it holds \"y\"\n\
         Outside it:\n  \
           c2 read → \"x\" (tag 0) [5ns, 6ns]\n"
    );
}

#[test]
fn a_lost_write() {
    Scene::register().line(1, (1, 2), write("x")).line(2, (3, 4), read("")).refused_at(4);
}

#[test]
fn new_then_old() {
    Scene::register()
        .line(1, (1, 10), write("x"))
        .line(2, (2, 3), read("x"))
        .line(3, (4, 5), read(""))
        .refused_at(5);
}

#[test]
fn two_writes_seen_in_two_orders() {
    Scene::register()
        .line(1, (1, 20), write("x"))
        .line(2, (2, 21), write("y"))
        .line(3, (3, 4), read("x"))
        .line(3, (5, 6), read("y"))
        .line(4, (7, 8), read("x"))
        .refused_at(8);
}

#[test]
fn a_value_that_was_never_written() {
    Scene::register().line(1, (1, 2), write("x")).line(2, (3, 4), read("z")).refused_at(4);
}

#[test]
fn a_read_from_the_future() {
    Scene::register().line(2, (1, 2), read("x")).line(1, (3, 4), write("x")).refused_at(2);
}

#[test]
fn a_value_that_comes_back_after_a_delete() {
    Scene::register()
        .line(1, (1, 2), write("x"))
        .line(1, (3, 4), write(""))
        .line(2, (5, 6), read(""))
        .line(2, (7, 8), read("x"))
        .refused_at(8);
}

#[test]
fn an_unknown_write_that_takes_effect_twice() {
    Scene::register()
        .line(1, (1, 2), (asks_write("x"), Outcome::Unknown))
        .line(2, (3, 4), read("x"))
        .line(2, (5, 6), write("y"))
        .line(2, (7, 8), read("y"))
        .line(2, (9, 10), read("x"))
        .refused_at(10);
}

#[test]
fn a_failed_write_that_takes_effect() {
    Scene::register()
        .line(1, (1, 2), (asks_write("x"), Outcome::Failed))
        .line(2, (3, 4), read("x"))
        .refused_at(4);
}

#[test]
fn a_write_that_fails_after_it_was_seen() {
    Scene::register()
        .line(1, (1, 4), (asks_write("x"), Outcome::Failed))
        .line(2, (2, 3), read("x"))
        .refused_at(4);
}

#[test]
fn an_update_lost_by_a_swap() {
    Scene::cas()
        .line(1, (1, 3), changed(swap(0, "x"), 1, "x"))
        .line(2, (2, 4), changed(swap(0, "y"), 1, "y"))
        .refused_at(4);
}

#[test]
fn an_update_lost_by_an_append() {
    Scene::cas()
        .line(1, (1, 2), changed(append("x"), 1, "x"))
        .line(2, (3, 4), changed(append("y"), 2, "y"))
        .refused_at(4);
}

#[test]
fn a_change_that_is_applied_twice() {
    Scene::cas().line(1, (1, 2), changed(append("x"), 2, "xx")).refused_at(2);
    Scene::cas()
        .line(1, (1, 2), changed(Change::Add(1), 1, "1"))
        .line(2, (3, 4), saw(2, "2"))
        .refused_at(4);
}

#[test]
fn an_unknown_change_that_is_applied_twice() {
    Scene::cas()
        .open(1, 1, Asked::Change(append("x")))
        .line(2, (2, 3), saw(1, "x"))
        .line(2, (4, 5), saw(2, "xx"))
        .refused_at(5);
}

#[test]
fn a_mismatch_with_what_fits() {
    Scene::cas()
        .line(1, (1, 2), changed(Change::Set(bytes("x")), 1, "x"))
        .line(2, (3, 4), mismatch(swap(1, "y"), 1, "x"))
        .refused_at(4);
}

#[test]
fn a_swap_of_a_version_that_has_passed() {
    Scene::cas()
        .line(1, (1, 2), changed(Change::Set(bytes("x")), 1, "x"))
        .line(1, (3, 4), changed(Change::Delete, 2, ""))
        .line(2, (5, 6), changed(swap(1, "y"), 3, "y"))
        .refused_at(6);
}

#[test]
fn a_version_with_two_values() {
    Scene::cas()
        .open(1, 1, Asked::Change(append("x")))
        .open(2, 2, Asked::Change(append("y")))
        .line(3, (3, 4), saw(1, "x"))
        .line(4, (5, 6), saw(1, "y"))
        .refused_at(6);
}

#[test]
fn an_answer_to_another_question() {
    let (_, outcome) = read("x");
    Scene::register().line(1, (1, 2), (asks_write("x"), outcome)).refused_at(2);
    Scene::cas().line(1, (1, 2), read("")).refused_at(2);
}

#[test]
fn the_first_return_without_an_order_is_found_although_later_answers_rule_its_order_out() {
    // Until the append returns it may have been what was seen; it then says that it was not.
    Scene::cas()
        .line(1, (1, 6), changed(append("x"), 2, "xx"))
        .line(2, (2, 3), saw(1, "x"))
        .line(3, (4, 5), saw(1, "x"))
        .refused_at(6);
}

#[test]
fn what_the_limit_leaves_undecided_does_not_pass() {
    let scene = Scene::register().line(1, (1, 2), write("x")).line(2, (3, 4), read("x"));
    let verdict = check(&scene.history(), Limits { steps_max: 0 });
    assert!(matches!(verdict, Verdict::Undecided { steps_max: 0, .. }), "{verdict:?}");
}
