//! While a program runs: its end, and what is asked of it in the meantime.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use palco_actors::{Actor, Context};
use palco_processes::{Child, Exit};
use tokio::io::unix::AsyncFd;

use crate::instance::idle::Idleness;
use crate::service::House;
use crate::watched::watch;
use crate::within::within;

/// A program that runs. Dropped it is killed with all its family, unless the superserver is leaving.
pub(crate) struct Running<'a> {
    /// None once it needs no more attention.
    child: Option<AsyncFd<Watched>>,
    family: Arc<Family>,
    house: &'a House,
}

/// Who gets signals: the program, or with it all of its session that has not left its group. Nobody once it has ended.
pub(crate) struct Family {
    /// 0 when it has ended.
    pid: AtomicI32,
    leads_session: bool,
}

/// A pidfd to be waited for on an event loop.
struct Watched(Child);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl<'a> Running<'a> {
    pub(crate) fn new(child: Child, leads_session: bool, house: &'a House) -> io::Result<Self> {
        let family = Arc::new(Family { pid: AtomicI32::new(child.pid()), leads_session });
        let child = Some(watch(Watched(child))?);
        Ok(Self { child, family, house })
    }

    /// Until it has ended. An interrupt is passed on; a stop asks it to end, and kills it after `end_within`, unless the
    /// superserver is leaving: `None`, it lives on.
    pub(crate) async fn attend<A: Actor>(
        mut self,
        cx: &Context<A>,
        end_within: Duration,
        mut idleness: impl Idleness,
    ) -> Option<io::Result<Exit>> {
        let exit = loop {
            let ended = cx.catch_interrupt(cx.unless_stopped(self.ended()));
            let outcome = match idleness.next() {
                None => ended.await,
                Some(time) => match within(cx, time, ended).await {
                    Some(outcome) => outcome,
                    None if idleness.is_over() => break self.end(cx, end_within).await,
                    None => continue,
                },
            };
            match outcome {
                Some(Some(exit)) => break exit,
                Some(None) if self.house.is_leaving() => return None,
                Some(None) => break self.end(cx, end_within).await,
                None => self.family.signal(Signal::SIGINT),
            }
        };
        // Nothing is left to be killed.
        self.child = None;
        Some(exit)
    }

    /// Asks it to end, and has it ended.
    async fn end<A: Actor>(&mut self, cx: &Context<A>, time: Duration) -> io::Result<Exit> {
        cx.note(|| "asked to end");
        self.family.signal(Signal::SIGTERM);
        if let Some(exit) = within(cx, time, self.ended()).await {
            return exit;
        }
        self.family.signal(Signal::SIGKILL);
        self.ended().await
    }

    /// Waits for its end. Cancel-safe.
    async fn ended(&mut self) -> io::Result<Exit> {
        let Some(child) = &mut self.child else { return Err(io::ErrorKind::NotFound.into()) };
        loop {
            let mut ready = child.readable_mut().await?;
            if let Some(exit) = ready.get_inner_mut().0.try_wait()? {
                self.family.pid.store(0, Ordering::Release);
                return Ok(exit);
            }
            ready.clear_ready();
        }
    }

    /// For passing on that the actor rests, or goes on.
    pub(crate) fn family(&self) -> Arc<Family> {
        Arc::clone(&self.family)
    }
}

impl Family {
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid.load(Ordering::Acquire));
        if pid.as_raw() == 0 {
            return;
        }
        // Not reaped yet, so the id is nobody else's. Refused if it has just ended, which is as good.
        let _sent = if self.leads_session { killpg(pid, signal) } else { kill(pid, signal) };
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.house.is_leaving() {
            if let Some(child) = self.child.take() {
                child.into_inner().0.leave();
            }
            return;
        }
        self.family.signal(Signal::SIGKILL);
    }
}
