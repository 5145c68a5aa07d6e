//! Reconfiguration.

use std::time::Duration;

use palco_rambo::{
    Command, Configuration, Failure, Key, Member, Mode, Outcome, QuorumError, Quorums, Settings,
    Stage, Target,
};

use super::cluster::{Cluster, n, x};

#[test]
fn everything_moves_to_members_that_none_of_the_old_ones_is() {
    let mut cluster = Cluster::three_of_five();
    cluster.write(1, "kept");
    let Outcome::Reconfigured(done) = cluster.reconfigure(2, 0, &[4, 5]) else {
        panic!("reconfigured")
    };
    assert_eq!(done.configuration.nodes().collect::<Vec<_>>(), [n(4), n(5)]);
    for node in cluster.nodes.values() {
        assert_eq!(node.map().unwrap().base(), 1, "{}", node.node());
    }
    cluster.off.extend([n(1), n(2), n(3)]);
    assert_eq!(cluster.read(4).0, Some("kept".into()));
    cluster.write(5, "new");
    assert_eq!(cluster.read(4).0, Some("new".into()));
}

#[test]
fn the_owner_of_round_zero_needs_four_phases_and_others_five() {
    let mut cluster = Cluster::three_of_five();
    // Node 1 is the proposer of the first configuration, and who reconfigures is that of the next.
    for (driver, index, phases) in [(1, 0, 4), (1, 1, 4), (2, 2, 5), (2, 3, 4)] {
        let Outcome::Reconfigured(done) =
            cluster.reconfigure(driver, index, &[1, 2, 3 + index % 3])
        else {
            panic!("reconfigured")
        };
        assert_eq!(done.phases, phases, "n{driver}, after c{index}");
    }
}

#[test]
fn a_configuration_whose_members_do_not_answer_is_refused() {
    let mut cluster = Cluster::three_of_five();
    cluster.off.insert(n(5));
    let dead = cluster.reconfigure(1, 0, &[4, 5]);
    assert!(
        matches!(&dead, Outcome::Failed(Failure::Dead { silent, .. }) if silent == &[n(5)]),
        "{dead:?}"
    );
    let unknown = cluster.reconfigure(1, 0, &[1, 77, 78]);
    assert!(
        matches!(&unknown, Outcome::Failed(Failure::Dead { silent, .. }) if silent == &[n(77), n(78)]),
        "{unknown:?}"
    );
    assert_eq!(cluster.nodes[&n(1)].map().unwrap().top().index(), 0);
    assert!(matches!(cluster.reconfigure(1, 0, &[1, 4]), Outcome::Reconfigured(_)));
}

#[test]
fn a_configuration_that_cannot_be_is_refused_before_anybody_is_asked() {
    let mut cluster = Cluster::three_of_five();
    let members = [1, 2, 3, 4].map(|node| Member { node: n(node), weight: 1 }).to_vec();
    let target =
        Target { expected: 0, members, quorums: Quorums::Thresholds { read: 2, write: 2 } };
    let Outcome::Failed(Failure::Configuration(error)) =
        cluster.ask(1, Command::Reconfigure(target)).0
    else {
        panic!("refused")
    };
    let disjoint = QuorumError::Disjoint { read: 2, write: 2, all: 4 };
    assert!(format!("{error:?}").contains(&format!("{disjoint:?}")), "{error:?}");
    assert!(matches!(cluster.reconfigure(1, 0, &[]), Outcome::Failed(Failure::Configuration(_))));
}

#[test]
fn who_expects_an_older_configuration_is_told_the_newest() {
    let mut cluster = Cluster::three_of_five();
    cluster.reconfigure(1, 0, &[1, 2, 4]);
    let Outcome::Superseded(newest) = cluster.reconfigure(3, 0, &[1, 2, 5]) else {
        panic!("superseded")
    };
    assert!(newest.contains(n(4)));
}

#[test]
fn one_member_may_not_leave_but_one_that_was_may() {
    let mut cluster = Cluster::three_of_five();
    assert!(matches!(cluster.ask(3, Command::Leave).0, Outcome::Failed(Failure::Member { .. })));
    cluster.reconfigure(1, 0, &[1, 2, 4]);
    assert_eq!(cluster.ask(3, Command::Leave).0, Outcome::Left);
}

#[test]
fn an_upgrade_whose_driver_is_gone_is_taken_over() {
    let mut cluster = Cluster::three_of_five();
    cluster.write(1, "kept");
    // A driver that is no member is gone as soon as it has decided.
    cluster.cut = Some((n(4), Stage::Inform));
    cluster.begin(4, Command::Reconfigure(Target::majority(0, [1, 2, 5].map(n))));
    assert_eq!(cluster.nodes[&n(2)].map().unwrap().active().len(), 2);
    cluster.pass(Duration::from_secs(30));
    assert_eq!(cluster.nodes[&n(2)].map().unwrap().base(), 1);
    assert_eq!(cluster.read(2).0, Some("kept".into()));
}

#[test]
fn with_one_register_the_old_configuration_goes_when_the_one_after_the_next_is_decided() {
    let settings = |node| Settings { mode: Mode::Rambo3(x()), ..Settings::new(node) };
    let first = Configuration::majority(0, [1, 2, 3].map(n)).unwrap();
    let mut cluster = Cluster::new(6, &first, settings);
    cluster.write(1, "kept");
    for (index, nodes) in [(0, [2, 3, 4]), (1, [3, 4, 5]), (2, [4, 5, 6])] {
        let done = cluster.reconfigure(4, index, &nodes);
        assert!(matches!(done, Outcome::Reconfigured(_)), "{done:?}");
        let map = cluster.nodes[&n(4)].map().unwrap();
        assert_eq!((map.base(), map.top().index()), (index, index + 1));
        assert_eq!(cluster.read(1).0, Some("kept".into()));
    }
    let other = cluster.ask(1, Command::Read(Key::register("y"))).0;
    assert_eq!(other, Outcome::Failed(Failure::OtherKey(Key::register("y"))));
}
