//! Rewriting complete files into one, from themselves alone, while the log is written.
//!
//! Twice read, once written: the first pass finds which record of each thing wins, the second copies those. The new file
//! takes its name when it is flushed, and only then are the old ones removed; a crash leaves the old ones, or both, and
//! who reads the log back knows what to make of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use palco_rambo::Record;

use super::batch::Batch;
use super::error::OpenError;
use super::growing::Growing;
use super::medium::{Medium, MediumError, Operation};
use super::records::{Place, Records};
use super::segment::{Owner, Segment};
use super::survivors::Survivors;

/// Less garbage than one part of so many is not worth the writing.
const GARBAGE_PART: u64 = 4;

/// Bytes of a batch of the new file, and how often it is flushed: what the disk owes to a compaction should not hold up
/// those who wait for the log.
const BATCH_BYTES: usize = 1 << 20;

/// What must stay free for the log itself.
const RESERVE_BYTES: u64 = 64 << 20;

/// The work of rewriting the files that are complete now.
#[derive(Debug)]
pub struct Compaction {
    medium: Arc<dyn Medium>,
    owner: Owner,
    files: Vec<Segment>,
    /// Whether it is worth it even without garbage.
    are_many: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Compacted {
    /// The file in the place of all; none if there was too little garbage.
    pub(super) rewritten: Option<Segment>,
    /// Bytes that were looked through.
    pub read_bytes: u64,
    /// Bytes worth keeping among them.
    pub kept_bytes: u64,
    /// Records that were looked through.
    pub records: u64,
}

impl Compacted {
    /// Bytes of the new file, if there is one.
    #[must_use]
    pub fn written_bytes(&self) -> Option<u64> {
        self.rewritten.as_ref().map(|file| file.bytes)
    }
}

/// Why nothing came of it. The log is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    /// The files cannot be read.
    #[error("the log cannot be looked through")]
    Read(#[from] OpenError),
    /// The new file cannot be written.
    #[error("the log cannot be rewritten")]
    Write(#[from] MediumError),
    /// It was told to.
    #[error("the compaction was stopped")]
    Stopped,
    /// The disk is too full for a second copy.
    #[error("the compaction needs {needed} bytes beside the log, {free} are free: make room")]
    Room {
        /// Bytes of the new file, and some for the log itself.
        needed: u64,
        /// Bytes that there are.
        free: u64,
    },
}

impl Compaction {
    pub(super) fn new(
        medium: Arc<dyn Medium>,
        owner: Owner,
        files: Vec<Segment>,
        are_many: bool,
    ) -> Self {
        Self { medium, owner, files, are_many }
    }

    /// Does the work, in this thread, until it is done or `stop` is set.
    ///
    /// # Errors
    /// The files cannot be read, the new one not be written, or it was stopped.
    pub fn run(&self, stop: &AtomicBool) -> Result<Compacted, CompactionError> {
        let mut survivors = Survivors::default();
        self.each(stop, |record, bytes| {
            survivors.see(record, bytes.len());
            Ok(())
        })?;
        survivors.forget_decided();
        let read_bytes = self.files.iter().map(|file| file.bytes).sum();
        let kept_bytes = survivors.bytes();
        let records = survivors.seen();
        let mut compacted = Compacted { rewritten: None, read_bytes, kept_bytes, records };
        let garbage = read_bytes.saturating_sub(kept_bytes);
        if self.are_many || garbage >= read_bytes / GARBAGE_PART {
            compacted.rewritten = Some(self.rewrite(&survivors, stop)?);
        }
        Ok(compacted)
    }

    /// All records of the files, in order, with their bytes.
    fn each(
        &self,
        stop: &AtomicBool,
        mut act: impl FnMut(&Record, &[u8]) -> Result<(), CompactionError>,
    ) -> Result<(), CompactionError> {
        for file in &self.files {
            let mut records = Records::open(&*self.medium, self.owner, file, Place::Before)?;
            while let Some(record) = records.read()? {
                if stop.load(Ordering::Relaxed) {
                    return Err(CompactionError::Stopped);
                }
                act(&record, records.bytes())?;
            }
        }
        Ok(())
    }

    fn rewrite(
        &self,
        survivors: &Survivors,
        stop: &AtomicBool,
    ) -> Result<Segment, CompactionError> {
        let needed = survivors.bytes().saturating_add(RESERVE_BYTES);
        let free = self.medium.space().map_err(MediumError::of(Operation::Space, "."))?.free;
        if free < needed {
            return Err(CompactionError::Room { needed, free });
        }
        let (first, last) = self.range();
        let mut file = Segment { first, last, bytes: 0 };
        let written = self.write(&file, survivors, stop);
        match written {
            Ok(bytes) => file.bytes = bytes,
            Err(error) => {
                // It is removed at the next start otherwise.
                drop(self.medium.remove(&file.unfinished()));
                return Err(error);
            }
        }
        let unfinished = file.unfinished();
        self.medium
            .rename(&unfinished, &file.file())
            .map_err(MediumError::of(Operation::Rename, &unfinished))?;
        for old in self.files.iter().map(Segment::file).filter(|old| *old != file.file()) {
            // So is what stays of the old ones.
            drop(self.medium.remove(&old));
        }
        Ok(file)
    }

    /// Says how long the new file is.
    fn write(
        &self,
        file: &Segment,
        survivors: &Survivors,
        stop: &AtomicBool,
    ) -> Result<u64, CompactionError> {
        let range = (file.first, file.last);
        // That of an earlier try, if it could not be removed then.
        drop(self.medium.remove(&file.unfinished()));
        let mut growing = Growing::begin(&*self.medium, file.unfinished(), self.owner, range)?;
        let mut batch = Batch::default();
        let mut at = 0;
        self.each(stop, |record, bytes| {
            if survivors.include(record, at) {
                batch.push_bytes(bytes);
            }
            at += 1;
            if batch.len() >= BATCH_BYTES {
                growing.append(&mut batch)?;
                growing.sync()?;
            }
            Ok(())
        })?;
        if batch.records() > 0 {
            growing.append(&mut batch)?;
        }
        Ok(growing.end()?)
    }

    fn range(&self) -> (u64, u64) {
        let first = self.files.first().expect("what is due has files");
        let last = self.files.last().expect("what is due has files");
        (first.first, last.last)
    }
}
