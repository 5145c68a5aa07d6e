//! Threads that compute and never wait, at usual priority: what an urgent thread has to get before.

use std::hint::{black_box, spin_loop};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};

/// The pause between two looks at whether all have begun.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// They compute until this is dropped.
pub(super) struct Hogs {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hogs {
    /// Starts so many, and returns when each has had a processor.
    pub(super) fn start(count: usize) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let begun = Arc::new(AtomicUsize::new(0));
        let mut hogs = Self { stop, threads: Vec::with_capacity(count) };
        for _ in 0..count {
            let (stop, begun) = (Arc::clone(&hogs.stop), Arc::clone(&begun));
            let compute = move || {
                begun.fetch_add(1, Ordering::Relaxed);
                while !stop.load(Ordering::Relaxed) {
                    for turn in 0..1_000 {
                        black_box(turn);
                    }
                    spin_loop();
                }
            };
            hogs.threads.push(spawn_named("bench-hog", STACK_BYTES_DEFAULT, compute)?);
        }
        while begun.load(Ordering::Relaxed) < count {
            thread::sleep(LOOK_EVERY);
        }
        Ok(hogs)
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // They cannot panic.
            let _ = thread.join();
        }
    }
}
