//! Who waits for whom, and who waits in circles.

use std::collections::{BTreeMap, BTreeSet};

use palco_actors::{ActorId, System};

use crate::model::{WaitEdge, Waits};
use crate::picture::{ms, now_ms, short};

pub(crate) fn of(system: &System, path: impl Fn(ActorId) -> Option<String>) -> Waits {
    let now = now_ms(system);
    let name = |actor: ActorId| path(actor).unwrap_or_else(|| actor.to_string());
    let edge = |waiting: palco_actors::Waiting| WaitEdge {
        from: waiting.from,
        from_path: name(waiting.from),
        to: waiting.to,
        to_path: name(waiting.to),
        message: short(waiting.message),
        for_ms: now.saturating_sub(ms(waiting.since)),
    };
    let edges: Vec<WaitEdge> = system.waits().into_iter().map(edge).collect();
    let cycles = cycles(edges.iter().map(|edge| (edge.from, edge.to)));
    Waits { edges, cycles }
}

/// The circles in a graph: its strongly connected parts of more than one, and who waits for itself. Tarjan 1972, as two
/// searches in depth (Kosaraju, Sharir 1981): first by when each is left, then backwards.
pub(crate) fn cycles(edges: impl Iterator<Item = (ActorId, ActorId)>) -> Vec<Vec<ActorId>> {
    let mut forward: BTreeMap<ActorId, BTreeSet<ActorId>> = BTreeMap::new();
    let mut backward: BTreeMap<ActorId, BTreeSet<ActorId>> = BTreeMap::new();
    for (from, to) in edges {
        forward.entry(from).or_default().insert(to);
        forward.entry(to).or_default();
        backward.entry(to).or_default().insert(from);
        backward.entry(from).or_default();
    }
    let mut left = Vec::new();
    let mut seen = BTreeSet::new();
    for actor in forward.keys() {
        reach(*actor, &forward, &mut seen, &mut left);
    }
    let mut seen = BTreeSet::new();
    let mut cycles = Vec::new();
    for actor in left.into_iter().rev() {
        let mut part = Vec::new();
        reach(actor, &backward, &mut seen, &mut part);
        part.sort_unstable();
        let is_circle = part.len() > 1 || part.iter().any(|one| forward[one].contains(one));
        if is_circle {
            cycles.push(part);
        }
    }
    cycles.sort_unstable();
    cycles
}

/// All that can be reached from `first` and has not been seen, each after those it leads to. Without recursion: chains of
/// waiting actors may be long.
fn reach(
    first: ActorId,
    edges: &BTreeMap<ActorId, BTreeSet<ActorId>>,
    seen: &mut BTreeSet<ActorId>,
    left: &mut Vec<ActorId>,
) {
    if !seen.insert(first) {
        return;
    }
    let mut way = vec![(first, edges[&first].iter())];
    while let Some((actor, next)) = way.last_mut() {
        match next.next() {
            Some(to) if seen.insert(*to) => way.push((*to, edges[to].iter())),
            Some(_) => {}
            None => {
                left.push(*actor);
                way.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_numbers(edges: &[(u64, u64)]) -> Vec<Vec<u64>> {
        let edges = edges.iter().map(|(from, to)| (ActorId::new(*from), ActorId::new(*to)));
        let numbers = |cycle: Vec<ActorId>| cycle.into_iter().map(ActorId::number).collect();
        cycles(edges).into_iter().map(numbers).collect()
    }

    #[test]
    fn circles_are_found_and_chains_are_none() {
        assert_eq!(of_numbers(&[(1, 2), (2, 3), (3, 4)]), Vec::<Vec<u64>>::new());
        assert_eq!(of_numbers(&[(1, 2), (2, 3), (3, 1), (4, 1)]), [[1, 2, 3]]);
        assert_eq!(of_numbers(&[(1, 1), (2, 3), (3, 2)]), [vec![1], vec![2, 3]]);
    }

    proptest! {
        #[test]
        fn who_is_in_a_circle_can_reach_itself(edges in prop::collection::vec((0u64..12, 0u64..12), 0..40)) {
            let mut reach = [[false; 12]; 12];
            for (from, to) in &edges {
                reach[*from as usize][*to as usize] = true;
            }
            for by in 0..12 {
                for from in 0..12 {
                    for to in 0..12 {
                        reach[from][to] |= reach[from][by] && reach[by][to];
                    }
                }
            }
            let mut expected: Vec<u64> = (0..12).filter(|at| reach[*at as usize][*at as usize]).collect();
            let mut found: Vec<u64> = of_numbers(&edges).into_iter().flatten().collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
