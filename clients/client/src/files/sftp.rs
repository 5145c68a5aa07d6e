//! Files over SFTP version 3: the server keeps what is open, and the client the connection that it belongs to.
//!
//! After a lost connection a request is sent again on a new one with the handle as it was: a server that journals its
//! handles knows it, another says that it does not, which is [`FileError::HandleLost`]. What would be another change if it
//! were done twice is not sent again.

mod asking;
pub(super) mod link;
mod reply;
mod steps;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use palco_files::sftp::wire::{Attributes, Extension, OpenFlags, Request, Secret};

use super::attempts::{Attempts, Repeat};
use super::counters::Counting;
use super::transport::{Chunk, Handle, LeaseAnswer, Opening, Span, Target, Transport};
use super::{FileError, FileOptions, FileProtocol, Listing, Metadata};
use crate::Connection;
use asking::About;
use link::Link;
use reply::{done, metadata};

/// Bytes of one `READ` or `WRITE`: 32 KiB, which every server takes (draft-ietf-secsh-filexfer-02, section 3).
pub(super) const REQUEST_BYTES_MAX: usize = 32 << 10;
/// Requests of one pipeline: 64, so that neither side waits for the other to read.
const PIPELINE_MAX: usize = 64;

/// A connection, and how to make another.
#[derive(Debug)]
pub(super) struct SftpTransport {
    address: String,
    options: FileOptions,
    client: Secret,
    link: Option<Link>,
    connections: u64,
    counting: Arc<Counting>,
}

impl SftpTransport {
    pub(super) fn new(
        address: String,
        options: FileOptions,
        client: Secret,
        counting: Arc<Counting>,
    ) -> Self {
        Self { address, options, client, link: None, connections: 0, counting }
    }

    /// A connection that is there.
    fn link(&mut self) -> Result<&mut Link, crate::Error> {
        if self.link.as_ref().is_some_and(|link| !Connection::is_quiet(&link.connection)) {
            self.link = None;
        }
        match &mut self.link {
            Some(link) => Ok(link),
            none => {
                let limits = self.options.limits();
                let link = Link::open(&self.address, limits, self.client, &self.counting)?;
                self.connections += 1;
                Ok(none.insert(link))
            }
        }
    }
}

impl Transport for SftpTransport {
    fn protocol(&self) -> FileProtocol {
        FileProtocol::Sftp
    }

    fn check_leases(&mut self) -> Result<(), FileError> {
        let mut attempts = Attempts::new(&self.options);
        loop {
            match self.link() {
                Ok(link) if link.knows("lease@palco") => return Ok(()),
                Ok(_) => return Err(no_leases()),
                Err(error) => attempts.again("a connection", "/", Repeat::Freely, error)?,
            }
        }
    }

    fn open(
        &mut self,
        path: &Arc<str>,
        opening: Opening,
    ) -> Result<(Option<Handle>, Option<Metadata>), FileError> {
        let flags = match opening {
            Opening::Read => OpenFlags::READ,
            Opening::Write => OpenFlags { write: true, ..OpenFlags::READ },
            Opening::Create => OpenFlags { write: true, create: true, ..OpenFlags::READ },
        };
        Ok((Some(self.open_for("opening", path, flags)?), None))
    }

    fn close(&mut self, target: Target<'_>) -> Result<(), FileError> {
        self.close_handle(target.path, Self::of_target(target)?)
    }

    fn look(&mut self, target: Target<'_>) -> Result<Metadata, FileError> {
        let about = About::freely("a look", target.path);
        let reply = match target.handle {
            Some(handle) => {
                let look = Request::LookOpen { handle: handle.name.clone() };
                self.ask_open(about, handle, &[look])?.swap_remove(0)
            }
            None => self.ask_one(about, Request::Look { path: bytes_of(target.path) })?,
        };
        metadata("a look", target.path, reply)
    }

    fn read(&mut self, target: Target<'_>, span: Span) -> Result<Chunk, FileError> {
        let handle = Self::of_target(target)?;
        // What is known is asked first: bytes may be newer than what is known of them, never older.
        let mut requests = Vec::new();
        if span.metadata {
            requests.push(Request::LookOpen { handle: handle.name.clone() });
        }
        let length = span.length.min(REQUEST_BYTES_MAX * PIPELINE_MAX);
        for start in (0..length).step_by(REQUEST_BYTES_MAX) {
            requests.push(Request::Read {
                handle: handle.name.clone(),
                offset: span.offset.saturating_add(start as u64),
                length: u32::try_from(REQUEST_BYTES_MAX.min(length - start))
                    .expect("a request has at most 32 KiB"),
            });
        }
        let about = About::freely("a read", target.path);
        let mut replies = self.ask_open(about, handle, &requests)?.into_iter();
        let look = if span.metadata { replies.next() } else { None };
        let known = look.map(|reply| metadata("a look", target.path, reply)).transpose()?;
        let (bytes, mut is_end) = reply::joined(target.path, length, replies)?;
        if let Some(known) = &known
            && bytes.len() < length
        {
            is_end |= span.offset.saturating_add(bytes.len() as u64) >= known.size;
        }
        Ok(Chunk { bytes, is_end, metadata: known })
    }

