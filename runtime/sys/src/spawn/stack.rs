//! The stack on which a child runs until it executes its program.

use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::Mutex;

/// More than the child's few frames need, also without optimisation.
const BYTES: usize = 64 << 10;
/// At the low end, where a stack that is too small would run over: larger than a page of any architecture.
const GUARD_BYTES: usize = 64 << 10;

/// The stack of a former child, for the next one: to map and unmap one, and to have its pages cleared, costs more than
/// most of what a child does on it.
static KEPT: Mutex<Option<Stack>> = Mutex::new(None);

/// Memory that only the child's frames use; unmapped when dropped.
pub(super) struct Stack {
    base: *mut c_void,
}

// SAFETY: the mapping belongs to this value alone and to no thread.
unsafe impl Send for Stack {}

impl Stack {
    /// The one that is kept, or a fresh one.
    pub(super) fn take() -> io::Result<Self> {
        let kept = KEPT.lock().ok().and_then(|mut kept| kept.take());
        kept.map_or_else(Self::new, Ok)
    }

    /// Keeps it, unless one is kept already. To be called when the child has left it.
    pub(super) fn keep(self) {
        if let Ok(mut kept) = KEPT.lock() {
            kept.get_or_insert(self);
        }
    }

    fn new() -> io::Result<Self> {
        // SAFETY: a fresh private mapping at an address of the kernel's choice.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                GUARD_BYTES + BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let stack = Self { base };
        // SAFETY: the low part of the mapping above, which nobody uses.
        if unsafe { libc::mprotect(base, GUARD_BYTES, libc::PROT_NONE) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(stack)
    }

    /// Where the first frame begins: stacks grow downwards. Aligned as every architecture wants it.
    pub(super) fn top(&self) -> *mut c_void {
        self.base.wrapping_byte_add(GUARD_BYTES + BYTES)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `new`; the child that ran on it has left it.
        unsafe { libc::munmap(self.base, GUARD_BYTES + BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_child_has_a_stack_of_its_own() {
        // Other tests take and keep stacks at the same time.
        let stacks = [(); 3].map(|()| Stack::take().unwrap());
        let mut bases = stacks.each_ref().map(|stack| stack.base.addr());
        bases.sort_unstable();
        assert!(bases.windows(2).all(|pair| pair[1] - pair[0] >= GUARD_BYTES + BYTES));
        stacks.into_iter().for_each(Stack::keep);
    }

    #[test]
    fn the_stack_is_writable_up_to_its_top() {
        let stack = Stack::new().unwrap();
        let last = stack.top().wrapping_byte_sub(8).cast::<u64>();
        // SAFETY: the last word of a mapping that lives as long as `stack`.
        unsafe {
            last.write_volatile(7);
            assert_eq!(last.read_volatile(), 7);
        }
    }
}
