//! The records of one file.

use std::io::{self, BufReader, Read};

use palco_rambo::Record;

use super::batch::{Batches, Step};
use super::error::{Damage, OpenError};
use super::medium::{Medium, MediumError, Operation, read_full};
use super::segment::{HEADER_BYTES, Header, Owner, Segment};

/// What the kernel is asked for at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Where a file ends: it is good for so many bytes and batches, its end not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Of the file.
    pub(super) bytes: u64,
    /// That were read.
    pub(super) batches: u64,
    /// In the file's checksums.
    pub(super) salt: u64,
    /// Bytes behind, of a batch that was not flushed.
    pub(super) cut: u64,
}

/// Which ending is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Another file follows, so this one must be complete.
    Before,
    /// It may be torn.
    Last,
}

pub(super) struct Records {
    file: String,
    place: Place,
    salt: u64,
    batches: Batches<BufReader<Box<dyn Read + Send>>>,
    /// Records of the batch that are not read yet.
    left: u32,
    /// Where in the payload the last record begins, and the next.
    begin: usize,
    next: usize,
    ending: Option<Ending>,
}

impl Records {
    pub(super) fn open(
        medium: &dyn Medium,
        owner: Owner,
        segment: &Segment,
        place: Place,
    ) -> Result<Self, OpenError> {
        let file = segment.file();
        let not_read = |error| MediumError::of(Operation::Read, &file)(error);
        let bytes = medium.read(&file).map_err(not_read)?;
        let mut bytes = BufReader::with_capacity(BUFFER_BYTES, bytes);
        let mut header = [0; HEADER_BYTES];
        let full = read_full(&mut bytes, &mut header).map_err(not_read)?;
        let found = Header::decode(&header[..full]);
        let damaged = |damage| OpenError::Damaged { file: file.clone(), offset: 0, damage };
        let (salt, ending) = match found {
            // Nothing was written behind a header that was not flushed.
            Err(Damage::Header) if place == Place::Last && segment.bytes <= HEADER_BYTES as u64 => {
                (0, Some(Ending { bytes: 0, batches: 0, salt: 0, cut: full as u64 }))
            }
            Err(damage) => return Err(damaged(damage)),
            Ok(header) if header.owner != owner => {
                return Err(OpenError::Foreign { file, found: header.owner, wanted: owner });
            }
            Ok(header) if (header.first, header.last) != (segment.first, segment.last) => {
                return Err(damaged(Damage::Name));
            }
            Ok(header) => (header.salt, None),
        };
        let batches = Batches::new(bytes, salt, HEADER_BYTES as u64);
        Ok(Self { file, place, salt, batches, left: 0, begin: 0, next: 0, ending })
    }

    /// The next, or nothing at the end.
    pub(super) fn read(&mut self) -> Result<Option<Record>, OpenError> {
        while self.ending.is_none() {
            if self.left > 0 {
                return self.decode().map(Some);
            }
            if self.next < self.batches.payload().len() {
                return Err(self.damaged(Damage::Record));
            }
            match self.batches.step().map_err(|error| self.not_read(error))? {
                Step::Batch { records } => (self.left, self.next) = (records, 0),
                Step::End => self.ending = Some(self.ending_with(0)),
                Step::Broken(damage) => self.ending = Some(self.torn(damage)?),
            }
        }
        Ok(None)
    }

    /// The last that was read, as it is written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.batches.payload()[self.begin..self.next]
    }

    /// When all are read.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    fn decode(&mut self) -> Result<Record, OpenError> {
        self.begin = self.next;
        let payload = self.batches.payload();
        match postcard::take_from_bytes(&payload[self.begin..]) {
            Ok((record, rest)) => {
                self.next = payload.len() - rest.len();
                self.left -= 1;
                Ok(record)
            }
            Err(_) => Err(self.damaged(Damage::Record)),
        }
    }

    fn torn(&mut self, damage: Damage) -> Result<Ending, OpenError> {
        // What lies behind the end was written by nobody who writes this log.
        if self.place == Place::Before || damage == Damage::Behind {
            return Err(self.damaged(damage));
        }
        match self.batches.torn().map_err(|error| self.not_read(error))? {
            Some(cut) => Ok(self.ending_with(cut)),
            None => Err(self.damaged(damage)),
        }
    }

    fn ending_with(&self, cut: u64) -> Ending {
        let (bytes, batches) = (self.batches.offset(), self.batches.number());
        Ending { bytes, batches, salt: self.salt, cut }
    }

    fn damaged(&self, damage: Damage) -> OpenError {
        OpenError::Damaged { file: self.file.clone(), offset: self.batches.offset(), damage }
    }

    fn not_read(&self, error: io::Error) -> OpenError {
        MediumError::of(Operation::Read, &self.file)(error).into()
    }
}
