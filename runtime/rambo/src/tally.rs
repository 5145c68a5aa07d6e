//! Who has answered a phase, configuration by configuration.

use std::sync::Arc;

use crate::quorum::Kind;
use crate::{Configuration, Index, NodeId, NodeSet};

/// Whose answers a phase waits for in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    Read,
    Write,
    Both,
}

/// The answers from one configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tally {
    configuration: Arc<Configuration>,
    need: Need,
    answered: NodeSet,
    /// Of those, who holds the largest tag durably.
    holders: NodeSet,
}

/// The answers to a phase: it is at its fixed point when every configuration it knows of has its quorums (slide 32).
/// Counting allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tallies(Vec<Tally>);

impl Tallies {
    /// Nobody has answered.
    pub(crate) fn begin<'a>(
        &mut self,
        wanted: impl IntoIterator<Item = (&'a Arc<Configuration>, Need)>,
    ) {
        self.0.clear();
        self.0.extend(wanted.into_iter().map(|(configuration, need)| Tally {
            configuration: Arc::clone(configuration),
            need,
            answered: NodeSet::EMPTY,
            holders: NodeSet::EMPTY,
        }));
    }

    /// One more configuration must answer; what its members answered as members of others counts (rule R1).
    pub(crate) fn extend(&mut self, configuration: &Arc<Configuration>, need: Need) {
        let (mut answered, mut holders) = (NodeSet::EMPTY, NodeSet::EMPTY);
        for tally in &self.0 {
            for (at, node) in tally.configuration.nodes().enumerate() {
                if let Some(position) = configuration.position(node) {
                    if tally.answered.contains(at) {
                        answered.insert(position);
                    }
                    if tally.holders.contains(at) {
                        holders.insert(position);
                    }
                }
            }
        }
        self.0.push(Tally { configuration: Arc::clone(configuration), need, answered, holders });
    }

    /// The configurations below this are not asked any more.
    pub(crate) fn forget_below(&mut self, base: Index) {
        self.0.retain(|tally| tally.configuration.index() >= base);
    }

    /// The lowest and the highest index in use.
    pub(crate) fn range(&self) -> Option<(Index, Index)> {
        Some((self.0.first()?.configuration.index(), self.0.last()?.configuration.index()))
    }

    /// A node has answered; says whether it was one of those asked.
    pub(crate) fn answer(&mut self, node: NodeId) -> bool {
        let mut asked = false;
        for tally in &mut self.0 {
            if let Some(position) = tally.configuration.position(node) {
                tally.answered.insert(position);
                asked = true;
            }
        }
        asked
    }

    /// A node holds the largest tag durably.
    pub(crate) fn hold(&mut self, node: NodeId) {
        for tally in &mut self.0 {
            if let Some(position) = tally.configuration.position(node) {
                tally.holders.insert(position);
            }
        }
    }

    /// A larger tag has been seen: nobody is known to hold it.
    pub(crate) fn nobody_holds(&mut self) {
        for tally in &mut self.0 {
            tally.holders = NodeSet::EMPTY;
        }
    }

    /// The fixed point: every configuration has the quorums that are needed.
    pub(crate) fn are_met(&self) -> bool {
        self.0.iter().all(|Tally { configuration, need, answered, .. }| match need {
            Need::Read => configuration.is_quorum(Kind::Read, answered),
            Need::Write => configuration.is_quorum(Kind::Write, answered),
            Need::Both => {
                configuration.is_quorum(Kind::Read, answered)
                    && configuration.is_quorum(Kind::Write, answered)
            }
        })
    }

    /// Rule O1: a write quorum of every configuration holds the largest tag durably.
    pub(crate) fn largest_is_held(&self) -> bool {
        self.0.iter().all(|tally| tally.configuration.is_quorum(Kind::Write, &tally.holders))
    }

    /// The configuration, if only one is in use.
    pub(crate) fn only(&self) -> Option<&Configuration> {
        let [Tally { configuration, .. }] = self.0.as_slice() else { return None };
        Some(configuration)
    }

    /// Who of these positions of the only configuration has not answered.
    pub(crate) fn silent(&self, asked: NodeSet) -> impl Iterator<Item = NodeId> {
        let positions = move |tally: &Tally, at| asked.contains(at) && !tally.answered.contains(at);
        self.0.iter().take(1).flat_map(move |tally| {
            let nodes = tally.configuration.nodes().enumerate();
            nodes.filter(move |(at, _)| positions(tally, *at)).map(|(_, node)| node)
        })
    }

    /// Puts everybody that was asked, once each, or only some of them, into `nodes`.
    pub(crate) fn nodes(&self, which: Which<'_>, nodes: &mut Vec<NodeId>) {
        nodes.clear();
        for (at, tally) in self.0.iter().enumerate() {
            for (position, node) in tally.configuration.nodes().enumerate() {
                let before =
                    self.0[..at].iter().any(|earlier| earlier.configuration.contains(node));
                let is_meant = match which {
                    Which::All => true,
                    Which::Silent => !tally.answered.contains(position),
                    Which::Of(positions) => positions.contains(position),
                };
                if !before && is_meant {
                    nodes.push(node);
                }
            }
        }
    }
}

/// Of those that were asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    All,
    Silent,
    /// Positions of the only configuration.
    Of(&'a NodeSet),
}
