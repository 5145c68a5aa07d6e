//! The stack on which a child runs until it executes its program.

use std::ffi::c_void;
use std::io;
use std::ptr;

/// More than the child's few frames need, also without optimisation.
const BYTES: usize = 64 << 10;
/// At the low end, where a stack that is too small would run over: larger than a page of any architecture.
const GUARD_BYTES: usize = 64 << 10;

/// Memory that only the child's frames use; unmapped when dropped.
pub(super) struct Stack {
    base: *mut c_void,
}

impl Stack {
    pub(super) fn new() -> io::Result<Self> {
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
