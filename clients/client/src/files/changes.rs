//! Everything that changes files. What is believed of them is forgotten first, and leases on them are given back.

use std::fmt::Write;
use std::sync::Arc;

use super::transport::Transport;
use super::{FileClient, FileError, OpenFile, path, random};

impl FileClient {
    /// Writes all bytes, from `offset` on. The server may write them to its disk later; [`sync`](Self::sync) waits for that.
    ///
    /// # Errors
    /// [`FileError`]; [`FileError::Unsupported`] over HTTP.
    pub fn write_at(
        &mut self,
        file: &mut OpenFile,
        bytes: &[u8],
        offset: u64,
    ) -> Result<(), FileError> {
        self.forget(&file.path);
        self.give_back_open(file)?;
        self.on_open(file, |transport, target| transport.write(target, offset, bytes))?;
        file.is_unsynced = true;
        Ok(())
    }

    /// Waits until everything that was written is on the server's disk.
    ///
    /// # Errors
    /// [`FileError::HandleLost`]: write it again. [`FileError::Unsupported`] over HTTP, where nothing is left to be done.
    pub fn sync(&mut self, file: &mut OpenFile) -> Result<(), FileError> {
        self.on_open(file, |transport, target| transport.sync(target))?;
        file.is_unsynced = false;
        Ok(())
    }

    /// Gives a file this content; it is made if it is not there. Over HTTP others see the old content or the new one.
    ///
    /// If an answer is lost, it is put again; what the server has of the first attempt may still be put later, over what was
    /// put meanwhile.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = path::checked(path)?;
        self.give_back_path(&path)?;
        self.change(&path, |transport| transport.put(&path, bytes))
    }

    /// Appends to a file that is there; where the bytes are. Over HTTP it happens once however often it is sent.
    ///
    /// # Errors
    /// [`FileError`]; over SFTP [`FileError::Unknown`] if the answer is lost.
    pub fn append(&mut self, path: &str, bytes: &[u8]) -> Result<u64, FileError> {
        let mut key = String::new();
        for byte in random()? {
            write!(key, "{byte:02x}").expect("a string grows");
        }
        self.append_with_key(path, bytes, &key)
    }

    /// [`append`](Self::append) with a key of its own, so that it can be done once also by a client that was started again:
    /// 1 to 255 letters, digits and `-`. SFTP has no keys.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_with_key(
        &mut self,
        path: &str,
        bytes: &[u8],
        key: &str,
    ) -> Result<u64, FileError> {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !(1..=255).contains(&key.len()) || !key.bytes().all(is_good) {
            return Err(FileError::Request("a key is 1 to 255 letters, digits and `-`"));
        }
        let path = path::checked(path)?;
        self.give_back_path(&path)?;
        self.change(&path, |transport| transport.append(&path, bytes, key))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn remove(&mut self, path: &str) -> Result<(), FileError> {
        let path = path::checked(path)?;
        self.change_names(&[&path], |transport| transport.remove(&path))
    }

    /// Gives a file or directory another name; a file that has it is replaced.
    ///
    /// # Errors
    /// [`FileError`]; [`FileError::Unsupported`] over HTTP.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        let (from, to) = (path::checked(from)?, path::checked(to)?);
        self.change_names(&[&from, &to], |transport| transport.rename(&from, &to))
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// [`FileError`]; [`FileError::Unsupported`] over HTTP.
    pub fn make_directory(&mut self, path: &str) -> Result<(), FileError> {
        let path = path::checked(path)?;
        self.change(&path, |transport| transport.make_directory(&path))
    }

    /// Changes where these paths lead. Also afterwards no path is believed to lead to the file that it led to: the keeper may have claimed a lease again
    /// meanwhile, when the name was still there.
    fn change_names(
        &mut self,
        paths: &[&Arc<str>],
        act: impl FnOnce(&mut dyn Transport) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        paths.iter().for_each(|path| self.forget_names(path));
        let done = self.change(paths[0], act);
        paths.iter().for_each(|path| self.forget_names(path));
        done
    }

    /// Changes what has this path.
    fn change<T>(
        &mut self,
        path: &Arc<str>,
        act: impl FnOnce(&mut dyn Transport) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        self.forget(path);
        let done = act(&mut *self.transport);
        self.note_connections();
        done
    }
}
