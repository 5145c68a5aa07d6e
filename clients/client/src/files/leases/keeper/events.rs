//! The connection on which a server says what it wants back: one request whose answers have no end.

use std::os::fd::{AsFd, BorrowedFd};

use bytes::BytesMut;
use palco_files::sftp::wire::{Answer, Extension, Reply, Secret, take};

use super::super::super::sftp::link::Link;
use crate::{Error, Excerpt, Malformed};

/// Bytes read at once.
const PIECE_BYTES: usize = 4096;

/// The connection.
#[derive(Debug)]
pub(super) struct Events {
    link: Link,
    id: u32,
    /// What has come and is not yet an event.
    input: BytesMut,
}

impl Events {
    /// Asks for the events of `client`.
    pub(super) fn ask(mut link: Link, client: Secret) -> Result<Self, Error> {
        let id = link.send(&Extension::Events { client }.request())?;
        Ok(Self { link, id, input: BytesMut::new() })
    }

    /// Whether there may be an event that has come already.
    pub(super) fn has_more(&self) -> bool {
        !self.link.connection.unread.is_empty()
    }

    /// The leases that are wanted back by what has come. Waits if nothing has.
    pub(super) fn read(&mut self) -> Result<Vec<Secret>, Error> {
        let unread = std::mem::take(&mut self.link.connection.unread);
        if unread.is_empty() {
            let mut piece = [0; PIECE_BYTES];
            let count = self.link.receive(&mut piece)?;
            self.input.extend_from_slice(&piece[..count]);
        } else {
            self.input.extend_from_slice(&unread);
        }
        let address = self.link.connection.address().to_owned();
        let wrong = |why: String| malformed(&address, why);
        let mut leases = Vec::new();
        while let Some(packet) = take(&mut self.input).map_err(|error| wrong(error.to_string()))? {
            let (id, reply) = Reply::decode(packet).map_err(|error| wrong(error.to_string()))?;
            let Reply::Extended(fields) = reply else {
                return Err(wrong(format!("{reply:?} is no event")));
            };
            match Answer::decode_event(fields) {
                Ok(Answer::Event { lease }) if id == self.id => leases.push(lease),
                Ok(_) => return Err(wrong("an answer is no event".to_owned())),
                Err(error) => return Err(wrong(error.to_string())),
            }
        }
        Ok(leases)
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.connection.stream.as_fd()
    }
}

/// What is no event.
fn malformed(address: &str, why: String) -> Error {
    let (address, source) = (address.to_owned(), Malformed::syntax(why));
    Error::Malformed { address, came: Excerpt::default(), source }
}
