//! The arithmetic against all sets of members.

use super::*;

fn members(weights: &[u32]) -> Vec<Member> {
    weights.iter().zip(1..).map(|(&weight, node)| Member { node: NodeId(node), weight }).collect()
}

/// A read quorum whose rest still contains a write quorum, looked for among all sets.
fn missing_pair(tester: &Tester, n: usize) -> Option<NodeSet> {
    (0_u32..1 << n).find_map(|bits| {
        let (read, rest): (Vec<_>, Vec<_>) = (0..n).partition(|at| bits & (1 << at) != 0);
        let read: NodeSet = read.into_iter().collect();
        let apart = tester.is_quorum(Kind::Read, &read)
            && tester.is_quorum(Kind::Write, &rest.into_iter().collect());
        apart.then_some(read)
    })
}

/// What is proved holds for all sets, and what is refused as disjoint is.
fn agrees(quorums: &Quorums, members: &[Member]) {
    let n = members.len();
    match quorums.prove(members) {
        Ok(tester) => {
            assert_eq!(missing_pair(&tester, n), None, "{quorums:?} of {n}");
            let all: NodeSet = (0..n).collect();
            for kind in [Kind::Read, Kind::Write] {
                assert!(tester.is_quorum(kind, &all), "{quorums:?} of {n}: all of them are one");
                assert!(
                    !tester.is_quorum(kind, &NodeSet::EMPTY),
                    "{quorums:?} of {n}: nobody is none"
                );
            }
        }
        Err(QuorumError::Disjoint { .. } | QuorumError::Apart { .. }) => {
            let tester = quorums.tester(members).unwrap();
            assert!(
                missing_pair(&tester, n).is_some(),
                "{quorums:?} of {n} was refused for nothing"
            );
        }
        Err(
            QuorumError::Unreachable { .. }
            | QuorumError::Empty(_)
            | QuorumError::Ragged { .. }
            | QuorumError::Stranger(_)
            | QuorumError::Many(_),
        ) => {}
    }
}

#[test]
fn majorities_meet_for_every_size_up_to_fifteen() {
    for n in 1..=15 {
        agrees(&Quorums::Majority, &members(&vec![1; n]));
    }
}

#[test]
fn thresholds_meet_exactly_when_their_sum_is_more_than_all() {
    for n in 1..=9_u32 {
        for (read, write) in
            (0..=n + 1).flat_map(|read| (0..=n + 1).map(move |write| (read, write)))
        {
            let members = members(&vec![1; n as usize]);
            let quorums = Quorums::Thresholds { read, write };
            agrees(&quorums, &members);
            let sound = (1..=n).contains(&read) && (1..=n).contains(&write) && read + write > n;
            assert_eq!(quorums.prove(&members).is_ok(), sound, "{read} and {write} of {n}");
        }
    }
    agrees(&Quorums::Thresholds { read: 1, write: 15 }, &members(&[1; 15]));
}

#[test]
fn weights_meet_when_their_sum_is_more_than_all() {
    for weights in [&[3, 1, 1, 1][..], &[5, 4, 3, 2, 1], &[0, 1, 1], &[1; 11]] {
        let all: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
        for read in 0..=all + 1 {
            for write in 0..=all + 1 {
                agrees(&Quorums::Weighted { read, write }, &members(weights));
            }
        }
    }
}

#[test]
fn every_column_meets_every_row() {
    for (rows, columns) in [(1, 1), (2, 3), (3, 2), (3, 4), (3, 5), (5, 3), (1, 7), (7, 1)] {
        let quorums = Quorums::Grid { columns };
        agrees(&quorums, &members(&vec![1; rows * columns as usize]));
    }
    let ragged = QuorumError::Ragged { members: 5, columns: 2 };
    assert_eq!(Quorums::Grid { columns: 2 }.prove(&members(&[1; 5])), Err(ragged));
    assert!(Quorums::Grid { columns: 0 }.prove(&members(&[1; 5])).is_err());
}

#[test]
fn listed_quorums_are_looked_at_pair_by_pair() {
    let list = |sets: &[&[u64]]| {
        sets.iter().map(|set| set.iter().copied().map(NodeId).collect()).collect()
    };
    let explicit = |reads: &[&[u64]], writes: &[&[u64]]| Quorums::Explicit {
        reads: list(reads),
        writes: list(writes),
    };
    let four = members(&[1; 4]);
    let sound = explicit(&[&[1, 2], &[3, 4]], &[&[1, 3], &[2, 4], &[1, 4]]);
    agrees(&sound, &four);
    assert!(sound.prove(&four).is_ok());
    let apart = explicit(&[&[1, 2], &[3]], &[&[1, 3], &[2, 4]]);
    agrees(&apart, &four);
    assert_eq!(apart.prove(&four), Err(QuorumError::Apart { read: 1, write: 1 }));
    let stranger = explicit(&[&[9]], &[&[1]]);
    assert_eq!(stranger.prove(&four), Err(QuorumError::Stranger(NodeId(9))));
    assert_eq!(explicit(&[], &[&[1]]).prove(&four), Err(QuorumError::Empty(Kind::Read)));
    assert_eq!(explicit(&[&[1]], &[&[]]).prove(&four), Err(QuorumError::Empty(Kind::Write)));
    let many = vec![&[1][..]; EXPLICIT_MAX + 1];
    assert_eq!(explicit(&many, &[&[1]]).prove(&four), Err(QuorumError::Many(EXPLICIT_MAX + 1)));
}
