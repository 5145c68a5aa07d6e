//! A log that is read back: nothing on the disk changes until all of it was understood.

use std::io::Read;
use std::sync::Arc;

use palco_rambo::Record;

use super::error::OpenError;
use super::growing::Growing;
use super::log::{Limits, Log};
use super::medium::{Medium, MediumError, Operation, read_full};
use super::records::{Ending, Place, Records};
use super::segment::{Owner, Segment, is_unfinished};

/// The records of a log, in the order in which they were appended; give it to
/// [`Participant::restore`](palco_rambo::Participant::restore). It ends early where the log is damaged, so nothing that
/// was made of the records may be used before [`Reading::finish`] says that all is well.
pub struct Reading {
    medium: Arc<dyn Medium>,
    owner: Owner,
    limits: Limits,
    /// Oldest first.
    segments: Vec<Segment>,
    /// Files that others stand for, and files that were not finished.
    useless: Vec<String>,
    /// Which segment is read, or is next.
    at: usize,
    records: Option<Records>,
    /// How the last segment ended.
    ending: Option<Ending>,
    count: u64,
    failed: Option<OpenError>,
}

/// What was found, and mended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records that were read.
    pub records: u64,
    /// Bytes that were cut off the end: of what was being written when the machine, the process or the disk stopped.
    /// Nobody was told that it was stored.
    pub cut_bytes: u64,
}

impl Reading {
    pub(super) fn begin(
        medium: Arc<dyn Medium>,
        owner: Owner,
        limits: Limits,
    ) -> Result<Self, OpenError> {
        let listed = medium.list().map_err(MediumError::of(Operation::List, "."))?;
        let mut useless = Vec::new();
        let mut all = Vec::new();
        for listed in listed {
            if is_unfinished(&listed.file) {
                useless.push(listed.file);
            } else {
                all.extend(Segment::of(&listed.file, listed.bytes));
            }
        }
        let segments = without_gaps(all, &mut useless)?;
        Ok(Self {
            medium,
            owner,
            limits,
            segments,
            useless,
            at: 0,
            records: None,
            ending: None,
            count: 0,
            failed: None,
        })
    }

    /// Reads what is left, and makes the log ready for more: what is torn is cut, what is not needed removed.
    ///
    /// # Errors
    /// The log is damaged or somebody else's, or the medium's error. Nothing was removed then that is needed.
    pub fn finish(mut self) -> Result<(Log, Recovered), OpenError> {
        while self.next().is_some() {}
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        for file in &self.useless {
            remove(&*self.medium, file)?;
        }
        let cut_bytes = self.mend()?;
        let recovered = Recovered { records: self.count, cut_bytes };
        let next = self.segments.last().map_or(1, |last| last.last + 1);
        let log = Log::begin(self.medium, self.owner, self.limits, self.segments, next)
            .map_err(OpenError::Begin)?;
        Ok((log, recovered))
    }

    /// Makes the last file a complete one; says how many bytes were cut.
    ///
    /// That it can be read, to its very end, does not mean that it is on the disk: after a flush that failed, pages are
    /// kept that nobody will write any more (pitfall 29). Of all files before, the next one is the proof that they
    /// were flushed. So this one is written anew, and takes the place of the old one when it is flushed.
    fn mend(&mut self) -> Result<u64, OpenError> {
        let ending = self.ending.expect("all was read");
        let mut last = self.segments.pop().expect("what ended is there");
        if ending.bytes == 0 {
            // Not even a header.
            remove(&*self.medium, &last.file())?;
            return Ok(ending.cut);
        }
        last.bytes = self.copy(&last, ending)?;
        self.segments.push(last);
        Ok(ending.cut)
    }

