//! A file of the log while it is written.

use std::io;

use super::batch::Batch;
use super::medium::{Medium, MediumError, Operation, Tail, append_all};
use super::segment::{Header, Owner};

#[derive(Debug)]
pub(super) struct Growing {
    file: String,
    tail: Box<dyn Tail>,
    salt: u64,
    /// Of the next batch.
    number: u64,
    bytes: u64,
}

impl Growing {
    /// A new file that stands for these segments, its header flushed: who finds more than a header knows that the header
    /// was whole.
    pub(super) fn begin(
        medium: &dyn Medium,
        file: String,
        owner: Owner,
        (first, last): (u64, u64),
    ) -> Result<Self, MediumError> {
        let salt = getrandom::u64().map_err(io::Error::from);
        let salt = salt.map_err(MediumError::of(Operation::Create, &file))?;
        let header = Header { owner, first, last, salt };
        let mut growing = Self::create(medium, file, salt, 0)?;
        growing.write(&header.encode())?;
        growing.sync()?;
        Ok(growing)
    }

    /// A new file that goes on as one with this salt did behind `number` batches.
    pub(super) fn create(
        medium: &dyn Medium,
        file: String,
        salt: u64,
        number: u64,
    ) -> Result<Self, MediumError> {
        let tail = medium.create(&file).map_err(MediumError::of(Operation::Create, &file))?;
        Ok(Self { file, tail, salt, number, bytes: 0 })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), MediumError> {
        append_all(&mut *self.tail, bytes)
            .map_err(MediumError::of(Operation::Append, &self.file))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn append(&mut self, batch: &mut Batch) -> Result<(), MediumError> {
        let (salt, number) = (self.salt, self.number);
        self.write(batch.seal(salt, number))?;
        self.number += 1;
        batch.clear();
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<(), MediumError> {
        self.tail.sync().map_err(MediumError::of(Operation::Sync, &self.file))
    }

    /// Says that the file is complete; how long it is.
    pub(super) fn end(&mut self) -> Result<u64, MediumError> {
        self.append(&mut Batch::default())?;
        self.tail.trim().map_err(MediumError::of(Operation::Append, &self.file))?;
        self.sync()?;
        Ok(self.bytes)
    }
}
