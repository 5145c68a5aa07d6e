//! The files of a directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statvfs::statvfs;

use super::medium::{Listed, Medium, RESERVE_BYTES, Space, Tail};

/// A [`Medium`] of real files, readable by their owner alone. Flushes data with `fdatasync` and names by flushing the
/// directory. A file that is appended to is longer than what was written, by up to 4 MiB of zeros: a flush that need not
/// store a new length costs the processor and the disk about half.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// For flushing.
    names: File,
}

impl Directory {
    /// One that exists.
    ///
    /// # Errors
    /// It does not, or the system's error.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let names = File::open(&path)?;
        if !names.metadata()?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { path, names })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Medium for Directory {
    fn create(&self, file: &str) -> io::Result<Box<dyn Tail>> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(self.path.join(file))?;
        self.names.sync_all()?;
        Ok(Box::new(FileTail { file, end: 0, room: Room::NotYet }))
    }

    fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // A name that is no text is none of ours.
            if let Ok(file) = entry.file_name().into_string()
                && entry.file_type()?.is_file()
            {
                listed.push(Listed { file, bytes: entry.metadata()?.len() });
            }
        }
        Ok(listed)
    }

    fn read(&self, file: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.path.join(file))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))?;
        self.names.sync_all()
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(file))?;
        self.names.sync_all()
    }

    fn space(&self) -> io::Result<Space> {
        let stat = statvfs(&self.path)?;
        let unit = stat.fragment_size();
        let bytes = |blocks: u64| blocks.saturating_mul(unit);
        Ok(Space { free: bytes(stat.blocks_available()), total: bytes(stat.blocks()) })
    }
}

#[derive(Debug)]
struct FileTail {
    file: File,
    /// What was written.
    end: u64,
    room: Room,
}

/// How far a file was made longer ahead of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// Nothing is on disk yet that it could stand behind.
    NotYet,
    /// So far, if that is more than was written.
    Until(u64),
    /// It is not wanted any more, or the file system has none.
    NoMore,
}

impl FileTail {
    fn make_room(&mut self, bytes: usize) {
        let Room::Until(reserved) = self.room else { return };
        let needed = self.end + bytes as u64;
        if needed <= reserved {
            return;
        }
        let length = (bytes as u64).next_multiple_of(RESERVE_BYTES);
        let range = i64::try_from(self.end).ok().zip(i64::try_from(length).ok());
        let is_made = range.is_some_and(|(from, length)| {
            fallocate(&self.file, FallocateFlags::empty(), from, length).is_ok()
        });
        self.room = if is_made { Room::Until(self.end + length) } else { Room::NoMore };
    }
}

impl Tail for FileTail {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.make_room(bytes.len());
        let count = self.file.write(bytes)?;
        self.end += count as u64;
        Ok(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        if self.room == Room::NotYet {
            self.room = Room::Until(self.end);
        }
        Ok(())
    }

    fn trim(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.room, Room::NoMore) == Room::NotYet {
            return Ok(());
        }
        self.file.set_len(self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_listed_and_read() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path()).unwrap();
        let mut tail = directory.create("a").unwrap();
        assert_eq!(directory.create("a").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(tail.append(b"one").unwrap(), 3);
        tail.sync().unwrap();
        directory.rename("a", "b").unwrap();
        assert_eq!(tail.append(b"two").unwrap(), 3, "a tail follows its file");
        tail.trim().unwrap();
        assert_eq!(directory.list().unwrap(), [Listed { file: "b".into(), bytes: 6 }]);
        let mut text = String::new();
        directory.read("b").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "onetwo");
        directory.remove("b").unwrap();
        assert_eq!(directory.list().unwrap(), []);
        let space = directory.space().unwrap();
        assert!(space.free <= space.total && space.total > 0, "{space:?}");
    }

    #[test]
    fn what_is_reserved_reads_as_zeros_and_is_given_back() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path()).unwrap();
        let mut tail = directory.create("a").unwrap();
        tail.append(b"one").unwrap();
        let length = || directory.list().unwrap()[0].bytes;
        assert_eq!(length(), 3, "nothing is reserved behind what is not on disk");
        tail.sync().unwrap();
        tail.append(b"two").unwrap();
        tail.sync().unwrap();
        // A file system that cannot reserve reserves nothing.
        assert!([6, 3 + RESERVE_BYTES].contains(&length()), "{}", length());
        let bytes = fs::read(place.path().join("a")).unwrap();
        assert!(bytes.starts_with(b"onetwo") && bytes[6..].iter().all(|byte| *byte == 0));
        let large = vec![b'x'; 5 << 20];
        let mut rest = &large[..];
        while !rest.is_empty() {
            rest = &rest[tail.append(rest).unwrap()..];
        }
        tail.trim().unwrap();
        assert_eq!(length(), 6 + (5 << 20));
        tail.append(b"end").unwrap();
        assert_eq!(length(), 9 + (5 << 20));
    }

    #[test]
    fn a_file_is_no_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Directory::open(file.path()).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    }
}
