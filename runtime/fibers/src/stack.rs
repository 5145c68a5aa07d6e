//! Stacks: many in one mapping, each above a guard page, used again and again.
//!
//! A guard splits the mapping: a stack costs two map entries, and the kernel allows a process `vm.max_map_count` of
//! them, 65 530 by default. So there is a limit of some 32 000 stacks, which is reached with an error instead of an
//! abort.

use std::fs;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use corosensei::stack::{Stack, StackPointer};
use parking_lot::Mutex;

/// Stacks of one mapping.
const SLAB_STACKS: usize = 32;

/// Stacks that keep the memory they have touched, for the next who needs one; of others it is given back.
const WARM_STACKS: usize = 256;

/// Map entries that are left to everybody else.
const ENTRIES_LEFT: usize = 4_096;

/// Where no limit can be read.
const MAX_MAP_COUNT: usize = 65_530;

/// All stacks of a pool.
pub(crate) struct Stacks {
    bytes: usize,
    max: usize,
    free: Mutex<Free>,
}

#[derive(Default)]
struct Free {
    stacks: Vec<Piece>,
    slabs: Vec<Arc<Slab>>,
    in_use: usize,
    made: usize,
}

/// One mapping, unmapped with its last stack.
struct Slab {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a slab is an address range that nobody touches through it; its stacks are handed out one by one.
unsafe impl Send for Slab {}
// SAFETY: as above.
unsafe impl Sync for Slab {}

/// A stack that nobody uses.
struct Piece {
    slab: Arc<Slab>,
    /// Of the guard page.
    offset: usize,
}

/// A stack that a coroutine uses; goes back when it is dropped.
pub(crate) struct Lease {
    piece: Option<Piece>,
    bytes: usize,
    stacks: Arc<Stacks>,
}

/// No stack can be had: which limit acted, and what to do.
#[derive(thiserror::Error, Debug)]
pub enum NoStack {
    /// As many as the pool may have are in use.
    #[error(
        "{in_use} fibers hold a stack, as many as this pool may have: raise `stacks_max`, or vm.max_map_count \
         (now {max_map_count}; each stack takes two map entries: sysctl -w vm.max_map_count=262144)"
    )]
    Limit {
        /// Stacks in use.
        in_use: usize,
        /// What the kernel allows this process.
        max_map_count: usize,
    },
    /// The kernel has no more memory or address space.
    #[error("the kernel has no memory for stacks of {bytes} bytes")]
    Kernel {
        /// Size of a stack.
        bytes: usize,
        /// Its error.
        #[source]
        source: io::Error,
    },
}

impl Stacks {
    /// Stacks of so many bytes, rounded up to pages; at most `max`, and at most what the kernel has map entries for.
    pub(crate) fn new(bytes: usize, max: Option<usize>) -> Arc<Self> {
        let page = page_bytes();
        let bytes = bytes.max(4 * page).next_multiple_of(page);
        let by_kernel = max_map_count().saturating_sub(ENTRIES_LEFT) / 2;
        let max = max.map_or(by_kernel, |max| max.min(by_kernel)).max(1);
        Arc::new(Self { bytes, max, free: Mutex::default() })
    }

    /// A stack whose contents nobody must rely on.
    pub(crate) fn lease(self: &Arc<Self>) -> Result<Lease, NoStack> {
        let mut free = self.free.lock();
        if free.in_use >= self.max {
            let (in_use, max_map_count) = (free.in_use, max_map_count());
            return Err(NoStack::Limit { in_use, max_map_count });
        }
        let piece = match free.stacks.pop() {
            Some(piece) => piece,
            None => {
                let count = SLAB_STACKS.min(self.max - free.made);
                let slab = Arc::new(self.map(count)?);
                let stride = self.stride();
                let pieces = (0..count)
                    .map(|index| Piece { slab: Arc::clone(&slab), offset: index * stride });
                free.stacks.extend(pieces);
                free.made += count;
                free.slabs.push(slab);
                free.stacks.pop().expect("just mapped")
            }
        };
        free.in_use += 1;
        Ok(Lease { piece: Some(piece), bytes: self.bytes, stacks: Arc::clone(self) })
    }

