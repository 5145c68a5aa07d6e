//! What a crash leaves of a node.

use super::{Action, NODES, Node, Reconfiguration, State};
use crate::{
    map::{Map, each},
    tags::Tag,
};

/// What a node has on its disk. Empty where crashes are not modelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Disk {
    pub(super) tag: Tag,
    pub(super) map: Map,
}

/// The rule by which nodes persist, or the one that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disks {
    /// Nobody crashes.
    Unneeded,
    /// A tag is acknowledged once it is on disk, a map is on disk when it is learned, and a query says what is durable.
    Sound,
    /// A tag is acknowledged at once.
    AcksFirst,
    /// One-round reads count tags that are not on disk yet.
    VolatileCounts,
    /// Maps are not written, tags at once.
    MapsForgotten,
    /// The disk is lost, and the node goes on under its old name.
    LostUnderOldName,
    /// The disk is lost, and the node comes back as somebody else: who it was answers no more.
    LostUnderNewName,
}

impl Reconfiguration {
    pub(super) fn disk_at_first(&self, map: Map) -> Disk {
        match self.disks {
            Disks::Unneeded => Disk::default(),
            Disks::Sound
            | Disks::AcksFirst
            | Disks::VolatileCounts
            | Disks::MapsForgotten
            | Disks::LostUnderOldName
            | Disks::LostUnderNewName => Disk { tag: Tag::ZERO, map },
        }
    }

    /// A node learns a map.
    pub(super) fn learn(&self, at: &mut Node, map: Map) {
        at.map.learn(map);
        match self.disks {
            Disks::Unneeded | Disks::MapsForgotten => {}
            Disks::Sound
            | Disks::AcksFirst
            | Disks::VolatileCounts
            | Disks::LostUnderOldName
            | Disks::LostUnderNewName => at.disk.map = at.map,
        }
    }

    /// A node is given a tag.
    pub(super) fn give(&self, at: &mut Node, tag: Tag) {
        at.tag = at.tag.max(tag);
        if self.disks == Disks::MapsForgotten {
            at.disk.tag = at.tag;
        }
    }

    /// Whether a node may say that it has a tag.
    pub(super) fn may_acknowledge(&self, at: &Node, tag: Tag) -> bool {
        match self.disks {
            Disks::Unneeded | Disks::AcksFirst => true,
            Disks::Sound
            | Disks::VolatileCounts
            | Disks::MapsForgotten
            | Disks::LostUnderOldName
            | Disks::LostUnderNewName => at.disk.tag >= tag,
        }
    }

    /// Whether a one-round read may count on a node's tag.
    pub(super) fn is_durable(&self, at: &Node) -> bool {
        match self.disks {
            Disks::Unneeded | Disks::AcksFirst | Disks::VolatileCounts => true,
            Disks::Sound
            | Disks::MapsForgotten
            | Disks::LostUnderOldName
            | Disks::LostUnderNewName => at.disk.tag >= at.tag,
        }
    }

    pub(super) fn disk_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if self.disks == Disks::Unneeded {
            return;
        }
        for node in each(self.members.of(0b111) & !state.gone).filter(|&node| node < NODES) {
            actions.push(Action::Sync { node });
            if state.crashes < self.crashes_max {
                actions.push(Action::Crash { node });
            }
        }
    }

    pub(super) fn crash(&self, state: &mut State, node: usize) {
        state.crashes += 1;
        let at = &mut state.nodes[node];
        match self.disks {
            Disks::LostUnderOldName => {
                let map = Map::FIRST;
                *at = Node { tag: Tag::ZERO, map, disk: Disk { tag: Tag::ZERO, map } };
            }
            Disks::LostUnderNewName => {
                *at = Node::default();
                state.gone |= 1 << node;
            }
            Disks::Unneeded
            | Disks::Sound
            | Disks::AcksFirst
            | Disks::VolatileCounts
            | Disks::MapsForgotten => (at.tag, at.map) = (at.disk.tag, at.disk.map),
        }
    }
}
