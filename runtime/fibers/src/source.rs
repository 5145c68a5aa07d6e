//! A descriptor that fibers wait for.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use crate::lwp::{Home, here};
use crate::reactor::{Entry, Way};

/// A nonblocking descriptor, watched by the LWP that first waits for it. Try first, wait only after
/// [`WouldBlock`](io::ErrorKind::WouldBlock), then try again: what is ready is told once (edge-triggered).
///
/// Urgent data (`MSG_OOB`) counts as something to read. Waits are cancel-safe; of several who wait for the same way the
/// last one is woken.
pub struct Source<S: AsFd> {
    io: ManuallyDrop<S>,
    watched: OnceLock<Watched>,
}

struct Watched {
    home: Arc<Home>,
    key: usize,
    entry: Arc<Entry>,
}

impl<S: AsFd> Source<S> {
    /// Nothing is set or registered before the first wait; the descriptor must be nonblocking by then.
    ///
    /// # Errors
    /// None now; kept for systems that register at once.
    pub fn new(io: S) -> io::Result<Self> {
        Ok(Self { io: ManuallyDrop::new(io), watched: OnceLock::new() })
    }

    /// What it is made of.
    #[must_use]
    pub fn get(&self) -> &S {
        &self.io
    }

    /// What it was made of, watched no more.
    #[must_use]
    pub fn into_inner(mut self) -> S {
        self.forget();
        // SAFETY: taken once: `self` is forgotten right after, so that nothing drops it again.
        let io = unsafe { ManuallyDrop::take(&mut self.io) };
        std::mem::forget(self);
        io
    }

    /// Ready when there may be something to read, or urgent data, or the end.
    ///
    /// # Errors
    /// `Unsupported` outside of fibers; the kernel's when it cannot be watched.
    pub fn poll_readable(&self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(Way::Read, task)
    }

    /// Ready when there may be room to write, or nobody who reads any more.
    ///
    /// # Errors
    /// As [`poll_readable`](Self::poll_readable).
    pub fn poll_writable(&self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(Way::Write, task)
    }

    /// Waits as [`poll_readable`](Self::poll_readable) says. Cancel-safe.
    ///
    /// # Errors
    /// As there.
    pub async fn readable(&self) -> io::Result<()> {
        poll_fn(|task| self.poll_readable(task)).await
    }

    /// Waits as [`poll_writable`](Self::poll_writable) says. Cancel-safe.
    ///
    /// # Errors
    /// As there.
    pub async fn writable(&self) -> io::Result<()> {
        poll_fn(|task| self.poll_writable(task)).await
    }

    fn poll(&self, way: Way, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let watched = match self.watched.get() {
            Some(watched) => watched,
            None => self.watch()?,
        };
        ready!(watched.entry.poll(way, task));
        Poll::Ready(Ok(()))
    }

    fn watch(&self) -> io::Result<&Watched> {
        let Some(lwp) = here() else {
            let text = "only fibers wait for a Source: there is no LWP on this thread";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        };
        let home = Arc::clone(&lwp.home);
        let (key, entry) = home.reactor.watch(self.io.as_fd())?;
        if let Err(second) = self.watched.set(Watched { home, key, entry }) {
            // Two waited for the first time at once, on two LWPs.
            second.home.reactor.forget(second.key, self.io.as_fd());
        }
        Ok(self.watched.get().expect("set by one of the two"))
    }

    fn forget(&mut self) {
        if let Some(watched) = self.watched.take() {
            watched.home.reactor.forget(watched.key, self.io.as_fd());
        }
    }
}

impl<S: AsFd> Drop for Source<S> {
    fn drop(&mut self) {
        self.forget();
        // SAFETY: dropped here and nowhere else; `into_inner` forgets the rest.
        unsafe { ManuallyDrop::drop(&mut self.io) };
    }
}

impl<S: AsFd + fmt::Debug> fmt::Debug for Source<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&*self.io).finish()
    }
}
