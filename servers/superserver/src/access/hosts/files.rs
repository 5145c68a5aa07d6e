//! Files as they were last read.
//!
//! A file is looked at for every caller and read when it is another one: an edit acts at once, as with tcpd.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::octets::is_space;
use super::table::Table;

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Files that are kept, of each kind.
const FILES_MAX: usize = 64;

/// Tables of rules and lists of hosts.
#[derive(Debug, Default)]
pub(in crate::access) struct Files {
    tables: Cache<Table>,
    lists: Cache<[String]>,
}

#[derive(Debug)]
struct Cache<T: ?Sized>(Mutex<HashMap<PathBuf, (State, Arc<T>)>>);

/// By which a file is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    File {
        device: u64,
        inode: u64,
        bytes: u64,
        written: (i64, i64),
        changed: (i64, i64),
    },
    /// There is none.
    Absent,
    /// It cannot be looked at.
    Hidden(io::ErrorKind),
}

impl Files {
    /// The rules of a file. One that is not there has none; one that cannot be read is broken.
    pub(super) fn table(&self, path: &Path) -> Arc<Table> {
        self.tables.current(path, |read| {
            let table = match read {
                Ok(text) => Table::parse(path, &text),
                Err(error) => Table::unreadable(path, &error),
            };
            Arc::new(table)
        })
    }

    /// The words of a list of hosts. One that is not there or cannot be read has none.
    pub(super) fn list(&self, path: &Path) -> Arc<[String]> {
        self.lists.current(path, |read| {
            let text = read.unwrap_or_else(|error| {
                tracing::warn!(file = %path.display(), %error, "a list of hosts cannot be read; nobody is on it");
                Vec::new()
            });
            let words = text.split(|b| is_space(*b)).filter(|word| !word.is_empty());
            words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
        })
    }
}

impl<T: ?Sized> Cache<T> {
    fn current(&self, path: &Path, parse: impl FnOnce(io::Result<Vec<u8>>) -> Arc<T>) -> Arc<T> {
        let state = State::of(path);
        let mut kept = self.0.lock();
        if let Some((known, parsed)) = kept.get(path)
            && *known == state
        {
            return Arc::clone(parsed);
        }
        // What is written after this look is seen by the next.
        let parsed = parse(read(path));
        if kept.len() >= FILES_MAX {
            kept.clear();
        }
        kept.insert(path.to_owned(), (state, Arc::clone(&parsed)));
        parsed
    }
}

impl<T: ?Sized> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl State {
    fn of(path: &Path) -> Self {
        match path.metadata() {
            Ok(metadata) => Self::File {
                device: metadata.dev(),
                inode: metadata.ino(),
                bytes: metadata.size(),
                written: (metadata.mtime(), metadata.mtime_nsec()),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Absent,
            Err(error) => Self::Hidden(error.kind()),
        }
    }
}

/// The bytes of a regular file; of anything else, and of nothing, none.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    // Before it is opened: opening a pipe waits for its writer.
    match path.metadata().as_ref().map(Metadata::is_file) {
        Ok(true) => {}
        Ok(false) => return Ok(Vec::new()),
        Err(error) if absent(error) => return Ok(Vec::new()),
        Err(error) => return Err(error.kind().into()),
    }
    let mut text = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let message = format!("it is larger than {FILE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_anew_when_it_has_changed_and_only_then() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hosts");
        let files = Files::default();
        assert!(files.list(&path).is_empty());
        fs::write(&path, "a.example.org\n10.0.0.1").unwrap();
        let first = files.list(&path);
        assert_eq!(*first, ["a.example.org", "10.0.0.1"]);
        assert!(Arc::ptr_eq(&first, &files.list(&path)));
        // Same size, other file.
        fs::write(directory.path().join("new"), "b.example.org\n10.0.0.1").unwrap();
        fs::rename(directory.path().join("new"), &path).unwrap();
        assert_eq!(*files.list(&path), ["b.example.org", "10.0.0.1"]);
        fs::remove_file(&path).unwrap();
        assert!(files.list(&path).is_empty());
    }

    #[test]
    fn no_more_is_kept_or_read_than_there_is_room_for() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::default();
        for n in 0..2 * FILES_MAX {
            files.list(&directory.path().join(n.to_string()));
            assert!(files.lists.0.lock().len() <= FILES_MAX);
        }
        let large = directory.path().join("large");
        fs::write(&large, vec![b'#'; FILE_BYTES_MAX as usize + 1]).unwrap();
        assert!(files.table(&large).broken.is_some());
        // What is no file has nothing in it.
        assert!(files.table(directory.path()).broken.is_none());
    }
}
