//! What a file has in memory, read without waiting for a disk.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Reads from `offset` on, as far as it is in memory; fewer bytes than there is room for may be read, none at the end of
/// the file.
///
/// # Errors
/// `WouldBlock` when the disk would have to be waited for, or the file system cannot tell; otherwise the kernel's.
pub fn read_cached(file: impl AsFd, room: &mut [u8], offset: u64) -> io::Result<usize> {
    let offset =
        libc::off_t::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    let descriptor = file.as_fd().as_raw_fd();
    // SAFETY: the one part is the whole of `room`, which is borrowed for writing.
    let read = unsafe { libc::preadv2(descriptor, &raw const part, 1, offset, libc::RWF_NOWAIT) };
    usize::try_from(read).map_err(|_| match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::EOPNOTSUPP) => io::ErrorKind::WouldBlock.into(),
        error => error,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{ErrorKind, Write};
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn what_was_just_written_is_in_memory() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        let mut room = [0; 6_000];
        assert_eq!(read_cached(&file, &mut room, 0).unwrap(), 6_000);
        assert_eq!(room, [7; 6_000]);
        assert_eq!(read_cached(&file, &mut room, 9_000).unwrap(), 1_000);
        assert_eq!(read_cached(&file, &mut room, 10_000).unwrap(), 0);
    }

    #[test]
    fn what_is_not_in_memory_is_not_waited_for() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.write_all_at(&[7; 1 << 20], 0).unwrap();
        file.sync_all().unwrap();
        // SAFETY: plain system call.
        let forgotten =
            unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
        assert_eq!(forgotten, 0);
        // A file system in memory, as a container may have it, forgets nothing.
        match read_cached(&file, &mut [0; 1 << 20], 0) {
            Ok(read) => assert!(read <= 1 << 20),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        let mut room = vec![0; 1 << 20];
        file.read_exact_at(&mut room, 0).unwrap();
        assert_eq!(read_cached(&file, &mut room, 0).unwrap(), 1 << 20);
    }

    #[test]
    fn who_cannot_tell_would_block_and_other_errors_are_told() {
        let status = File::open("/proc/self/status").unwrap();
        let error = read_cached(&status, &mut [0; 1], 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(read_cached(&status, &mut [0; 1], u64::MAX).is_err());
        let directory = tempfile::tempdir().unwrap();
        let only_written = File::create(directory.path().join("file")).unwrap();
        let error = read_cached(&only_written, &mut [0; 1], 0).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::WouldBlock);
    }
}
