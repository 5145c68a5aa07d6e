//! Stacks: many in one mapping, an inaccessible page under each, used again and again.
//!
//! A guard page splits its mapping, so each stack costs two entries of the kernel's table of mappings, and a process
//! may have `vm.max_map_count` of them (65530 unless changed): about 32 000 stacks, whatever the memory. The number
//! is counted here and refused with that reason, before the kernel refuses some other mapping of the process.

use std::fs;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use corosensei::stack::{STACK_ALIGNMENT, Stack, StackPointer};
use parking_lot::Mutex;

use crate::error::{Limit, StackShortage};

/// Stacks in one mapping.
const SLAB_STACKS: usize = 16;
/// Below this not even the reporting of a panic fits.
const STACK_BYTES_MIN: usize = 16 << 10;
/// Mappings that the rest of the process keeps: heap, libraries, stacks of threads.
const MAPPINGS_OF_OTHERS: usize = 8_192;
/// What the kernel says unless told otherwise.
const MAPPINGS_MAX_USUAL: usize = 65_530;

/// The stacks of one pool.
#[derive(Debug)]
pub(crate) struct Stacks {
    stack_bytes: usize,
    page_bytes: usize,
    max: usize,
    mappings_max: usize,
    free: Mutex<Vec<SlabStack>>,
    /// Stacks in mappings, whether used or free.
    mapped: AtomicUsize,
    /// Stacks that runners have, those at rest in a cache included.
    lent: AtomicUsize,
    /// The kernel refused the last mapping, with this error.
    refused: Mutex<Option<String>>,
    /// Spares every spawn that lock.
    is_refused: AtomicBool,
}

impl Stacks {
    /// `max` none: as many as the kernel's table of mappings has room for.
    pub(crate) fn new(stack_bytes: usize, max: Option<usize>) -> Self {
        let page_bytes = page_bytes();
        let mappings_max = mappings_max();
        let of_kernel = (mappings_max.saturating_sub(MAPPINGS_OF_OTHERS) / 2).max(SLAB_STACKS);
        Self {
            stack_bytes: stack_bytes.max(STACK_BYTES_MIN).next_multiple_of(page_bytes),
            page_bytes,
            max: max.unwrap_or(of_kernel).min(of_kernel).max(1),
            mappings_max,
            free: Mutex::new(Vec::new()),
            mapped: AtomicUsize::new(0),
            lent: AtomicUsize::new(0),
            refused: Mutex::new(None),
            is_refused: AtomicBool::new(false),
        }
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    pub(crate) fn lend(&self) -> Result<SlabStack, StackShortage> {
        let mut free = self.free.lock();
        let lent = self.lent.load(Ordering::Relaxed);
        if lent >= self.max {
            return Err(self.shortage(None));
        }
        if free.is_empty() {
            self.map(&mut free)?;
        }
        self.lent.store(lent + 1, Ordering::Relaxed);
        Ok(free.pop().expect("a mapping holds at least one stack"))
    }

    /// Takes a stack back, and its memory away.
    pub(crate) fn take_back(&self, stack: SlabStack) {
        stack.forget_contents(self.page_bytes);
        let mut free = self.free.lock();
        self.lent.fetch_sub(1, Ordering::Relaxed);
        free.push(stack);
        if self.is_refused.load(Ordering::Relaxed) {
            self.is_refused.store(false, Ordering::Relaxed);
            *self.refused.lock() = None;
        }
    }

    /// Stacks that runners have now.
    pub(crate) fn lent(&self) -> usize {
        self.lent.load(Ordering::Relaxed)
    }

    /// None while there are stacks left to lend.
    pub(crate) fn shortage_now(&self) -> Option<StackShortage> {
        if self.lent() >= self.max {
            return Some(self.shortage(None));
        }
        if !self.is_refused.load(Ordering::Relaxed) {
            return None;
        }
        self.refused.lock().clone().map(|error| self.shortage(Some(error)))
    }

    fn map(&self, free: &mut Vec<SlabStack>) -> Result<(), StackShortage> {
        let mapped = self.mapped.load(Ordering::Relaxed);
        let count = SLAB_STACKS.min(self.max - mapped.min(self.max)).max(1);
        let slab = Slab::map(count, self.stack_bytes, self.page_bytes)
            .map_err(|error| self.refuse(&error))?;
        self.mapped.store(mapped + count, Ordering::Relaxed);
        let slab = Arc::new(slab);
        free.extend((0..count).rev().map(|index| SlabStack::new(&slab, index)));
        Ok(())
    }

    fn refuse(&self, error: &io::Error) -> StackShortage {
        let error = error.to_string();
        *self.refused.lock() = Some(error.clone());
        self.is_refused.store(true, Ordering::Relaxed);
        self.shortage(Some(error))
    }

    fn shortage(&self, error: Option<String>) -> StackShortage {
        let in_use = self.lent();
        let limit = match error {
            Some(error) => Limit::Kernel { error, max: self.mappings_max },
            None => Limit::Bound { max: self.max },
        };
        StackShortage { in_use, limit }
    }
}

/// Several stacks, each above its guard page, in one mapping.
#[derive(Debug)]
struct Slab {
    start: NonNull<u8>,
    bytes: usize,
    /// A stack and its guard.
    stride: usize,
}

// SAFETY: the mapping belongs to the slab alone, and the slab itself reads and writes nothing in it.
unsafe impl Send for Slab {}
// SAFETY: as above; all methods of a shared slab only compute addresses.
unsafe impl Sync for Slab {}

impl Slab {
    fn map(count: usize, stack_bytes: usize, page_bytes: usize) -> io::Result<Self> {
        let stride = stack_bytes + page_bytes;
        let bytes = stride * count;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory of others.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast::<u8>()).expect("the kernel maps nothing at address 0");
        let slab = Self { start, bytes, stride };
        for index in 0..count {
            let guard = slab.start.as_ptr().wrapping_add(index * stride);
            // SAFETY: the page is the first of a stride of this mapping, and nobody uses the mapping yet.
            if unsafe { libc::mprotect(guard.cast(), page_bytes, libc::PROT_NONE) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(slab)
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the mapping is this slab's, and every stack in it held the slab: none is left.
        let unmapped = unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
        debug_assert_eq!(unmapped, 0, "a mapping that was made can be removed");
    }
}

/// One stack of a slab. There is one value per stack: who has it may use the memory.
#[derive(Debug)]
pub(crate) struct SlabStack {
    /// Lowest address: that of the guard page.
    limit: StackPointer,
    base: StackPointer,
    /// Keeps the mapping.
    _slab: Arc<Slab>,
}

impl SlabStack {
    fn new(slab: &Arc<Slab>, index: usize) -> Self {
        let limit = slab.start.as_ptr() as usize + index * slab.stride;
        let pointer = |address| StackPointer::new(address).expect("a mapping is not at address 0");
        Self { limit: pointer(limit), base: pointer(limit + slab.stride), _slab: Arc::clone(slab) }
    }

