//! Nodes that the configurations do not tell apart: of the states that differ in their names alone, one is enough.

use crate::map::{Set, each, has};

/// New names: the node that was `i` becomes `names[i]`.
pub(crate) type Names<const N: usize> = [usize; N];

/// All ways to rename `N` nodes under which each of these sets stays what it is, without the one that changes nothing.
pub(crate) fn renamings<const N: usize>(sets: &[Set]) -> Vec<Names<N>> {
    let mut all = vec![std::array::from_fn(|node| node)];
    for first in 0..N {
        // Every permutation is one of these swaps after another, with ascending `first`.
        let swapped: Vec<Names<N>> = all
            .iter()
            .flat_map(|names| {
                (first + 1..N).map(move |second| {
                    let mut names: Names<N> = *names;
                    names.swap(first, second);
                    names
                })
            })
            .collect();
        all.extend(swapped);
    }
    all.retain(|names| sets.iter().all(|&set| renamed(set, names) == set));
    all.remove(0);
    all
}

/// The set under the new names.
pub(crate) fn renamed<const N: usize>(set: Set, names: &Names<N>) -> Set {
    each(set).fold(0, |new, node| if node < N { new | 1 << names[node] } else { new })
}

/// What each node has, under the new names.
pub(crate) fn moved<T: Copy, const N: usize>(of_nodes: [T; N], names: &Names<N>) -> [T; N] {
    let mut new = of_nodes;
    for (node, &what) in of_nodes.iter().enumerate() {
        new[names[node]] = what;
    }
    new
}

#[test]
fn only_nodes_in_the_same_configurations_change_names() {
    assert_eq!(renamings::<4>(&[0b0111, 0b1110]), [[0, 2, 1, 3]]);
    assert_eq!(renamings::<3>(&[0b111]).len(), 5);
    assert!(has(renamed(0b001, &[2, 1, 0]), 2));
}
