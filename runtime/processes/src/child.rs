//! A process that was started: watched, signalled and reaped by its pidfd alone.
//!
//! Nothing else is touched: no handler for `SIGCHLD`, no `wait` for any child, so children that others have started are
//! theirs.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::sys::signal::Signal;
use palco_sys::End;

use crate::spawner::Spawner;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal.
    Signaled {
        /// Its number; real-time signals too.
        signal: i32,
        /// Whether memory was dumped.
        core: bool,
    },
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited(code) => write!(f, "exited with {code}"),
            Self::Signaled { signal, core } => {
                match Signal::try_from(signal) {
                    Ok(signal) => write!(f, "killed by {signal}")?,
                    Err(_) => write!(f, "killed by signal {signal}")?,
                }
                f.write_str(if core { ", core dumped" } else { "" })
            }
        }
    }
}

impl From<End> for Exit {
    fn from(end: End) -> Self {
        match end {
            End::Exited(code) => Self::Exited(code),
            End::Signaled { signal, core } => Self::Signaled { signal, core },
        }
    }
}

/// A child of this process. Dropped before it was reaped it is killed, and reaped without anybody waiting; see
/// [`Child::leave`] for one that shall live on.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    /// Readable when the process has ended.
    pidfd: Arc<OwnedFd>,
    exit: Option<Exit>,
    spawner: Spawner,
    at_drop: AtDrop,
}

/// What becomes of a child that nobody watches any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtDrop {
    Kill,
    Leave,
}

impl Child {
    pub(crate) fn new(pid: i32, pidfd: OwnedFd, spawner: Spawner) -> Self {
        Self { pid, pidfd: Arc::new(pidfd), exit: None, spawner, at_drop: AtDrop::Kill }
    }

    /// The process id; may be another's once this child has been reaped.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// How it ended; `None` while it has not.
    ///
    /// # Errors
    /// `ECHILD` when this process ignores `SIGCHLD` or somebody else has reaped the child: then nobody knows.
    pub fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        if self.exit.is_none() {
            self.exit = palco_sys::reap_pidfd(&self.pidfd)?.map(Exit::from);
        }
        Ok(self.exit)
    }

    /// Waits until it has ended. Known ends are remembered.
    ///
    /// # Errors
    /// As [`Child::try_wait`].
    pub fn wait(&mut self) -> io::Result<Exit> {
        if let Some(exit) = self.exit {
            return Ok(exit);
        }
        let exit = Exit::from(palco_sys::wait_pidfd(&self.pidfd)?);
        self.exit = Some(exit);
        Ok(exit)
    }

    /// Sends it a signal: to exactly this process, or to none.
    ///
    /// # Errors
    /// `ESRCH` when it has been reaped; `EPERM` when it is another user's.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        self.signal_raw(signal as i32)
    }

    /// As [`Child::signal`], by number: also real-time signals; 0 only asks whether it may.
    ///
    /// # Errors
    /// As [`Child::signal`]; `EINVAL` for a number that is no signal.
    pub fn signal_raw(&self, signal: i32) -> io::Result<()> {
        palco_sys::signal_pidfd(&self.pidfd, signal)
    }

    /// Gives up watching it without killing it: it lives on.
    ///
    /// It stays a child of this process, which reaps it whenever it ends, without anybody waiting and without saying how it
    /// ended; until then its pidfd stays open, one descriptor for each process that was left. When this process ends first,
    /// the child is no longer anybody's here: the system's first process reaps it. A [death
    /// signal](crate::Launch::death_signal) it was started with still comes.
    pub fn leave(mut self) {
        self.at_drop = AtDrop::Leave;
    }
}

impl AsFd for Child {
    /// The pidfd, which becomes readable when the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.exit.is_some() {
            return;
        }
        if self.at_drop == AtDrop::Kill {
            // May be refused when it has just ended, which is as good.
            let _sent = self.signal(Signal::SIGKILL);
        }
        if let Ok(None) = palco_sys::reap_pidfd(&self.pidfd) {
            self.spawner.bury(Arc::clone(&self.pidfd));
        }
    }
}
