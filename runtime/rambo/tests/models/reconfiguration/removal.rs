//! The rules by which a configuration goes, as data: what a driver does in each stage, and what it may do after it.

use crate::map::Set;

/// What a driver does at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Takes the node's tag.
    Collect,
    /// Gives the node its map.
    Inform,
    /// Gives the node the largest tag that it collected.
    Push,
}

/// Which quorums of each configuration a stage waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needs {
    Read,
    Write,
    Both,
}

/// A stage of a removal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    /// At the members of which configurations.
    pub(crate) at: Set,
    pub(crate) does: &'static [Does],
    pub(crate) needs: Needs,
    /// What is decided by the end of the stage.
    pub(crate) then_decides: Set,
    /// What is removed at the end of the stage.
    pub(crate) then_removes: Set,
}

pub(crate) const C0: Set = 1;
pub(crate) const C1: Set = 1 << 1;
pub(crate) const C2: Set = 1 << 2;

impl Stage {
    const fn new(at: Set, does: &'static [Does], needs: Needs) -> Self {
        Self { at, does, needs, then_decides: 0, then_removes: 0 }
    }

    const fn decides(self, config: Set) -> Self {
        Self { then_decides: config, ..self }
    }

    pub(crate) const fn removes(self, config: Set) -> Self {
        Self { then_removes: config, ..self }
    }
}

/// The vote on c1, which its acceptors do not know to be decided yet; tags are collected on the way (§1.3).
const VOTE: Stage = Stage::new(C0, &[Does::Collect], Needs::Both).decides(C1);

/// Tells the members of `at` what is decided, and takes their tags.
pub(crate) const fn inform(at: Set, needs: Needs) -> Stage {
    Stage::new(at, &[Does::Inform, Does::Collect], needs)
}

/// Takes the tags of the members of `at`, and tells them nothing.
const fn collect(at: Set) -> Stage {
    Stage::new(at, &[Does::Collect], Needs::Both)
}

/// Gives the members of `at` what was collected.
pub(crate) const fn push(at: Set) -> Stage {
    Stage::new(at, &[Does::Inform, Does::Push], Needs::Write)
}

/// A1: c0 goes when c1 is decided.
pub(crate) const AT_DECISION: &[Stage] = &[VOTE.removes(C0)];
/// A2: c0 goes when the tags that came with the votes are in c1.
pub(crate) const AFTER_PUSH: &[Stage] = &[VOTE, push(C1).removes(C0)];
/// B: the upgrade of RAMBO II.
pub(crate) const UPGRADE: &[Stage] = &[VOTE, inform(C0, Needs::Both), push(C1).removes(C0)];
/// B3: the upgrade without its second half.
pub(crate) const WITHOUT_PUSH: &[Stage] = &[VOTE, inform(C0, Needs::Both).removes(C0)];
/// B5: the upgrade, telling nobody in c0.
pub(crate) const WITHOUT_INFORMING: &[Stage] = &[VOTE, collect(C0), push(C1).removes(C0)];
/// C: slide 28, c0 goes when c2 is decided.
pub(crate) const DEFERRED: &[Stage] = &[VOTE, inform(C0 | C1, Needs::Both).decides(C2).removes(C0)];
/// C3: slide 28, and what was collected goes to c1 first.
pub(crate) const DEFERRED_WITH_PUSH: &[Stage] =
    &[VOTE, inform(C0 | C1, Needs::Both).decides(C2), push(C1).removes(C0)];
/// E1: the upgrade, waiting for a read quorum of c0 only.
pub(crate) const INFORMS_READ_QUORUM: &[Stage] =
    &[VOTE, inform(C0, Needs::Read), push(C1).removes(C0)];
/// E2: the upgrade, waiting for a write quorum of c0 only.
pub(crate) const INFORMS_WRITE_QUORUM: &[Stage] =
    &[VOTE, inform(C0, Needs::Write), push(C1).removes(C0)];
