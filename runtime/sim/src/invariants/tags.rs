//! I3 (RAMBO.md §1.8): the tag that a node holds for a key only grows, also by a restart. For a key of class cas it is
//! a ballot: neither what is accepted nor what is promised goes back (slide 39 rests on it; CASPaxos likewise).

use std::collections::HashMap;

use foldhash::fast::FixedState;
use palco_rambo::{Key, NodeId, Tag};

use super::{Verdict, demand};

const CHECK: &str = "I3";

/// What each node held last.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    stored: HashMap<(NodeId, u32), Tag, FixedState>,
    promised: HashMap<(NodeId, u32), Tag, FixedState>,
}

impl Tags {
    /// A node stores a tag for a key; `number` is the key's.
    pub(crate) fn stored(&mut self, node: NodeId, number: u32, key: &Key, tag: Tag) -> Verdict {
        let last = self.stored.entry((node, number)).or_default();
        grown(last, tag, || format!("{node} stores {key} under"))
    }

    /// A node promises to accept nothing below a ballot for a key.
    pub(crate) fn promised(&mut self, node: NodeId, number: u32, key: &Key, tag: Tag) -> Verdict {
        let last = self.promised.entry((node, number)).or_default();
        grown(last, tag, || format!("{node} promises for {key}"))
    }

    /// A node came back with this on disk, promised and stored, and this in memory.
    pub(crate) fn restarted(
        &mut self,
        node: NodeId,
        number: u32,
        key: &Key,
        (promised, stored): (Tag, Tag),
        now: Tag,
    ) -> Verdict {
        // What was not on disk is forgotten by right: it was never acknowledged.
        self.promised.insert((node, number), promised);
        let last = self.stored.entry((node, number)).or_default();
        *last = stored;
        grown(last, now, || format!("{node} was restarted and holds {key} under"))
    }
}

fn grown(last: &mut Tag, now: Tag, who: impl FnOnce() -> String) -> Verdict {
    let before = std::mem::replace(last, now);
    demand(now >= before, CHECK, || format!("{} {now}, after {before}", who()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(4);

    fn tag(sequence: u64) -> Tag {
        Tag { sequence, ..Tag::ZERO }
    }

    #[test]
    fn a_tag_that_goes_back_is_objected_to() {
        let (mut tags, key) = (Tags::default(), Key::register("a"));
        assert_eq!(tags.stored(NODE, 0, &key, tag(5)), Ok(()));
        assert_eq!(tags.stored(NODE, 1, &key, tag(1)), Ok(()), "another key");
        assert_eq!(tags.promised(NODE, 0, &key, tag(3)), Ok(()), "promises are apart");
        let objection = tags.stored(NODE, 0, &key, tag(4)).expect_err("it is less");
        assert_eq!(objection.check, CHECK);
        assert!(tags.promised(NODE, 0, &key, tag(2)).is_err());
    }

    #[test]
    fn a_restart_keeps_what_was_on_disk() {
        let (mut tags, key) = (Tags::default(), Key::register("a"));
        assert_eq!(tags.stored(NODE, 0, &key, tag(5)), Ok(()));
        assert_eq!(tags.promised(NODE, 0, &key, tag(9)), Ok(()));
        assert_eq!(tags.restarted(NODE, 0, &key, (tag(6), tag(4)), tag(4)), Ok(()));
        assert!(tags.restarted(NODE, 0, &key, (tag(6), tag(4)), tag(3)).is_err());
        assert!(tags.promised(NODE, 0, &key, tag(5)).is_err());
        assert_eq!(tags.promised(NODE, 0, &key, tag(6)), Ok(()), "nine was not on disk");
    }
}
