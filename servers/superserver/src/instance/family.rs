//! Who gets the signals that are meant for a program.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use palco_processes::Exit;
use parking_lot::Mutex;

/// A program, or with it all of its session that has not left its group. Nobody once it has ended.
pub(crate) struct Family {
    /// None when it has been reaped. Held while a signal is sent and while it is reaped, since an id that was reaped may be
    /// somebody else's at once: signals come from other threads as well.
    leader: Mutex<Option<Pid>>,
    leads_session: bool,
    /// Its client wants the end of all of it, and has had them asked to end.
    is_asked: AtomicBool,
}

impl Family {
    pub(super) fn new(pid: i32, leads_session: bool) -> Self {
        let leader = Mutex::new(Some(Pid::from_raw(pid)));
        Self { leader, leads_session, is_asked: AtomicBool::new(false) }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let leader = self.leader.lock();
        let Some(pid) = *leader else { return };
        // Refused if it has just ended, which is as good.
        let _sent = if self.leads_session { killpg(pid, signal) } else { kill(pid, signal) };
    }

    /// Asks all of them to end, also if they are suspended.
    pub(crate) fn ask_to_end(&self) {
        self.is_asked.store(true, Ordering::Release);
        self.signal(Signal::SIGTERM);
        self.signal(Signal::SIGCONT);
    }

    /// Whether all of them have been asked to end.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Acquire)
    }

    /// Its group, if it leads one and has not been reaped.
    pub(super) fn group(&self) -> Option<i32> {
        self.leader.lock().filter(|_| self.leads_session).map(Pid::as_raw)
    }

    /// Reaps it by `wait`, if it has ended.
    pub(super) fn reap(
        &self,
        wait: impl FnOnce() -> io::Result<Option<Exit>>,
    ) -> io::Result<Option<Exit>> {
        let mut leader = self.leader.lock();
        let exit = wait()?;
        if exit.is_some() {
            *leader = None;
        }
        Ok(exit)
    }
}
