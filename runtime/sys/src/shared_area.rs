//! Memory that stays one across a fork: what the parent writes the child reads, and the other way round.
//!
//! An area has lines, each with one atomic word of either size at places that never overlap, and room for bulk bytes.

use std::fmt;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Two cache lines, because processors fetch them in pairs.
const LINE_BYTES: usize = 128;
const LINE_WORDS: usize = LINE_BYTES / size_of::<u64>();

/// Anonymous shared memory, zero at first, for this process and those that it forks; unmapped when dropped.
pub struct SharedArea {
    start: NonNull<AtomicU64>,
    lines: usize,
    room_words: usize,
}

// SAFETY: the mapping belongs to this value, stays where it is as long as the value lives, and is only ever seen as
// atomics, which threads (and processes) may share.
unsafe impl Send for SharedArea {}
// SAFETY: as above.
unsafe impl Sync for SharedArea {}

impl SharedArea {
    /// At least `bytes` of lines, 128 bytes each, and no room for bulk bytes.
    ///
    /// # Errors
    /// `InvalidInput` for no bytes; the kernel's, when it has no memory.
    pub fn new(bytes: usize) -> io::Result<Self> {
        Self::with_room(bytes.div_ceil(LINE_BYTES), 0)
    }

    /// So many lines, and room for at least so many bulk bytes.
    ///
    /// # Errors
    /// As [`SharedArea::new`].
    pub fn with_room(lines: usize, room_bytes: usize) -> io::Result<Self> {
        let room_words = room_bytes.div_ceil(size_of::<u64>());
        let bytes = lines.checked_mul(LINE_WORDS).and_then(|words| words.checked_add(room_words));
        let bytes = bytes.and_then(|words| words.checked_mul(size_of::<u64>()));
        let Some(bytes) = bytes.filter(|bytes| *bytes > 0) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let (access, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, lines, room_words })
    }

    /// How many lines there are.
    #[must_use]
    pub const fn lines(&self) -> usize {
        self.lines
    }

    /// The 64-bit word of a line.
    ///
    /// # Panics
    /// When there is no such line.
    #[must_use]
    #[inline]
    pub fn word(&self, line: usize) -> &AtomicU64 {
        // SAFETY: `line_start` has checked the line; its first word is only ever seen like this.
        unsafe { self.line_start(line).as_ref() }
    }

    /// The 32-bit word of a line: another place than the 64-bit one.
    ///
    /// # Panics
    /// When there is no such line.
    #[must_use]
    #[inline]
    pub fn word32(&self, line: usize) -> &AtomicU32 {
        // SAFETY: `line_start` has checked the line, which has 16 words; the second of them is only ever seen like this.
        unsafe { self.line_start(line).add(1).cast::<AtomicU32>().as_ref() }
    }

    #[inline]
    fn line_start(&self, line: usize) -> NonNull<AtomicU64> {
        assert!(line < self.lines, "line {line} of {}", self.lines);
        // SAFETY: the mapping begins with `lines` lines.
        unsafe { self.start.add(line * LINE_WORDS) }
    }

    /// The room for bulk bytes, as words.
    #[must_use]
    pub fn room(&self) -> &[AtomicU64] {
        // SAFETY: the words behind the lines are mapped as long as `self` lives and are only ever seen like this; any bits
        // are a valid AtomicU64.
        unsafe {
            std::slice::from_raw_parts(
                self.start.add(self.lines * LINE_WORDS).as_ptr(),
                self.room_words,
            )
        }
    }

    /// Copies bytes into the room from word `at` on; the last word is filled up with zeroes. Each word is written at once,
    /// the whole is not: whoever reads it must be told by other means that it is there.
    ///
    /// # Panics
    /// When the room is too small.
    pub fn copy_in(&self, at: usize, bytes: &[u8]) {
        let words = &self.room()[at..][..bytes.len().div_ceil(size_of::<u64>())];
        let (whole, rest) = bytes.as_chunks::<8>();
        for (word, chunk) in words.iter().zip(whole) {
            word.store(u64::from_ne_bytes(*chunk), Ordering::Relaxed);
        }
        if let (false, Some(last)) = (rest.is_empty(), words.last()) {
            let mut chunk = [0; 8];
            chunk[..rest.len()].copy_from_slice(rest);
            last.store(u64::from_ne_bytes(chunk), Ordering::Relaxed);
        }
    }

    /// Copies bytes out of the room from word `at` on.
    ///
    /// # Panics
    /// When the room is too small.
    pub fn copy_out(&self, at: usize, bytes: &mut [u8]) {
        let words = &self.room()[at..][..bytes.len().div_ceil(size_of::<u64>())];
        for (word, chunk) in words.iter().zip(bytes.chunks_mut(size_of::<u64>())) {
            chunk.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes()[..chunk.len()]);
        }
    }
}

impl Drop for SharedArea {
    fn drop(&mut self) {
        let bytes = (self.lines * LINE_WORDS + self.room_words) * size_of::<u64>();
        // SAFETY: exactly the mapping made in `with_room`; nobody can hold a reference into it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), bytes) };
    }
}

impl fmt::Debug for SharedArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let room = self.room_words * size_of::<u64>();
        f.debug_struct("SharedArea").field("lines", &self.lines).field("room", &room).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fork::exit_at_once;
    use crate::pidfd::{End, open_pidfd, wait_pidfd};

    #[test]
    fn what_a_child_writes_its_parent_reads() {
        let area = SharedArea::with_room(2, 13).unwrap();
        // SAFETY: the copy allocates nothing and takes no lock.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            area.word(1).store(7, Ordering::Release);
            area.word32(1).store(8, Ordering::Release);
            area.copy_in(0, b"thirteen byte");
            exit_at_once(0);
        }
        assert_eq!(wait_pidfd(open_pidfd(pid).unwrap()).unwrap(), End::Exited(0));
        assert_eq!(
            (area.word(1).load(Ordering::Acquire), area.word(0).load(Ordering::Acquire)),
            (7, 0)
        );
        assert_eq!(area.word32(1).load(Ordering::Acquire), 8);
        let mut bytes = [0; 13];
        area.copy_out(0, &mut bytes);
        assert_eq!(&bytes, b"thirteen byte");
    }

    #[test]
    fn words_lines_and_room_do_not_overlap() {
        let area = SharedArea::with_room(3, 8).unwrap();
        for line in 0..3 {
            area.word(line).store(u64::MAX, Ordering::Relaxed);
        }
        assert!((0..3).all(|line| area.word32(line).load(Ordering::Relaxed) == 0));
        assert_eq!(area.room().len(), 1);
        assert_eq!(area.room()[0].load(Ordering::Relaxed), 0);
        assert_eq!(SharedArea::new(129).unwrap().lines(), 2);
    }

    #[test]
    #[should_panic(expected = "line 1 of 1")]
    fn a_line_that_is_not_there_is_refused() {
        let _ = SharedArea::new(1).unwrap().word(1);
    }

    #[test]
    fn nothing_and_more_than_there_is_are_refused() {
        assert!(SharedArea::new(0).is_err());
        assert!(SharedArea::with_room(usize::MAX, 1).is_err());
    }
}
