//! I2 (slide 18; RAMBO.md §1.8): agreement and validity of configurations. Over everybody and for all time there is one
//! configuration for an index, and it is one that somebody asked for as the successor of the one before. A ballot is
//! given to one configuration only.

use std::collections::BTreeMap;
use std::sync::Arc;

use palco_rambo::{
    Ballot, Configuration, ConfigurationMap, Index, Member, NodeId, Quorums, Target,
};

use super::{Objection, Verdict, demand};

const CHECK: &str = "I2";

/// All that was asked for and seen.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    known: BTreeMap<Index, Arc<Configuration>>,
    wanted: BTreeMap<Index, Vec<Wanted>>,
    voted: BTreeMap<(Index, Ballot), Configuration>,
}

/// A configuration that somebody asked for.
#[derive(Debug)]
struct Wanted {
    members: Vec<Member>,
    quorums: Quorums,
    /// None if it cannot be.
    made: Option<Configuration>,
}

impl Agreement {
    /// The first configuration is given.
    pub(crate) fn founded(&mut self, first: &Configuration) {
        self.known.insert(first.index(), Arc::new(first.clone()));
    }

    /// Somebody asks for this.
    pub(crate) fn wanted(&mut self, target: &Target) {
        let mut members = target.members.clone();
        members.sort_by_key(|member| member.node);
        let (index, quorums) = (target.expected + 1, target.quorums.clone());
        let made = Configuration::new(index, members.clone(), quorums.clone(), NodeId(0)).ok();
        self.wanted.entry(index).or_default().push(Wanted { members, quorums, made });
    }

    /// A node stores a map.
    pub(crate) fn learned(&mut self, node: NodeId, map: &ConfigurationMap) -> Verdict {
        map.active().iter().try_for_each(|one| self.seen(node, one))
    }

    /// Somebody was told, or knows, that this was decided.
    pub(crate) fn seen(&mut self, node: NodeId, one: &Arc<Configuration>) -> Verdict {
        if let Some(known) = self.known.get(&one.index()) {
            return demand(Arc::ptr_eq(known, one) || known == one, CHECK, || {
                format!("{node} knows {one}, others know {known}")
            });
        }
        self.valid(one, || format!("{node} knows {one}"))?;
        self.known.insert(one.index(), Arc::clone(one));
        Ok(())
    }

    /// A node accepts this under a ballot.
    pub(crate) fn voted(&mut self, node: NodeId, ballot: Ballot, one: &Configuration) -> Verdict {
        let place = (one.index(), ballot);
        if let Some(before) = self.voted.get(&place) {
            return demand(before == one, CHECK, || {
                format!("{node} accepted {one} under {ballot}, which was given to {before}")
            });
        }
        self.valid(one, || format!("{node} accepted {one} under {ballot}"))?;
        self.voted.insert(place, one.clone());
        Ok(())
    }

    /// The newest that anybody knows.
    pub(crate) fn newest(&self) -> Option<&Arc<Configuration>> {
        self.known.values().next_back()
    }

    /// The configuration of an index, if anybody knows it.
    pub(crate) fn find(&self, index: Index) -> Option<&Arc<Configuration>> {
        self.known.get(&index)
    }

    /// The configurations that may be used now or later: those from an index on that are known, and all that were asked
    /// for as successors of the newest.
    pub(crate) fn usable(&self, oldest: Index) -> impl Iterator<Item = &Configuration> {
        let next = self.newest().map_or(0, |newest| newest.index() + 1);
        let pending = self.wanted.range(next..).flat_map(|(_, wanted)| wanted);
        let known = self.known.range(oldest..).map(|(_, known)| &**known);
        known.chain(pending.filter_map(|wanted| wanted.made.as_ref()))
    }

    fn valid(&self, one: &Configuration, who: impl FnOnce() -> String) -> Verdict {
        let wanted = self.wanted.get(&one.index()).map_or(&[][..], Vec::as_slice);
        let valid = wanted
            .iter()
            .any(|wanted| wanted.members == one.members() && wanted.quorums == *one.quorums());
        if valid {
            return Ok(());
        }
        Err(Objection { check: CHECK, what: format!("{}, which nobody asked for", who()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(1);

    fn one(index: Index, nodes: &[u64]) -> Arc<Configuration> {
        let nodes = nodes.iter().map(|&node| NodeId(node));
        Arc::new(Configuration::majority(index, nodes).expect("it can be"))
    }

    fn agreement() -> Agreement {
        let mut agreement = Agreement::default();
        agreement.founded(&one(0, &[1, 2, 3]));
        agreement.wanted(&Target::majority(0, [NodeId(2), NodeId(1)]));
        agreement.wanted(&Target::majority(0, [NodeId(3)]));
        agreement
    }

    #[test]
    fn two_configurations_for_an_index_are_objected_to() {
        let mut agreement = agreement();
        assert_eq!(agreement.seen(NODE, &one(0, &[1, 2, 3])), Ok(()));
        assert_eq!(agreement.seen(NODE, &one(1, &[1, 2])), Ok(()));
        assert_eq!(agreement.seen(NodeId(2), &one(1, &[1, 2])), Ok(()));
        let objection = agreement.seen(NodeId(3), &one(1, &[3])).expect_err("it differs");
        assert_eq!(objection.check, CHECK);
        assert_eq!(agreement.newest().map(|newest| newest.index()), Some(1));
    }

    #[test]
    fn a_configuration_that_nobody_asked_for_as_this_successor_is_objected_to() {
        let mut agreement = agreement();
        assert!(agreement.seen(NODE, &one(1, &[1, 3])).is_err());
        assert!(agreement.seen(NODE, &one(2, &[1, 2])).is_err());
        assert!(agreement.voted(NODE, Ballot::ZERO, &one(1, &[1, 3])).is_err());
    }

    #[test]
    fn a_ballot_with_two_configurations_is_objected_to() {
        let mut agreement = agreement();
        let ballot = Ballot { round: 1, node: NODE, boot: 1 };
        assert_eq!(agreement.voted(NODE, ballot, &one(1, &[1, 2])), Ok(()));
        assert_eq!(agreement.voted(NODE, Ballot { round: 2, ..ballot }, &one(1, &[3])), Ok(()));
        assert!(agreement.voted(NodeId(2), ballot, &one(1, &[3])).is_err());
    }
}