    fn forget_contents(&self, page_bytes: usize) {
        let start = self.limit.get() + page_bytes;
        let bytes = self.base.get() - start;
        // SAFETY: the range is this stack above its guard; no coroutine is on it, whoever takes it next begins anew.
        unsafe { libc::madvise(start as *mut libc::c_void, bytes, libc::MADV_DONTNEED) };
    }
}

// SAFETY: `limit` begins with an inaccessible page, more than `MIN_STACK_SIZE` bytes lie above it, both ends are
// aligned to pages, and the mapping lives as long as this value.
unsafe impl Stack for SlabStack {
    fn base(&self) -> StackPointer {
        debug_assert_eq!(self.base.get() % STACK_ALIGNMENT, 0);
        self.base
    }

    fn limit(&self) -> StackPointer {
        self.limit
    }
}

fn page_bytes() -> usize {
    // SAFETY: asks for a number, changes nothing.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).ok().filter(|bytes| bytes.is_power_of_two()).unwrap_or(4_096)
}

fn mappings_max() -> usize {
    let text = fs::read_to_string("/proc/sys/vm/max_map_count");
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(MAPPINGS_MAX_USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_came_back_is_lent_again_empty() {
        let stacks = Stacks::new(0, Some(2));
        let stack = stacks.lend().unwrap();
        let base = stack.base();
        let word = (base.get() - 8) as *mut u64;
        // SAFETY: the highest word of a stack that is lent to this test.
        unsafe { word.write(7) };
        stacks.take_back(stack);
        let again = stacks.lend().unwrap();
        assert_eq!(again.base(), base);
        // SAFETY: as above.
        assert_eq!(unsafe { word.read() }, 0);
    }

    #[test]
    fn no_more_stacks_are_lent_than_the_bound_says() {
        let stacks = Stacks::new(0, Some(20));
        let lent: Vec<SlabStack> = (0..20).map(|_| stacks.lend().unwrap()).collect();
        let refused = stacks.lend().unwrap_err();
        assert_eq!(refused, StackShortage { in_use: 20, limit: Limit::Bound { max: 20 } });
        for (one, other) in lent.iter().zip(&lent[1..]) {
            assert!(one.base() <= other.limit() || other.base() <= one.limit());
        }
        lent.into_iter().for_each(|stack| stacks.take_back(stack));
        assert_eq!(stacks.shortage_now(), None);
    }

    #[test]
    fn guards_are_in_the_table_of_mappings() {
        let stacks = Stacks::new(64 << 10, None);
        let stack = stacks.lend().unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let guard =
            format!("{:x}-{:x} ---p", stack.limit().get(), stack.limit().get() + stacks.page_bytes);
        assert!(maps.contains(&guard), "{guard} is not in\n{maps}");
    }
}
