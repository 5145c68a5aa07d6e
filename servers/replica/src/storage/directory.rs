//! The files of a directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use super::medium::{Listed, Medium, Space, Tail};

/// A [`Medium`] of real files, readable by their owner alone. Flushes data with `fdatasync` and names by flushing the
/// directory.
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
        let file = options.append(true).create_new(true).mode(0o600).open(self.path.join(file))?;
        self.names.sync_all()?;
        Ok(Box::new(FileTail(file)))
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
struct FileTail(File);

impl Tail for FileTail {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
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
    fn a_file_is_no_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Directory::open(file.path()).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    }
}
