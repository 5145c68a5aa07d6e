//! What takes more than one request: whole files, long writes, directories.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{Attributes, Code, Name, OpenFlags, Reply, Request};

use super::super::transport::{Chunk, Handle, Span, Target, Transport};
use super::super::{ENTRIES_MAX, Entry, FileError, Listing};
use super::asking::About;
use super::reply::{done, entry, expect_handle};
use super::{PIPELINE_MAX, REQUEST_BYTES_MAX, SftpTransport, bytes_of};

impl SftpTransport {
    /// What is open.
    pub(super) fn of_target(target: Target<'_>) -> Result<&Handle, FileError> {
        target.handle.ok_or(FileError::Request("over SFTP a file is open before it is read"))
    }

    pub(super) fn open_for(
        &mut self,
        what: &'static str,
        path: &Arc<str>,
        flags: OpenFlags,
    ) -> Result<Handle, FileError> {
        let request =
            Request::Open { path: bytes_of(path), flags, attributes: Attributes::default() };
        let reply = self.ask_one(About::freely(what, path), request)?;
        let name = expect_handle(what, path, reply)?;
        Ok(Handle { name, connection: self.connections })
    }

    /// Writes in pipelines of requests.
    pub(super) fn write_all(
        &mut self,
        about: About<'_>,
        handle: &Handle,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), FileError> {
        for (number, piece) in bytes.chunks(REQUEST_BYTES_MAX * PIPELINE_MAX).enumerate() {
            let start = offset + (number * REQUEST_BYTES_MAX * PIPELINE_MAX) as u64;
            let write = |(number, data): (usize, &[u8])| Request::Write {
                handle: handle.name.clone(),
                offset: start + (number * REQUEST_BYTES_MAX) as u64,
                data: Bytes::copy_from_slice(data),
            };
            let requests: Vec<_> = piece.chunks(REQUEST_BYTES_MAX).enumerate().map(write).collect();
            for reply in self.ask_open(about, handle, &requests)? {
                done(about.what, about.path, reply)?;
            }
        }
        Ok(())
    }

    /// # Errors
    /// [`FileError::HandleLost`] also if an attempt whose answer was lost has closed it: nobody knows then what became of
    /// bytes that the server had not yet written.
    pub(super) fn close_handle(
        &mut self,
        path: &Arc<str>,
        handle: &Handle,
    ) -> Result<(), FileError> {
        let close = Request::Close { handle: handle.name.clone() };
        let about = About::freely("closing", path);
        done("closing", path, self.ask_open(about, handle, &[close])?.swap_remove(0))
    }

    pub(super) fn whole(&mut self, path: &Arc<str>, bytes_max: usize) -> Result<Chunk, FileError> {
        let handle = self.open_for("opening", path, OpenFlags::READ)?;
        let target = Target { path, handle: Some(&handle) };
        let mut whole = BytesMut::new();
        let mut known = None;
        let read = loop {
            let length = REQUEST_BYTES_MAX * if whole.is_empty() { 1 } else { PIPELINE_MAX };
            let offset = whole.len() as u64;
            let chunk = match self.read(target, Span { offset, length, metadata: known.is_none() })
            {
                Ok(chunk) => chunk,
                Err(error) => break Err(error),
            };
            whole.extend_from_slice(&chunk.bytes);
            known = known.or(chunk.metadata);
            if whole.len() > bytes_max {
                let path = path.to_string();
                break Err(FileError::TooLarge { path, limit: bytes_max });
            }
            if chunk.is_end {
                break Ok(());
            }
        };
        // What was read is good even if the handle is lost.
        let _: Result<(), FileError> = self.close_handle(path, &handle);
        read.map(|()| Chunk { bytes: whole.freeze(), is_end: true, metadata: known })
    }

    pub(super) fn listing(&mut self, path: &Arc<str>) -> Result<Listing, FileError> {
        let about = About::freely("a listing", path);
        let reply = self.ask_one(about, Request::OpenDirectory { path: bytes_of(path) })?;
        let name = expect_handle("a listing", path, reply)?;
        let handle = Handle { name, connection: self.connections };
        let mut listing = Listing { entries: Vec::new(), is_complete: true };
        loop {
            let request = Request::ReadDirectory { handle: handle.name.clone() };
            let read =
                |names: Vec<Name>| names.into_iter().filter_map(entry).collect::<Vec<Entry>>();
            match self.ask_open(about, &handle, &[request])?.swap_remove(0) {
                Reply::Names(names) => listing.entries.extend(read(names)),
                Reply::Status { code: Code::Eof, .. } => break,
                other => done("a listing", path, other)?,
            }
            if listing.entries.len() > ENTRIES_MAX {
                listing.entries.truncate(ENTRIES_MAX);
                listing.is_complete = false;
                break;
            }
        }
        let _: Result<(), FileError> = self.close_handle(path, &handle);
        listing.entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(listing)
    }
}
