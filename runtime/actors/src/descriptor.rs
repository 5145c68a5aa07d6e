//! Open files and sockets inside messages.
//!
//! In its own process a message is moved, descriptors and all. On its way to another process it becomes bytes, and what
//! it holds open travels beside them (`SCM_RIGHTS`, unix(7)), in the order in which it was written. Serde knows nothing
//! of that second stream, so it is kept for the calling thread while one message is written or read.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// An open file or socket, as a part of a message.
///
/// It crosses inside messages to an actor, in any place. An actor's arguments have their
/// [`Luggage`](crate::Luggage) for that; replies, and what a process says to granted actors, cannot hold one: those
/// count as [`DropReason::NotPortable`](crate::DropReason::NotPortable). A message holds at most
/// [`Descriptor::PER_MESSAGE_MAX`]; as long as it has not been dealt with in another process it stays open in this one
/// too, so that a crash there does not lose what was not begun.
pub struct Descriptor(Arc<OwnedFd>);

thread_local! {
    static WRITING: RefCell<Option<Vec<Arc<OwnedFd>>>> = const { RefCell::new(None) };
    static READING: RefCell<VecDeque<OwnedFd>> = const { RefCell::new(VecDeque::new()) };
}

impl Descriptor {
    /// What one message may hold.
    pub const PER_MESSAGE_MAX: usize = 16;

    /// Packs an open file or socket.
    #[must_use]
    pub fn new(descriptor: impl Into<OwnedFd>) -> Self {
        Self(Arc::new(descriptor.into()))
    }

    /// Unpacks it.
    ///
    /// # Errors
    /// That of `dup`, while the message it came from is still on its way.
    pub fn into_owned(self) -> io::Result<OwnedFd> {
        Arc::try_unwrap(self.0).or_else(|shared| shared.try_clone())
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Serialize for Descriptor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_noted = WRITING.with_borrow_mut(|writing| match writing {
            Some(noted) if noted.len() < Self::PER_MESSAGE_MAX => {
                noted.push(Arc::clone(&self.0));
                true
            }
            _ => false,
        });
        if !is_noted {
            return Err(ser::Error::custom("only a message to an actor holds descriptors, a few"));
        }
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Descriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer)?;
        let next = READING.with_borrow_mut(VecDeque::pop_front);
        next.map(Self::new).ok_or_else(|| de::Error::custom("a descriptor is missing"))
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Has `write` write down a message; the descriptors that were in it.
pub(crate) fn noting<E>(write: impl FnOnce() -> Result<(), E>) -> Result<Vec<Arc<OwnedFd>>, E> {
    WRITING.set(Some(Vec::new()));
    let written = write();
    let noted = WRITING.take().unwrap_or_default();
    written.map(|()| noted)
}

/// Has `read` read a message that came with these descriptors. Those it does not take are closed.
pub(crate) fn handing_out<T>(descriptors: VecDeque<OwnedFd>, read: impl FnOnce() -> T) -> T {
    if descriptors.is_empty() {
        return read();
    }
    READING.set(descriptors);
    let value = read();
    drop(READING.take());
    value
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_written_is_read_in_the_same_order() {
        let (mut reader, writer) = io::pipe().unwrap();
        let message = (Descriptor::new(reader.try_clone().unwrap()), 7, Descriptor::new(writer));
        let mut bytes = Vec::new();
        let noted = noting(|| postcard::to_io(&message, &mut bytes).map(drop)).unwrap();
        assert_eq!((noted.len(), &bytes[..]), (2, &[14][..]), "they take no bytes");
        drop(message);
        let came = noted.iter().map(|fd| fd.try_clone().unwrap()).collect();
        drop(noted);
        type Message = (Descriptor, i32, Descriptor);
        let read: Message = handing_out(came, || postcard::from_bytes(&bytes)).unwrap();
        let mut writer = std::fs::File::from(read.2.into_owned().unwrap());
        writer.write_all(b"x").unwrap();
        io::Read::read_exact(&mut reader, &mut [0]).unwrap();
    }

    #[test]
    fn only_a_message_holds_them_and_not_too_many() {
        let of = |count| -> Vec<Descriptor> {
            (0..count).map(|_| Descriptor::new(io::pipe().unwrap().0)).collect()
        };
        assert!(postcard::to_allocvec(&of(1)).is_err(), "not a message");
        let write =
            |count| noting(|| postcard::to_allocvec(&of(count)).map(drop)).map(|fds| fds.len());
        assert_eq!(write(Descriptor::PER_MESSAGE_MAX), Ok(Descriptor::PER_MESSAGE_MAX));
        assert!(write(Descriptor::PER_MESSAGE_MAX + 1).is_err());
        let bytes = [1];
        assert!(postcard::from_bytes::<Vec<Descriptor>>(&bytes).is_err(), "none came");
    }
}
