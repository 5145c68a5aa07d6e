//! I5 (RAMBO.md §1.8; slides 20 and 28): once all configurations below c_T are removed anywhere, a write quorum of c_T
//! holds on disk, for every register, at least the tag of each operation that has completed, also of those that used
//! only what was removed. It stays so, and thus is also what durability means: nothing acknowledged is lost.
//!
//! A member whose disk is gone counts with what it held: it never answers again, so every quorum that still can has
//! another member of any quorum it belonged to. Not for RAMBO III, where the map hands over, not the disks.

use palco_rambo::{Configuration, Index, Key, Kind, NodeId, NodeSet, Tag};

use super::{Objection, Verdict};

/// The name of the check when a configuration goes.
pub(crate) const AT_REMOVAL: &str = "I5";
/// Its name at any other time.
pub(crate) const EVER_AFTER: &str = "durability";

/// What was acknowledged, and what was removed.
#[derive(Debug)]
pub(crate) struct Handover {
    /// By number of the key, the largest tag of an operation that completed.
    acknowledged: Vec<Tag>,
    base: Index,
}

impl Handover {
    /// Nothing was.
    pub(crate) fn new(keys: usize) -> Self {
        Self { acknowledged: vec![Tag::ZERO; keys], base: 0 }
    }

    /// An operation completed.
    pub(crate) fn completed(&mut self, number: u32, tag: Tag) {
        let acknowledged = &mut self.acknowledged[number as usize];
        *acknowledged = tag.max(*acknowledged);
    }

    /// The largest base that anybody knows.
    pub(crate) fn base(&self) -> Index {
        self.base
    }

    /// Somebody removes all below: whether nobody had before.
    pub(crate) fn removed(&mut self, base: Index) -> bool {
        let new = base > self.base;
        self.base = self.base.max(base);
        new
    }

    /// Looks at the disks of the members of the oldest configuration that is left.
    pub(crate) fn check(
        &self,
        check: &'static str,
        oldest: &Configuration,
        keys: &[Key],
        on_disk: impl Fn(NodeId, &Key) -> Tag,
    ) -> Verdict {
        for (key, &acknowledged) in keys.iter().zip(&self.acknowledged) {
            if acknowledged == Tag::ZERO {
                continue;
            }
            let held = held_by_quorum(oldest, |node| on_disk(node, key));
            if held < acknowledged {
                let held_by: Vec<_> =
                    oldest.nodes().map(|node| format!("{node} {}", on_disk(node, key))).collect();
                let held_by = held_by.join(", ");
                let what = format!(
                    "{key}: tag {acknowledged} was acknowledged, and all before {oldest} is removed, but no write \
                     quorum of it has that tag on disk: {held_by}"
                );
                return Err(Objection { check, what });
            }
        }
        Ok(())
    }
}

/// The largest tag that a write quorum holds, each at least.
pub(crate) fn held_by_quorum(oldest: &Configuration, tag_of: impl Fn(NodeId) -> Tag) -> Tag {
    let mut holders: Vec<(Tag, usize)> =
        oldest.nodes().enumerate().map(|(position, node)| (tag_of(node), position)).collect();
    holders.sort_unstable_by(|one, other| other.cmp(one));
    let mut set = NodeSet::EMPTY;
    for (tag, position) in holders {
        set.insert(position);
        if oldest.is_quorum(Kind::Write, &set) {
            return tag;
        }
    }
    Tag::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(sequence: u64) -> Tag {
        Tag { sequence, ..Tag::ZERO }
    }

    #[test]
    fn an_acknowledged_tag_that_no_write_quorum_has_on_disk_is_objected_to() {
        let oldest = Configuration::majority(2, (1..=3).map(NodeId)).expect("it can be");
        let keys = [Key::register("a"), Key::register("b")];
        let mut handover = Handover::new(2);
        handover.completed(1, tag(7));
        handover.completed(1, tag(5));
        let disks = |tags: [u64; 3]| {
            let on_disk = move |node: NodeId, key: &Key| {
                tag(if key.name == "b" { tags[node.0 as usize - 1] } else { 0 })
            };
            handover.check(AT_REMOVAL, &oldest, &keys, on_disk)
        };
        assert_eq!(disks([7, 0, 9]), Ok(()));
        let objection = disks([7, 6, 0]).expect_err("only one has it");
        assert_eq!(objection.check, AT_REMOVAL);
        assert!(objection.what.contains("b: tag 7.n0.0.0"), "{}", objection.what);
    }

    #[test]
    fn a_removal_is_new_once() {
        let mut handover = Handover::new(0);
        assert!(!handover.removed(0) && handover.removed(2) && !handover.removed(1));
        assert_eq!(handover.base(), 2);
    }
}
