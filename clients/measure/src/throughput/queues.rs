//! Queues of messages: POSIX's, System V's, and palco's own ring in shared memory.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT, mq_close, mq_open, mq_receive, mq_send, mq_unlink};
use nix::sys::stat::Mode;
use palco_sys::{RingEnd, SysvQueue};

use super::carrier::{Ends, Inlet, Outlet};
use super::streams::whole;
use crate::crew::patiently;

/// The ring's bytes each way; a power of two.
pub(super) const RING_BYTES: usize = 256 << 10;

/// Messages in a POSIX queue, where the limit is not lower.
const POSIX_DEPTH_MAX: u64 = 10;

/// One of the kernel's limits, by the file that it is changed with.
fn limit(file: &str) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    text.trim().parse().map_err(|_| io::Error::other(format!("{file} is not a number")))
}

fn within(bytes: usize, file: &str) -> io::Result<()> {
    let most = limit(file)?;
    if bytes as u64 <= most {
        return Ok(());
    }
    Err(io::Error::other(format!("a message has at most {most} bytes ({file}), not {bytes}")))
}

/// Closed when dropped, which nix leaves to its users.
struct Posix(Option<MqdT>);

impl Posix {
    #[inline]
    fn queue(&self) -> Result<&MqdT, Errno> {
        self.0.as_ref().ok_or(Errno::EBADF)
    }
}

impl Drop for Posix {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            // Nothing is lost that could not be closed.
            let _ = mq_close(queue);
        }
    }
}

impl Outlet for Posix {
    #[inline]
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        patiently(|| Ok(mq_send(self.queue()?, message, 0)?))
    }
}

impl Inlet for Posix {
    #[inline]
    fn receive(&mut self, message: &mut [u8]) -> io::Result<()> {
        let mut priority = 0;
        let length = patiently(|| Ok(mq_receive(self.queue()?, message, &mut priority)?))?;
        whole(length, message)
    }
}

/// A queue whose name goes at once, so that the queue goes with its users.
pub(super) fn posix_ends(bytes: usize) -> io::Result<Ends> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    within(bytes, "/proc/sys/fs/mqueue/msgsize_max")?;
    let depth = limit("/proc/sys/fs/mqueue/msg_max")?.min(POSIX_DEPTH_MAX);
    let length = |number: u64| number.try_into().map_err(io::Error::other);
    let attributes = MqAttr::new(0, length(depth)?, length(bytes as u64)?, 0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("/palco-throughput-{}-{number}", std::process::id());
    let flags = MQ_OFlag::O_CLOEXEC | MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_WRONLY;
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    let outlet = Posix(Some(mq_open(name.as_str(), flags, mode, Some(&attributes))?));
    let inlet = mq_open(name.as_str(), MQ_OFlag::O_CLOEXEC | MQ_OFlag::O_RDONLY, mode, None);
    mq_unlink(name.as_str())?;
    Ok((Box::new(outlet), Box::new(Posix(Some(inlet?)))))
}

struct SystemV {
    queue: Arc<SysvQueue>,
    letter: Box<[u64]>,
}

/// The kind of all messages: there is one receiver.
const KIND: u32 = 1;

impl Outlet for SystemV {
    #[inline]
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        patiently(|| self.queue.send(&mut self.letter, KIND, message))
    }
}

impl Inlet for SystemV {
    #[inline]
    fn receive(&mut self, message: &mut [u8]) -> io::Result<()> {
        let length = patiently(|| self.queue.receive(&mut self.letter, KIND, message))?;
        whole(length, message)
    }
}

pub(super) fn system_v_ends(bytes: usize) -> io::Result<Ends> {
    within(bytes, "/proc/sys/kernel/msgmax")?;
    let queue = Arc::new(SysvQueue::new(bytes)?);
    let [outlet, inlet] =
        [(); 2].map(|()| SystemV { queue: queue.clone(), letter: queue.letter() });
    Ok((Box::new(outlet), Box::new(inlet)))
}

struct Ring {
    end: RingEnd,
    frame: Vec<u8>,
}

impl Outlet for Ring {
    #[inline]
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        patiently(|| {
            if self.end.try_send(&[message]).map_err(io::Error::other)? {
                return Ok(());
            }
            self.end.wake();
            self.end.sleep(None)?;
            // A sleep does not tell why it ended: if there is no room then, it counts as interrupted.
            let is_sent = self.end.try_send(&[message]).map_err(io::Error::other)?;
            if is_sent { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
        })?;
        self.end.wake();
        Ok(())
    }
}

impl Inlet for Ring {
    #[inline]
    fn receive(&mut self, message: &mut [u8]) -> io::Result<()> {
        self.frame.clear();
        let length = patiently(|| {
            if !self.end.has_input() {
                self.end.sleep(None)?;
            }
            let length = self.end.try_receive(&mut self.frame).map_err(io::Error::other)?;
            length.ok_or_else(|| io::ErrorKind::Interrupted.into())
        })?;
        if self.end.take_room_request() {
            self.end.wake();
        }
        whole(length, message)?;
        message.copy_from_slice(&self.frame);
        Ok(())
    }
}

pub(super) fn ring_ends(bytes: usize) -> io::Result<Ends> {
    let inlet = RingEnd::create(RING_BYTES)?;
    let most = inlet.frame_bytes_max();
    if bytes > most {
        return Err(io::Error::other(format!("a message has at most {most} bytes, not {bytes}")));
    }
    let outlet = RingEnd::open(inlet.as_fd().try_clone_to_owned()?)?;
    let frame = Vec::with_capacity(bytes);
    Ok((Box::new(Ring { end: outlet, frame: frame.clone() }), Box::new(Ring { end: inlet, frame })))
}
