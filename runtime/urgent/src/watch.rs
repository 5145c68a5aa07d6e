//! Hear urgent data on any number of connections, also on those of other processes.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// So many events are taken from the kernel at once.
pub(crate) const EVENTS_AT_ONCE: usize = 64;

/// An epoll instance that listens for urgent data alone (`EPOLLPRI`, edge-triggered, epoll(7)).
///
/// It can be shared: a process that was passed its [`file`](Self::file) adds connections of its own, and their events come
/// to whoever waits in another. It does not keep a connection open: when all that own one have closed it, the peer hears
/// so, and the registration is gone. An event says that there is something to take, perhaps taken already; the byte
/// is [taken](crate::take_urgent) from the connection, of which the hearer needs a descriptor
/// ([`borrow_descriptor`](palco_sys::borrow_descriptor) has one of another process's).
///
/// A byte that is only [announced](crate::Urgent::Announced) is not heard before it arrives. Ordinary data on a watched
/// connection is not heard either, but it costs: the kernel wakes the thread that waits, finds nothing for it and lets it
/// sleep on. Whoever was passed a watch is trusted not to fill it with what was not asked for.
#[derive(Debug)]
pub struct Watch(Epoll);

/// Whether there may be more to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// No: what comes from now on makes the watch readable anew.
    Nothing,
    /// Perhaps.
    Perhaps,
}

impl Watch {
    /// One that watches nothing yet.
    ///
    /// # Errors
    /// The kernel's, when descriptors have run out.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?))
    }

    /// One that was made by another process, which passed its [`file`](Self::file).
    #[must_use]
    pub fn open(file: OwnedFd) -> Self {
        Self(Epoll(file))
    }

    /// A descriptor of the same watch, to pass on; it becomes readable when there is something to [`take`](Self::take).
    ///
    /// # Errors
    /// The kernel's, when descriptors have run out.
    pub fn file(&self) -> io::Result<OwnedFd> {
        self.0.0.try_clone()
    }

    /// Listens for urgent data on `socket`, which is then called `token`; what is waiting there is reported at once.
    /// If it is there already, its token changes. An event may be taken before this returns, so the token is to mean
    /// something before.
    ///
    /// The kernel knows it by its open file and the number of this descriptor. Added through a duplicate it is there
    /// twice, and it stays until it is [removed](Self::remove) or the last duplicate is closed.
    ///
    /// # Errors
    /// The kernel's: `EPERM` for what cannot be waited for, `ENOSPC` when the user watches too much
    /// (`fs.epoll.max_user_watches`), `EINVAL` if the watch was [opened](Self::open) from something else.
    pub fn add(&self, socket: impl AsFd, token: u64) -> io::Result<()> {
        let mut event = EpollEvent::new(EpollFlags::EPOLLPRI | EpollFlags::EPOLLET, token);
        match self.0.add(&socket, event) {
            Err(Errno::EEXIST) => self.0.modify(&socket, &mut event)?,
            done => done?,
        }
        Ok(())
    }

    /// No longer listens on `socket`, by the same descriptor that it was added by. Done too if it was not there.
    ///
    /// # Errors
    /// The kernel's.
    pub fn remove(&self, socket: impl AsFd) -> io::Result<()> {
        match self.0.delete(&socket) {
            Err(Errno::ENOENT) => Ok(()),
            done => Ok(done?),
        }
    }

    /// Takes the tokens of at most `most` events, 64 at once, and adds them to `tokens`. Never blocks. Each event goes
    /// to one of those that take.
    ///
    /// # Errors
    /// The kernel's: `EINVAL` if the watch was [opened](Self::open) from something else.
    pub fn take(&self, most: usize, tokens: &mut Vec<u64>) -> io::Result<Rest> {
        let mut events = [EpollEvent::empty(); EVENTS_AT_ONCE];
        let most = most.min(EVENTS_AT_ONCE);
        if most == 0 {
            return Ok(Rest::Perhaps);
        }
        let count = self.0.wait(&mut events[..most], EpollTimeout::ZERO)?;
        // The kernel also reports what was not asked for: that a peer has hung up.
        let urgent =
            events[..count].iter().filter(|event| event.events().contains(EpollFlags::EPOLLPRI));
        tokens.extend(urgent.map(EpollEvent::data));
        Ok(if count < most { Rest::Nothing } else { Rest::Perhaps })
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.0.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::{Urgent, send_urgent, take_urgent};

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    fn next(watch: &Watch) -> Vec<u64> {
        let mut tokens = Vec::new();
        while tokens.is_empty() {
            watch.take(EVENTS_AT_ONCE, &mut tokens).unwrap();
        }
        tokens
    }

    #[test]
    fn urgent_data_is_heard_and_ordinary_data_is_not() {
        let watch = Watch::new().unwrap();
        let (mut noisy, noisy_server) = pair();
        let (urgent, urgent_server) = pair();
        watch.add(&noisy_server, 1).unwrap();
        watch.add(&urgent_server, u64::MAX).unwrap();
        noisy.write_all(b"hello").unwrap();
        drop(noisy);
        send_urgent(&urgent, b'H').unwrap();
        assert_eq!(next(&watch), [u64::MAX]);
        assert_eq!(take_urgent(&urgent_server).unwrap(), Urgent::Byte(b'H'));
        assert_eq!(watch.take(1, &mut Vec::new()).unwrap(), Rest::Nothing);
        send_urgent(&urgent, b'R').unwrap();
        assert_eq!(next(&watch), [u64::MAX]);
    }

    #[test]
    fn what_waits_already_is_heard_when_it_is_added_again_too() {
        let watch = Watch::new().unwrap();
        let (client, server) = pair();
        send_urgent(&client, b'H').unwrap();
        watch.add(&server, 1).unwrap();
        assert_eq!(next(&watch), [1]);
        watch.add(&server, 2).unwrap();
        assert_eq!(next(&watch), [2]);
    }

    #[test]
    fn what_was_removed_or_closed_is_not_heard() {
        let watch = Watch::new().unwrap();
        let (client, server) = pair();
        watch.add(&server, 1).unwrap();
        watch.remove(&server).unwrap();
        watch.remove(&server).unwrap();
        send_urgent(&client, b'H').unwrap();
        while take_urgent(&server).unwrap() != Urgent::Byte(b'H') {}
        let (other, other_server) = pair();
        watch.add(&other_server, 2).unwrap();
        drop(other_server);
        drop(other);
        let mut tokens = Vec::new();
        watch.take(EVENTS_AT_ONCE, &mut tokens).unwrap();
        assert!(tokens.is_empty(), "{tokens:?}");
    }

    #[test]
    fn no_more_is_taken_than_is_asked_for() {
        let watch = Watch::new().unwrap();
        let pairs: Vec<_> = (0..5).map(|_| pair()).collect();
        for ((client, server), token) in pairs.iter().zip(0..) {
            watch.add(server, token).unwrap();
            send_urgent(client, b'H').unwrap();
        }
        let mut tokens = Vec::new();
        assert_eq!(watch.take(0, &mut tokens).unwrap(), Rest::Perhaps);
        while tokens.len() < 5 {
            let before = tokens.len();
            watch.take(2, &mut tokens).unwrap();
            assert!(tokens.len() - before <= 2);
        }
        tokens.sort_unstable();
        assert_eq!(tokens, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_is_no_watch_is_an_error() {
        let (reader, _writer) = io::pipe().unwrap();
        let watch = Watch::open(OwnedFd::from(reader));
        let (_client, server) = pair();
        assert!(watch.add(&server, 1).is_err());
        assert!(watch.take(1, &mut Vec::new()).is_err());
    }
}
