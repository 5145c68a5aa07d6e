//! How one side wakes the other: every way that Linux has, each a pair of ends for two threads or two processes.
//!
//! | file | mechanisms |
//! |---|---|
//! | `words.rs` | words that both see: `yield`, `spin`, `spin-futex`, `futex-private`, `futex-shared`, `bare` |
//! | `locks.rs` | std's own: `condvar`, `park` |
//! | `streams.rs` | descriptors: `eventfd`, `pipe`, `unix-stream`, `unix-seqpacket`, `tcp`, `udp` |
//! | `queues.rs` | messages: `mqueue`, `sysv-msg`, `shm-ring` |
//! | `semaphores.rs` | `sysv-sem`, and `broken`, in which nobody wakes anybody |
//! | `signal.rs` | `signal` |
//! | `deserter.rs` | ends whose other side goes away, to see that nobody waits for ever |

pub(crate) mod deserter;
pub(crate) mod locks;
pub(crate) mod queues;
pub(crate) mod semaphores;
pub(crate) mod signal;
pub(crate) mod streams;
pub(crate) mod words;

use std::io;

use crate::{Cores, Policy, Unavailable, Unit};

/// One end of a mechanism, in the hands of the side that uses it. What must be cleaned up is cleaned up when it is dropped.
pub(crate) trait End {
    /// Gives the turn to the other side, with the message where the mechanism carries bytes.
    fn pass(&mut self, message: &[u8]) -> io::Result<()>;

    /// Waits for the turn, and for a message as long as `message` where the mechanism carries bytes. Gives up when the
    /// alarm has rung too often: the other side is gone, or hangs.
    fn take(&mut self, message: &mut [u8]) -> io::Result<()>;
}

/// An end on its way to its side: made before there are two sides, and moved into one of them.
pub(crate) trait Ticket: Send + 'static {
    /// What it becomes.
    type End: End;

    /// Called once by the side, before either side passes anything.
    fn arrive(self) -> io::Result<Self::End>;
}

impl<E: End + Send + 'static> Ticket for E {
    type End = E;

    fn arrive(self) -> io::Result<E> {
        Ok(self)
    }
}

/// Which of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Begins, and reads the clock.
    First,
    /// Answers.
    Second,
}

impl Role {
    /// 0 or 1.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }

    /// The other one.
    pub(crate) const fn peer(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// What a side does until it has the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Blocks in the kernel.
    Blocks,
    /// Looks again and again; the kernel takes it for busy.
    Looks,
    /// Looks for a while, then blocks.
    LooksThenBlocks,
}

/// Every mechanism that this room measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Yield,
    FutexPrivate,
    FutexShared,
    Condvar,
    Park,
    EventFd,
    Pipe,
    UnixStream,
    UnixSeqpacket,
    Mqueue,
    SysvSem,
    SysvMsg,
    ShmRing,
    Signal,
    Tcp,
    Udp,
    Spin,
    SpinFutex,
    /// Without what proves its figure: what the harness costs is seen beside it.
    Bare,
    /// Each side takes what it has given itself: nobody switches, and every figure is wrong.
    Broken,
    /// As [`Mechanism::Pipe`], and the second side goes away.
    DeserterPipe,
    /// As [`Mechanism::FutexShared`], and the second side goes away.
    DeserterFutex,
}

impl Mechanism {
    /// Those whose figures mean something, in the order in which they are shown.
    pub(crate) const ALL: [Self; 18] = [
        Self::Yield,
        Self::FutexPrivate,
        Self::FutexShared,
        Self::Condvar,
        Self::Park,
        Self::EventFd,
        Self::Pipe,
        Self::UnixStream,
        Self::UnixSeqpacket,
        Self::Mqueue,
        Self::SysvSem,
        Self::SysvMsg,
        Self::ShmRing,
        Self::Signal,
        Self::Tcp,
        Self::Udp,
        Self::Spin,
        Self::SpinFutex,
    ];

    const FOR_TRUST: [Self; 4] =
        [Self::Bare, Self::Broken, Self::DeserterPipe, Self::DeserterFutex];

