//! Queues of messages: POSIX's, System V's, and palco's own ring in shared memory.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT, mq_close, mq_open, mq_receive, mq_send, mq_unlink};
use nix::sys::stat::Mode;
use palco_sys::{RingEnd, SysvQueue};

use super::{End, Role, patiently};

/// One end of two POSIX queues without a name.
#[derive(Debug)]
pub(crate) struct Posix {
    outgoing: Descriptor,
    incoming: Descriptor,
}

/// Closed when dropped, which nix leaves to its users.
#[derive(Debug)]
struct Descriptor(Option<MqdT>);

impl Posix {
    /// For messages of at most so many bytes.
    pub(crate) fn pair(message_bytes: usize) -> io::Result<[Self; 2]> {
        let (there, back) = (Descriptor::two(message_bytes)?, Descriptor::two(message_bytes)?);
        let ((out_first, in_second), (out_second, in_first)) = (there, back);
        Ok([
            Self { outgoing: out_first, incoming: in_first },
            Self { outgoing: out_second, incoming: in_second },
        ])
    }
}

impl Descriptor {
    /// Two descriptors of one queue, whose name is gone before anybody else can have seen it: so it goes when they do.
    fn two(message_bytes: usize) -> io::Result<(Self, Self)> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("/palco-measure-{}-{number}", std::process::id());
        let bytes = message_bytes.try_into().map_err(io::Error::other)?;
        let attributes = MqAttr::new(0, 1, bytes, 0);
        let flags = MQ_OFlag::O_RDWR | MQ_OFlag::O_CLOEXEC;
        let create = flags | MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let first = Self(Some(mq_open(name.as_str(), create, mode, Some(&attributes))?));
        let second = mq_open(name.as_str(), flags, mode, None);
        mq_unlink(name.as_str())?;
        Ok((first, Self(Some(second?))))
    }

    #[inline]
    fn open(&self) -> Result<&MqdT, Errno> {
        self.0.as_ref().ok_or(Errno::EBADF)
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if let Some(descriptor) = self.0.take() {
            // Nothing is lost that could not be closed.
            let _ = mq_close(descriptor);
        }
    }
}

impl End for Posix {
    #[inline]
    fn pass(&mut self, message: &[u8]) -> io::Result<()> {
        patiently(|| Ok(mq_send(self.outgoing.open()?, message, 0)?))
    }

    #[inline]
    fn take(&mut self, message: &mut [u8]) -> io::Result<()> {
        let mut priority = 0;
        let length = patiently(|| Ok(mq_receive(self.incoming.open()?, message, &mut priority)?))?;
        whole(length, message)
    }
}

/// One end of a System V queue, in which each side has a kind of its own.
#[derive(Debug)]
pub(crate) struct SystemV {
    queue: Arc<SysvQueue>,
    letter: Box<[u64]>,
    role: Role,
}

impl SystemV {
    /// For messages of at most so many bytes.
    pub(crate) fn pair(message_bytes: usize) -> io::Result<[Self; 2]> {
        let queue = Arc::new(SysvQueue::new(message_bytes)?);
        Ok([Role::First, Role::Second].map(|role| Self {
            queue: queue.clone(),
            letter: queue.letter(),
            role,
        }))
    }

    const fn kind(role: Role) -> u32 {
        match role {
            Role::First => 1,
            Role::Second => 2,
        }
    }
}

impl End for SystemV {
    #[inline]
    fn pass(&mut self, message: &[u8]) -> io::Result<()> {
        let kind = Self::kind(self.role.peer());
        patiently(|| self.queue.send(&mut self.letter, kind, message))
    }

    #[inline]
    fn take(&mut self, message: &mut [u8]) -> io::Result<()> {
        let kind = Self::kind(self.role);
        let length = patiently(|| self.queue.receive(&mut self.letter, kind, message))?;
        whole(length, message)
    }
}

/// One end of palco's ring.
#[derive(Debug)]
pub(crate) struct Ring {
    end: RingEnd,
    frame: Vec<u8>,
}

impl Ring {
    /// For messages of at most so many bytes.
    pub(crate) fn pair(message_bytes: usize) -> io::Result<[Self; 2]> {
        let bytes = (message_bytes * 4).next_power_of_two().max(1 << 14);
        let first = RingEnd::create(bytes)?;
        let second = RingEnd::open(first.as_fd().try_clone_to_owned()?)?;
        Ok([first, second].map(|end| Self { end, frame: Vec::with_capacity(message_bytes) }))
    }
}

impl End for Ring {
    #[inline]
    fn pass(&mut self, message: &[u8]) -> io::Result<()> {
        // Two sides that take turns never fill a ring of four messages.
        if !self.end.try_send(&[message]).map_err(io::Error::other)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.end.wake();
        Ok(())
    }

    #[inline]
    fn take(&mut self, message: &mut [u8]) -> io::Result<()> {
        self.frame.clear();
        let length = patiently(|| {
            // A sleep does not tell why it ended: what ended without a frame counts as interrupted.
            if !self.end.has_input() {
                self.end.sleep(None)?;
            }
            let length = self.end.try_receive(&mut self.frame).map_err(io::Error::other)?;
            length.ok_or_else(|| io::ErrorKind::Interrupted.into())
        })?;
        whole(length, message)?;
        message.copy_from_slice(&self.frame);
        Ok(())
    }
}

fn whole(length: usize, message: &[u8]) -> io::Result<()> {
    if length == message.len() {
        return Ok(());
    }
    let text = format!("{length} bytes came instead of {}", message.len());
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carries(mut ends: [impl End; 2]) {
        let message: Vec<u8> = (0..=255).cycle().take(4096).collect();
        let [first, second] = &mut ends;
        let mut taken = vec![0; message.len()];
        for _ in 0..10 {
            first.pass(&message).unwrap();
            second.take(&mut taken).unwrap();
            assert_eq!(taken, message);
            taken.fill(0);
            second.pass(&message).unwrap();
            first.take(&mut taken).unwrap();
            assert_eq!(taken, message);
        }
        first.pass(&message[..7]).unwrap();
        assert!(second.take(&mut taken).is_err(), "it is not as long as expected");
    }

    #[test]
    fn messages_arrive_whole_both_ways() {
        carries(Posix::pair(4096).unwrap());
        carries(SystemV::pair(4096).unwrap());
        carries(Ring::pair(4096).unwrap());
    }
}
