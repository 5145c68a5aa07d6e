//! TCP urgent data beside the calls of a connection.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use palco_core::RequestState;
use palco_urgent::{Call, SendUrgentError, Urgent, of_acknowledgement, send_urgent, take_urgent};

/// The call of another thread may take the acknowledgement from the socket; it is looked for so often.
const LOOK_EACH: Duration = Duration::from_millis(10);

/// Sends urgent data on a connection, also from another thread while a call waits for its answer; its clones are one.
///
/// One byte at a time: the next is sent when the one before was acknowledged, because a second one would take its place
/// on the way. The connection stays open as long as one of them is kept.
#[derive(Clone, Debug)]
pub struct Urgency {
    stream: Arc<TcpStream>,
    last: Arc<Mutex<Last>>,
}

/// What became of the call before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// There is none, or its acknowledgement has been read.
    Done,
    /// It was sent.
    Sent,
    /// Its acknowledgement has come.
    Acknowledged(RequestState, bool),
}

/// Why a call was not sent.
#[derive(Debug, thiserror::Error)]
pub enum UrgencyError {
    /// The one before is not acknowledged.
    #[error("the call before is not acknowledged yet; wait for that, or use the urgent port")]
    Busy,
    /// The connection cannot send it.
    #[error(transparent)]
    NotSent(#[from] SendUrgentError),
}

impl Urgency {
    pub(crate) fn new(stream: Arc<TcpStream>) -> Self {
        Self { stream, last: Arc::new(Mutex::new(Last::Done)) }
    }

    /// Sends a call about the request that is being served on this connection. Does not wait.
    ///
    /// # Errors
    /// [`UrgencyError::Busy`] until the call before is acknowledged, and [`UrgencyError::NotSent`], in particular when too
    /// much of the connection's own data is in front of it.
    pub fn send(&self, call: Call) -> Result<(), UrgencyError> {
        self.take().map_err(SendUrgentError::Failed)?;
        let mut last = self.last();
        if *last == Last::Sent {
            return Err(UrgencyError::Busy);
        }
        send_urgent(&*self.stream, call.byte())?;
        *last = Last::Sent;
        Ok(())
    }

    /// What the server has said to the call before: the state of the request, and whether that is what was asked for.
    /// Said once; `None` if it does not come in time, or nothing more can come.
    #[must_use]
    pub fn acknowledged(&self, within: Duration) -> Option<(RequestState, bool)> {
        let started = Instant::now();
        loop {
            self.take().ok()?;
            let mut last = self.last();
            match *last {
                Last::Acknowledged(state, reached) => {
                    *last = Last::Done;
                    return Some((state, reached));
                }
                Last::Done => return None,
                Last::Sent => drop(last),
            }
            let left = within.saturating_sub(started.elapsed());
            if left.is_zero() {
                return None;
            }
            let seen = match wait(&self.stream, PollFlags::POLLPRI, left.min(LOOK_EACH)) {
                Ok(seen) => seen,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return None,
            };
            let is_over = seen.intersects(PollFlags::POLLERR | PollFlags::POLLHUP);
            if is_over && !seen.contains(PollFlags::POLLPRI) {
                return None;
            }
        }
    }

    /// Waits until there is something to read, and takes an acknowledgement that stands before it: to read past one is to
    /// lose it, and to wait in `read` is to read past it.
    pub(crate) fn wait_to_read(&self, within: Duration) -> io::Result<()> {
        let seen = wait(&self.stream, PollFlags::POLLIN, within)?;
        self.take()?;
        if seen.is_empty() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }

    /// Keeps what has come, if it is an acknowledgement.
    fn take(&self) -> io::Result<()> {
        match take_urgent(&*self.stream)? {
            Urgent::Byte(byte) => {
                if let Some((state, reached)) = of_acknowledgement(byte) {
                    *self.last() = Last::Acknowledged(state, reached);
                }
            }
            Urgent::Announced | Urgent::None => {}
        }
        Ok(())
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of `wanted` is there, or is wrong; nothing when the time is over. At least a millisecond, so that a short rest of
/// time is not spent on looking.
fn wait(stream: &TcpStream, wanted: PollFlags, within: Duration) -> io::Result<PollFlags> {
    let milliseconds = i32::try_from(within.as_millis()).unwrap_or(i32::MAX).max(1);
    let timeout = PollTimeout::try_from(milliseconds).map_err(io::Error::other)?;
    let mut polled = [PollFd::new(stream.as_fd(), wanted)];
    match poll(&mut polled, timeout) {
        Ok(_) => Ok(polled[0].revents().unwrap_or(PollFlags::empty())),
        Err(Errno::EINTR) => Err(io::ErrorKind::Interrupted.into()),
        Err(errno) => Err(errno.into()),
    }
}
