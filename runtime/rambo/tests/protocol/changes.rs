//! Changes of keys of class cas.

use palco_rambo::{Change, Command, Key, OperationId, Outcome, Versioned};

use super::cluster::{Cluster, n};

fn key() -> Key {
    Key::cas("k")
}

fn change(cluster: &mut Cluster, node: u64, number: u64, change: Change) -> Outcome {
    cluster.ask(node, Command::Change(key(), change, OperationId { client: node, number })).0
}

fn now(version: u64, value: &'static str) -> Versioned {
    Versioned { version, value: Some(value.into()) }
}

#[test]
fn a_swap_happens_at_the_version_it_expects_and_at_no_other() {
    let mut cluster = Cluster::three_of_five();
    let swap = |expected, value: &'static str| Change::CompareAndSwap {
        expected,
        value: Some(value.into()),
    };
    assert_eq!(change(&mut cluster, 1, 1, swap(0, "a")), Outcome::Cas(now(1, "a")));
    assert_eq!(change(&mut cluster, 2, 1, swap(0, "b")), Outcome::Mismatch(now(1, "a")));
    assert_eq!(change(&mut cluster, 4, 1, swap(1, "b")), Outcome::Cas(now(2, "b")));
    assert_eq!(cluster.ask(5, Command::Read(key())).0, Outcome::Cas(now(2, "b")));
}

#[test]
fn a_change_that_is_tried_again_is_applied_once() {
    let mut cluster = Cluster::three_of_five();
    let add = || Command::Change(key(), Change::Add(5), OperationId { client: 9, number: 1 });
    assert_eq!(cluster.ask(1, add()).0, Outcome::Cas(now(1, "5")));
    assert_eq!(cluster.ask(2, add()).0, Outcome::Cas(now(1, "5")));
    assert_eq!(change(&mut cluster, 3, 1, Change::Add(1)), Outcome::Cas(now(2, "6")));
    assert_eq!(cluster.ask(2, add()).0, Outcome::Repeated { version: 1, result: 5 });
}

#[test]
fn who_was_forgotten_is_told_that_nobody_knows() {
    let mut cluster = Cluster::three_of_five();
    for client in 1..=40 {
        let id = OperationId { client, number: 1 };
        cluster.ask(1, Command::Change(key(), Change::Add(1), id));
    }
    let again = Command::Repeat(key(), Change::Add(1), OperationId { client: 1, number: 1 }, 0);
    assert_eq!(cluster.ask(2, again).0, Outcome::Unknown { tag: None });
    let new = Command::Repeat(key(), Change::Add(1), OperationId { client: 77, number: 1 }, 40);
    assert_eq!(cluster.ask(2, new).0, Outcome::Cas(now(41, "41")));
}

#[test]
fn what_cannot_be_applied_changes_nothing() {
    let mut cluster = Cluster::three_of_five();
    change(&mut cluster, 1, 1, Change::Set(Some("words".into())));
    assert_eq!(change(&mut cluster, 1, 2, Change::Add(1)), Outcome::Inapplicable(now(1, "words")));
    assert_eq!(
        change(&mut cluster, 1, 3, Change::Append("!".into())),
        Outcome::Cas(now(2, "words!"))
    );
}

#[test]
fn a_change_survives_any_minority_and_a_reconfiguration() {
    let mut cluster = Cluster::three_of_five();
    change(&mut cluster, 1, 1, Change::Add(7));
    cluster.off.insert(n(1));
    assert!(matches!(cluster.reconfigure(2, 0, &[4, 5]), Outcome::Reconfigured(_)));
    cluster.off.extend([n(2), n(3)]);
    assert_eq!(change(&mut cluster, 4, 1, Change::Add(1)), Outcome::Cas(now(2, "8")));
}
