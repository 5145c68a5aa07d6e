//! Reads and writes in one configuration.

use palco_rambo::{
    Command, Configuration, Failure, Key, Member, Outcome, Part, Quorums, Settings, Tag,
    VALUE_BYTES_MAX,
};

use super::cluster::{Cluster, n, x};

#[test]
fn what_was_written_at_one_node_is_read_at_every_other_member_or_not() {
    let mut cluster = Cluster::three_of_five();
    assert_eq!(cluster.read(2), (None, 1));
    assert_eq!(cluster.write(1, "a"), 2);
    for node in 1..=5 {
        assert_eq!(cluster.read(node), (Some("a".into()), 1), "n{node}");
    }
    cluster.write(5, "b");
    assert_eq!(cluster.read(3).0, Some("b".into()));
}

#[test]
fn a_read_writes_back_what_only_few_hold() {
    let mut cluster = Cluster::three_of_five();
    cluster.off.insert(n(2));
    cluster.write(4, "a");
    cluster.off.remove(&n(2));
    cluster.off.insert(n(3));
    assert_eq!(cluster.read(2), (Some("a".into()), 2));
    assert_eq!(cluster.read(2), (Some("a".into()), 1), "it is known to be settled now");
    assert_eq!(cluster.nodes[&n(2)].held(&x()).value, Some("a".into()));
}

#[test]
fn nothing_is_answered_without_a_quorum_and_a_write_that_began_is_unknown() {
    let mut cluster = Cluster::three_of_five();
    cluster.off.extend([n(2), n(3)]);
    let failed = Outcome::Failed(Failure::Timeout);
    assert_eq!(cluster.ask(1, Command::Read(x())).0, failed);
    assert_eq!(cluster.ask(1, Command::Write(x(), None)).0, failed, "nobody has heard of it");
}

#[test]
fn deletion_is_a_write_and_leaves_a_tag() {
    let mut cluster = Cluster::three_of_five();
    cluster.write(1, "a");
    assert!(matches!(cluster.ask(2, Command::Write(x(), None)).0, Outcome::Written(_)));
    let Outcome::Read(tagged) = cluster.ask(3, Command::Read(x())).0 else { panic!("read") };
    assert_eq!(tagged.value, None);
    assert!(tagged.tag > Tag::ZERO);
}

#[test]
fn read_one_write_all_reads_where_it_is_asked() {
    let members = [1, 2, 3].map(|node| Member { node: n(node), weight: 1 });
    let first =
        Configuration::new(0, members, Quorums::Thresholds { read: 1, write: 3 }, n(1)).unwrap();
    let mut cluster = Cluster::new(3, &first, Settings::new);
    cluster.write(1, "a");
    cluster.read(2);
    let sent = cluster.sent;
    assert_eq!(cluster.read(2), (Some("a".into()), 1));
    assert_eq!(
        cluster.sent - sent,
        4,
        "the others were asked, and answered, but nobody waited for them"
    );
}

#[test]
fn messages_of_an_operation_are_as_few_as_the_textbook_says() {
    let mut cluster = Cluster::three_of_five();
    cluster.write(1, "a");
    let mut counted = |act: &mut dyn FnMut(&mut Cluster)| {
        let before = cluster.sent;
        act(&mut cluster);
        cluster.sent - before
    };
    assert_eq!(
        counted(&mut |cluster| assert_eq!(cluster.write(1, "b"), 2)),
        8,
        "4(n-1) at a member"
    );
    assert_eq!(counted(&mut |cluster| assert_eq!(cluster.read(1).1, 1)), 4, "2(n-1) at a member");
    assert_eq!(counted(&mut |cluster| assert_eq!(cluster.write(5, "c"), 2)), 12, "4n from outside");
    assert_eq!(counted(&mut |cluster| assert_eq!(cluster.read(5).1, 1)), 6, "2n from outside");
}

#[test]
fn what_cannot_be_taken_on_is_refused_and_says_why() {
    let mut cluster = Cluster::three_of_five();
    let cas = Key::cas("x");
    assert_eq!(
        cluster.ask(1, Command::Write(cas.clone(), None)).0,
        Outcome::Failed(Failure::Class(cas)),
    );
    let long = vec![0; VALUE_BYTES_MAX + 1];
    let refused = cluster.ask(1, Command::Write(x(), Some(long.into()))).0;
    assert!(
        matches!(refused, Outcome::Failed(Failure::Oversized { what: Part::Value, .. })),
        "{refused:?}"
    );
    let refused = cluster.ask(1, Command::Read(Key::register(vec![0; 1025]))).0;
    assert!(
        matches!(refused, Outcome::Failed(Failure::Oversized { what: Part::Key, .. })),
        "{refused:?}"
    );
}

#[test]
fn more_operations_than_the_limit_are_refused() {
    let settings = |node| Settings { operations_max: 1, ..Settings::new(node) };
    let first = Configuration::majority(0, [1, 2, 3].map(n)).unwrap();
    let mut cluster = Cluster::new(3, &first, settings);
    cluster.off.extend([n(2), n(3)]);
    cluster.begin(1, Command::Read(x()));
    let second = cluster.begin(1, Command::Read(x()));
    let answer = cluster.answer(second).map(|(outcome, _)| outcome);
    assert_eq!(answer, Some(Outcome::Failed(Failure::Busy { limit: 1 })));
}