    fn read_whole(&mut self, path: &Arc<str>, bytes_max: usize) -> Result<Chunk, FileError> {
        self.afresh(|this| this.whole(path, bytes_max))
    }

    fn write(&mut self, target: Target<'_>, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        let about = About::freely("a write", target.path);
        self.write_all(about, Self::of_target(target)?, offset, bytes)
    }

    fn sync(&mut self, target: Target<'_>) -> Result<(), FileError> {
        let handle = Self::of_target(target)?;
        let sync = Extension::Sync { handle: handle.name.clone() }.request();
        let about = About::freely("sync", target.path);
        done("sync", target.path, self.ask_open(about, handle, &[sync])?.swap_remove(0))
    }

    fn put(&mut self, path: &Arc<str>, bytes: &[u8]) -> Result<(), FileError> {
        let flags = OpenFlags { write: true, create: true, truncate: true, ..OpenFlags::default() };
        self.afresh(|this| {
            let handle = this.open_for("a change", path, flags)?;
            this.write_all(About::freely("a change", path), &handle, 0, bytes)?;
            this.close_handle(path, &handle)
        })
    }

    fn append(&mut self, path: &Arc<str>, bytes: &[u8], _: &str) -> Result<u64, FileError> {
        let flags = OpenFlags { write: true, append: true, ..OpenFlags::READ };
        let handle = self.open_for("an append", path, flags)?;
        let before = self.look(Target { path, handle: Some(&handle) })?.size;
        self.write_all(About::never("an append", path), &handle, before, bytes)?;
        match self.close_handle(path, &handle) {
            Ok(()) => Ok(before),
            Err(FileError::HandleLost { path, text }) => {
                Err(FileError::Unknown { what: "an append", path, why: text, source: None })
            }
            Err(other) => Err(other),
        }
    }

    fn list(&mut self, path: &Arc<str>) -> Result<Listing, FileError> {
        // A directory that is lost on the way is read from its beginning.
        self.afresh(|this| this.listing(path))
    }

    fn remove(&mut self, path: &Arc<str>) -> Result<(), FileError> {
        let about = About::freely("the removal", path);
        let (mut replies, attempts) =
            self.ask(about, &[Request::Remove { path: bytes_of(path) }])?;
        match done("the removal", path, replies.swap_remove(0)) {
            // It was there, or the first attempt would have been answered so.
            Err(FileError::NotFound { .. }) if attempts.is_doubtful => Ok(()),
            other => other,
        }
    }

    fn rename(&mut self, from: &Arc<str>, to: &Arc<str>) -> Result<(), FileError> {
        let about = About::never("the new name", from);
        let rename = Extension::RenameOver { from: bytes_of(from), to: bytes_of(to) };
        done("the new name", from, self.ask_one(about, rename.request())?)
    }

    fn make_directory(&mut self, path: &Arc<str>) -> Result<(), FileError> {
        let about = About::never("a new directory", path);
        let make =
            Request::MakeDirectory { path: bytes_of(path), attributes: Attributes::default() };
        done("a new directory", path, self.ask_one(about, make)?)
    }

    fn lease(&mut self, target: Target<'_>, wanted: Duration) -> Result<LeaseAnswer, FileError> {
        let handle = Self::of_target(target)?;
        let wanted_ms = u32::try_from(wanted.as_millis()).unwrap_or(u32::MAX);
        let lease = Extension::Lease { handle: handle.name.clone(), wanted_ms }.request();
        let about = About::freely("a lease", target.path);
        let reply = self.ask_open(about, handle, &[lease])?.swap_remove(0);
        reply::lease(target.path, reply)
    }

    fn release(&mut self, path: &Arc<str>, lease: Secret) -> Result<(), FileError> {
        let about = About::freely("giving a lease back", path);
        let release = Extension::Release { lease }.request();
        done("giving a lease back", path, self.ask_one(about, release)?)
    }

    fn connections(&self) -> u64 {
        self.connections
    }
}

fn bytes_of(path: &str) -> Bytes {
    Bytes::copy_from_slice(path.as_bytes())
}

fn no_leases() -> FileError {
    FileError::Unsupported {
        what: "a lease",
        protocol: FileProtocol::Sftp,
        instead: "start the server with a lease term, or take a TTL",
    }
}
