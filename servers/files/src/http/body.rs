//! What follows a head: nothing, bytes, or a file in parts.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::mem;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use palco_service::CallContext;

use crate::cached::read_exact_cached;

/// A file is read and sent in parts of this size: 64 KiB. A smaller one is read where it is opened.
pub const PART_BYTES: usize = 64 * 1024;

/// The content of a response.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Empty,
    Ready(Bytes),
    File(FileBody),
}

/// What may be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    ForDisk,
    Never,
}

/// A file on its way: the part to be written next, and what is still on disk.
#[derive(Clone, Debug)]
pub(super) struct FileBody {
    file: Arc<File>,
    rest: VecDeque<Segment>,
    part: Vec<u8>,
    /// The file ended early or could not be read: the connection must close, because the head has promised more.
    broken: bool,
}

/// Some text, and then a part of the file.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) text: String,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl FileBody {
    /// Of which nothing has been read yet.
    pub(super) fn new(file: File, segments: VecDeque<Segment>) -> Self {
        Self { file: Arc::new(file), rest: segments, part: Vec::new(), broken: false }
    }

    /// Reads the next part.
    fn read(&mut self, wait: Wait) -> io::Result<()> {
        let (file, segments) = (Arc::clone(&self.file), self.rest.clone());
        let buffer = mem::take(&mut self.part);
        (self.part, self.rest) = read_part(&file, segments, buffer, wait)?;
        Ok(())
    }
}

impl Body {
    /// The part to be written next.
    pub(super) fn part(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Ready(bytes) => bytes,
            Self::File(file) => &file.part,
        }
    }

    /// Whether no part follows the current one.
    pub(super) fn is_last_part(&self) -> bool {
        match self {
            Self::Empty | Self::Ready(_) => true,
            Self::File(file) => file.rest.is_empty() && !file.broken,
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::File(file) if file.broken)
    }

    /// Reads the first part.
    ///
    /// # Errors
    /// The kernel's; `WouldBlock` where the disk would have to be waited for, and may not.
    pub(super) fn begin(&mut self, wait: Wait) -> io::Result<()> {
        match self {
            Self::Empty | Self::Ready(_) => Ok(()),
            Self::File(body) => body.read(wait),
        }
    }

    /// Reads the next part; false if there is none. A file that fails has one more part, empty and broken.
    pub(super) async fn next_part(&mut self, cx: &CallContext<'_>) -> bool {
        let Self::File(body) = self else { return false };
        if body.broken || body.rest.is_empty() {
            return false;
        }
        let read = match body.read(Wait::Never) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let (file, segments) = (Arc::clone(&body.file), body.rest.clone());
                let read = cx.block(move || read_part(&file, segments, Vec::new(), Wait::ForDisk));
                let broken = || Err(io::ErrorKind::Other.into());
                read.await.unwrap_or_else(broken).map(|read| (body.part, body.rest) = read)
            }
            read => read,
        };
        body.broken = read.is_err();
        true
    }
}

/// Fills `buffer` with the next part, or fails; returns it and what comes behind it.
fn read_part(
    file: &File,
    mut segments: VecDeque<Segment>,
    mut buffer: Vec<u8>,
    wait: Wait,
) -> io::Result<(Vec<u8>, VecDeque<Segment>)> {
    buffer.clear();
    while let Some(segment) = segments.front_mut() {
        buffer.extend_from_slice(mem::take(&mut segment.text).as_bytes());
        let room = PART_BYTES.saturating_sub(buffer.len());
        let length = usize::try_from(segment.length).unwrap_or(room).min(room);
        let start = buffer.len();
        buffer.resize(start + length, 0);
        match wait {
            Wait::ForDisk => file.read_exact_at(&mut buffer[start..], segment.offset)?,
            Wait::Never => read_exact_cached(file, &mut buffer[start..], segment.offset)?,
        }
        segment.offset += length as u64;
        segment.length -= length as u64;
        if segment.length > 0 {
            break;
        }
        segments.pop_front();
    }
    Ok((buffer, segments))
}
