//! I1 (slides 12 to 15; RAMBO.md §1.8): a configuration map is usable, ±* C+ ⊥*, and monotone: what a node knows to be
//! removed or decided it never forgets, also not by a restart. Usable it is by its type; how many are active at once is
//! bounded (pitfall 10).

use std::collections::BTreeMap;

use palco_rambo::{ConfigurationMap, NodeId, Version};

use super::{Verdict, demand};

const CHECK: &str = "I1";

/// What each node knew last.
#[derive(Debug)]
pub(crate) struct Maps {
    last: BTreeMap<NodeId, Version>,
    /// Configurations that may be active at once.
    active_max: usize,
}

impl Maps {
    /// Nobody knows anything.
    pub(crate) fn new(active_max: usize) -> Self {
        Self { last: BTreeMap::new(), active_max }
    }

    /// A node stores a new map.
    pub(crate) fn learned(&mut self, node: NodeId, map: &ConfigurationMap) -> Verdict {
        let version = map.version();
        self.grown(node, version, "after")?;
        demand(map.active().len() <= self.active_max, CHECK, || {
            let (count, most) = (map.active().len(), self.active_max);
            format!("{node} has {count} active configurations, at most {most} may be: {map}")
        })
    }

    /// A node came back; its disk and it itself know this much.
    pub(crate) fn restarted(&mut self, node: NodeId, disk: Version, now: Version) -> Verdict {
        // What was not on disk is forgotten by right: nobody was told.
        self.last.insert(node, disk);
        self.grown(node, now, "restarted from a disk with")
    }

    fn grown(&mut self, node: NodeId, now: Version, since: &str) -> Verdict {
        let last = self.last.insert(node, now).unwrap_or_default();
        demand(now.base >= last.base && now.end >= last.end, CHECK, || {
            format!(
                "{node} knows the configurations from {} to below {}, {since} {} to below {}",
                now.base, now.end, last.base, last.end
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use palco_rambo::Configuration;

    use super::*;

    fn map(indices: std::ops::RangeInclusive<u64>) -> ConfigurationMap {
        let one = |index| Configuration::majority(index, [NodeId(1)]).expect("it can be");
        let first = ConfigurationMap::of(one(*indices.start()));
        indices.skip(1).fold(first, |map, index| map.with_next(one(index)).expect("it is next"))
    }

    const NODE: NodeId = NodeId(1);

    #[test]
    fn a_map_that_forgets_a_removal_or_a_decision_is_objected_to() {
        let mut maps = Maps::new(3);
        assert_eq!(maps.learned(NODE, &map(1..=2)), Ok(()));
        assert_eq!(maps.learned(NODE, &map(2..=3)), Ok(()));
        assert_eq!(maps.learned(NODE, &map(1..=3)).expect_err("forgot a removal").check, CHECK);
        assert_eq!(maps.learned(NODE, &map(2..=2)).expect_err("forgot a decision").check, CHECK);
    }

    #[test]
    fn too_many_active_configurations_are_objected_to() {
        let mut maps = Maps::new(2);
        assert!(maps.learned(NODE, &map(0..=2)).is_err());
    }

    #[test]
    fn a_restart_may_forget_what_was_not_on_disk_and_nothing_else() {
        let mut maps = Maps::new(2);
        assert_eq!(maps.learned(NODE, &map(2..=3)), Ok(()));
        let disk = map(1..=2).version();
        assert_eq!(maps.restarted(NODE, disk, disk), Ok(()));
        assert!(maps.restarted(NODE, disk, map(1..=1).version()).is_err());
    }
}
