//! Reads, through the cache if there is one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::shared::Belief;
use super::transport::{Chunk, Span};
use super::{Caching, FileClient, FileError, OpenFile};

/// Bytes that are asked for at once, at most: 1 MiB.
const SPAN_BYTES_MAX: usize = 1 << 20;

/// What one step of a read has given.
struct Step {
    count: usize,
    is_end: bool,
}

impl FileClient {
    /// Fills `buffer` from `offset` on; how many bytes, fewer than it holds only at the end of the file. If somebody changes
    /// the file meanwhile, some bytes may be from before and some from after that.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn read_at(
        &mut self,
        file: &mut OpenFile,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<usize, FileError> {
        let mut filled = 0;
        file.ahead.note(offset, buffer.len() as u64);
        while filled < buffer.len() {
            let (rest, at) = (&mut buffer[filled..], offset.saturating_add(filled as u64));
            let step = match self.options.caching {
                Caching::None => self.read_directly(file, rest, at)?,
                Caching::Ttl(_) | Caching::Leases { .. } => self.read_cached(file, rest, at)?,
            };
            filled += step.count;
            if step.is_end {
                break;
            }
        }
        Ok(filled)
    }

    /// A whole file, of at most [`FileOptions::file_bytes_max`](super::FileOptions::file_bytes_max) bytes.
    ///
    /// # Errors
    /// [`FileError`]; [`FileError::TooLarge`] for one that has more.
    pub fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        let path = super::path::checked(path)?;
        if let Caching::Leases { .. } = self.options.caching {
            return self.read_leased(&path);
        }
        if let Some(belief) = self.believed(&path, None)?
            && let Some(bytes) = self.cached(&path, &belief)?
        {
            return Ok(bytes);
        }
        let (asked_at, bytes_max) = (Instant::now(), self.options.file_bytes_max);
        let chunk = self.transport.read_whole(&path, bytes_max);
        self.note_connections();
        let chunk = chunk?;
        if let (Caching::Ttl(_), Some(metadata)) = (self.options.caching, &chunk.metadata) {
            let version = self.trusted.note(&path, metadata.clone(), asked_at);
            let belief = Belief { version, size: None, lease: None };
            self.keep(&path, &belief, 0, &chunk, u64::MAX);
        }
        Ok(chunk.bytes.into())
    }

    /// A whole file, under a lease if there is one to be had.
    fn read_leased(&mut self, path: &Arc<str>) -> Result<Vec<u8>, FileError> {
        if let Some(belief) = self.named_by_lease(path)
            && let Some(bytes) = self.cached(path, &belief)?
        {
            return Ok(bytes);
        }
        let mut file = self.open(path)?;
        let mut bytes = Vec::new();
        let read = loop {
            let (filled, limit) = (bytes.len(), self.options.file_bytes_max);
            let step = self.options.block_bytes.max(filled).min(SPAN_BYTES_MAX);
            bytes.resize(filled + step, 0);
            match self.read_at(&mut file, &mut bytes[filled..], filled as u64) {
                Ok(count) if filled + count > limit => {
                    break Err(FileError::TooLarge { path: path.to_string(), limit });
                }
                Ok(count) => {
                    bytes.truncate(filled + count);
                    if count < step {
                        break Ok(());
                    }
                }
                Err(error) => break Err(error),
            }
        };
        // What was read is good even if the handle is lost.
        let _: Result<(), FileError> = self.close(file);
        read.map(|()| bytes)
    }

    /// The whole file from the cache, if all of it is there.
    fn cached(&self, path: &Arc<str>, belief: &Belief) -> Result<Option<Vec<u8>>, FileError> {
        let block = self.options.block_bytes;
        // Misses are counted by whoever reads what is missing.
        if !self.shared.has(path, belief, 0) {
            return Ok(None);
        }
        let mut whole = Vec::new();
        for number in 0.. {
            let Some(bytes) = self.shared.find(path, belief, number) else { return Ok(None) };
            whole.extend_from_slice(&bytes);
            let limit = self.options.file_bytes_max;
            if whole.len() > limit {
                return Err(FileError::TooLarge { path: path.to_string(), limit });
            }
            if bytes.len() < block {
                break;
            }
        }
        Ok(Some(whole))
    }

    fn read_directly(
        &mut self,
        file: &mut OpenFile,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<Step, FileError> {
        let length = buffer.len().min(SPAN_BYTES_MAX);
        let span = Span { offset, length, metadata: false };
        let chunk = self.on_open(file, |transport, target| transport.read(target, span))?;
        let count = chunk.bytes.len().min(length);
        buffer[..count].copy_from_slice(&chunk.bytes[..count]);
        if count == 0 && !chunk.is_end {
            return Err(FileError::unexpected(&file.path, "a part of the file has no bytes"));
        }
        Ok(Step { count, is_end: chunk.is_end && count == chunk.bytes.len() })
    }

    /// What is left of one block, or of several that have to be asked for.
    fn read_cached(
        &mut self,
        file: &mut OpenFile,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<Step, FileError> {
        let block = self.options.block_bytes as u64;
        let number = offset / block;
        let skipped = usize::try_from(offset % block).expect("a block fits memory");
        let belief = match self.options.caching {
            Caching::Leases { .. } => self.leased(file)?,
            Caching::None | Caching::Ttl(_) => {
                self.believed(&Arc::clone(&file.path), Some(file))?
            }
        };
        if let Some(belief) = &belief {
            if belief.size.is_some_and(|size| offset >= size) {
                return Ok(Step { count: 0, is_end: true });
            }
            if let Some(bytes) = self.shared.find(&file.path, belief, number) {
                return Ok(copied(&bytes, skipped, buffer, (bytes.len() as u64) < block));
            }
        }
        if belief.is_none() && matches!(self.options.caching, Caching::Leases { .. }) {
            // The server gives no lease now: what is read is not kept.
            return self.read_directly(file, buffer, offset);
        }
        let (needed, count) = self.blocks(file, belief.as_ref(), number, skipped + buffer.len());
        let (asked_at, wants_metadata) =
            (Instant::now(), belief.as_ref().is_none_or(|it| it.size.is_none()));
        let length = usize::try_from(count * block).unwrap_or(SPAN_BYTES_MAX);
        let span = Span { offset: number * block, length, metadata: wants_metadata };
        let chunk = self.on_open(file, |transport, target| transport.read(target, span))?;
        let belief = match (&chunk.metadata, belief) {
            (Some(metadata), None | Some(Belief { lease: None, .. })) => {
                let version = self.trusted.note(&file.path, metadata.clone(), asked_at);
                Some(Belief { version, size: None, lease: None })
            }
            (_, belief) => belief,
        };
        if let Some(belief) = belief {
            self.keep(&file.path, &belief, number, &chunk, needed);
        }
        let step = copied(&chunk.bytes, skipped, buffer, chunk.is_end);
        match step {
            // Less came than was asked for, and nothing of what is read.
            Step { count: 0, is_end: false } => self.read_directly(file, buffer, offset),
            step => Ok(step),
        }
    }

    /// Blocks that are missing for a read of `length` bytes from the block `number` on, and how many to ask for.
    fn blocks(
        &self,
        file: &mut OpenFile,
        belief: Option<&Belief>,
        number: u64,
        length: usize,
    ) -> (u64, u64) {
        let block = self.options.block_bytes;
        let is_missing = |number: &u64| {
            belief.is_none_or(|belief| !self.shared.has(&file.path, belief, *number))
        };
        let wanted = length.div_ceil(block).min(SPAN_BYTES_MAX / block).max(1) as u64;
        let run =
            |count: u64| (number + 1..number + count).take_while(is_missing).count() as u64 + 1;
        let needed = run(wanted);
        let window = file.ahead.clone().window(needed, self.options.read_ahead_blocks_max as u64);
        let in_file = |size: u64| size.div_ceil(block as u64).saturating_sub(number).max(1);
        let left = belief.and_then(|belief| belief.size).map_or(u64::MAX, in_file);
        let count = run(window.min(left));
        file.ahead.window(needed, self.options.read_ahead_blocks_max as u64);
        (needed, count)
    }

    /// Keeps what was read from the block `number` on; the first `needed` of the blocks were not read ahead.
    fn keep(&self, path: &Arc<str>, belief: &Belief, number: u64, chunk: &Chunk, needed: u64) {
        let block = self.options.block_bytes;
        let mut blocks = HashMap::new();
        let mut pieces = chunk.bytes.chunks_exact(block);
        let mut put = |place: u64, bytes: &[u8]| {
            // A part of what came would keep all of it.
            let is_ahead = place >= needed && !bytes.is_empty();
            blocks.insert(number + place, (Bytes::copy_from_slice(bytes), is_ahead));
        };
        for (place, bytes) in (0..).zip(&mut pieces) {
            put(place, bytes);
        }
        // A block that is not full says that the file ends; if it ends with a full one, an empty block does.
        if chunk.is_end {
            put((chunk.bytes.len() / block) as u64, pieces.remainder());
        }
        self.shared.keep(path, belief, blocks);
    }
}

/// Copies what there is behind the first `skipped` bytes.
fn copied(bytes: &[u8], skipped: usize, buffer: &mut [u8], is_end: bool) -> Step {
    let rest = bytes.get(skipped..).unwrap_or_default();
    let count = rest.len().min(buffer.len());
    buffer[..count].copy_from_slice(&rest[..count]);
    Step { count, is_end: is_end && count == rest.len() }
}
