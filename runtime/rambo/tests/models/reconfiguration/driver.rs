//! Who decides a configuration and removes the one before it, in stages.

use super::{
    Reconfiguration, State,
    removal::{Does, Needs, Stage},
};
use crate::{
    map::{Map, Set, has},
    tags::Tag,
};

/// A driver of reconfigurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Driver {
    pub(super) stage: u8,
    /// The largest tag that it collected.
    pub(super) tag: Tag,
    pub(super) map: Map,
    /// The nodes that this stage has reached.
    pub(super) acks: Set,
}

impl Driver {
    pub(super) fn knowing(map: Map) -> Self {
        Self { stage: 0, tag: Tag::ZERO, map, acks: 0 }
    }
}

impl Reconfiguration {
    /// The stage that a driver is in, until it has finished.
    pub(super) fn stage(&self, state: &State, driver: usize) -> Option<&'static Stage> {
        self.drivers[driver].get(usize::from(state.drivers[driver].stage))
    }

    pub(super) fn drive(&self, state: &mut State, driver: usize, node: usize) -> Option<()> {
        let stage = self.stage(state, driver)?;
        let (of, at) = (&mut state.drivers[driver], &mut state.nodes[node]);
        if has(of.acks, node) || !has(self.members.of(stage.at), node) {
            return None;
        }
        for does in stage.does {
            match does {
                Does::Inform => {
                    self.learn(at, of.map);
                    self.tag_rides(of.tag, &mut at.tag);
                }
                Does::Push => self.give(at, of.tag),
                Does::Collect => of.tag = of.tag.max(at.tag),
            }
        }
        let pushes = stage.does.contains(&Does::Push);
        if !pushes || self.may_acknowledge(at, of.tag) {
            of.acks |= 1 << node;
        }
        Some(())
    }

    pub(super) fn next_stage(&self, state: &mut State, driver: usize) -> Option<()> {
        let stage = self.stage(state, driver)?;
        let needed = match stage.needs {
            Needs::Read => self.quorums.read,
            Needs::Write => self.quorums.write,
            Needs::Both => self.quorums.both(),
        };
        let of = &mut state.drivers[driver];
        if !self.members.covered(stage.at, of.acks, needed) {
            return None;
        }
        of.acks = 0;
        of.stage += 1;
        of.map.decide(stage.then_decides);
        of.map.remove(stage.then_removes);
        Some(())
    }
}
