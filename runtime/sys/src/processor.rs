//! Which processor the calling thread runs on.

/// The number of the processor at some moment during the call; it may be another one by the time the caller looks. Costs
/// no system call where the C library reads it from memory that the kernel keeps up to date (rseq(2)).
#[must_use]
#[inline]
pub fn current_processor() -> u32 {
    // SAFETY: sched_getcpu takes no arguments.
    let processor = unsafe { libc::sched_getcpu() };
    // It fails only on kernels older than any that palco runs on; no processor has this number.
    u32::try_from(processor).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_one_that_there_is() {
        // SAFETY: plain call without arguments that matter.
        let configured = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
        assert!(i64::from(current_processor()) < configured);
    }
}
