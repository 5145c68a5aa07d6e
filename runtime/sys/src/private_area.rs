//! Memory of one's own on pages of a size that is known: base pages, or huge ones as far as the kernel has them.

use std::fmt;
use std::fs;
use std::io;
use std::ptr::{self, NonNull};

/// The size of a huge page, and what an area on huge pages is aligned to and made of.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// What is left unmapped on both sides, so that the kernel never makes one mapping of two areas: a whole huge page, which
/// is also the room to align in.
const MARGIN: usize = HUGE_PAGE_BYTES;

/// Private memory, all of it there from the start; unmapped when dropped.
pub struct PrivateArea {
    /// The reservation around it.
    reserved: NonNull<u8>,
    reserved_bytes: usize,
    words: NonNull<u64>,
    len: usize,
    bytes: usize,
}

// SAFETY: the mapping belongs to this value alone, as that of a boxed slice does.
unsafe impl Send for PrivateArea {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for PrivateArea {}

impl PrivateArea {
    /// Maps at least `bytes` and touches every page. With `huge` they lie on huge pages as far as the kernel has them
    /// ([`PrivateArea::huge_bytes`]), else never.
    ///
    /// # Errors
    /// `InvalidInput` for no bytes; the kernel's, when it has no memory, or knows no huge pages although they are asked for.
    pub fn new(bytes: usize, huge: bool) -> io::Result<Self> {
        let len = bytes.div_ceil(size_of::<u64>());
        let unit = if huge { HUGE_PAGE_BYTES } else { 4096 };
        let rounded = bytes.checked_next_multiple_of(unit).filter(|rounded| *rounded > 0);
        let reserved_bytes = rounded.and_then(|rounded| rounded.checked_add(2 * MARGIN));
        let (Some(bytes), Some(reserved_bytes)) = (rounded, reserved_bytes) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping at an address of the kernel's choice, which cannot be accessed yet.
        let reserved =
            unsafe { libc::mmap(ptr::null_mut(), reserved_bytes, libc::PROT_NONE, flags, -1, 0) };
        if reserved == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let reserved = NonNull::new(reserved.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        // At least a byte of margin in front and, as the offset is at most a huge page, behind.
        let offset = HUGE_PAGE_BYTES - reserved.addr().get() % HUGE_PAGE_BYTES;
        // SAFETY: the offset is at most MARGIN, the reservation is longer.
        let words = unsafe { reserved.add(offset) }.cast::<u64>();
        let mut area = Self { reserved, reserved_bytes, words, len, bytes };
        area.open(huge)?;
        Ok(area)
    }

    /// Makes the pages accessible and touches them.
    fn open(&mut self, huge: bool) -> io::Result<()> {
        let (start, access) = (self.words.as_ptr().cast(), libc::PROT_READ | libc::PROT_WRITE);
        let advice = if huge { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE };
        // SAFETY: `bytes` from `start` on lie inside the reservation, which nobody else knows.
        if unsafe { libc::mprotect(start, self.bytes, access) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: as above; the advice does not change what the pages hold.
        let advised = unsafe { libc::madvise(start, self.bytes, advice) } == 0;
        // A kernel without huge pages refuses both; base pages are then what there is.
        if !advised && huge {
            return Err(io::Error::last_os_error());
        }
        self.words_mut().fill(0);
        Ok(())
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        // SAFETY: accessible, aligned, initialised with zeroes by the kernel, and as long as `self` lives.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr(), self.len) }
    }

    /// The words, to be written.
    pub fn words_mut(&mut self) -> &mut [u64] {
        // SAFETY: as in `words`, and nobody else has a reference.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_ptr(), self.len) }
    }

    /// How many bytes lie on huge pages now, by `/proc/self/smaps`.
    ///
    /// # Errors
    /// That of reading the file; `NotFound` when the mapping is not in it.
    pub fn huge_bytes(&self) -> io::Result<usize> {
        let smaps = fs::read_to_string("/proc/self/smaps")?;
        anon_huge_bytes(&smaps, self.words.addr().get()).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "/proc/self/smaps does not show the area")
        })
    }
}

/// `AnonHugePages` of the mapping that begins at `start`.
fn anon_huge_bytes(smaps: &str, start: usize) -> Option<usize> {
    let head = format!("{start:x}-");
    let mut lines = smaps.lines().skip_while(|line| !line.starts_with(&head)).skip(1);
    let kibibytes = lines.find_map(|line| line.strip_prefix("AnonHugePages:"))?;
    kibibytes.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

impl Drop for PrivateArea {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `new`; nobody can hold a reference into it any more.
        unsafe { libc::munmap(self.reserved.as_ptr().cast(), self.reserved_bytes) };
    }
}

impl fmt::Debug for PrivateArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateArea").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_pages_hold_what_is_written_and_are_never_huge() {
        let mut area = PrivateArea::new(8 << 20, false).unwrap();
        assert_eq!(area.words().len(), 1 << 20);
        assert!(area.words().iter().all(|word| *word == 0));
        area.words_mut()[(1 << 20) - 1] = 7;
        assert_eq!(area.words()[(1 << 20) - 1], 7);
        assert_eq!(area.huge_bytes().unwrap(), 0);
    }

    #[test]
    fn huge_pages_are_aligned_and_counted() {
        let enabled = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
        match PrivateArea::new(3 << 20, true) {
            Ok(area) => {
                assert_eq!(area.words().as_ptr().addr() % HUGE_PAGE_BYTES, 0);
                assert_eq!(area.words().len(), 3 << 17);
                assert!([0, 2 << 20, 4 << 20].contains(&area.huge_bytes().unwrap()));
            }
            Err(error) => assert!(enabled.is_err(), "{error}"),
        }
    }

    #[test]
    fn two_areas_are_never_one_mapping() {
        let areas = [(); 3].map(|()| PrivateArea::new(4096, false).unwrap());
        for area in &areas {
            assert_eq!(area.huge_bytes().unwrap(), 0, "each begins a mapping");
        }
    }

    #[test]
    fn the_right_mapping_is_read() {
        let smaps = "1000-2000 rw-p 0\nAnonHugePages:      4 kB\n3000-4000 rw-p 0\nRss: 1 kB\n\
                     AnonHugePages:   2048 kB\n";
        assert_eq!(anon_huge_bytes(smaps, 0x3000), Some(2 << 20));
        assert_eq!(anon_huge_bytes(smaps, 0x1000), Some(4096));
        assert_eq!(anon_huge_bytes(smaps, 0x2000), None);
    }

    #[test]
    fn nothing_and_more_than_there_is_are_refused() {
        assert!(PrivateArea::new(0, false).is_err());
        assert!(PrivateArea::new(usize::MAX - 4, true).is_err());
    }
}
