//! Which configurations there were, as somebody who looks now and then has seen it.

use std::sync::Arc;

use palco_rambo::{Configuration, Index, Reconfigured};
use serde::Serialize;

use crate::ClusterView;

/// Configurations of one shard that are remembered, at most: the newest.
pub const TIMELINE_MAX: usize = 64;

/// What one observer has seen of the configurations of all shards. What came and went between two looks it has not seen.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// By shard, then ascending by index.
    entries: Vec<TimelineEntry>,
    has_looked: bool,
}

/// One configuration. Times are those at which it was seen to be so, in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// Of which shard.
    pub shard: u16,
    /// What was decided.
    pub configuration: Arc<Configuration>,
    /// A node knows it.
    pub decided_ms: u64,
    /// It was there at the first look: nobody knows for how long.
    pub was_there: bool,
    /// A node knows none before it that is still active: it holds all.
    pub installed_ms: Option<u64>,
    /// A node has removed it.
    pub removed_ms: Option<u64>,
    /// What the driver of the reconfiguration measured, if it told this observer.
    pub took: Option<Took>,
}

/// How long a reconfiguration took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Took {
    /// Until it was decided, in microseconds.
    pub decided_us: u64,
    /// Until all before it were removed, in microseconds.
    pub installed_us: u64,
    /// Round trips of consensus and upgrade.
    pub phases: u32,
}

impl Timeline {
    /// Takes in how the nodes stood at a time, in milliseconds since 1970.
    pub fn see(&mut self, at_ms: u64, view: &ClusterView) {
        let was_there = !self.has_looked;
        for standing in view.nodes.iter().flat_map(|node| &node.standings) {
            let Some(map) = &standing.map else { continue };
            self.has_looked = true;
            for configuration in map.active() {
                let entry = self.entry(standing.shard, configuration, at_ms, was_there);
                if configuration.index() == map.base() {
                    entry.installed_ms.get_or_insert(at_ms);
                }
            }
            for entry in self.entries.iter_mut().filter(|entry| entry.shard == standing.shard) {
                if entry.configuration.index() < map.base() {
                    entry.removed_ms.get_or_insert(at_ms);
                }
            }
        }
    }

    /// Takes in what the driver of a reconfiguration told, at a time in milliseconds since 1970.
    pub fn hear(&mut self, at_ms: u64, shard: u16, done: &Reconfigured) {
        let configuration = Arc::new(done.configuration.clone());
        let micros =
            |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.entry(shard, &configuration, at_ms, false).took = Some(Took {
            decided_us: micros(done.decided),
            installed_us: micros(done.installed),
            phases: done.phases,
        });
    }

    /// All that is remembered, by shard, then ascending by index.
    #[must_use]
    pub fn entries(&self) -> &[TimelineEntry] {
        &self.entries
    }

    /// The one of this configuration; made if it was not seen before, and another forgotten for it if they are too many.
    fn entry(
        &mut self,
        shard: u16,
        configuration: &Arc<Configuration>,
        at_ms: u64,
        was_there: bool,
    ) -> &mut TimelineEntry {
        let wanted = (shard, configuration.index());
        let name =
            |entry: &TimelineEntry| -> (u16, Index) { (entry.shard, entry.configuration.index()) };
        let mut place = self.entries.partition_point(|entry| name(entry) < wanted);
        if self.entries.get(place).is_none_or(|entry| name(entry) != wanted) {
            let first = self.entries.partition_point(|entry| entry.shard < shard);
            let last = self.entries.partition_point(|entry| entry.shard <= shard);
            if last - first >= TIMELINE_MAX && place > first {
                self.entries.remove(first);
                place -= 1;
            }
            self.entries.insert(
                place,
                TimelineEntry {
                    shard,
                    configuration: Arc::clone(configuration),
                    decided_ms: at_ms,
                    was_there,
                    installed_ms: None,
                    removed_ms: None,
                    took: None,
                },
            );
        }
        &mut self.entries[place]
    }
}

#[cfg(test)]
mod tests {
    use palco_core::Time;
    use palco_rambo::{ConfigurationMap, NodeId};

    use super::*;
    use crate::{NodeView, Standing};

    fn configuration(index: Index) -> Configuration {
        Configuration::majority(index, [NodeId(1), NodeId(2)]).unwrap()
    }

    /// A node that knows these, one after the other.
    fn view(shard: u16, active: std::ops::RangeInclusive<Index>) -> ClusterView {
        let mut map = ConfigurationMap::of(configuration(*active.start()));
        for index in active.skip(1) {
            map = map.with_next(configuration(index)).unwrap();
        }
        let standing = Standing {
            shard,
            node: NodeId(1),
            boot: 1,
            map: Some(map),
            registers: 0,
            operations: 0,
            driving: None,
            at: Time::START,
        };
        ClusterView {
            nodes: vec![NodeView {
                name: "n1".into(),
                node: NodeId(1),
                peer: None,
                addresses: Vec::new(),
                resp: None,
                http: None,
                is_connected: true,
                standings: vec![standing],
            }],
        }
    }

    #[test]
    fn a_configuration_is_decided_then_installed_then_removed() {
        let mut timeline = Timeline::default();
        timeline.see(5, &ClusterView::default());
        timeline.see(10, &view(0, 0..=0));
        timeline.see(20, &view(0, 0..=1));
        timeline.see(30, &view(0, 1..=1));
        timeline.see(40, &view(0, 1..=1));
        let times: Vec<_> = timeline
            .entries()
            .iter()
            .map(|of| (of.decided_ms, of.was_there, of.installed_ms, of.removed_ms))
            .collect();
        assert_eq!(times, [(10, true, Some(10), Some(30)), (20, false, Some(30), None)]);
    }

    #[test]
    fn what_the_driver_measured_is_kept_with_its_configuration() {
        let mut timeline = Timeline::default();
        timeline.see(1, &view(0, 0..=0));
        let micros = std::time::Duration::from_micros;
        let (decided, installed) = (micros(900), micros(2100));
        let done = Reconfigured { configuration: configuration(1), phases: 3, decided, installed };
        timeline.hear(2, 0, &done);
        timeline.see(3, &view(0, 1..=1));
        let newest = timeline.entries().last().unwrap();
        assert_eq!((newest.decided_ms, newest.installed_ms), (2, Some(3)));
        let took = Took { decided_us: 900, installed_us: 2100, phases: 3 };
        assert_eq!(newest.took, Some(took));
    }

    #[test]
    fn the_newest_of_each_shard_are_remembered() {
        let mut timeline = Timeline::default();
        timeline.see(0, &view(1, 0..=0));
        for index in 0..2 * TIMELINE_MAX as u64 {
            timeline.see(index, &view(0, index..=index));
        }
        let indices = |shard| {
            let own = timeline.entries().iter().filter(move |of| of.shard == shard);
            own.map(|of| of.configuration.index()).collect::<Vec<_>>()
        };
        assert_eq!(indices(0), Vec::from_iter(TIMELINE_MAX as u64..2 * TIMELINE_MAX as u64));
        assert_eq!(indices(1), [0]);
    }
}
