//! Tags order the values of a register; ballots order what is tried for one decision.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who takes part: a replica, or one that only coordinates. An identity lives as long as the data stored under it: who
/// lost its disk comes back under a new one (RAMBO.md §6, pitfall 4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct NodeId(pub u64);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// Which life of a participant this is: 1 for the first, one more after each restart, on disk before it serves.
pub type Boot = u32;

/// The version of a register's value. Lexicographic in the order of the fields.
///
/// The writer and its boot make tags of different writers differ (slide 8: a sequence number and an identity); `n` does
/// so for writes of one writer that are under way together (pitfall 2). It wraps: a repetition would need 2³² writes by
/// one boot while one key stands still.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Tag {
    /// One more than the largest that the writer's query found.
    pub sequence: u64,
    /// Who wrote.
    pub node: NodeId,
    /// In which of its lives: a writer that forgot what it tried cannot try it again (pitfall 1).
    pub boot: Boot,
    /// Which of that life's writes.
    pub n: u32,
}

impl Tag {
    /// The tag of what was never written.
    pub const ZERO: Self = Self { sequence: 0, node: NodeId(0), boot: 0, n: 0 };
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ZERO => f.write_str("0"),
            Self { sequence, node, boot, n } => write!(f, "{sequence}.{node}.{boot}.{n}"),
        }
    }
}

/// What is no tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no tag: expected SEQUENCE.nNODE.BOOT.N, or 0")]
pub struct NotATag(pub String);

impl FromStr for Tag {
    type Err = NotATag;

    /// As it is shown.
    fn from_str(text: &str) -> Result<Self, NotATag> {
        if text == "0" {
            return Ok(Self::ZERO);
        }
        let parts = || {
            let mut parts = text.split('.');
            let sequence = parts.next()?.parse().ok()?;
            let node = NodeId(parts.next()?.strip_prefix('n')?.parse().ok()?);
            let (boot, n) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            parts.next().is_none().then_some(Self { sequence, node, boot, n })
        };
        parts().ok_or_else(|| NotATag(text.to_owned()))
    }
}

/// The number of an attempt to decide something. Lexicographic in the order of the fields; no two attempts share one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Ballot {
    /// Round 0 belongs to the configuration's own proposer, who may use it once and needs no prepare (rule O3).
    pub round: u64,
    /// Who tries.
    pub node: NodeId,
    /// In which of its lives.
    pub boot: Boot,
}

impl Ballot {
    /// Below every ballot that is ever used: no life of a participant has the number 0.
    pub const ZERO: Self = Self { round: 0, node: NodeId(0), boot: 0 };
}

impl fmt::Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.round, self.node, self.boot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_order_by_sequence_then_writer_then_life_then_write() {
        let tag = |sequence, node, boot, n| Tag { sequence, node: NodeId(node), boot, n };
        let ascending = [
            Tag::ZERO,
            tag(1, 0, 1, 0),
            tag(1, 2, 1, 9),
            tag(1, 2, 2, 0),
            tag(1, 3, 1, 0),
            tag(2, 0, 1, 0),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_tag_is_read_as_it_is_shown() {
        let tag = Tag { sequence: 7, node: NodeId(u64::MAX), boot: 2, n: 9 };
        assert_eq!(tag.to_string().parse(), Ok(tag));
        assert_eq!(Tag::ZERO.to_string().parse(), Ok(Tag::ZERO));
        for wrong in ["", "1", "1.2.3.4", "1.n2.3", "1.n2.3.4.5", "1.n2.3.x", "-1.n2.3.4"] {
            assert_eq!(wrong.parse::<Tag>(), Err(NotATag(wrong.to_owned())));
        }
    }

    #[test]
    fn a_ballot_of_round_zero_is_above_none() {
        assert!(Ballot::ZERO < Ballot { round: 0, node: NodeId(0), boot: 1 });
    }
}
