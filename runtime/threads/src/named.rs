//! A thread with a name that `ps -L`, `top -H` and a debugger show.

use std::ffi::CString;
use std::io;
use std::thread::{self, JoinHandle};

use nix::sys::prctl;

/// Stack of a thread unless told otherwise: 1 MiB of address space, of which only touched pages cost memory.
pub const STACK_BYTES_DEFAULT: usize = 1 << 20;

/// The kernel keeps 15 bytes of a thread's name.
const NAME_BYTES_MAX: usize = 15;

/// Starts a thread. Of a longer name the kernel shows the last 15 bytes, which tell siblings apart.
///
/// # Errors
/// The kernel's error when no thread can be had (limits, memory).
pub fn spawn_named<T: Send + 'static>(
    name: &str,
    stack_bytes: usize,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(shown(name)).stack_size(stack_bytes).spawn(run)
}

/// Names the calling thread for the kernel; the main thread's name is its process's. Of a longer name it shows the last
/// 15 bytes.
pub fn set_name(name: &str) {
    if let Ok(shown) = CString::new(shown(name)) {
        // Cannot fail.
        let _set = prctl::set_name(&shown);
    }
}

/// What the kernel shows of a name.
pub(crate) fn shown(name: &str) -> String {
    let name = name.replace('\0', "");
    let mut start = name.len().saturating_sub(NAME_BYTES_MAX);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    name[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_the_end_that_tells_siblings_apart() {
        let name = spawn_named("stage/echo/worker-12", STACK_BYTES_DEFAULT, || {
            thread::current().name().map(str::to_owned)
        });
        assert_eq!(name.unwrap().join().unwrap().as_deref(), Some("/echo/worker-12"));
    }

    #[test]
    fn a_name_is_never_cut_inside_a_character() {
        let name = spawn_named("ação-ação-ação-ação", STACK_BYTES_DEFAULT, || {
            thread::current().name().map(str::to_owned)
        });
        assert!(name.unwrap().join().unwrap().is_some_and(|name| name.ends_with("ação")));
    }

    #[test]
    fn a_thread_can_be_renamed() {
        let name = thread::spawn(|| {
            set_name("stage/echo/ação\0-worker-12");
            prctl::get_name().unwrap().into_string().unwrap()
        });
        assert_eq!(name.join().unwrap(), "ção-worker-12");
    }
}
