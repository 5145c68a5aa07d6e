//! What is in a basket, and what can be done to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The longest name of an item: 64 bytes.
pub const ITEM_BYTES_MAX: usize = 64;
/// The most of one item: 1 000 000.
pub const COUNT_MAX: u32 = 1_000_000;

/// What an item takes beside its name: an estimate, in bytes.
const ITEM_OVERHEAD_BYTES: usize = 16;

/// Items and how many there are of each, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Items(BTreeMap<String, u32>);

/// One thing that can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Nothing changes.
    Show,
    /// From now on so many of the item are in the basket.
    Set {
        /// Its name: 1 to [`ITEM_BYTES_MAX`] letters, digits or `-._~`.
        item: String,
        /// 1 to [`COUNT_MAX`].
        count: u32,
    },
    /// From now on none of the item is, whether one was or not.
    Remove {
        /// Its name.
        item: String,
    },
    /// From now on nothing is.
    Empty,
}

impl Items {
    /// Whether nothing is in the basket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The memory they take, in bytes: an estimate.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.keys().map(|item| item.len() + ITEM_OVERHEAD_BYTES).sum()
    }

    /// Does it.
    pub fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Show => {}
            Operation::Set { item, count } => {
                self.0.insert(item, count);
            }
            Operation::Remove { item } => {
                self.0.remove(&item);
            }
            Operation::Empty => self.0.clear(),
        }
    }
}

/// Whether an item can be called so: it needs no escapes in a path (RFC 3986 section 2.3) or in a cookie.
pub(super) fn is_name(item: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=ITEM_BYTES_MAX).contains(&item.len()) && item.bytes().all(plain)
}
