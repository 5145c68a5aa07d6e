//! Starts the second side, on a thread or in a forked child, and ends it whatever becomes of it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid, getppid};
use palco_sys::{
    End, Forked, exit_at_once, fork_child, is_single_threaded, open_pidfd, signal_pidfd, wait_pidfd,
};

/// A thread that was joined may be in the kernel's books for a moment more.
const LAST_THREAD_MAX: Duration = Duration::from_secs(1);

/// So long a child may take to end once it has reported.
const END_MILLIS_MAX: u16 = 2000;

/// The second side, as the first one sees it.
#[derive(Debug)]
pub(super) enum Second {
    Thread(JoinHandle<()>),
    Child(OwnedFd),
}

/// What the second side does: it reports by itself, also when it fails.
pub(super) trait Job: FnOnce() + Send + 'static {}

impl<F: FnOnce() + Send + 'static> Job for F {}

impl Second {
    /// On a new thread.
    pub(super) fn on_thread(job: impl Job) -> io::Result<Self> {
        thread::Builder::new().name("measure-second".into()).spawn(job).map(Self::Thread)
    }

    /// In a child. What belongs to the first side alone is dropped there, so that descriptors end when their side does.
    ///
    /// # Errors
    /// `Deadlock` when this process has more than one thread; the kernel's.
    pub(super) fn in_child<T>(first: T, job: impl Job) -> io::Result<(T, Self)> {
        await_last_thread()?;
        let parent = getpid();
        match fork_child()? {
            Forked::Original { pid } => Ok((first, Self::Child(open_pidfd(pid)?))),
            Forked::Copy => {
                drop(first);
                if dies_with(parent) {
                    job();
                }
                // Nothing of what the parent has open is to be written or removed a second time.
                exit_at_once(0)
            }
        }
    }

    /// It has reported: ends by itself.
    ///
    /// # Errors
    /// How else it ended.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Thread(thread) => {
                thread.join().map_err(|_| io::Error::other("the second side has panicked"))
            }
            Self::Child(child) => {
                let mut ends = [PollFd::new(child.as_fd(), PollFlags::POLLIN)];
                if poll(&mut ends, PollTimeout::from(END_MILLIS_MAX)) != Ok(1) {
                    signal_pidfd(&child, Signal::SIGKILL as i32)?;
                }
                match wait_pidfd(&child)? {
                    End::Exited(0) => Ok(()),
                    other => {
                        Err(io::Error::other(format!("the second side has ended as {other:?}")))
                    }
                }
            }
        }
    }

    /// It may never report: is ended if it is a child. A thread gives up by itself when its alarm rings.
    pub(super) fn abandon(self) {
        // Why it failed is known already, or cannot be known.
        drop(match self {
            Self::Thread(thread) => thread.join().map_err(|_| io::ErrorKind::Other.into()),
            Self::Child(child) => {
                let killed = signal_pidfd(&child, Signal::SIGKILL as i32);
                killed.and_then(|()| wait_pidfd(&child).map(drop))
            }
        });
    }
}

/// Whether the calling child will end when its parent does; not when that has happened already.
fn dies_with(parent: Pid) -> bool {
    set_pdeathsig(Signal::SIGKILL).is_ok() && getppid() == parent
}

fn await_last_thread() -> io::Result<()> {
    let begin = Instant::now();
    while !is_single_threaded()? && begin.elapsed() < LAST_THREAD_MAX {
        thread::yield_now();
    }
    // If it is still none, the fork says so.
    Ok(())
}
