//! A configuration: who keeps the registers, and which sets of them speak for all.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::quorum::{Kind, Member, QuorumError, Quorums, Tester};
use crate::{MEMBERS_MAX, NodeId, NodeSet};

/// Position in the sequence of configurations. The first is 0.
pub type Index = u64;

/// Who may be members and how they form quorums: what consensus decides on for an index. Proved when made, also when it
/// comes from outside: a value of this type has quorums that meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unproved", into = "Unproved")]
pub struct Configuration {
    index: Index,
    members: Vec<Member>,
    quorums: Quorums,
    proposer: NodeId,
    tester: Tester,
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum ConfigurationError {
    /// Nobody would keep anything.
    #[error("configuration {0} has no members: name at least one")]
    Empty(Index),
    /// More than a set of acknowledgements holds.
    #[error("configuration {index} has {count} members, at most {MEMBERS_MAX} can be")]
    Many {
        /// Of the configuration.
        index: Index,
        /// Members given.
        count: usize,
    },
    /// It would count twice.
    #[error("configuration {index} names {node} twice")]
    Twice {
        /// Of the configuration.
        index: Index,
        /// Who.
        node: NodeId,
    },
    /// Its quorums do not meet.
    #[error("the quorums of configuration {index} cannot be used")]
    Quorums {
        /// Of the configuration.
        index: Index,
        /// What is wrong with them.
        source: QuorumError,
    },
}

impl Configuration {
    /// Makes one and proves that its quorums meet.
    ///
    /// `proposer` alone may propose the next configuration in round 0, without asking for promises first (rule O3);
    /// it need not be a member.
    ///
    /// # Errors
    /// No members, too many, one twice, or quorums that can miss each other.
    pub fn new(
        index: Index,
        members: impl IntoIterator<Item = Member>,
        quorums: Quorums,
        proposer: NodeId,
    ) -> Result<Self, ConfigurationError> {
        Self::build(
            Unproved { index, members: members.into_iter().collect(), quorums, proposer },
            Quorums::prove,
        )
    }

    /// All with weight 1, majorities, the first of them as proposer.
    ///
    /// # Errors
    /// No members, too many, or one twice.
    pub fn majority(
        index: Index,
        nodes: impl IntoIterator<Item = NodeId>,
    ) -> Result<Self, ConfigurationError> {
        let members: Vec<_> = nodes.into_iter().map(|node| Member { node, weight: 1 }).collect();
        let proposer = members.iter().map(|member| member.node).min().unwrap_or_default();
        Self::new(index, members, Quorums::Majority, proposer)
    }

    /// Without the proof that quorums meet, for tests in which a checker must object.
    ///
    /// # Errors
    /// As [`Configuration::new`], but for quorums that miss each other.
    #[cfg(feature = "lab")]
    pub fn unproved(
        index: Index,
        members: impl IntoIterator<Item = Member>,
        quorums: Quorums,
        proposer: NodeId,
    ) -> Result<Self, ConfigurationError> {
        Self::build(
            Unproved { index, members: members.into_iter().collect(), quorums, proposer },
            Quorums::tester,
        )
    }

    fn build(
        unproved: Unproved,
        prove: impl Fn(&Quorums, &[Member]) -> Result<Tester, QuorumError>,
    ) -> Result<Self, ConfigurationError> {
        let Unproved { index, mut members, quorums, proposer } = unproved;
        if members.is_empty() {
            return Err(ConfigurationError::Empty(index));
        }
        if members.len() > MEMBERS_MAX {
            return Err(ConfigurationError::Many { index, count: members.len() });
        }
        members.sort_by_key(|member| member.node);
        if let Some(pair) = members.windows(2).find(|pair| pair[0].node == pair[1].node) {
            return Err(ConfigurationError::Twice { index, node: pair[0].node });
        }
        let tester = prove(&quorums, &members)
            .map_err(|source| ConfigurationError::Quorums { index, source })?;
        Ok(Self { index, members, quorums, proposer, tester })
    }

    /// Where it stands in the sequence.
    #[must_use]
    pub fn index(&self) -> Index {
        self.index
    }

    /// Ascending by identity, 1 to [`MEMBERS_MAX`].
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How quorums are formed.
    #[must_use]
    pub fn quorums(&self) -> &Quorums {
        &self.quorums
    }

    /// Who may use round 0 for the next one.
    #[must_use]
    pub fn proposer(&self) -> NodeId {
        self.proposer
    }

    /// The members' identities, ascending.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        self.members.iter().map(|member| member.node)
    }

    /// Where a node stands among the members.
    #[must_use]
    pub fn position(&self, node: NodeId) -> Option<usize> {
        self.members.binary_search_by_key(&node, |member| member.node).ok()
    }

    /// Whether a node is one of the members.
    #[must_use]
    pub fn contains(&self, node: NodeId) -> bool {
        self.position(node).is_some()
    }

    /// Whether a set of positions contains a quorum of that kind.
    #[must_use]
    pub fn is_quorum(&self, kind: Kind, set: &NodeSet) -> bool {
        self.tester.is_quorum(kind, set)
    }

    /// A smallest quorum of that kind (none of it can be left out), preferring members from `position` on.
    #[must_use]
    pub fn quorum_from(&self, kind: Kind, position: usize) -> Vec<NodeId> {
        let n = self.members.len();
        let mut chosen: Vec<usize> = (0..n).map(|step| (position + step) % n).collect();
        // From the least preferred on: what is not needed goes.
        for at in (0..n).rev() {
            let rest = chosen.iter().copied().filter(|&other| other != (position + at) % n);
            if self.is_quorum(kind, &rest.clone().collect()) {
                chosen = rest.collect();
            }
        }
        chosen.into_iter().map(|position| self.members[position].node).collect()
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}{{", self.index)?;
        for (at, node) in self.nodes().enumerate() {
            write!(f, "{}{node}", if at == 0 { "" } else { " " })?;
        }
        f.write_str("}")?;
        match &self.quorums {
            Quorums::Majority => Ok(()),
            Quorums::Thresholds { read, write } => write!(f, " r{read} w{write}"),
            Quorums::Weighted { read, write } => write!(f, " weights r{read} w{write}"),
            Quorums::Grid { columns } => {
                write!(f, " grid {}x{columns}", self.members.len() / *columns as usize)
            }
            Quorums::Explicit { reads, writes } => {
                write!(f, " {} read and {} write quorums", reads.len(), writes.len())
            }
        }
    }
}

/// A configuration as it is sent and stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Unproved {
    index: Index,
    members: Vec<Member>,
    quorums: Quorums,
    proposer: NodeId,
}

impl TryFrom<Unproved> for Configuration {
    type Error = ConfigurationError;

    fn try_from(unproved: Unproved) -> Result<Self, ConfigurationError> {
        Self::build(unproved, Quorums::prove)
    }
}

impl From<Configuration> for Unproved {
    fn from(proved: Configuration) -> Self {
        let Configuration { index, members, quorums, proposer, tester: _ } = proved;
        Self { index, members, quorums, proposer }
    }
}
