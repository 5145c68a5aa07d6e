//! A client's only operation: query, then propagate.

use super::{NODES, OnRemoval, Reads, Reconfiguration, Reply, State, Tags, Writes};
use crate::{
    map::{Map, Set, each},
    tags::{Floor, Tag},
};

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Progress {
    Idle,
    Querying,
    Propagating,
    Done,
}

/// A client and its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Client {
    pub(super) progress: Progress,
    /// The largest tag it knows.
    pub(super) tag: Tag,
    pub(super) map: Map,
    /// The configurations whose quorums the phase needs.
    pub(super) contacted: Set,
    /// The nodes that answered in this phase.
    pub(super) acks: Set,
    /// Those of them that had their tag on disk.
    pub(super) durable: Set,
    /// The tag that each of them had.
    pub(super) seen: [Tag; NODES],
    /// What is propagated: a write's own tag, or the one that a read found.
    pub(super) chosen: Tag,
    /// The floor when the operation began.
    pub(super) floor: Floor,
}

impl Client {
    pub(super) fn idle() -> Self {
        Self {
            progress: Progress::Idle,
            tag: Tag::ZERO,
            map: Map::FIRST,
            contacted: 0,
            acks: 0,
            durable: 0,
            seen: [Tag::ZERO; NODES],
            chosen: Tag::ZERO,
            floor: Floor::default(),
        }
    }

    /// A phase begins, or begins anew.
    fn begin_phase(&mut self) {
        self.contacted = self.map.active();
        self.acks = 0;
        self.durable = 0;
        self.seen = [Tag::ZERO; NODES];
    }
}

impl Reconfiguration {
    pub(super) fn begin(&self, state: &mut State, client: usize) {
        let floor = state.floor;
        let skips_query = self.writes == Writes::WithoutQuery && self.is_writer(client);
        let of = &mut state.clients[client];
        of.floor = floor;
        of.progress = Progress::Querying;
        if skips_query {
            of.progress = Progress::Propagating;
            of.chosen = of.tag.after(client);
            of.tag = of.chosen;
        }
        of.begin_phase();
    }

    pub(super) fn call(&self, state: &mut State, client: usize, node: usize, reply: Reply) {
        let (of, at) = (&mut state.clients[client], &mut state.nodes[node]);
        let is_query = of.progress == Progress::Querying;
        if !is_query {
            self.give(at, of.chosen);
        }
        self.learn(at, of.map);
        self.tag_rides(of.tag, &mut at.tag);
        if reply == Reply::IsLost || !is_query && !self.may_acknowledge(at, of.chosen) {
            return;
        }
        of.map.learn(at.map);
        if is_query || self.tags == Tags::RideWithMaps {
            of.tag = of.tag.max(at.tag);
        }
        of.contacted |= at.map.active();
        of.acks |= 1 << node;
        of.seen[node] = at.tag;
        if is_query && self.is_durable(at) {
            of.durable |= 1 << node;
        }
        let gone = of.contacted & of.map.removed();
        match self.on_removal {
            OnRemoval::Continue => {}
            OnRemoval::KeepAcks => of.contacted &= !gone,
            OnRemoval::Restart if gone == 0 => {}
            OnRemoval::Restart => of.begin_phase(),
        }
    }

    pub(super) fn fix(&self, state: &mut State, client: usize) {
        let (is_writer, floor) = (self.is_writer(client), state.floor);
        let of = &mut state.clients[client];
        if of.progress == Progress::Propagating {
            return self.complete(state, client);
        }
        let newest = each(of.acks).map(|node| of.seen[node]).fold(of.tag, Tag::max);
        of.tag = newest;
        of.chosen = if is_writer { newest.after(client) } else { newest };
        if !is_writer && self.may_return(*of, floor) {
            return self.complete(state, client);
        }
        of.progress = Progress::Propagating;
        of.tag = of.tag.max(of.chosen);
        of.begin_phase();
    }

    /// Whether a read may end after its query.
    fn may_return(&self, of: Client, floor: Floor) -> bool {
        let holders = each(of.acks)
            .filter(|&node| of.seen[node] >= of.chosen)
            .fold(0, |holders, node| holders | 1 << node);
        match self.reads {
            Reads::WriteBack => false,
            Reads::WithoutWriteBack => true,
            Reads::OnceAllAgree => holders == of.acks,
            Reads::OnceWriteQuorumHolds => {
                self.members.covered(of.contacted, holders & of.durable, self.quorums.write)
            }
            Reads::OnceConfirmed => of.chosen <= floor.tag(),
        }
    }

    /// The operation ends, and the floor says whether it may end so.
    fn complete(&self, state: &mut State, client: usize) {
        let of = &mut state.clients[client];
        let allowed = if self.is_writer(client) {
            of.floor.allows_write(of.chosen)
        } else {
            of.floor.allows_read(of.chosen)
        };
        state.violated |= !allowed;
        state.floor.raise(of.chosen);
        of.progress = Progress::Done;
        of.acks = 0;
        of.durable = 0;
        of.contacted = 0;
        of.seen = [Tag::ZERO; NODES];
        of.floor = Floor::default();
    }
}
