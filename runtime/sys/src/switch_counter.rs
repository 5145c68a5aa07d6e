//! All context switches of one processor, whoever makes them: a software counter of the kernel (perf_event_open(2)).

use std::ffi::c_int;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};

/// The first version of `struct perf_event_attr`, which every kernel takes: what comes later is zero.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    config1: u64,
}

/// `PERF_TYPE_SOFTWARE`.
const SOFTWARE: u32 = 1;
/// `PERF_COUNT_SW_CONTEXT_SWITCHES`.
const CONTEXT_SWITCHES: u64 = 3;
/// `PERF_FLAG_FD_CLOEXEC`.
const CLOSE_ON_EXEC: u64 = 8;

/// Counts from when it is made until it is dropped.
#[derive(Debug)]
pub struct SwitchCounter {
    file: File,
}

impl SwitchCounter {
    /// Counts the switches of processor `processor`. Those away from its idle task count too.
    ///
    /// # Errors
    /// In words, with the kernel's kind: `PermissionDenied` without `CAP_PERFMON` while
    /// `/proc/sys/kernel/perf_event_paranoid` is above 0, `InvalidInput` or `NotFound` where there is no such processor,
    /// `Unsupported` on a kernel without such counters.
    pub fn of_processor(processor: u32) -> io::Result<Self> {
        let attributes = Attributes {
            kind: SOFTWARE,
            size: size_of::<Attributes>() as u32,
            config: CONTEXT_SWITCHES,
            ..Attributes::default()
        };
        let (everybody, no_group): (c_int, c_int) = (-1, -1);
        let number = c_int::try_from(processor).map_err(io::Error::other)?;
        // SAFETY: `attributes` lives throughout the call and says how long it is.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                everybody,
                number,
                no_group,
                CLOSE_ON_EXEC,
            )
        };
        if fd < 0 {
            let error = io::Error::last_os_error();
            return Err(io::Error::new(error.kind(), explain(processor, &error)));
        }
        let fd = c_int::try_from(fd).map_err(io::Error::other)?;
        // SAFETY: a new descriptor that nobody else owns.
        Ok(Self { file: unsafe { OwnedFd::from_raw_fd(fd) }.into() })
    }

    /// How many there were so far.
    ///
    /// # Errors
    /// The kernel's: `UnexpectedEof` when the processor has been taken away.
    pub fn read(&self) -> io::Result<u64> {
        let mut count = [0; 8];
        (&self.file).read_exact(&mut count)?;
        Ok(u64::from_ne_bytes(count))
    }
}

fn explain(processor: u32, error: &io::Error) -> String {
    let remedy = match error.raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => {
            "; give the program CAP_PERFMON, or set /proc/sys/kernel/perf_event_paranoid to 0"
        }
        _ => "",
    };
    format!("switches of processor {processor} cannot be counted: {error}{remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor::current_processor;

    #[test]
    fn switches_are_counted_or_it_says_why_not() {
        match SwitchCounter::of_processor(current_processor()) {
            Ok(counter) => {
                let before = counter.read().unwrap();
                // Whatever processor this thread is on: the counted one switches sooner or later.
                while counter.read().unwrap() == before {
                    std::thread::yield_now();
                }
            }
            Err(error) => assert!(error.to_string().contains("cannot be counted"), "{error}"),
        }
    }

    #[test]
    fn a_processor_that_is_not_there_is_refused() {
        assert!(SwitchCounter::of_processor(100_000).is_err());
        assert!(SwitchCounter::of_processor(u32::MAX).is_err());
    }

    #[test]
    fn a_lack_of_rights_comes_with_its_remedy() {
        let text = explain(3, &io::Error::from_raw_os_error(libc::EACCES));
        assert!(text.contains("processor 3") && text.contains("CAP_PERFMON"), "{text}");
    }
}