    /// As in keys.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Yield => "yield",
            Self::FutexPrivate => "futex-private",
            Self::FutexShared => "futex-shared",
            Self::Condvar => "condvar",
            Self::Park => "park",
            Self::EventFd => "eventfd",
            Self::Pipe => "pipe",
            Self::UnixStream => "unix-stream",
            Self::UnixSeqpacket => "unix-seqpacket",
            Self::Mqueue => "mqueue",
            Self::SysvSem => "sysv-sem",
            Self::SysvMsg => "sysv-msg",
            Self::ShmRing => "shm-ring",
            Self::Signal => "signal",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Spin => "spin",
            Self::SpinFutex => "spin-futex",
            Self::Bare => "bare",
            Self::Broken => "broken",
            Self::DeserterPipe => "deserter-pipe",
            Self::DeserterFutex => "deserter-futex",
        }
    }

    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter().chain(Self::FOR_TRUST);
        all.find(|mechanism| mechanism.name() == name)
    }

    /// Whether a message goes with the turn.
    pub(crate) const fn carries_bytes(self) -> bool {
        match self {
            Self::Pipe
            | Self::UnixStream
            | Self::UnixSeqpacket
            | Self::Mqueue
            | Self::SysvMsg
            | Self::ShmRing
            | Self::Tcp
            | Self::Udp
            | Self::DeserterPipe => true,
            Self::Yield
            | Self::FutexPrivate
            | Self::FutexShared
            | Self::Condvar
            | Self::Park
            | Self::EventFd
            | Self::SysvSem
            | Self::Signal
            | Self::Spin
            | Self::SpinFutex
            | Self::Bare
            | Self::Broken
            | Self::DeserterFutex => false,
        }
    }

    /// Whether only the threads of one process can use it.
    const fn is_for_threads(self) -> bool {
        matches!(self, Self::FutexPrivate | Self::Condvar | Self::Park | Self::Bare)
    }

    /// What a side does until it has the turn.
    pub(crate) const fn wait(self) -> Wait {
        match self {
            Self::Yield | Self::Spin => Wait::Looks,
            Self::SpinFutex => Wait::LooksThenBlocks,
            Self::FutexPrivate
            | Self::FutexShared
            | Self::Condvar
            | Self::Park
            | Self::EventFd
            | Self::Pipe
            | Self::UnixStream
            | Self::UnixSeqpacket
            | Self::Mqueue
            | Self::SysvSem
            | Self::SysvMsg
            | Self::ShmRing
            | Self::Signal
            | Self::Tcp
            | Self::Udp
            | Self::Bare
            | Self::Broken
            | Self::DeserterPipe
            | Self::DeserterFutex => Wait::Blocks,
        }
    }

    /// How many switches of each side a hop takes, where that is certain: each side waits once a round trip.
    pub(crate) const fn switches_expected(self, cores: Cores, policy: Policy) -> Option<f64> {
        match (self, self.wait(), cores, policy) {
            (Self::Bare, ..) => None,
            // Who reads gives room back, and that wakes the other side, which may wait already, as a reader: a Unix socket
            // has one queue of sleepers. Such a wake costs a switch, unless both share a processor in real time.
            (Self::UnixStream, _, Cores::Same, Policy::Fifo) => Some(0.5),
            (Self::UnixStream, ..) => None,
            (Self::Yield, ..) | (_, Wait::Blocks, ..) => Some(0.5),
            (_, Wait::LooksThenBlocks, Cores::Same, _) => Some(0.5),
            (_, Wait::LooksThenBlocks | Wait::Looks, ..) => None,
        }
    }

    /// Whether it makes sense there at all.
    pub(crate) fn admit(self, unit: Unit, cores: Cores, policy: Policy) -> Result<(), Unavailable> {
        let why = match (self, unit, cores, policy) {
            (_, Unit::Inline | Unit::Fiber | Unit::Task, ..) => {
                "threads and processes only are measured like this".to_owned()
            }
            (_, Unit::Process, ..) if self.is_for_threads() => {
                format!("{} is for threads of one process", self.name())
            }
            (Self::Spin, _, Cores::Same, _) => {
                "who spins on the processor of the other side waits for ever: use two".to_owned()
            }
            (Self::Yield, _, Cores::Sibling | Cores::Other, _) => {
                "nobody has to yield a processor that the other side does not want".to_owned()
            }
            (Self::Yield, _, _, Policy::Other) => {
                "who runs after a yield is certain in real time only".to_owned()
            }
            _ => return Ok(()),
        };
        Err(Unavailable(why))
    }
}

/// So often the alarm may end one wait before the side gives up.
const INTERRUPTIONS_MAX: u32 = 4;

/// Repeats a call that a signal has ended, until the alarm has rung too often.
#[inline]
pub(crate) fn patiently<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut interruptions = 0;
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                interruptions += 1;
                if interruptions > INTERRUPTIONS_MAX {
                    return Err(gone());
                }
            }
            other => return other,
        }
    }
}

/// Why a side has given up.
pub(crate) fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the other side did not answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_is_found_by_its_name() {
        for mechanism in Mechanism::ALL.into_iter().chain(Mechanism::FOR_TRUST) {
            assert_eq!(Mechanism::named(mechanism.name()), Some(mechanism));
        }
        assert_eq!(Mechanism::named("telepathy"), None);
    }

    #[test]
    fn what_cannot_end_or_cannot_be_is_not_begun() {
        let admit = |mechanism: Mechanism, unit, cores| mechanism.admit(unit, cores, Policy::Fifo);
        assert!(admit(Mechanism::Spin, Unit::Thread, Cores::Same).is_err());
        assert!(admit(Mechanism::Spin, Unit::Thread, Cores::Other).is_ok());
        assert!(admit(Mechanism::Yield, Unit::Thread, Cores::Other).is_err());
        assert!(admit(Mechanism::Condvar, Unit::Process, Cores::Same).is_err());
        assert!(admit(Mechanism::Pipe, Unit::Fiber, Cores::Same).is_err());
        let usual = Mechanism::Yield.admit(Unit::Thread, Cores::Same, Policy::Other);
        assert!(usual.is_err());
    }

    #[test]
    fn patience_ends_when_the_alarm_has_rung_too_often() {
        let mut calls = 0;
        let result: io::Result<()> = patiently(|| {
            calls += 1;
            Err(io::ErrorKind::Interrupted.into())
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(calls, INTERRUPTIONS_MAX + 1);
        assert_eq!(patiently(|| Ok(7)).unwrap(), 7);
    }
}
