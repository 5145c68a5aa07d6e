//! Reading one file: what is asked for in a row is read ahead.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use super::attributes;
use super::budget::{Budget, Held};
use crate::cached::read_all_cached;

/// How much is read ahead first: 64 KiB. It is doubled each time that it has all been asked for.
const AHEAD_BYTES_MIN: usize = 64 << 10;

/// Where the reader of one handle is, and what has been read for it already.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Where the next read begins if all are in a row.
    expected: u64,
    /// Bytes to be read ahead next time; 0 before two reads were in a row.
    ahead: usize,
    held: Option<Ahead>,
}

/// Bytes that have not been asked for yet.
#[derive(Debug)]
struct Ahead {
    offset: u64,
    bytes: Bytes,
    /// The file's version when they were read.
    version: u64,
    _held: Held,
}

/// A read that has not been answered from what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) offset: u64,
    /// Bytes that were asked for.
    pub(super) length: usize,
    /// More that are worth having.
    pub(super) ahead: usize,
}

impl Reading {
    /// What was read ahead, if it is all that is asked for and the file is as it was then. Does not block.
    pub(super) fn hit(&mut self, file: &File, offset: u64, length: usize) -> Option<Bytes> {
        let ahead = self.held.as_ref()?;
        let start = usize::try_from(offset.checked_sub(ahead.offset)?).ok()?;
        let end = start.checked_add(length)?;
        if end > ahead.bytes.len() || attributes::version(&file.metadata().ok()?) != ahead.version {
            return None;
        }
        let found = ahead.bytes.slice(start..end);
        if end == ahead.bytes.len() {
            self.held = None;
        }
        self.expected = offset.saturating_add(length as u64);
        Some(found)
    }

    /// What to read now: more than was asked for, up to `ahead_max`, if the reads are in a row.
    pub(super) fn want(&mut self, offset: u64, length: usize, ahead_max: usize) -> Wanted {
        let is_in_a_row = offset == self.expected && offset > 0;
        self.ahead = match is_in_a_row {
            true => (self.ahead * 2).clamp(AHEAD_BYTES_MIN, ahead_max.max(AHEAD_BYTES_MIN)),
            false => 0,
        };
        self.expected = offset.saturating_add(length as u64);
        self.held = None;
        Wanted { offset, length, ahead: self.ahead.min(ahead_max) }
    }

    /// Keeps what was read beyond what was asked for, if it may be held.
    pub(super) fn keep(&mut self, wanted: Wanted, read: &Read, budget: &Arc<Budget>) {
        let bytes = read.bytes.slice(wanted.length.min(read.bytes.len())..);
        if bytes.is_empty() {
            return;
        }
        // What was asked for is in the same allocation, and lives as long as the rest.
        if let Some(held) = budget.take(read.bytes.len()) {
            let offset = wanted.offset + wanted.length as u64;
            self.held = Some(Ahead { offset, bytes, version: read.version, _held: held });
        }
    }
}

/// What a file had.
#[derive(Debug)]
pub(super) struct Read {
    /// Fewer than wanted only at its end.
    pub(super) bytes: Bytes,
    /// Of the file before it was read.
    version: u64,
}

/// Reads what is wanted, if the kernel has all of it in memory.
pub(super) fn read_at_once(file: &File, wanted: Wanted) -> Option<Read> {
    let metadata = file.metadata().ok()?;
    let mut bytes = vec![0; there(&metadata, wanted)];
    let filled = read_all_cached(file, &mut bytes, wanted.offset).ok()?;
    bytes.truncate(filled);
    Some(Read { bytes: bytes.into(), version: attributes::version(&metadata) })
}

/// Reads what is wanted. Blocks.
pub(super) fn read(file: &File, wanted: Wanted) -> io::Result<Read> {
    let metadata = file.metadata()?;
    let mut bytes = vec![0; there(&metadata, wanted)];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], wanted.offset + filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(Read { bytes: bytes.into(), version: attributes::version(&metadata) })
}

/// How much of what is wanted is there, so that no more is allocated.
fn there(metadata: &Metadata, wanted: Wanted) -> usize {
    let left = metadata.len().saturating_sub(wanted.offset);
    usize::try_from(left).unwrap_or(usize::MAX).min(wanted.length + wanted.ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: usize = 16 << 10;

    fn next(
        reading: &mut Reading,
        file: &File,
        offset: u64,
        budget: &Arc<Budget>,
    ) -> (Bytes, bool) {
        if let Some(bytes) = reading.hit(file, offset, STEP) {
            return (bytes, true);
        }
        let wanted = reading.want(offset, STEP, 256 << 10);
        let read = read(file, wanted).unwrap();
        reading.keep(wanted, &read, budget);
        (read.bytes.slice(..STEP.min(read.bytes.len())), false)
    }

    #[test]
    fn reads_in_a_row_are_read_ahead_and_others_are_not() {
        let contents: Vec<u8> = (0..2_u32 << 20).map(|at| (at % 251) as u8).collect();
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&contents, 0).unwrap();
        let budget = Budget::new(1 << 20);
        let mut reading = Reading::default();
        let mut hits = 0;
        for (number, expected) in contents.chunks(STEP).enumerate() {
            let (bytes, hit) = next(&mut reading, &file, (number * STEP) as u64, &budget);
            assert!(bytes == expected, "{number}");
            hits += usize::from(hit);
        }
        assert!(hits > 100, "{hits} of 128");
        let mut reading = Reading::default();
        for number in (0..128).rev() {
            let (bytes, hit) = next(&mut reading, &file, (number * STEP) as u64, &budget);
            assert!(bytes == contents[number * STEP..][..STEP] && !hit);
        }
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_was_read_ahead_is_not_given_after_a_change() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&vec![1; 1 << 20], 0).unwrap();
        let budget = Budget::new(1 << 20);
        let mut reading = Reading::default();
        next(&mut reading, &file, 0, &budget);
        next(&mut reading, &file, STEP as u64, &budget);
        assert!(budget.used() > 0);
        file.set_len(2 * STEP as u64 + 1).unwrap();
        let (bytes, hit) = next(&mut reading, &file, 2 * STEP as u64, &budget);
        assert!(!hit && bytes.len() == 1);
    }

    #[test]
    fn without_a_budget_nothing_is_kept() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&vec![1; 1 << 20], 0).unwrap();
        let budget = Budget::new(10);
        let mut reading = Reading::default();
        for number in 0..8 {
            assert!(!next(&mut reading, &file, (number * STEP) as u64, &budget).1);
        }
    }
}
