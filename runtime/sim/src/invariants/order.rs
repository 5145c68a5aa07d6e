//! L1 and L2 (slide 39; RAMBO.md §1.8). The tag of a reconfiguration γ for a key is the largest that a write quorum of
//! its configuration holds on disk when the ones before are removed. L1: tag(γ_l) ≤ tag(γ_k) for l ≤ k. L2: an
//! operation that begins when γ is done returns at least tag(γ).
//!
//! Only while nobody knows a newer configuration: the upgrade to that one may have fetched already, and then a write that
//! is still under way may reach the older one alone. Its tag is no part of γ, which the disks do not show.

use palco_rambo::{Index, Key, Tag};

use super::{Verdict, demand};

/// By number of the key, the tag of the last reconfiguration that is done.
#[derive(Debug)]
pub(crate) struct Order {
    upgraded: Vec<Tag>,
}

impl Order {
    /// None is done.
    pub(crate) fn new(keys: usize) -> Self {
        Self { upgraded: vec![Tag::ZERO; keys] }
    }

    /// All below `base` is removed, and a write quorum holds this tag for a key.
    pub(crate) fn upgraded(&mut self, number: u32, key: &Key, base: Index, tag: Tag) -> Verdict {
        let last = &mut self.upgraded[number as usize];
        let before = std::mem::replace(last, tag);
        demand(tag >= before, "L1", || {
            format!("{key}: the reconfiguration to {base} has tag {tag}, an earlier one {before}")
        })
    }

    /// What an operation that begins now must return at least.
    pub(crate) fn begin(&self, number: u32) -> Tag {
        self.upgraded[number as usize]
    }

    /// An operation returned this.
    pub(crate) fn end(key: &Key, begun: Tag, tag: Tag) -> Verdict {
        demand(tag >= begun, "L2", || {
            format!(
                "{key}: an operation returned tag {tag}, a reconfiguration done before it has {begun}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(sequence: u64) -> Tag {
        Tag { sequence, ..Tag::ZERO }
    }

    #[test]
    fn a_reconfiguration_below_an_earlier_one_is_objected_to() {
        let (mut order, key) = (Order::new(1), Key::register("a"));
        assert_eq!(order.upgraded(0, &key, 1, tag(5)), Ok(()));
        assert_eq!(order.upgraded(0, &key, 2, tag(5)), Ok(()));
        assert_eq!(order.upgraded(0, &key, 3, tag(4)).expect_err("it is less").check, "L1");
    }

    #[test]
    fn an_operation_below_a_reconfiguration_before_it_is_objected_to() {
        let (mut order, key) = (Order::new(1), Key::register("a"));
        let early = order.begin(0);
        assert_eq!(order.upgraded(0, &key, 1, tag(5)), Ok(()));
        assert_eq!(Order::end(&key, early, tag(0)), Ok(()));
        assert_eq!(Order::end(&key, order.begin(0), tag(4)).expect_err("it is less").check, "L2");
    }
}
