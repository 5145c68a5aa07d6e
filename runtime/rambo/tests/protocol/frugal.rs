//! Queries that ask few first: how much less is said, and that nobody who is silent is waited for twice.

use std::time::Duration;

use palco_rambo::{Command, Configuration, Member, Quorums, Settings};

use super::cluster::{Cluster, n, x};

const PATIENCE: Duration = Duration::from_millis(10);

fn settings(node: palco_rambo::NodeId) -> Settings {
    Settings { patience: Some(PATIENCE), ..Settings::new(node) }
}

/// Majorities of three, and one who is no member.
fn three_of_four() -> Cluster {
    let first = Configuration::majority(0, [1, 2, 3].map(n)).expect("majorities meet");
    Cluster::new(4, &first, settings)
}

fn counted(cluster: &mut Cluster, act: impl FnOnce(&mut Cluster)) -> u64 {
    let before = cluster.sent;
    act(cluster);
    cluster.sent - before
}

#[test]
fn a_read_asks_one_other_of_three_and_a_write_tells_both() {
    let mut cluster = three_of_four();
    assert_eq!(counted(&mut cluster, |cluster| assert_eq!(cluster.write(1, "a"), 2)), 2 + 4);
    assert_eq!(
        counted(&mut cluster, |cluster| assert_eq!(cluster.read(1), (Some("a".into()), 1))),
        2
    );
    let outside = counted(&mut cluster, |cluster| assert_eq!(cluster.read(4).1, 1));
    assert_eq!(outside, 4, "two members, from outside");
}

#[test]
fn read_one_write_all_queries_nobody_else_for_a_write() {
    let members = [1, 2, 3].map(|node| Member { node: n(node), weight: 1 });
    let quorums = Quorums::Thresholds { read: 1, write: 3 };
    let first = Configuration::new(0, members, quorums, n(1)).unwrap();
    let mut cluster = Cluster::new(3, &first, settings);
    assert_eq!(counted(&mut cluster, |cluster| assert_eq!(cluster.write(2, "a"), 2)), 4);
}

#[test]
fn a_grid_is_asked_for_a_row_and_a_column() {
    let members: Vec<_> = (1..=9).map(|node| Member { node: n(node), weight: 1 }).collect();
    let first = Configuration::new(0, members, Quorums::Grid { columns: 3 }, n(1)).unwrap();
    let mut cluster = Cluster::new(9, &first, settings);
    cluster.write(5, "a");
    cluster.read(5);
    assert_eq!(counted(&mut cluster, |cluster| assert_eq!(cluster.read(5).1, 1)), 2 * 4);
}

#[test]
fn others_are_asked_when_one_lets_wait_and_it_is_left_out_then() {
    let mut cluster = three_of_four();
    cluster.write(1, "a");
    cluster.off.insert(n(2));
    let waiting = cluster.begin(1, Command::Read(x()));
    assert_eq!(cluster.answer(waiting), None, "it asked node 2 alone");
    cluster.pass(PATIENCE);
    assert!(cluster.answer(waiting).is_some(), "then node 3");
    let at_once = cluster.begin(1, Command::Read(x()));
    assert!(cluster.answer(at_once).is_some(), "node 2 is not asked any more");
}

#[test]
fn who_cannot_be_reached_is_not_waited_for() {
    let mut cluster = three_of_four();
    cluster.write(1, "a");
    cluster.off.insert(n(2));
    let waiting = cluster.begin(1, Command::Read(x()));
    assert_eq!(cluster.answer(waiting), None);
    cluster.cannot_reach(1, 2);
    assert!(cluster.answer(waiting).is_some(), "without a moment's patience");
}

#[test]
fn who_is_heard_of_again_is_asked_again() {
    let mut cluster = three_of_four();
    cluster.write(1, "a");
    cluster.cannot_reach(1, 2);
    cluster.pass(Duration::from_secs(2));
    cluster.off.insert(n(3));
    let waiting = cluster.begin(1, Command::Read(x()));
    assert_eq!(cluster.answer(waiting), None, "time alone proves nothing");
    cluster.off.remove(&n(3));
    cluster.write(1, "b");
    cluster.off.insert(n(3));
    let waiting = cluster.begin(1, Command::Read(x()));
    assert!(cluster.answer(waiting).is_some(), "node 2 has answered the write");
}
