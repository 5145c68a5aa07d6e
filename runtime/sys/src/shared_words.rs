//! Words that two processes share: a sealed memory file, mapped by both, seen as atomics.
//!
//! The file is sealed against shrinking and growing before anybody else has it, so no peer can make an access fault.
//! What a peer writes is its own affair: whoever reads a word must be prepared for any value.

use std::ffi::CString;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

const SEALS: libc::c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;

/// A fixed number of 64-bit words in memory that other processes can map too; zero at first. Unmapped when dropped.
pub struct SharedWords {
    file: OwnedFd,
    words: NonNull<AtomicU64>,
    len: usize,
}

// SAFETY: the mapping belongs to this value, stays where it is as long as the value lives, and is only ever seen as
// atomics, which threads (and processes) may share.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    /// Makes `len` words; `name` shows in `/proc/PID/maps`.
    ///
    /// # Errors
    /// The kernel's, when it has no memory or no descriptors left; `InvalidInput` for no words or a name with a NUL.
    pub fn create(name: &str, len: usize) -> io::Result<Self> {
        let name = CString::new(name)?;
        // SAFETY: `name` is a C string that lives throughout the call.
        let fd = unsafe {
            libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)
        };
        // SAFETY: a new descriptor that nobody else owns.
        let file = unsafe { OwnedFd::from_raw_fd(checked(fd)?) };
        let bytes = libc::off_t::try_from(bytes_of(len)?).map_err(io::Error::other)?;
        // SAFETY: plain system calls on a descriptor that is open.
        unsafe {
            checked(libc::ftruncate(file.as_raw_fd(), bytes))?;
            checked(libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS))?;
        }
        Self::map(file, len)
    }

    /// Maps the words that another process has made.
    ///
    /// # Errors
    /// `InvalidData` when the file does not hold exactly `len` words or could still change its size; the kernel's
    /// otherwise.
    pub fn open(file: OwnedFd, len: usize) -> io::Result<Self> {
        // SAFETY: plain system call on an open descriptor; fails for files that know no seals.
        let seals = checked(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) })?;
        // SAFETY: stat is a plain C struct for which all zeroes is a valid value.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: `stat` lives throughout the call.
        checked(unsafe { libc::fstat(file.as_raw_fd(), &raw mut stat) })?;
        if seals & SEALS != SEALS || usize::try_from(stat.st_size) != Ok(bytes_of(len)?) {
            let text = format!("not a sealed memory file of {len} words: {} bytes", stat.st_size);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Self::map(file, len)
    }

    fn map(file: OwnedFd, len: usize) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice; the file is at least as long and sealed, so no
        // access can fault.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes_of(len)?,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // Page-aligned, hence aligned for words.
        let words = NonNull::new(address.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { file, words, len })
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping holds `len` aligned words and lives as long as `self`; any bits are a valid AtomicU64, and
        // atomics may change under a shared reference, also by another process.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr(), self.len) }
    }
}

impl AsFd for SharedWords {
    /// The file, to be passed to another process.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for SharedWords {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `map`; nobody can hold a reference into it any more.
        unsafe { libc::munmap(self.words.as_ptr().cast(), self.len * size_of::<AtomicU64>()) };
    }
}

impl fmt::Debug for SharedWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedWords").field("file", &self.file).field("len", &self.len).finish()
    }
}

fn bytes_of(len: usize) -> io::Result<usize> {
    let bytes = len.checked_mul(size_of::<AtomicU64>()).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn two_mappings_see_the_same_words() {
        let here = SharedWords::create("test", 5).unwrap();
        let there = SharedWords::open(here.as_fd().try_clone_to_owned().unwrap(), 5).unwrap();
        here.words()[4].store(7, Ordering::Release);
        assert_eq!(there.words()[4].load(Ordering::Acquire), 7);
        drop(here);
        assert_eq!(there.words()[4].load(Ordering::Acquire), 7, "each has a mapping of its own");
    }

    #[test]
    fn a_peer_cannot_change_the_size() {
        let words = SharedWords::create("test", 512).unwrap();
        // SAFETY: plain system call on an open descriptor.
        let shrunk = unsafe { libc::ftruncate(words.as_fd().as_raw_fd(), 0) };
        assert_eq!(shrunk, -1);
        assert_eq!(io::Error::last_os_error().raw_os_error(), Some(libc::EPERM));
        words.words()[511].store(1, Ordering::Relaxed);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let words = SharedWords::create("test", 5).unwrap();
        let other_size = SharedWords::open(words.as_fd().try_clone_to_owned().unwrap(), 6);
        assert_eq!(other_size.unwrap_err().kind(), io::ErrorKind::InvalidData);
        let plain = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(SharedWords::open(plain.into(), 5).is_err());
        assert!(SharedWords::create("test", 0).is_err());
    }
}
