//! Members and quorums of a kind, for any nodes.

use palco_rambo::{Configuration, Member, NodeId, Quorums};

use crate::random::Random;
use crate::scenario::QuorumKind;

/// The sound kinds, of which [`QuorumKind::Mixed`] takes one each time.
const SOUND: [QuorumKind; 5] = [
    QuorumKind::Majority,
    QuorumKind::ReadOne,
    QuorumKind::WriteOne,
    QuorumKind::Weighted,
    QuorumKind::Grid,
];

/// These nodes as members, with quorums of that kind. [`QuorumKind::Broken`] is only for the first configuration: here
/// it gives majorities, because no participant would take it.
pub(crate) fn system(
    kind: QuorumKind,
    nodes: &[NodeId],
    random: &mut Random,
) -> (Vec<Member>, Quorums) {
    let mut members: Vec<_> = nodes.iter().map(|&node| Member { node, weight: 1 }).collect();
    let n = members.len() as u32;
    let quorums = match kind {
        QuorumKind::Majority | QuorumKind::Broken => Quorums::Majority,
        QuorumKind::ReadOne => Quorums::Thresholds { read: 1, write: n },
        QuorumKind::WriteOne => Quorums::Thresholds { read: n, write: 1 },
        QuorumKind::Weighted => {
            let heavy = random.position(members.len());
            if let Some(member) = members.get_mut(heavy) {
                member.weight = 2;
            }
            let half = u64::from(n + 1) / 2 + 1;
            Quorums::Weighted { read: half, write: half }
        }
        QuorumKind::Grid => Quorums::Grid { columns: columns(n) },
        QuorumKind::Mixed => {
            let kind = SOUND[random.position(SOUND.len())];
            return system(kind, nodes, random);
        }
    };
    (members, quorums)
}

/// Quorums of a third each, that miss each other.
pub(crate) fn apart(members: usize) -> Quorums {
    let third = (members as u32 / 3).max(1);
    Quorums::Thresholds { read: third, write: third }
}

/// The first configuration of a scenario.
///
/// # Panics
/// If the scenario has no members, or more than a configuration can have.
pub(crate) fn first(kind: QuorumKind, nodes: &[NodeId], random: &mut Random) -> Configuration {
    let proposer = nodes.first().copied().unwrap_or_default();
    let (members, quorums) = system(kind, nodes, random);
    let first = if kind == QuorumKind::Broken {
        Configuration::unproved(0, members, apart(nodes.len()), proposer)
    } else {
        Configuration::new(0, members, quorums, proposer)
    };
    first.expect("a scenario has 1 to 1000 members, and the kinds are sound")
}

/// The largest divisor up to the square root.
fn columns(members: u32) -> u32 {
    (1..=members)
        .take_while(|side| side * side <= members)
        .filter(|&side| members.is_multiple_of(side))
        .last()
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn every_sound_kind_fits_any_number_of_members() {
        let mut random = Random::new(1, Stream::World);
        for n in 1..=40 {
            let nodes: Vec<_> = (1..=n).map(NodeId).collect();
            for kind in SOUND.into_iter().chain([QuorumKind::Mixed; 8]) {
                let (members, quorums) = system(kind, &nodes, &mut random);
                let made = Configuration::new(1, members, quorums, NodeId(1));
                assert!(made.is_ok(), "{kind:?} of {n}: {made:?}");
            }
        }
    }

    #[test]
    fn grids_are_as_square_as_can_be() {
        let found: Vec<_> = [1, 2, 6, 7, 16, 100, 1_000].map(columns).into();
        assert_eq!(found, [1, 1, 2, 1, 4, 10, 25]);
    }

    #[test]
    fn quorums_that_miss_each_other_are_refused_by_the_constructor() {
        for n in [2, 3, 5, 9] {
            let members = (1..=n).map(|node| Member { node: NodeId(node), weight: 1 });
            assert!(Configuration::new(1, members, apart(n as usize), NodeId(1)).is_err());
        }
    }
}
