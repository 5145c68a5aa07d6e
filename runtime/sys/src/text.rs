//! The program's own code in huge pages, for a process that is forked often.
//!
//! A fork does not copy the page tables of files: each copy takes a fault for every 64 KiB of code that it runs, and pays
//! for all the pages of these when it ends. Anonymous huge pages are copied, one entry for 2 MiB. Node.js does the same for
//! its own code (`--use-largepages`).

use std::fs;
use std::io;
use std::ptr;

use crate::fork::is_single_threaded;

/// What one entry of the second level of the page table covers.
const HUGE_BYTES: usize = 2 << 20;

/// Moves the program's code into huge pages, as far as it fills them; returns how many bytes that were. Nothing is
/// changed where it cannot be done at once: 0 where there is too little code, and on other architectures than x86-64.
///
/// # Errors
/// `Deadlock` when the process has more than one thread; otherwise the kernel's, when it has no huge pages, no memory or
/// a rule against it.
pub fn move_text_to_huge_pages() -> io::Result<usize> {
    if !is_single_threaded()? {
        let text = "code must not be moved while other threads run it";
        return Err(io::Error::new(io::ErrorKind::Deadlock, text));
    }
    let (start, end) = text(&fs::read_to_string("/proc/self/maps")?, here())?;
    let (first, last) = (start.next_multiple_of(HUGE_BYTES), end / HUGE_BYTES * HUGE_BYTES);
    if !cfg!(target_arch = "x86_64") || first >= last {
        return Ok(0);
    }
    let len = last - first;
    let room = Room::new(len)?;
    // SAFETY: `first..last` is mapped and readable, as the kernel has just said; the room has `len` bytes, is writable,
    // and nobody else's.
    unsafe {
        ptr::copy_nonoverlapping(
            ptr::with_exposed_provenance::<u8>(first),
            room.aligned.cast(),
            len,
        );
        // Fails unless all of it is in huge pages then.
        checked(libc::madvise(room.aligned, len, libc::MADV_COLLAPSE))?;
        checked(libc::mprotect(room.aligned, len, libc::PROT_READ | libc::PROT_EXEC))?;
    }
    // SAFETY: replaces this code by a copy of itself, in one step for this thread, which is the only one. Code is never
    // written to, so nothing can tell the difference.
    let moved = unsafe {
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        libc::mremap(room.aligned, len, len, flags, ptr::with_exposed_provenance_mut::<u8>(first))
    };
    if moved == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(len)
}

/// Fresh memory, which is given back in the end, as far as it is still there.
struct Room {
    start: *mut libc::c_void,
    len: usize,
    /// Where its first huge page begins.
    aligned: *mut libc::c_void,
}

impl Room {
    fn new(len: usize) -> io::Result<Self> {
        let with_margin = len + HUGE_BYTES;
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                with_margin,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let margin = start.addr().next_multiple_of(HUGE_BYTES) - start.addr();
        let room = Self { start, len: with_margin, aligned: start.wrapping_byte_add(margin) };
        // SAFETY: exactly these bytes are in the mapping.
        checked(unsafe { libc::madvise(room.aligned, len, libc::MADV_HUGEPAGE) })?;
        Ok(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`; what was moved away from it is no longer there, and nothing else has been
        // mapped since, because there is no other thread.
        unsafe { libc::munmap(self.start, self.len) };
    }
}

/// An address in the program's code.
fn here() -> usize {
    (move_text_to_huge_pages as fn() -> io::Result<usize>) as *const () as usize
}

/// Of the kernel's list of mappings, the one of code that this address is in.
fn text(maps: &str, address: usize) -> io::Result<(usize, usize)> {
    let range = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let range = (number(start)?, number(end)?);
        (rest.starts_with("r-xp ") && (range.0..range.1).contains(&address)).then_some(range)
    };
    maps.lines().find_map(range).ok_or_else(|| io::Error::other("no code where it should be"))
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fork::exit_at_once;
    use crate::pidfd::{End, open_pidfd, wait_pidfd};

    #[test]
    fn code_is_not_moved_under_other_threads() {
        // Test functions run on threads of their own.
        assert_eq!(move_text_to_huge_pages().unwrap_err().kind(), io::ErrorKind::Deadlock);
    }

    #[test]
    fn code_that_was_moved_runs_on() {
        // SAFETY: the C library makes its allocator usable in the copy; nothing else of other threads is used there.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // Twice: what is in huge pages already can be moved as well. No such pages is no failure.
            let _ = move_text_to_huge_pages();
            let _ = move_text_to_huge_pages();
            let works = "7".parse::<i32>() == Ok(7);
            exit_at_once(if works { 7 } else { 8 });
        }
        assert_eq!(wait_pidfd(open_pidfd(pid).unwrap()).unwrap(), End::Exited(7));
    }

    #[test]
    fn the_code_s_mapping_is_found() {
        let maps = "10-20 r--p 0 f\n20-40 r-xp 10 f\n40-50 rw-p 30 f\n";
        assert_eq!(text(maps, 0x3f).unwrap(), (0x20, 0x40));
        assert!(text(maps, 0x40).is_err(), "not code");
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        assert!(text(&maps, here()).is_ok());
    }
}
