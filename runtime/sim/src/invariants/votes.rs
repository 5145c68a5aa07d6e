//! I6 (slide 24; RAMBO.md §1.8): an acceptor accepts nothing below what it promised, and neither goes back: not from
//! record to record, and not by a restart, of which the disk is the witness (pitfall 5).

use std::collections::BTreeMap;

use palco_rambo::{Ballot, Index, NodeId};

use super::{Verdict, demand};

const CHECK: &str = "I6";

/// What each node promised last for each index.
#[derive(Debug, Default)]
pub(crate) struct Votes {
    promised: BTreeMap<(NodeId, Index), Ballot>,
}

impl Votes {
    /// A node stores a promise.
    pub(crate) fn promised(&mut self, node: NodeId, index: Index, ballot: Ballot) -> Verdict {
        self.kept(node, index, ballot, "promises")
    }

    /// A node stores an acceptance.
    pub(crate) fn accepted(&mut self, node: NodeId, index: Index, ballot: Ballot) -> Verdict {
        self.kept(node, index, ballot, "accepts")
    }

    fn kept(&mut self, node: NodeId, index: Index, ballot: Ballot, does: &str) -> Verdict {
        let last = self.promised.entry((node, index)).or_default();
        let before = std::mem::replace(last, ballot);
        demand(ballot >= before, CHECK, || {
            format!("{node} {does} {ballot} for configuration {index}, after {before}")
        })
    }

    /// A node came back: what its disk says of an index, and what it says itself.
    pub(crate) fn restarted(
        &mut self,
        node: NodeId,
        index: Index,
        disk: (Ballot, Option<Ballot>),
        now: (Ballot, Option<Ballot>),
    ) -> Verdict {
        self.promised.insert((node, index), disk.0);
        demand(now.0 >= disk.0 && now.1 >= disk.1, CHECK, || {
            let shown = |(promised, accepted): (Ballot, Option<Ballot>)| {
                let accepted = accepted.map_or("nothing".to_owned(), |ballot| ballot.to_string());
                format!("promised {promised} and accepted {accepted}")
            };
            let (disk, now) = (shown(disk), shown(now));
            format!("{node} was restarted and has for configuration {index} {now}; on disk: {disk}")
        })
    }

    /// A node came back: what was not on disk is forgotten by right, for nobody was told.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.promised.retain(|(other, _), _| *other != node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(2);

    fn ballot(round: u64) -> Ballot {
        Ballot { round, node: NODE, boot: 1 }
    }

    #[test]
    fn an_acceptance_below_a_promise_and_a_promise_taken_back_are_objected_to() {
        let mut votes = Votes::default();
        assert_eq!(votes.promised(NODE, 1, ballot(4)), Ok(()));
        assert_eq!(votes.accepted(NODE, 1, ballot(4)), Ok(()));
        assert_eq!(votes.promised(NODE, 2, ballot(1)), Ok(()), "another index");
        assert_eq!(votes.accepted(NODE, 1, ballot(3)).expect_err("below").check, CHECK);
        assert!(votes.promised(NODE, 2, ballot(0)).is_err());
    }

    #[test]
    fn a_restart_that_forgets_a_vote_on_disk_is_objected_to() {
        let mut votes = Votes::default();
        let disk = (ballot(4), Some(ballot(2)));
        votes.forget(NODE);
        assert_eq!(votes.restarted(NODE, 1, disk, disk), Ok(()));
        assert!(votes.restarted(NODE, 1, disk, (ballot(4), None)).is_err());
        assert!(votes.restarted(NODE, 1, disk, (ballot(3), disk.1)).is_err());
        assert!(votes.promised(NODE, 1, ballot(3)).is_err());
    }
}
