//! A thread with a name that `ps -L`, `top -H` and a debugger show.

use std::io;
use std::thread::{self, JoinHandle};

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
    let mut start = name.len().saturating_sub(NAME_BYTES_MAX);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    let shown: String = name[start..].chars().filter(|c| *c != '\0').collect();
    thread::Builder::new().name(shown).stack_size(stack_bytes).spawn(run)
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
}
