//! What carries the messages, and its limits.

use std::io;

use super::{queues, streams};
use crate::Unavailable;

/// Where messages go in.
pub(super) trait Outlet: Send {
    /// Hands a message over, waits while there is no room.
    fn send(&mut self, message: &[u8]) -> io::Result<()>;

    /// Nothing more will come for now: whoever waits for a batch need not.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where they come out.
pub(super) trait Inlet {
    /// Takes a message of exactly this length, waits for it.
    fn receive(&mut self, message: &mut [u8]) -> io::Result<()>;
}

/// Both ends, not yet in two processes.
pub(super) type Ends = (Box<dyn Outlet>, Box<dyn Inlet>);

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// A pipe of the usual 64 KiB.
    Pipe,
    /// A pipe of 1 MiB, the most that everybody may have.
    PipeLarge,
    /// A Unix socket for bytes.
    UnixStream,
    /// A Unix socket that keeps messages apart.
    UnixSeqpacket,
    /// TCP over loopback, without waiting for more to send.
    Tcp,
    /// A POSIX queue, ten deep.
    Mqueue,
    /// A System V queue.
    SysvMsg,
    /// A ring in shared memory with a futex to wait on.
    ShmRing,
}

impl Carrier {
    pub(super) const ALL: [Self; 8] = [
        Self::Pipe,
        Self::PipeLarge,
        Self::UnixStream,
        Self::UnixSeqpacket,
        Self::Tcp,
        Self::Mqueue,
        Self::SysvMsg,
        Self::ShmRing,
    ];

    /// As in keys.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::PipeLarge => "pipe-1M",
            Self::UnixStream => "unix-stream",
            Self::UnixSeqpacket => "unix-seqpacket",
            Self::Tcp => "tcp",
            Self::Mqueue => "mqueue",
            Self::SysvMsg => "sysv-msg",
            Self::ShmRing => "shm-ring",
        }
    }

    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|carrier| carrier.name() == name)
    }

    /// Bytes on the way at most; where the kernel decides as it goes, about what it decides.
    pub(super) const fn buffer_bytes(self) -> u64 {
        match self {
            Self::Pipe => 64 << 10,
            Self::PipeLarge => streams::LARGE_PIPE_BYTES as u64,
            Self::UnixStream | Self::UnixSeqpacket => 208 << 10,
            Self::Tcp => 512 << 10,
            Self::Mqueue => 80 << 10,
            Self::SysvMsg => 16 << 10,
            Self::ShmRing => queues::RING_BYTES as u64,
        }
    }

    /// Makes it, for messages of so many bytes.
    ///
    /// # Errors
    /// The limit that a message of this size is beyond, or what the kernel refuses.
    pub(super) fn ends(self, bytes: usize) -> Result<Ends, Unavailable> {
        let ends = match self {
            Self::Pipe => streams::pipe_ends(None),
            Self::PipeLarge => streams::pipe_ends(Some(streams::LARGE_PIPE_BYTES)),
            Self::UnixStream => streams::unix_ends(),
            Self::UnixSeqpacket => streams::seqpacket_ends(),
            Self::Tcp => streams::tcp_ends(),
            Self::Mqueue => queues::posix_ends(bytes),
            Self::SysvMsg => queues::system_v_ends(bytes),
            Self::ShmRing => queues::ring_ends(bytes),
        };
        ends.map_err(|error| Unavailable(format!("{}: {error}", self.name())))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// More than fits into any of them, so that both sides wait.
    #[test]
    fn every_carrier_brings_messages_whole_and_in_order() {
        for carrier in Carrier::ALL {
            for bytes in [64, 4096] {
                let (mut outlet, mut inlet) = carrier.ends(bytes).unwrap();
                let count = (4 * carrier.buffer_bytes()).div_ceil(bytes as u64);
                thread::scope(|scope| {
                    scope.spawn(move || {
                        let mut freight = super::super::Freight::new(bytes);
                        for number in 0..count {
                            outlet.send(freight.stamped(number)).unwrap();
                        }
                        outlet.flush().unwrap();
                    });
                    let mut freight = super::super::Freight::new(bytes);
                    for number in 0..count {
                        inlet.receive(freight.room()).unwrap();
                        assert!(freight.is_whole(number), "{carrier:?}: {number} of {count}");
                    }
                });
            }
        }
    }

    #[test]
    fn a_message_beyond_a_limit_is_refused_with_the_limit() {
        for carrier in [Carrier::Mqueue, Carrier::SysvMsg, Carrier::ShmRing] {
            let refused = carrier.ends(1 << 20).err().unwrap();
            assert!(refused.0.starts_with(carrier.name()), "{refused}");
            assert!(refused.0.contains("at most"), "{refused}");
        }
    }
}
