//! The system's allocator, which also notes that it had no memory left.
//!
//! A program that cannot allocate aborts, and an abort has no reason. With this allocator and
//! [`on_fatal_signal`](crate::on_fatal_signal) whoever watches the process can tell.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

static OUT_OF_MEMORY: AtomicBool = AtomicBool::new(false);

/// To be a program's `#[global_allocator]`. Costs one comparison per allocation.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotingAllocator;

/// Whether an allocation has ever failed, provided that [`NotingAllocator`] is the program's allocator.
#[must_use]
pub fn out_of_memory() -> bool {
    OUT_OF_MEMORY.load(Ordering::Relaxed)
}

#[inline]
fn noted(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        OUT_OF_MEMORY.store(true, Ordering::Relaxed);
    }
    memory
}

// SAFETY: passes everything on to the system's allocator unchanged, and its answers back.
unsafe impl GlobalAlloc for NotingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        noted(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        noted(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        noted(unsafe { System.realloc(memory, layout, new_size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn an_allocation_that_fails_is_noted() {
        let small = Layout::from_size_align(64, 8).unwrap();
        // SAFETY: sizes are not zero; memory is given back with the layout it has.
        unsafe {
            let memory = NotingAllocator.alloc(small);
            let larger = NotingAllocator.realloc(memory, small, 128);
            NotingAllocator.dealloc(larger, Layout::from_size_align(128, 8).unwrap());
            let zeroed = NotingAllocator.alloc_zeroed(small);
            assert_eq!(zeroed.read(), 0);
            NotingAllocator.dealloc(zeroed, small);
        }
        assert!(!out_of_memory());
        let absurd = Layout::from_size_align(isize::MAX as usize - 64, 8).unwrap();
        // SAFETY: the size is not zero.
        let refused = black_box(unsafe { NotingAllocator.alloc(absurd) }); // else the compiler leaves the call out
        assert!(refused.is_null());
        assert!(out_of_memory());
    }
}
