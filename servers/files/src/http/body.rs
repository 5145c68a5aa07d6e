//! What follows a head: nothing, bytes, or a file in parts.

use std::fs::File;
use std::io;
use std::mem;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use palco_service::CallContext;

/// A file is read and sent in parts of this size: 64 KiB. A smaller one is read where it is opened.
pub const PART_BYTES: usize = 64 * 1024;

/// The content of a response.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Empty,
    Ready(Bytes),
    File(FileBody),
}

/// A file on its way: the part to be written next, and what is still on disk.
#[derive(Clone, Debug)]
pub(super) struct FileBody {
    file: Arc<File>,
    offset: u64,
    remaining: u64,
    part: Vec<u8>,
    /// The file ended early or could not be read: the connection must close, because the head has promised more.
    broken: bool,
}

impl FileBody {
    /// Reads the first part of `length` bytes at `offset`. Blocks.
    pub(super) fn open(file: File, offset: u64, length: u64) -> io::Result<Self> {
        let part = read_part(&file, offset, part_length(length), Vec::new())?;
        let taken = part.len() as u64;
        Ok(Self {
            file: Arc::new(file),
            offset: offset + taken,
            remaining: length - taken,
            part,
            broken: false,
        })
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
            Self::File(file) => file.remaining == 0 && !file.broken,
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::File(file) if file.broken)
    }

    /// Reads the next part; false if there is none. A file that fails has one more part, empty and broken.
    pub(super) async fn next_part(&mut self, cx: &CallContext<'_>) -> bool {
        let Self::File(body) = self else { return false };
        if body.broken || body.remaining == 0 {
            return false;
        }
        let (file, offset) = (Arc::clone(&body.file), body.offset);
        let length = part_length(body.remaining);
        let buffer = mem::take(&mut body.part);
        match cx.block(move || read_part(&file, offset, length, buffer)).await {
            Some(Ok(part)) => {
                body.offset += part.len() as u64;
                body.remaining -= part.len() as u64;
                body.part = part;
            }
            Some(Err(_)) | None => body.broken = true,
        }
        true
    }
}

fn part_length(remaining: u64) -> usize {
    usize::try_from(remaining).unwrap_or(PART_BYTES).min(PART_BYTES)
}

/// Reads exactly `length` bytes into `buffer`, or fails.
fn read_part(file: &File, offset: u64, length: usize, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
    buffer.resize(length, 0);
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer)
}