    /// How many are in use.
    pub(crate) fn in_use(&self) -> usize {
        self.free.lock().in_use
    }

    fn stride(&self) -> usize {
        self.bytes + page_bytes()
    }

    fn map(&self, count: usize) -> Result<Slab, NoStack> {
        let slab = self.try_map(count);
        slab.map_err(|source| NoStack::Kernel { bytes: self.bytes, source })
    }

    fn try_map(&self, count: usize) -> io::Result<Slab> {
        let bytes = self.stride() * count;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast::<u8>()).expect("never mapped at 0");
        let slab = Slab { start, bytes };
        for index in 0..count {
            // SAFETY: a page inside the mapping that nobody has been given yet.
            let guarded = unsafe {
                let guard = start.as_ptr().add(index * self.stride()).cast();
                libc::mprotect(guard, page_bytes(), libc::PROT_NONE)
            };
            if guarded != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(slab)
    }

    fn give_back(&self, piece: Piece) {
        let mut free = self.free.lock();
        free.in_use -= 1;
        if free.stacks.len() >= WARM_STACKS {
            // SAFETY: the stack is nobody's, and nobody relies on its contents.
            unsafe {
                let start = piece.slab.start.as_ptr().add(piece.offset + page_bytes());
                libc::madvise(start.cast(), self.bytes, libc::MADV_DONTNEED);
            }
        }
        free.stacks.push(piece);
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's; with the last piece nobody has a stack in it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

impl Lease {
    fn piece(&self) -> &Piece {
        self.piece.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(piece) = self.piece.take() {
            self.stacks.give_back(piece);
        }
    }
}

// SAFETY: the range from `limit` to `base` is mapped, page-aligned, lies within one slab, belongs to this lease alone
// until it is dropped, and its lowest page is the guard.
unsafe impl Stack for Lease {
    fn base(&self) -> StackPointer {
        let end = self.piece().offset + page_bytes() + self.bytes;
        let address = self.piece().slab.start.as_ptr().addr() + end;
        StackPointer::new(address).expect("never at 0")
    }

    fn limit(&self) -> StackPointer {
        let address = self.piece().slab.start.as_ptr().addr() + self.piece().offset;
        StackPointer::new(address).expect("never at 0")
    }
}

fn page_bytes() -> usize {
    // SAFETY: a question without effect.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

fn max_map_count() -> usize {
    let text = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    text.trim().parse().unwrap_or(MAX_MAP_COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_was_given_back_is_the_next_one_out() {
        let stacks = Stacks::new(64 << 10, None);
        let first = stacks.lease().unwrap();
        let base = first.base();
        drop(first);
        assert_eq!(stacks.lease().unwrap().base(), base);
    }

    #[test]
    fn stacks_do_not_overlap_and_have_a_guard_below() {
        let stacks = Stacks::new(64 << 10, None);
        let mut leases: Vec<_> = (0..100).map(|_| stacks.lease().unwrap()).collect();
        leases.sort_by_key(Stack::limit);
        for pair in leases.windows(2) {
            assert!(pair[0].base() <= pair[1].limit());
        }
        for lease in &leases {
            assert_eq!(lease.base().get() - lease.limit().get(), (64 << 10) + page_bytes());
        }
        assert_eq!(stacks.in_use(), 100);
    }

    #[test]
    fn beyond_the_limit_the_error_says_which_limit_and_what_to_do() {
        let stacks = Stacks::new(64 << 10, Some(3));
        let leases: Vec<_> = (0..3).map(|_| stacks.lease().unwrap()).collect();
        let error = stacks.lease().err().unwrap().to_string();
        assert!(error.contains("3 fibers") && error.contains("vm.max_map_count"), "{error}");
        drop(leases);
        assert!(stacks.lease().is_ok());
    }
}
