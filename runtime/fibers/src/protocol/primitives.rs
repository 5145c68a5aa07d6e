//! What the protocols are made of in the product: atomics of std, locks of parking_lot.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering, fence};

pub(super) use parking_lot::Mutex;
