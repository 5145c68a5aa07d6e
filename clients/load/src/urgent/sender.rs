//! Who sends: a thread that does not wait for a processor itself, or the figures would be its own.

use std::io;
use std::thread;

use palco_urgent::{Obtained, Policy};

/// In real time, and less urgent than the urgent thread: what it wakes goes first.
const POLICY: Policy = Policy::Fifo(40);

/// Does it on a thread in real time, and says how that thread was really scheduled.
pub(super) fn promptly<T: Send>(
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<(T, Obtained)> {
    thread::scope(|scope| {
        let run = || {
            let obtained = POLICY.obtain();
            work().map(|done| (done, obtained))
        };
        let thread = thread::Builder::new().name("bench-sender".to_owned());
        let sender = thread.spawn_scoped(scope, run)?;
        sender.join().unwrap_or_else(|_| Err(io::Error::other("the sender panicked")))
    })
}
