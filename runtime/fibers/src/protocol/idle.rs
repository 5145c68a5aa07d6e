//! Going to sleep without losing work.
//!
//! Both sides write first and look second, with a fence between: an LWP says that it sleeps and then looks for work
//! once more; who brings work makes it visible and then looks for a sleeper. Whatever the order, one sees the other.
//! (Dekker's idea; without the fences both could miss, since a store may be delayed past a later load.)

use super::primitives::{AtomicU8, AtomicUsize, Ordering, fence};

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;

/// Whether one LWP sleeps.
#[derive(Debug)]
pub(crate) struct Bell(AtomicU8);

impl Bell {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(AWAKE))
    }

    /// True if the LWP sleeps, or is about to: the caller must end that sleep, and is the only one to do so.
    pub(crate) fn ring(&self) -> bool {
        fence(Ordering::SeqCst);
        self.is_asleep()
            && self.0.compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    pub(crate) fn is_asleep(&self) -> bool {
        self.0.load(Ordering::SeqCst) == ASLEEP
    }
}

/// How many LWPs of a pool sleep: one look instead of a look at every bell.
#[derive(Debug)]
pub(crate) struct Sleepers(AtomicUsize);

impl Sleepers {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Says that the LWP of `bell` sleeps. It looks for work once more after this, before it really does.
    pub(crate) fn fall_asleep(&self, bell: &Bell) {
        self.0.fetch_add(1, Ordering::SeqCst);
        bell.0.store(ASLEEP, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Says that it does not sleep any more, whoever ended the sleep.
    pub(crate) fn wake_up(&self, bell: &Bell) {
        bell.0.store(AWAKE, Ordering::SeqCst);
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// After work was made visible to all: which LWP is to be woken for it, if one sleeps.
    pub(crate) fn choose<'a>(
        &self,
        mut bells: impl Iterator<Item = (usize, &'a Bell)>,
    ) -> Option<usize> {
        fence(Ordering::SeqCst);
        if self.count() == 0 {
            return None;
        }
        bells.find(|(_, bell)| bell.ring()).map(|(index, _)| index)
    }
}
