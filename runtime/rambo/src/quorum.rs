//! Quorum systems: which sets of members speak for all. Every read quorum meets every write quorum, or there is no
//! configuration (RAMBO.md §1.7). Two write quorums need not meet: tags order writes, and consensus promises on reads.

use serde::{Deserialize, Serialize};

use crate::{NodeId, NodeSet};

/// A member of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub node: NodeId,
    /// Counts in [`Quorums::Weighted`] alone; 1 unless told.
    pub weight: u32,
}

/// How the quorums of a configuration are formed. Positions are those of its members, ascending by identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quorums {
    /// More than half, to read and to write. The default of the field.
    Majority,
    /// Any `read` of them, any `write` of them, read + write > n. `read: 1, write: n` is read one, write all.
    Thresholds {
        /// Members of a read quorum.
        read: u32,
        /// Members of a write quorum.
        write: u32,
    },
    /// Any set that weighs enough, read + write > the weight of all.
    Weighted {
        /// Weight of a read quorum.
        read: u64,
        /// Weight of a write quorum.
        write: u64,
    },
    /// Members in rows of `columns`: a read quorum is a column, a write quorum a row (slide 36). Few messages matter
    /// more than the loss of any one: a grid of n is touched at √n of its members.
    Grid {
        /// Members of a row; divides the number of members.
        columns: u32,
    },
    /// Given one by one, at most [`EXPLICIT_MAX`] of each kind.
    Explicit {
        /// A superset of one of these reads.
        reads: Vec<Vec<NodeId>>,
        /// A superset of one of these writes.
        writes: Vec<Vec<NodeId>>,
    },
}

/// Quorums of a kind in [`Quorums::Explicit`], at most.
pub const EXPLICIT_MAX: usize = 256;

/// Which quorums are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Those that are asked.
    Read,
    /// Those that are told.
    Write,
}

/// Why quorums were refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum QuorumError {
    /// Two quorums could miss each other, and with them a reader what was written.
    #[error(
        "a read quorum of {read} and a write quorum of {write} can miss each other among {all}: \
         together they must be more than {all}"
    )]
    Disjoint {
        /// Size or weight to read.
        read: u64,
        /// Size or weight to write.
        write: u64,
        /// Number or weight of all.
        all: u64,
    },
    /// As above, for quorums that are listed.
    #[error(
        "read quorum {read} and write quorum {write} (counted from 0) have no member in common: add one"
    )]
    Apart {
        /// Position in the list of read quorums.
        read: usize,
        /// Position in the list of write quorums.
        write: usize,
    },
    /// No set of members is a quorum.
    #[error("a {kind:?} quorum of {wanted} cannot be had among {all}: lower it")]
    Unreachable {
        /// Which.
        kind: Kind,
        /// Size or weight.
        wanted: u64,
        /// Number or weight of all.
        all: u64,
    },
    /// An empty quorum would let everything pass.
    #[error("a {0:?} quorum of nobody: it must have a member")]
    Empty(Kind),
    /// The last row would be short.
    #[error(
        "{members} members do not fill rows of {columns}: the number of columns must divide them"
    )]
    Ragged {
        /// Members of the configuration.
        members: usize,
        /// Members of a row.
        columns: u32,
    },
    /// A listed quorum names somebody else.
    #[error("a quorum names {0}, who is no member")]
    Stranger(NodeId),
    /// Too many are listed.
    #[error("{0} quorums are listed, at most {EXPLICIT_MAX} can be")]
    Many(usize),
}

/// Quorums made ready to be asked about sets of positions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tester {
    Count { read: usize, write: usize },
    Weight { read: u64, write: u64, weights: Vec<u32> },
    Grid { columns: usize, rows: usize },
    Sets { reads: Vec<NodeSet>, writes: Vec<NodeSet> },
}

