//! Semaphores of System V: one that each side waits for, and the same used wrongly.

use std::io;
use std::sync::Arc;
use std::thread;

use palco_sys::SysvSemaphores;

use super::{End, Role, patiently};

/// One end of two semaphores.
#[derive(Debug)]
pub(crate) struct Semaphore {
    both: Arc<SysvSemaphores>,
    raises: u16,
    lowers: u16,
    passes: u32,
}

/// A side that waits for nobody lets the other run once in so many passes: both have one processor and the same rank in real
/// time, and it is the other that says when to stop.
const PASSES_BEFORE_YIELDING: u32 = 1 << 14;

impl Semaphore {
    /// Each side raises the other's.
    pub(crate) fn pair() -> io::Result<[Self; 2]> {
        Self::with(|role| (number(role.peer()), number(role)))
    }

    /// Each side raises its own and takes it again: nobody waits for anybody.
    pub(crate) fn broken_pair() -> io::Result<[Self; 2]> {
        Self::with(|role| (number(role), number(role)))
    }

    fn with(raises_and_lowers: impl Fn(Role) -> (u16, u16)) -> io::Result<[Self; 2]> {
        let both = Arc::new(SysvSemaphores::new(2)?);
        let mut pair = [Role::First, Role::Second].map(|role| {
            let (raises, lowers) = raises_and_lowers(role);
            Self { both: both.clone(), raises, lowers, passes: 0 }
        });
        // The second side waits first: where it waits for itself it must have something to take.
        let [_, second] = &mut pair;
        if second.raises == second.lowers {
            second.pass(&[])?;
        }
        Ok(pair)
    }
}

const fn number(role: Role) -> u16 {
    match role {
        Role::First => 0,
        Role::Second => 1,
    }
}

impl End for Semaphore {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        if self.raises == self.lowers {
            self.passes = self.passes.wrapping_add(1);
            if self.passes.is_multiple_of(PASSES_BEFORE_YIELDING) {
                thread::yield_now();
            }
        }
        self.both.raise(self.raises)
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        patiently(|| self.both.lower(self.lowers))
    }
}
