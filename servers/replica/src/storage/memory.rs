//! Files in this program's memory, for tests of what stands on a disk.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use parking_lot::Mutex;

use super::medium::{Listed, Medium, Space, Tail};

/// A [`Medium`] that is as large as it is told. Clones are the same.
#[derive(Clone, Debug)]
pub struct Memory {
    files: Arc<Mutex<BTreeMap<String, Bytes>>>,
    used: Arc<Mutex<u64>>,
    total: u64,
}

type Bytes = Arc<Mutex<Vec<u8>>>;

impl Default for Memory {
    fn default() -> Self {
        Self::with_capacity(u64::MAX)
    }
}

impl Memory {
    /// Room for this many bytes: beyond them there is no space left on the device.
    #[must_use]
    pub fn with_capacity(total: u64) -> Self {
        Self { files: Arc::default(), used: Arc::default(), total }
    }

    /// The bytes of a file, if there is one.
    #[must_use]
    pub fn bytes(&self, file: &str) -> Option<Vec<u8>> {
        self.files.lock().get(file).map(|bytes| bytes.lock().clone())
    }

    /// Makes a file what somebody who damages it would.
    pub fn put(&self, file: &str, bytes: Vec<u8>) {
        let mut used = self.used.lock();
        *used += bytes.len() as u64;
        let old = self.files.lock().insert(file.to_owned(), Arc::new(Mutex::new(bytes)));
        *used -= old.map_or(0, |old| old.lock().len() as u64);
    }
}

impl Medium for Memory {
    fn create(&self, file: &str) -> io::Result<Box<dyn Tail>> {
        let mut files = self.files.lock();
        if files.contains_key(file) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let bytes = Bytes::default();
        files.insert(file.to_owned(), Arc::clone(&bytes));
        Ok(Box::new(MemoryTail { bytes, used: Arc::clone(&self.used), total: self.total }))
    }

    fn list(&self) -> io::Result<Vec<Listed>> {
        let files = self.files.lock();
        let listed = files
            .iter()
            .map(|(file, bytes)| Listed { file: file.clone(), bytes: bytes.lock().len() as u64 });
        Ok(listed.collect())
    }

    fn read(&self, file: &str) -> io::Result<Box<dyn Read + Send>> {
        let bytes = self.bytes(file).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(bytes)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files.lock();
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        let old = files.insert(to.to_owned(), bytes);
        *self.used.lock() -= old.map_or(0, |old| old.lock().len() as u64);
        Ok(())
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        let bytes = self.files.lock().remove(file).ok_or(io::ErrorKind::NotFound)?;
        *self.used.lock() -= bytes.lock().len() as u64;
        Ok(())
    }

    fn space(&self) -> io::Result<Space> {
        Ok(Space { free: self.total - *self.used.lock(), total: self.total })
    }
}

#[derive(Debug)]
struct MemoryTail {
    bytes: Bytes,
    used: Arc<Mutex<u64>>,
    total: u64,
}

impl Tail for MemoryTail {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut used = self.used.lock();
        let room = usize::try_from(self.total - *used).unwrap_or(usize::MAX);
        if room == 0 && !bytes.is_empty() {
            return Err(nix::Error::ENOSPC.into());
        }
        let count = bytes.len().min(room);
        self.bytes.lock().extend_from_slice(&bytes[..count]);
        *used += count as u64;
        Ok(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memory_takes_what_fits_and_then_nothing() {
        let memory = Memory::with_capacity(5);
        let mut tail = memory.create("a").unwrap();
        assert_eq!(tail.append(b"1234567").unwrap(), 5);
        assert_eq!(tail.append(b"6").unwrap_err().kind(), io::ErrorKind::StorageFull);
        memory.remove("a").unwrap();
        assert_eq!(memory.space().unwrap(), Space { free: 5, total: 5 });
    }
}