impl Quorums {
    /// Proves that every read quorum meets every write quorum: by arithmetic, or pair by pair where they are listed.
    /// That the arithmetic is right is shown by trying all sets of up to 15 members (tests).
    pub(crate) fn prove(&self, members: &[Member]) -> Result<Tester, QuorumError> {
        let all = members.len() as u64;
        match self {
            Self::Majority | Self::Thresholds { .. } | Self::Weighted { .. } => {
                let tester = self.tester(members)?;
                let (read, write, all) = match (self, &tester) {
                    (&Self::Weighted { read, write }, Tester::Weight { weights, .. }) => {
                        (read, write, weights.iter().map(|&weight| u64::from(weight)).sum())
                    }
                    (_, &Tester::Count { read, write }) => (read as u64, write as u64, all),
                    _ => unreachable!("each kind has its own tester"),
                };
                for (kind, wanted) in [(Kind::Read, read), (Kind::Write, write)] {
                    match wanted {
                        0 => return Err(QuorumError::Empty(kind)),
                        wanted if wanted > all => {
                            return Err(QuorumError::Unreachable { kind, wanted, all });
                        }
                        _ => {}
                    }
                }
                // Beyond `all` is refused above, so the sum cannot overflow for any weights that a u32 holds.
                if read + write <= all {
                    return Err(QuorumError::Disjoint { read, write, all });
                }
                Ok(tester)
            }
            // A column and a row always share one member.
            Self::Grid { .. } => self.tester(members),
            Self::Explicit { .. } => {
                let tester = self.tester(members)?;
                let Tester::Sets { reads, writes } = &tester else {
                    unreachable!("listed quorums are sets")
                };
                for (kind, sets) in [(Kind::Read, reads), (Kind::Write, writes)] {
                    if sets.is_empty() || sets.iter().any(NodeSet::is_empty) {
                        return Err(QuorumError::Empty(kind));
                    }
                }
                for (read, one) in reads.iter().enumerate() {
                    for (write, other) in writes.iter().enumerate() {
                        if !one.iter().any(|position| other.contains(position)) {
                            return Err(QuorumError::Apart { read, write });
                        }
                    }
                }
                Ok(tester)
            }
        }
    }

    /// Without the proof: only its shape is checked.
    pub(crate) fn tester(&self, members: &[Member]) -> Result<Tester, QuorumError> {
        let n = members.len();
        Ok(match self {
            Self::Majority => Tester::Count { read: n / 2 + 1, write: n / 2 + 1 },
            &Self::Thresholds { read, write } => {
                Tester::Count { read: read as usize, write: write as usize }
            }
            &Self::Weighted { read, write } => Tester::Weight {
                read,
                write,
                weights: members.iter().map(|member| member.weight).collect(),
            },
            &Self::Grid { columns } => {
                if columns == 0 || !n.is_multiple_of(columns as usize) {
                    return Err(QuorumError::Ragged { members: n, columns });
                }
                Tester::Grid { columns: columns as usize, rows: n / columns as usize }
            }
            Self::Explicit { reads, writes } => {
                let sets = |lists: &[Vec<NodeId>]| {
                    if lists.len() > EXPLICIT_MAX {
                        return Err(QuorumError::Many(lists.len()));
                    }
                    let position = |node: &NodeId| {
                        let found = members.binary_search_by_key(node, |member| member.node);
                        found.map_err(|_| QuorumError::Stranger(*node))
                    };
                    lists.iter().map(|list| list.iter().map(position).collect()).collect()
                };
                Tester::Sets { reads: sets(reads)?, writes: sets(writes)? }
            }
        })
    }
}

impl Tester {
    /// Whether a set of positions contains a quorum of that kind.
    pub(crate) fn is_quorum(&self, kind: Kind, set: &NodeSet) -> bool {
        match self {
            &Self::Count { read, write } => {
                set.len() >= if kind == Kind::Read { read } else { write }
            }
            Self::Weight { read, write, weights } => {
                let weight: u64 = set
                    .iter()
                    .filter_map(|at| weights.get(at))
                    .map(|&weight| u64::from(weight))
                    .sum();
                weight >= if kind == Kind::Read { *read } else { *write }
            }
            &Self::Grid { columns, rows } => match kind {
                Kind::Read => (0..columns)
                    .any(|column| (0..rows).all(|row| set.contains(row * columns + column))),
                Kind::Write => (0..rows)
                    .any(|row| (0..columns).all(|column| set.contains(row * columns + column))),
            },
            Self::Sets { reads, writes } => {
                let sets = if kind == Kind::Read { reads } else { writes };
                sets.iter().any(|quorum| quorum.is_subset(set))
            }
        }
    }
}

#[cfg(test)]
mod tests;
