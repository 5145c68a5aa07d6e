//! What all connections of a process know of one file: what is still to be written to it.
//!
//! A write is answered when its bytes are here, and joined with those that follow it. They go into the file before anybody
//! of this process reads, looks at, changes or leases it, when the handle is closed or flushed, and when there are enough
//! of them. A server that is killed loses them, unless `fsync@openssh.com` has been answered, and so does no client that
//! closes its files and looks at the answer.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::budget::{Budget, Held};
use crate::tree::FileId;

/// After how many opened files those that nobody has open are forgotten.
const SWEEP_EVERY: usize = 256;

/// The files that are open.
#[derive(Debug, Default)]
pub(super) struct SharedFiles(Mutex<HashMap<FileId, Weak<Shared>>>);

/// One file.
#[derive(Debug, Default)]
pub(super) struct Shared {
    late: Mutex<Option<Late>>,
}

/// Bytes in a row that have been answered and are not in the file.
#[derive(Debug)]
struct Late {
    file: Arc<File>,
    offset: u64,
    bytes: Vec<u8>,
    /// What is held of the writer's budget.
    held: Vec<Held>,
    failure: Arc<Failure>,
}

/// Why late bytes could not be written: told to the handle that they came by, once.
#[derive(Debug, Default)]
pub(super) struct Failure(Mutex<Option<io::Error>>);

impl Failure {
    /// What has failed since this was asked last.
    pub(super) fn take(&self) -> io::Result<()> {
        self.0.lock().take().map_or(Ok(()), Err)
    }
}

/// What is to be written, and how.
pub(super) struct Write<'a> {
    pub(super) file: &'a Arc<File>,
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
    pub(super) failure: &'a Arc<Failure>,
}

impl SharedFiles {
    /// The one of this file.
    pub(super) fn get(&self, id: FileId) -> Arc<Shared> {
        let mut files = self.0.lock();
        if let Some(shared) = files.get(&id).and_then(Weak::upgrade) {
            return shared;
        }
        if files.len() % SWEEP_EVERY == SWEEP_EVERY - 1 {
            files.retain(|_, shared| shared.strong_count() > 0);
        }
        let shared = Arc::new(Shared::default());
        files.insert(id, Arc::downgrade(&shared));
        shared
    }

    /// Whether something is still to be written to this file.
    pub(super) fn is_late(&self, id: FileId) -> Option<Arc<Shared>> {
        let shared = self.0.lock().get(&id).and_then(Weak::upgrade)?;
        shared.is_late().then_some(shared)
    }
}

impl Shared {
    /// Whether something is still to be written.
    pub(super) fn is_late(&self) -> bool {
        self.late.lock().is_some()
    }

    /// Takes a write to be done later, if it follows what is there and not more than `bytes_max` are late then. Does not
    /// block.
    pub(super) fn put_off(
        &self,
        write: &Write<'_>,
        bytes_max: usize,
        budget: &Arc<Budget>,
    ) -> bool {
        let mut late = self.late.lock();
        let there = late.as_ref().map_or(0, |late| late.bytes.len());
        let follows = late.as_ref().is_none_or(|late| {
            late.offset + late.bytes.len() as u64 == write.offset
                && Arc::ptr_eq(&late.failure, write.failure)
        });
        if !follows || there + write.bytes.len() > bytes_max {
            return false;
        }
        let Some(held) = budget.take(write.bytes.len()) else { return false };
        let late = late.get_or_insert_with(|| Late {
            file: Arc::clone(write.file),
            offset: write.offset,
            bytes: Vec::new(),
            held: Vec::new(),
            failure: Arc::clone(write.failure),
        });
        late.bytes.extend_from_slice(write.bytes);
        late.held.push(held);
        true
    }

    /// Writes what is late, if anything is. Blocks; nobody else gets at what is late meanwhile. What fails is told to its
    /// handle.
    pub(super) fn settle(&self) {
        let mut late = self.late.lock();
        if let Some(Late { file, offset, bytes, failure, held: _held }) = late.take()
            && let Err(error) = file.write_all_at(&bytes, offset)
        {
            failure.0.lock().get_or_insert(error);
        }
    }

    /// Writes what is late, and this behind it. Blocks.
    pub(super) fn write(&self, write: &Write<'_>) -> io::Result<()> {
        self.settle();
        write.file.write_all_at(write.bytes, write.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_is_joined_and_bounded() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let (budget, shared) = (Budget::new(10), Shared::default());
        let failure = Arc::default();
        let at = |offset, bytes| Write { file: &file, offset, bytes, failure: &failure };
        assert!(shared.put_off(&at(0, b"abc"), 8, &budget));
        assert!(shared.put_off(&at(3, b"def"), 8, &budget));
        assert!(!shared.put_off(&at(6, b"xyz"), 8, &budget), "more than may be late");
        assert!(!shared.put_off(&at(9, b"x"), 8, &budget), "not in a row");
        assert_eq!(file.metadata().unwrap().len(), 0);
        assert_eq!(budget.used(), 6);
        shared.write(&at(6, b"ghi")).unwrap();
        assert_eq!(budget.used(), 0);
        let mut read = [0; 9];
        file.read_exact_at(&mut read, 0).unwrap();
        assert_eq!(&read, b"abcdefghi");
        assert!(!shared.put_off(&at(9, &[0; 11]), 80, &budget), "more than the budget");
    }

    #[test]
    fn what_fails_late_is_told_once_and_to_its_handle() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let unwritable = Arc::new(File::open(path.path()).unwrap());
        let (budget, shared) = (Budget::new(10), Shared::default());
        let failure = Arc::default();
        let write = Write { file: &unwritable, offset: 0, bytes: b"x", failure: &failure };
        assert!(shared.put_off(&write, 8, &budget));
        shared.settle();
        assert!(failure.take().is_err());
        assert!(failure.take().is_ok());
    }

    #[test]
    fn files_that_nobody_has_open_are_forgotten() {
        let files = SharedFiles::default();
        let directory = tempfile::tempdir().unwrap();
        for number in 0..2 * SWEEP_EVERY {
            let path = directory.path().join(number.to_string());
            let file = File::create(path).unwrap();
            files.get(FileId::of(&file.metadata().unwrap()));
        }
        assert!(files.0.lock().len() <= SWEEP_EVERY);
    }
}
