//! A member of the new configuration fetches what read quorums of the old ones hold, from each of them directly (U2).
//! What was copied ahead of the decision counts: then only what changed since is sent. It proves nothing by itself, for
//! the sources had not been informed (pitfall 13).

use std::sync::Arc;

use palco_core::Time;

use super::{Asker, Attach, Participant, Turn};
use crate::flaw::flawed;
use crate::quorum::Kind;
use crate::tally::{Need, Tallies, Which};
use crate::{Barrier, Body, Configuration, Cursor, Index, Key, NodeId, Phase, Tagged};

/// In the place of a slot: the phases of a fetch.
const SLOT: u32 = u32::MAX - 1;

/// Drivers that wait for one fetch, at most; there are two when an upgrade was taken over.
const ASKERS_MAX: usize = 4;

/// A fetch under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fetch {
    target: Index,
    askers: Vec<(Asker, Phase)>,
    number: u64,
    /// Read quorums of the old configurations.
    tallies: Tallies,
    sources: Vec<Source>,
    /// Behind which all that was fetched is on disk.
    barrier: Barrier,
    resend_at: Time,
    resends: u32,
}

/// Where some of it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Source {
    node: NodeId,
    cursor: Cursor,
    done: bool,
}

impl Participant {
    /// A driver wants this member to have everything.
    pub(super) fn collect(
        &mut self,
        asker: Asker,
        phase: Phase,
        target: Index,
        turn: &mut Turn<'_>,
    ) {
        let (base, end) = (self.version().base, self.version().end);
        if target >= end {
            self.answer(asker, 0, Body::Collecting { phase }, turn);
        }
        if target <= base || self.is_single() {
            // Nothing older is active, or all there is came with the map.
            return self.answer(asker, 0, Body::Collected { phase }, turn);
        }
        if target < end
            && !self
                .find(target)
                .is_some_and(|configuration| configuration.contains(self.settings.node))
        {
            self.refusals.stranger += 1;
            return;
        }
        let mut askers = match self.fetch.take() {
            Some(fetch) if fetch.target == target => {
                let known = fetch.askers.iter().any(|(_, other)| *other == phase);
                let mut fetch = fetch;
                if !known {
                    fetch.askers.retain(|(other, _)| other.node != asker.node);
                    fetch.askers.truncate(ASKERS_MAX - 1);
                    fetch.askers.push((asker, phase));
                }
                self.fetch = Some(fetch);
                return;
            }
            // Of two drivers one is behind: the newer target is the one that counts.
            Some(fetch) if fetch.target > target => {
                self.fetch = Some(fetch);
                return;
            }
            Some(_) | None => Vec::new(),
        };
        askers.push((asker, phase));
        self.begin_fetch(target, askers, turn);
    }

    fn find(&self, index: Index) -> Option<&Arc<Configuration>> {
        self.map.as_ref()?.find(index)
    }

    fn begin_fetch(&mut self, target: Index, askers: Vec<(Asker, Phase)>, turn: &mut Turn<'_>) {
        let me = self.settings.node;
        let map = self.map.clone().expect("fetched with a map");
        let old: Vec<_> =
            map.active().iter().filter(|active| active.index() < target).cloned().collect();
        let mut tallies = Tallies::default();
        tallies.begin(old.iter().map(|configuration| (configuration, Need::Read)));
        let mut sources: Vec<Source> = Vec::new();
        for configuration in &old {
            // Itself first; who is no member begins somewhere else than the others.
            let first =
                configuration.position(me).unwrap_or(me.0 as usize % configuration.members().len());
            for node in configuration.quorum_from(Kind::Read, first) {
                if node == me {
                    tallies.answer(me);
                } else if sources.iter().all(|source| source.node != node) {
                    sources.push(self.source(node));
                }
            }
        }
        let number = self.fresh_phase();
        let resend_at = turn.now + self.settings.resend;
        self.wake_by(resend_at);
        let barrier = self.next_barrier().saturating_sub(1);
        let fetch = Box::new(Fetch {
            target,
            askers,
            number,
            tallies,
            sources,
            barrier,
            resend_at,
            resends: 0,
        });
        self.pull(&fetch, turn);
        self.end_fetch(fetch, turn);
    }

