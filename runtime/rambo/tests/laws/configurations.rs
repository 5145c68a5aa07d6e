//! A configuration cannot be had without quorums that meet, from whatever it is made.

use palco_rambo::{
    Configuration, ConfigurationError, Kind, MEMBERS_MAX, Member, NodeId, NodeSet, QuorumError,
    Quorums,
};

fn members(count: u64) -> Vec<Member> {
    (1..=count).map(|node| Member { node: NodeId(node), weight: 1 }).collect()
}

#[test]
fn nobody_too_many_or_one_twice_is_refused() {
    let majority = |members| Configuration::new(3, members, Quorums::Majority, NodeId(1));
    assert_eq!(majority(Vec::new()), Err(ConfigurationError::Empty(3)));
    let count = MEMBERS_MAX + 1;
    assert_eq!(majority(members(count as u64)), Err(ConfigurationError::Many { index: 3, count }));
    let twice = [members(3), members(1)].concat();
    assert_eq!(majority(twice), Err(ConfigurationError::Twice { index: 3, node: NodeId(1) }));
    assert!(majority(members(MEMBERS_MAX as u64)).is_ok());
}

#[test]
fn quorums_that_miss_each_other_are_refused_also_when_they_come_from_outside() {
    let broken = Quorums::Thresholds { read: 1, write: 2 };
    let refused = Configuration::new(0, members(3), broken.clone(), NodeId(1));
    let source = QuorumError::Disjoint { read: 1, write: 2, all: 3 };
    assert_eq!(refused, Err(ConfigurationError::Quorums { index: 0, source }));
    // In the shape in which a configuration is sent and stored.
    let bytes = postcard::to_allocvec(&(0_u64, members(3), broken, NodeId(1))).unwrap();
    assert!(postcard::from_bytes::<Configuration>(&bytes).is_err());
    let sound = postcard::to_allocvec(&(0_u64, members(3), Quorums::Majority, NodeId(1))).unwrap();
    let configuration: Configuration = postcard::from_bytes(&sound).unwrap();
    assert_eq!(postcard::to_allocvec(&configuration).unwrap(), sound);
}

#[test]
fn a_quorum_that_is_chosen_is_one_and_none_of_it_can_be_left_out() {
    let kinds = [
        (Quorums::Majority, 7),
        (Quorums::Thresholds { read: 2, write: 6 }, 7),
        (Quorums::Grid { columns: 3 }, 12),
        (Quorums::Weighted { read: 4, write: 4 }, 7),
    ];
    for (quorums, count) in kinds {
        let configuration =
            Configuration::new(0, members(count), quorums.clone(), NodeId(1)).unwrap();
        for kind in [Kind::Read, Kind::Write] {
            for first in 0..count as usize {
                let chosen = configuration.quorum_from(kind, first);
                let set = |nodes: &[NodeId]| {
                    nodes
                        .iter()
                        .map(|&node| configuration.position(node).unwrap())
                        .collect::<NodeSet>()
                };
                assert!(configuration.is_quorum(kind, &set(&chosen)), "{quorums:?}");
                for left_out in 0..chosen.len() {
                    let mut fewer = chosen.clone();
                    fewer.remove(left_out);
                    assert!(!configuration.is_quorum(kind, &set(&fewer)), "{quorums:?}");
                }
            }
        }
    }
}
