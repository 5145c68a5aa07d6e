//! What must hold at every moment of a run, each in a file of its own that opens with where it comes from.
//!
//! | file | what |
//! |---|---|
//! | `invariants/maps.rs` | I1: what a node knows of the configurations only grows |
//! | `invariants/agreement.rs` | I2: one configuration for an index, and one that somebody asked for |
//! | `invariants/tags.rs` | I3: a node's tag for a key only grows |
//! | `invariants/issue.rs` | I4: no two writes share a tag |
//! | `invariants/handover.rs` | I5: what is removed has handed over everything |
//! | `invariants/votes.rs` | I6: acceptors keep what they promised |
//! | `invariants/order.rs` | L1, L2: reconfigurations are ordered by tags, and operations after them |
//!
//! L3 is the [`floor`](crate::floor).

pub(crate) mod agreement;
pub(crate) mod handover;
pub(crate) mod issue;
pub(crate) mod maps;
pub(crate) mod order;
pub(crate) mod tags;
pub(crate) mod votes;

/// A check objects: which, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Objection {
    /// Its name in reports.
    pub(crate) check: &'static str,
    /// What was seen.
    pub(crate) what: String,
}

/// What a check says.
pub(crate) type Verdict = Result<(), Objection>;

/// Objects unless that holds.
fn demand(holds: bool, check: &'static str, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Objection { check, what: what() }) }
}