    fn source(&self, node: NodeId) -> Source {
        Source { node, cursor: self.fetched.get(&node).copied().unwrap_or_default(), done: false }
    }

    fn pull(&mut self, fetch: &Fetch, turn: &mut Turn<'_>) {
        let phase = self.phase(SLOT, fetch.number);
        // With the map: a source is informed before it answers.
        let attach =
            if flawed!(self.settings.flaws, NoInform) { Attach::Nothing } else { Attach::Map };
        for source in fetch.sources.iter().filter(|source| !source.done) {
            self.send(source.node, 0, attach, Body::Pull { phase, from: source.cursor }, turn);
        }
    }

    /// A source tells a part of what it holds.
    pub(super) fn pulled(&mut self, asker: Asker, phase: Phase, from: Cursor, turn: &mut Turn<'_>) {
        let (registers, then, last) = self.store.part(self.boot, from);
        self.answer(asker, 0, Body::Pulled { phase, from, registers, then, last }, turn);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one message")]
    pub(super) fn on_pulled(
        &mut self,
        from: NodeId,
        phase: Phase,
        part: Cursor,
        registers: &[(Key, Tagged)],
        then: Cursor,
        last: bool,
        turn: &mut Turn<'_>,
    ) {
        let expected = |fetch: &Fetch| {
            let waits =
                |source: &Source| source.node == from && source.cursor == part && !source.done;
            fetch.number == phase.number && phase.slot == SLOT && fetch.sources.iter().any(waits)
        };
        if !self.is_mine(phase) || !self.fetch.as_deref().is_some_and(expected) {
            self.refusals.stale += 1;
            return;
        }
        let mut fetch = self.fetch.take().expect("looked at above");
        for (key, tagged) in registers {
            if !self.refuse_register(key, tagged) {
                fetch.barrier = fetch.barrier.max(self.hold(key, tagged, turn));
            }
        }
        let source =
            fetch.sources.iter_mut().find(|source| source.node == from).expect("looked for above");
        source.cursor = then;
        source.done = last;
        fetch.resends = 0;
        if last {
            self.fetched.insert(from, then.finished());
            fetch.tallies.answer(from);
        } else {
            let phase = self.phase(SLOT, fetch.number);
            self.send(from, 0, Attach::Map, Body::Pull { phase, from: then }, turn);
        }
        self.end_fetch(fetch, turn);
    }

    /// Says so when all is there, as soon as it is on disk.
    fn end_fetch(&mut self, fetch: Box<Fetch>, turn: &mut Turn<'_>) {
        if fetch.tallies.are_met() {
            for (asker, phase) in fetch.askers {
                self.answer(asker, fetch.barrier, Body::Collected { phase }, turn);
            }
        } else {
            self.fetch = Some(fetch);
        }
    }

    /// The map has changed under a fetch: from other sources, or from nobody.
    pub(super) fn reconsider_fetch(&mut self, turn: &mut Turn<'_>) {
        let Some(fetch) = self.fetch.take() else { return };
        if fetch.target > self.version().base {
            self.begin_fetch(fetch.target, fetch.askers, turn);
        } else {
            for (asker, phase) in fetch.askers {
                self.answer(asker, fetch.barrier, Body::Collected { phase }, turn);
            }
        }
    }

    pub(super) fn look_after_fetch(&mut self, turn: &mut Turn<'_>) {
        let Some(mut fetch) = self.fetch.take() else { return };
        if fetch.resend_at <= turn.now {
            fetch.resends += 1;
            fetch.resend_at = turn.now + self.pause(fetch.resends);
            if fetch.resends > 1 {
                // Some do not answer: everybody that could.
                let mut nodes = std::mem::take(&mut self.nodes);
                fetch.tallies.nodes(Which::Silent, &mut nodes);
                for &node in nodes.iter().filter(|&&node| node != self.settings.node) {
                    if fetch.sources.iter().all(|source| source.node != node) {
                        fetch.sources.push(self.source(node));
                    }
                }
                self.nodes = nodes;
            }
            self.pull(&fetch, turn);
        }
        self.wake_by(fetch.resend_at);
        self.fetch = Some(fetch);
    }
}
