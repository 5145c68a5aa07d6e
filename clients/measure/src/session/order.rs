//! In which order a round runs its rows: by chance, pairs side by side, and every second round backwards.

use crate::statistics::Chance;

/// One order of `count` rows; `edges` name rows that are compared with each other.
///
/// Rows that are compared form a group, groups come by chance. Within a group the next row is one that is compared with the
/// last, if there is one left, so that a pair is measured in direct succession; a baseline of many has another neighbour in
/// every round.
pub(crate) fn shuffled(count: usize, edges: &[(usize, usize)], chance: &mut Chance) -> Vec<usize> {
    let mut starts: Vec<usize> = (0..count).collect();
    chance.shuffle(&mut starts);
    let mut edges = edges.to_vec();
    chance.shuffle(&mut edges);
    let neighbours = |of: usize| {
        let other = move |&(a, b): &(usize, usize)| match of {
            _ if a == of => Some(b),
            _ if b == of => Some(a),
            _ => None,
        };
        edges.iter().filter_map(other).filter(|&other| other < count)
    };
    let mut placed = vec![false; count];
    let mut order = Vec::with_capacity(count);
    for start in starts {
        // Depth first: where a row has no neighbour left, the one before it may.
        let mut way = Vec::new();
        let mut next = (!placed[start]).then_some(start);
        while let Some(row) = next {
            placed[row] = true;
            order.push(row);
            way.push(row);
            next = loop {
                let Some(&last) = way.last() else { break None };
                match neighbours(last).find(|&other| !placed[other]) {
                    Some(other) => break Some(other),
                    None => way.pop(),
                };
            };
        }
    }
    order
}

/// The orders of all rounds: each second one is the one before it, backwards, so that a drift hits both of a pair alike.
#[derive(Debug)]
pub(crate) struct Orders {
    edges: Vec<(usize, usize)>,
    chance: Chance,
    last: Option<Vec<usize>>,
}

impl Orders {
    pub(crate) fn new(edges: Vec<(usize, usize)>, seed: u64) -> Self {
        Self { edges, chance: Chance::named(seed, "order"), last: None }
    }

    pub(crate) fn next_round(&mut self, count: usize) -> Vec<usize> {
        if let Some(mut order) = self.last.take().filter(|order| order.len() == count) {
            order.reverse();
            return order;
        }
        let order = shuffled(count, &self.edges, &mut self.chance);
        self.last = Some(order.clone());
        order
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn place(order: &[usize], row: usize) -> usize {
        order.iter().position(|&other| other == row).unwrap()
    }

    #[test]
    fn a_pair_is_measured_in_direct_succession_in_every_round() {
        let mut orders = Orders::new(vec![(0, 7), (3, 4)], 1);
        for _ in 0..20 {
            let order = orders.next_round(10);
            for (a, b) in [(0, 7), (3, 4)] {
                assert_eq!(place(&order, a).abs_diff(place(&order, b)), 1, "{order:?}");
            }
        }
    }

    #[test]
    fn every_second_round_is_the_one_before_backwards() {
        let mut orders = Orders::new(vec![], 2);
        let (first, mut second, third) =
            (orders.next_round(20), orders.next_round(20), orders.next_round(20));
        second.reverse();
        assert_eq!(first, second);
        assert_ne!(first, third);
    }

    #[test]
    fn a_baseline_of_many_is_next_to_each_of_them_now_and_then() {
        let edges: Vec<_> = (1..5).map(|other| (other, 0)).collect();
        let mut chance = Chance::new(3);
        for other in 1..5 {
            let is_next = |order: Vec<usize>| place(&order, 0).abs_diff(place(&order, other)) == 1;
            assert!((0..40).any(|_| is_next(shuffled(5, &edges, &mut chance))), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_row_has_its_turn_exactly_once(
            count in 0..40_usize,
            edges in vec((0..45_usize, 0..45_usize), 0..60),
            seed: u64,
        ) {
            let mut order = shuffled(count, &edges, &mut Chance::new(seed));
            order.sort_unstable();
            prop_assert!(order.into_iter().eq(0..count));
        }
    }
}
