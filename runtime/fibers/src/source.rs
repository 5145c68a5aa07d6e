//! Descriptors that fibers and futures wait for.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};

use parking_lot::Mutex;
use polling::{Event, PollMode};

use crate::local;
use crate::lwp::Lwp;

/// A nonblocking descriptor, watched by the LWP that first waits for it.
///
/// Watched edge by edge: try first, and wait only after `WouldBlock`. An edge between the two is not lost: the wait
/// then ends at once. A wait may end for nothing; try again. Readable includes urgent data, the end of the stream and
/// errors: whatever the next attempt would tell. One task waits per direction; of several the last is woken.
///
/// Waits can be given up at any time. The descriptor is taken out of the poller when this is dropped or taken apart,
/// on whichever thread.
///
/// ```
/// use std::io::{ErrorKind, Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// let pool = palco_fibers::Pool::builder().lwps(1).build()?;
/// let (near, mut far) = UnixStream::pair()?;
/// near.set_nonblocking(true)?;
/// let reader = pool.spawn("reader", move || {
///     let source = palco_fibers::Source::new(near)?;
///     loop {
///         let mut byte = [0];
///         match source.get().read(&mut byte) {
///             Err(error) if error.kind() == ErrorKind::WouldBlock => {
///                 palco_fibers::block_on(source.readable())?;
///             }
///             outcome => return outcome.map(|_| byte[0]),
///         }
///     }
/// })?;
/// far.write_all(b"x")?;
/// assert_eq!(reader.join().unwrap()?, b'x');
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Source<S: AsFd> {
    /// None only while it is taken apart.
    io: Option<S>,
    registered: Mutex<Option<Registered>>,
}

#[derive(Debug)]
struct Registered {
    lwp: Arc<Lwp>,
    key: usize,
    watched: Arc<Watched>,
}

/// What the reactor knows of a descriptor.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    directions: Mutex<[Direction; 2]>,
}

#[derive(Debug, Default)]
struct Direction {
    /// There was an edge that no wait has seen.
    is_ready: bool,
    waker: Option<Waker>,
}

const READ: usize = 0;
const WRITE: usize = 1;

impl<S: AsFd> Source<S> {
    /// Takes a descriptor that is nonblocking already; sets nothing and watches nothing until the first wait.
    ///
    /// # Errors
    /// None now; the first wait has those of the poller.
    pub fn new(io: S) -> io::Result<Self> {
        Ok(Self { io: Some(io), registered: Mutex::new(None) })
    }

    /// What it watches. `Read` and `Write` of `&TcpStream` and the like do the work.
    pub fn get(&self) -> &S {
        self.io.as_ref().expect("it is there until it is taken apart")
    }

    /// Gives it back, watched no more.
    pub fn into_inner(mut self) -> S {
        self.deregister();
        self.io.take().expect("it is there until it is taken apart")
    }

