//! Words in memory that both sides see: looked at again and again, or slept on.

use std::hint;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sched::sched_yield;
use palco_sys::{FutexScope, SharedArea, Woken, futex_wait, futex_wake};

use super::{End, Role, gone, patiently};

/// Nobody has passed the turn yet.
const EMPTY: u32 = 0;
/// The turn is there.
const PASSED: u32 = 1;
/// Nobody has, and the side sleeps.
const ASLEEP: u32 = 2;

/// How often `spin-futex` looks before it sleeps.
const SPINS: u32 = 2000;

/// How long a side that only looks goes on before it gives up.
const LOOKING_MAX: Duration = Duration::from_secs(2);

/// One word a side, each on lines of its own.
#[derive(Debug)]
struct Words {
    area: Arc<SharedArea>,
    role: Role,
}

impl Words {
    fn pair() -> io::Result<[Self; 2]> {
        let area = Arc::new(SharedArea::with_room(2, 0)?);
        Ok([Role::First, Role::Second].map(|role| Self { area: area.clone(), role }))
    }

    #[inline]
    fn own(&self) -> &AtomicU32 {
        self.area.word32(self.role.index())
    }

    #[inline]
    fn others(&self) -> &AtomicU32 {
        self.area.word32(self.role.peer().index())
    }

    /// Looks until the turn is there; `meanwhile` is called between two looks, of which `looks` are taken between two
    /// glances at the clock.
    #[inline]
    fn look(&self, looks: u32, meanwhile: impl Fn()) -> io::Result<()> {
        let mut begin = None;
        loop {
            for _ in 0..looks {
                if self.own().load(Ordering::Acquire) == PASSED {
                    self.own().store(EMPTY, Ordering::Relaxed);
                    return Ok(());
                }
                meanwhile();
            }
            if begin.get_or_insert_with(Instant::now).elapsed() > LOOKING_MAX {
                return Err(gone());
            }
        }
    }
}

/// A word and a sleep until it changes.
#[derive(Debug)]
pub(crate) struct Futex {
    words: Words,
    scope: FutexScope,
}

impl Futex {
    pub(crate) fn pair(scope: FutexScope) -> io::Result<[Self; 2]> {
        Ok(Words::pair()?.map(|words| Self { words, scope }))
    }
}

impl End for Futex {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        self.words.others().store(PASSED, Ordering::Release);
        futex_wake(self.words.others(), 1, self.scope).map(drop)
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        let own = self.words.own();
        patiently(|| {
            while own.load(Ordering::Acquire) != PASSED {
                if futex_wait(own, EMPTY, self.scope, None)? == Woken::Interrupted {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
            Ok(())
        })?;
        own.store(EMPTY, Ordering::Relaxed);
        Ok(())
    }
}

/// As [`Futex`], after looking for a while; the other side only wakes who sleeps.
#[derive(Debug)]
pub(crate) struct SpinFutex(Words);

impl SpinFutex {
    pub(crate) fn pair() -> io::Result<[Self; 2]> {
        Ok(Words::pair()?.map(Self))
    }

    fn sleep(&self) -> io::Result<()> {
        let own = self.0.own();
        let asleep = own.compare_exchange(EMPTY, ASLEEP, Ordering::AcqRel, Ordering::Acquire);
        if asleep.is_err() {
            return Ok(());
        }
        patiently(|| {
            while own.load(Ordering::Acquire) == ASLEEP {
                let woken = futex_wait(own, ASLEEP, FutexScope::Shared, None)?;
                if woken == Woken::Interrupted {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
            Ok(())
        })
    }
}

impl End for SpinFutex {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        if self.0.others().swap(PASSED, Ordering::AcqRel) == ASLEEP {
            futex_wake(self.0.others(), 1, FutexScope::Shared)?;
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        let own = self.0.own();
        let mut looks = 0;
        while own.load(Ordering::Acquire) != PASSED {
            if looks == SPINS {
                self.sleep()?;
                break;
            }
            looks += 1;
            hint::spin_loop();
        }
        own.store(EMPTY, Ordering::Relaxed);
        Ok(())
    }
}

/// Only looks.
#[derive(Debug)]
pub(crate) struct Spin(Words);

impl Spin {
    pub(crate) fn pair() -> io::Result<[Self; 2]> {
        Ok(Words::pair()?.map(Self))
    }
}

impl End for Spin {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        self.0.others().store(PASSED, Ordering::Release);
        Ok(())
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        self.0.look(1 << 20, hint::spin_loop)
    }
}

/// Lets the other side run until it has the turn.
#[derive(Debug)]
pub(crate) struct Yielding(Words);

impl Yielding {
    pub(crate) fn pair() -> io::Result<[Self; 2]> {
        Ok(Words::pair()?.map(Self))
    }
}

impl End for Yielding {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        self.0.others().store(PASSED, Ordering::Release);
        Ok(())
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        // It cannot fail on Linux (sched_yield(2)).
        self.0.look(1 << 12, || {
            let _ = sched_yield();
        })
    }
}
