//! The log of a participant: records in the order in which they were appended.

use std::sync::Arc;

use palco_rambo::Record;

use super::batch::{BATCH_BYTES_MAX, Batch};
use super::compaction::{Compacted, Compaction, CompactionError};
use super::error::{OpenError, StorageError};
use super::growing::Growing;
use super::medium::{Medium, MediumError};
use super::reading::Reading;
use super::segment::{Owner, Segment};

/// When files are ended, and when they are rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A file is ended when it is as long as this. Default: 64 MiB.
    pub segment_bytes: u64,
    /// Complete files are looked through when they have grown by what was worth keeping the last time, and by this at
    /// least. Default: 64 MiB.
    pub growth_bytes: u64,
    /// Or when there are this many more that are shorter than half a segment: each start makes one. Default: 32.
    pub short_files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, growth_bytes: 64 << 20, short_files: 32 }
    }
}

/// What a flush took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Records.
    pub records: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A log that is being written. Dropped, it is as if the process had ended: [`Log::close`] saves the next start from
/// writing the last file anew.
#[derive(Debug)]
pub struct Log {
    medium: Arc<dyn Medium>,
    owner: Owner,
    limits: Limits,
    /// Complete files, oldest first.
    complete: Vec<Segment>,
    active: Growing,
    segment: u64,
    batch: Batch,
    state: State,
    is_compacting: bool,
    /// The complete files are looked through when they are as long as this,
    due_bytes: u64,
    /// or when this many are short.
    due_files: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Sound,
    /// After an error nobody knows what is stored.
    Stopped,
}

impl Log {
    /// A log that nobody has written to. Durable when this returns.
    ///
    /// # Errors
    /// There is one already, or the medium's error.
    pub fn create(
        medium: Arc<dyn Medium>,
        owner: Owner,
        limits: Limits,
    ) -> Result<Self, StorageError> {
        Ok(Self::begin(medium, owner, limits, Vec::new(), 1)?)
    }

    /// Reads a log back; [`Reading::finish`] gives the log itself.
    ///
    /// # Errors
    /// There is none, files are missing, or they cannot be listed.
    pub fn open(
        medium: Arc<dyn Medium>,
        owner: Owner,
        limits: Limits,
    ) -> Result<Reading, OpenError> {
        Reading::begin(medium, owner, limits)
    }

    /// With these complete files, and a new one that stands for `segment`.
    pub(super) fn begin(
        medium: Arc<dyn Medium>,
        owner: Owner,
        limits: Limits,
        complete: Vec<Segment>,
        segment: u64,
    ) -> Result<Self, MediumError> {
        let active = Self::next(&*medium, owner, segment)?;
        // What was rewritten before was worth keeping then.
        let kept: u64 =
            complete.iter().filter(|file| file.first < file.last).map(|file| file.bytes).sum();
        Ok(Self {
            medium,
            owner,
            limits,
            complete,
            active,
            segment,
            batch: Batch::default(),
            state: State::Sound,
            is_compacting: false,
            due_bytes: kept + kept.max(limits.growth_bytes),
            due_files: limits.short_files,
        })
    }

    /// Takes a record in, to be flushed. If there are [`Log::is_full`] of them already, they are flushed first.
    ///
    /// # Errors
    /// As [`Log::flush`].
    pub fn append(&mut self, record: &Record) -> Result<(), StorageError> {
        if self.is_full() {
            self.flush()?;
        }
        self.batch.push(record);
        Ok(())
    }

    /// Whether what was appended is long enough for one flush: 16 MiB.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.batch.len() >= BATCH_BYTES_MAX
    }

    /// Writes what was appended at once and flushes it at once: then it survives a crash.
    ///
    /// # Errors
    /// The medium's, or [`StorageError::Stopped`] after any.
    pub fn flush(&mut self) -> Result<Flushed, StorageError> {
        if self.state == State::Stopped {
            return Err(StorageError::Stopped);
        }
        // Until all has gone well.
        self.state = State::Stopped;
        let flushed = self.write()?;
        self.state = State::Sound;
        Ok(flushed)
    }

    fn write(&mut self) -> Result<Flushed, StorageError> {
        let records = u64::from(self.batch.records());
        if records == 0 {
            return Ok(Flushed::default());
        }
        if self.active.bytes() >= self.limits.segment_bytes {
            self.roll()?;
        }
        let before = self.active.bytes();
        self.active.append(&mut self.batch)?;
        self.active.sync()?;
        Ok(Flushed { records, bytes: self.active.bytes() - before })
    }

    /// Ends the file and begins the next.
    fn roll(&mut self) -> Result<(), MediumError> {
        // The next one is created when this one is complete: only the last file can be torn.
        let bytes = self.active.end()?;
        self.complete.push(Segment { first: self.segment, last: self.segment, bytes });
        self.segment += 1;
        self.active = Self::next(&*self.medium, self.owner, self.segment)?;
        Ok(())
    }

    fn next(medium: &dyn Medium, owner: Owner, segment: u64) -> Result<Growing, MediumError> {
        let file = Segment { first: segment, last: segment, bytes: 0 }.file();
        Growing::begin(medium, file, owner, (segment, segment))
    }

    /// Flushes what was appended and ends the file; an empty one that follows is the proof that all of it was flushed.
    ///
    /// # Errors
    /// As [`Log::flush`].
    pub fn close(mut self) -> Result<(), StorageError> {
        self.flush()?;
        Ok(self.roll()?)
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.complete_bytes() + self.active.bytes()
    }

    /// How many files there are.
    #[must_use]
    pub fn files(&self) -> usize {
        self.complete.len() + 1
    }

    /// The work of rewriting the complete files, when it is due and nobody is at it. Whoever takes it gives the result
    /// to [`Log::compacted`]; the log can be written meanwhile.
    pub fn compaction(&mut self) -> Option<Compaction> {
        let is_long = self.complete_bytes() >= self.due_bytes;
        let are_many = self.short_files() >= self.due_files.max(2);
        if self.is_compacting || self.state == State::Stopped || !(is_long || are_many) {
            return None;
        }
        self.is_compacting = true;
        let medium = Arc::clone(&self.medium);
        Some(Compaction::new(medium, self.owner, self.complete.clone(), are_many))
    }

    /// Takes note of what came of a compaction. One that failed is tried again when the log has grown: nothing is lost
    /// by it but room.
    pub fn compacted(&mut self, result: &Result<Compacted, CompactionError>) {
        self.is_compacting = false;
        let kept = match result {
            Ok(Compacted { rewritten: Some(file), .. }) => {
                self.complete.retain(|old| old.last > file.last);
                self.complete.insert(0, file.clone());
                file.bytes
            }
            Ok(Compacted { rewritten: None, kept_bytes, .. }) => *kept_bytes,
            Err(_) => 0,
        };
        let growth = kept.max(self.limits.growth_bytes);
        self.due_bytes = match result {
            Ok(_) => kept.saturating_add(growth),
            Err(_) => self.complete_bytes().saturating_add(growth),
        };
        self.due_files = self.short_files() + self.limits.short_files;
    }

    fn complete_bytes(&self) -> u64 {
        self.complete.iter().map(|file| file.bytes).sum()
    }

    fn short_files(&self) -> usize {
        let is_short = |file: &&Segment| file.bytes < self.limits.segment_bytes / 2;
        self.complete.iter().filter(is_short).count()
    }
}