    /// Ready when an attempt to read may do something.
    ///
    /// # Errors
    /// `Unsupported` if it was never waited for on an LWP and is not now; else the poller's, for instance
    /// `PermissionDenied` for a regular file, which never has to be waited for.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(READ, context)
    }

    /// Ready when an attempt to write may do something.
    ///
    /// # Errors
    /// As [`Source::poll_readable`].
    pub fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(WRITE, context)
    }

    /// Waits until an attempt to read may do something. Cancel-safe.
    ///
    /// # Errors
    /// As [`Source::poll_readable`].
    pub async fn readable(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_readable(context)).await
    }

    /// Waits until an attempt to write may do something. Cancel-safe.
    ///
    /// # Errors
    /// As [`Source::poll_readable`].
    pub async fn writable(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_writable(context)).await
    }

    /// Attempts to read until that does not block. What has come before an attempt is no news after it, so a wait does not
    /// end for what has been read. After some dozens of attempts in one turn it lets others of the LWP run first.
    ///
    /// # Errors
    /// Those of `attempt`, and as [`Source::poll_readable`].
    pub fn poll_read_with<T>(
        &self,
        context: &mut Context<'_>,
        attempt: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.poll_with(READ, context, attempt)
    }

    /// Attempts to write until that does not block, as [`Source::poll_read_with`] reads.
    ///
    /// # Errors
    /// Those of `attempt`, and as [`Source::poll_readable`].
    pub fn poll_write_with<T>(
        &self,
        context: &mut Context<'_>,
        attempt: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.poll_with(WRITE, context, attempt)
    }

    fn poll_with<T>(
        &self,
        direction: usize,
        context: &mut Context<'_>,
        mut attempt: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        if local::here().is_some_and(|local| !local.may_attempt()) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            self.forget(direction);
            match attempt(self.get()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.poll(direction, context))?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// An edge that there was is seen by the attempt that follows.
    fn forget(&self, direction: usize) {
        if let Some(registered) = &*self.registered.lock() {
            registered.watched.directions.lock()[direction].is_ready = false;
        }
    }

    fn poll(&self, direction: usize, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let watched = match self.watched() {
            Ok(watched) => watched,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let mut directions = watched.directions.lock();
        let direction = &mut directions[direction];
        if std::mem::take(&mut direction.is_ready) {
            return Poll::Ready(Ok(()));
        }
        match &mut direction.waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty @ None => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn watched(&self) -> io::Result<Arc<Watched>> {
        let mut registered = self.registered.lock();
        let registered = match &mut *registered {
            Some(registered) => registered,
            empty @ None => empty.insert(Registered::new(self.get())?),
        };
        Ok(Arc::clone(&registered.watched))
    }

    fn deregister(&mut self) {
        let (Some(registered), Some(io)) = (self.registered.get_mut().take(), &self.io) else {
            return;
        };
        let lwp = &registered.lwp;
        lwp.sources.lock().watched.remove(&registered.key);
        lwp.counts.sources.fetch_sub(1, Ordering::Relaxed);
        if let Err(error) = lwp.poller.delete(io.as_fd()) {
            tracing::debug!(%error, "a descriptor was not watched any more");
        }
    }
}

impl<S: AsFd> Drop for Source<S> {
    fn drop(&mut self) {
        self.deregister();
    }
}

impl Registered {
    #[expect(unsafe_code, reason = "the poller wants to be told when the descriptor goes")]
    fn new(io: &impl AsFd) -> io::Result<Self> {
        let Some(local) = local::here() else {
            let hint = "a descriptor is watched by an LWP: first wait for it in a fiber or a future of a pool";
            return Err(io::Error::new(ErrorKind::Unsupported, hint));
        };
        let lwp = Arc::clone(&local.lwp);
        let watched = Arc::new(Watched::default());
        let mut sources = lwp.sources.lock();
        let key = sources.next_key;
        let descriptor = io.as_fd().as_raw_fd();
        // SAFETY: `Source` owns what the descriptor belongs to, and deletes it from the poller before it lets go of it.
        unsafe { lwp.poller.add_with_mode(descriptor, Event::all(key), PollMode::Edge)? };
        sources.next_key += 1;
        sources.watched.insert(key, Arc::clone(&watched));
        drop(sources);
        lwp.counts.sources.fetch_add(1, Ordering::Relaxed);
        Ok(Self { lwp, key, watched })
    }
}

impl Watched {
    /// There was an edge: whoever waits tries again.
    pub(crate) fn announce(&self, readable: bool, writable: bool) {
        let mut directions = self.directions.lock();
        let mut woken = [None, None];
        for ((direction, is_ready), waker) in
            directions.iter_mut().zip([readable, writable]).zip(&mut woken)
        {
            if is_ready {
                direction.is_ready = true;
                *waker = direction.waker.take();
            }
        }
        drop(directions);
        woken.into_iter().flatten().for_each(wake);
    }
}

/// A waker is foreign code: its panic is its own affair, and not the end of an LWP.
fn wake(waker: Waker) {
    if panic::catch_unwind(AssertUnwindSafe(|| waker.wake())).is_err() {
        tracing::error!("a waker panicked");
    }
}
