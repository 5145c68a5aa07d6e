//! Maps form a lattice: it does not matter in which order, or how often, one hears of configurations.

use std::sync::Arc;

use palco_rambo::{ACTIVE_MAX, Configuration, ConfigurationMap, MapError, NodeId};
use proptest::prelude::*;

/// The one sequence of configurations that all maps tell parts of.
fn configuration(index: u64) -> Configuration {
    Configuration::majority(index, [1, 2, 3].map(|node| NodeId(node + index)))
        .expect("majorities meet")
}

fn map(base: u64, count: usize) -> ConfigurationMap {
    (1..count as u64).fold(ConfigurationMap::of(configuration(base)), |map, next| {
        map.with_next(configuration(base + next)).expect("the next of few")
    })
}

fn any_map() -> impl Strategy<Value = ConfigurationMap> {
    (0_u64..6, 1_usize..4).prop_map(|(base, count)| map(base, count))
}

fn merge(a: &ConfigurationMap, b: &ConfigurationMap) -> ConfigurationMap {
    a.merge(b).expect("parts of one sequence").unwrap_or_else(|| a.clone())
}

proptest! {
    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in any_map(), b in any_map(), c in any_map()) {
        prop_assert_eq!(merge(&a, &b), merge(&b, &a));
        prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
        prop_assert_eq!(merge(&a, &a), a);
    }

    #[test]
    fn merging_forgets_no_removal_and_no_configuration(a in any_map(), b in any_map()) {
        let both = merge(&a, &b);
        prop_assert_eq!(both.base(), a.base().max(b.base()));
        prop_assert_eq!(both.top().index(), a.top().index().max(b.top().index()));
        let indices: Vec<_> = both.active().iter().map(|active| active.index()).collect();
        prop_assert_eq!(indices, (both.base()..=both.top().index()).collect::<Vec<_>>());
        prop_assert_eq!(a.merge(&b).unwrap().is_none(), !b.version().knows_more_than(a.version()));
    }

    #[test]
    fn bytes_that_are_no_map_are_refused_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(map) = postcard::from_bytes::<ConfigurationMap>(&bytes) {
            prop_assert!(map.active().len() <= ACTIVE_MAX);
        }
    }
}

#[test]
fn two_configurations_of_one_index_contradict_each_other() {
    let other = Configuration::majority(1, [7, 8, 9].map(NodeId)).unwrap();
    let (one, two) = (map(0, 2), map(0, 1).with_next(other).unwrap());
    assert_eq!(one.merge(&two), Err(MapError::Disagreement(1)));
}

#[test]
fn holes_emptiness_and_too_many_are_refused_also_from_outside() {
    assert_eq!(map(0, 1).with_next(configuration(2)), Err(MapError::Hole(0, 2)));
    assert_eq!(
        map(0, ACTIVE_MAX).with_next(configuration(ACTIVE_MAX as u64)),
        Err(MapError::Many(ACTIVE_MAX + 1))
    );
    for active in
        [vec![], vec![configuration(3), configuration(5)], (0..9).map(configuration).collect()]
    {
        let bytes = postcard::to_allocvec(&active).unwrap();
        assert!(postcard::from_bytes::<ConfigurationMap>(&bytes).is_err(), "{active:?}");
    }
    let bytes = postcard::to_allocvec(&map(2, 3)).unwrap();
    assert_eq!(postcard::from_bytes::<ConfigurationMap>(&bytes), Ok(map(2, 3)));
}

#[test]
fn a_map_is_shared_and_not_copied() {
    let (long, short) = (map(0, 3), map(1, 1));
    let merged = merge(&short, &long);
    assert!(Arc::ptr_eq(merged.find(2).unwrap(), long.find(2).unwrap()));
}
