//! While a program runs: its end, and what is asked of it in the meantime.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use palco_actors::{Actor, Context};
use palco_processes::{Child, Exit};
use tokio::io::unix::AsyncFd;

use super::beside::Beside;
use super::family::Family;
use crate::service::House;
use crate::urgent::group_lives;
use crate::watched::watch;
use crate::within::within;

/// Between looks at a group whose leader has ended: the first pause, and the longest.
const GROUP_LOOK_FIRST: Duration = Duration::from_millis(10);
const GROUP_LOOK_LAST: Duration = Duration::from_millis(500);

/// A program that runs. Dropped it is killed with all its family, unless the superserver is leaving.
pub(crate) struct Running<'a> {
    /// None once it needs no more attention.
    child: Option<AsyncFd<Watched>>,
    family: Arc<Family>,
    house: &'a House,
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
        let family = Arc::new(Family::new(child.pid(), leads_session));
        let child = Some(watch(Watched(child))?);
        Ok(Self { child, family, house })
    }

    /// Until it has ended. An interrupt is passed on; a stop asks it to end, and kills it after `end_within`, unless the
    /// superserver is leaving: `None`, it lives on.
    pub(crate) async fn attend<A: Actor>(
        mut self,
        cx: &Context<A>,
        end_within: Duration,
        mut beside: impl Beside,
    ) -> Option<io::Result<Exit>> {
        let exit = loop {
            let ended = cx.catch_interrupt(cx.unless_stopped(self.ended_or_asked()));
            let outcome = match beside.next() {
                None => ended.await,
                Some(time) => match within(cx, time, ended).await {
                    Some(outcome) => outcome,
                    None if beside.is_over() => break self.end(cx, end_within).await,
                    None => continue,
                },
            };
            match outcome {
                Some(Some(Ok(Some(exit)))) => break Ok(exit),
                Some(Some(Ok(None))) => break self.end_all(cx, end_within).await,
                Some(Some(Err(error))) => break Err(error),
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
        if self.family.is_asked() {
            return self.end_all(cx, time).await;
        }
        self.family.signal(Signal::SIGTERM);
        if let Some(exit) = within(cx, time, self.ended()).await {
            return exit;
        }
        self.family.signal(Signal::SIGKILL);
        self.ended().await
    }

    /// Has all of its group ended, which has been asked to.
    async fn end_all<A: Actor>(&mut self, cx: &Context<A>, time: Duration) -> io::Result<Exit> {
        if within(cx, time, self.all_ended(cx)).await.is_none() {
            self.family.signal(Signal::SIGKILL);
        }
        self.ended().await
    }

    /// Waits until nobody of its group is left. It is not reaped before, so that the id of the group stays its own.
    async fn all_ended<A: Actor>(&self, cx: &Context<A>) {
        if let Some(child) = &self.child {
            // What cannot be waited for is said by whoever reaps it.
            let _ended = child.readable().await;
        }
        let mut pause = GROUP_LOOK_FIRST;
        while self.family.group().is_some_and(group_lives) {
            cx.sleep(pause).await;
            pause = (pause * 2).min(GROUP_LOOK_LAST);
        }
    }

    /// Waits for its end. Cancel-safe.
    async fn ended(&mut self) -> io::Result<Exit> {
        self.ended_unless(|_| false)
            .await
            .map(|exit| exit.expect("nothing but its end ends the wait"))
    }

    /// The same; not reaped, `None`, if all of its group have been asked to end: it may be the first of them.
    async fn ended_or_asked(&mut self) -> io::Result<Option<Exit>> {
        self.ended_unless(Family::is_asked).await
    }

    async fn ended_unless(
        &mut self,
        is_to_stay: impl Fn(&Family) -> bool,
    ) -> io::Result<Option<Exit>> {
        let Some(child) = &mut self.child else { return Err(io::ErrorKind::NotFound.into()) };
        loop {
            let mut ready = child.readable_mut().await?;
            if is_to_stay(&self.family) {
                return Ok(None);
            }
            let child = &mut ready.get_inner_mut().0;
            if let Some(exit) = self.family.reap(|| child.try_wait())? {
                return Ok(Some(exit));
            }
            ready.clear_ready();
        }
    }

    /// For passing on that the actor rests, or goes on.
    pub(crate) fn family(&self) -> Arc<Family> {
        Arc::clone(&self.family)
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