    /// Says how long the copy is.
    fn copy(&self, last: &Segment, ending: Ending) -> Result<u64, OpenError> {
        let Ending { bytes, batches, salt, .. } = ending;
        let (file, unfinished) = (last.file(), last.unfinished());
        let not_read = |error| MediumError::of(Operation::Read, &file)(error);
        let mut from = self.medium.read(&file).map_err(not_read)?.take(bytes);
        let mut to = Growing::create(&*self.medium, unfinished.clone(), salt, batches)?;
        let mut part = vec![0; 1 << 20];
        loop {
            let count = read_full(&mut from, &mut part).map_err(not_read)?;
            if count == 0 {
                break;
            }
            to.write(&part[..count])?;
        }
        let bytes = to.end()?;
        self.medium
            .rename(&unfinished, &file)
            .map_err(MediumError::of(Operation::Rename, &unfinished))?;
        Ok(bytes)
    }

    fn step(&mut self) -> Result<Option<Record>, OpenError> {
        while let Some(segment) = self.segments.get(self.at) {
            let is_last = self.at + 1 == self.segments.len();
            let records = match &mut self.records {
                Some(records) => records,
                none => {
                    let place = if is_last { Place::Last } else { Place::Before };
                    none.insert(Records::open(&*self.medium, self.owner, segment, place)?)
                }
            };
            if let Some(record) = records.read()? {
                self.count += 1;
                return Ok(Some(record));
            }
            self.ending = records.ending();
            self.records = None;
            self.at += 1;
        }
        Ok(None)
    }
}

impl Iterator for Reading {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.failed.is_some() {
            return None;
        }
        self.step().unwrap_or_else(|error| {
            self.failed = Some(error);
            None
        })
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading")
            .field("owner", &self.owner)
            .field("segments", &self.segments)
            .field("at", &self.at)
            .field("count", &self.count)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

fn remove(medium: &dyn Medium, file: &str) -> Result<(), MediumError> {
    medium.remove(file).map_err(MediumError::of(Operation::Remove, file))
}

/// The files that stand for all segments from the first on, each for some. Those that a larger range includes are
/// useless: a compaction was stopped before it removed them.
fn without_gaps(
    mut all: Vec<Segment>,
    useless: &mut Vec<String>,
) -> Result<Vec<Segment>, OpenError> {
    all.sort_by_key(|segment| (segment.first, u64::MAX - segment.last));
    let mut segments: Vec<Segment> = Vec::new();
    let mut expected = 1;
    for segment in all {
        if segment.last < expected {
            useless.push(segment.file());
        } else if segment.first == expected {
            expected = segment.last.saturating_add(1);
            segments.push(segment);
        } else {
            return Err(OpenError::Sequence { expected, found: segment.file() });
        }
    }
    if segments.is_empty() {
        return Err(OpenError::Empty);
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ranges: &[(u64, u64)]) -> Result<(Vec<(u64, u64)>, usize), OpenError> {
        let all = ranges.iter().map(|&(first, last)| Segment { first, last, bytes: 0 }).collect();
        let mut useless = Vec::new();
        let segments = without_gaps(all, &mut useless)?;
        let kept = segments.iter().map(|segment| (segment.first, segment.last)).collect();
        Ok((kept, useless.len()))
    }

    #[test]
    fn a_range_stands_for_what_it_includes() {
        let (kept, useless) = of(&[(2, 2), (1, 3), (4, 4), (1, 1), (3, 3), (1, 2)]).unwrap();
        assert_eq!((kept, useless), (vec![(1, 3), (4, 4)], 4));
    }

    #[test]
    fn a_missing_file_is_told() {
        for (ranges, next) in [(&[(2, 2)][..], 1), (&[(1, 1), (3, 3)], 2), (&[(1, 3), (2, 5)], 4)] {
            let error = of(ranges).unwrap_err();
            assert!(
                matches!(error, OpenError::Sequence { expected, .. } if expected == next),
                "{ranges:?}: {error}"
            );
        }
        assert!(matches!(of(&[]), Err(OpenError::Empty)));
    }
}
