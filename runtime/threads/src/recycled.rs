//! Threads that are used again: to wake one costs a fraction of what it costs to make and to end one.
//!
//! Who has ended its work rests for a second. It is the same thread to the kernel afterwards, with another name and what
//! thread-local variables were left in it; but with its usual priority, or it ends.

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use palco_sys::{nice_of, set_nice};
use parking_lot::Mutex;

use crate::named::{set_name, shown};

/// How long a thread rests before it ends.
const REST: Duration = Duration::from_secs(1);

/// So many may rest at once; more end at once.
const RESTING_MAX: usize = 64;

type Work = Box<dyn FnOnce() + Send>;

/// Who rests. The last one goes first: its stack is warm.
static RESTING: Mutex<Vec<Arc<Bed>>> = Mutex::new(Vec::new());

/// Where a thread rests, and finds what it is woken for.
struct Bed {
    thread: Thread,
    stack_bytes: usize,
    next: Mutex<Option<Next>>,
}

struct Next {
    name: String,
    work: Work,
}

thread_local! {
    static NAME: RefCell<Option<String>> = const { RefCell::new(None) };
    static APART: Cell<bool> = const { Cell::new(false) };
}

/// Runs `run` on a thread that rests, or on a fresh one. Of a longer name the kernel shows the last 15 bytes.
///
/// What it changes about its thread must be undone in the end, or [announced](keep_apart); only another niceness is noticed,
/// whoever gave it.
///
/// # Errors
/// The kernel's error when no thread can be had (limits, memory).
pub fn run_recycled(
    name: &str,
    stack_bytes: usize,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let next = Next { name: shown(name), work: Box::new(run) };
    let mut resting = RESTING.lock();
    if let Some(index) = resting.iter().rposition(|bed| bed.stack_bytes == stack_bytes) {
        let bed = resting.remove(index);
        drop(resting);
        *bed.next.lock() = Some(next);
        bed.thread.unpark();
        return Ok(());
    }
    drop(resting);
    start(stack_bytes, next)
}

/// The calling thread is not used again: something about it has been changed that others must not find.
pub fn keep_apart() {
    APART.set(true);
}

/// The name of the calling thread, as the kernel shows it; empty if it has none.
#[must_use]
pub fn name_here() -> String {
    let recycled = NAME.with_borrow(Clone::clone);
    recycled.unwrap_or_else(|| thread::current().name().unwrap_or_default().to_owned())
}

fn start(stack_bytes: usize, first: Next) -> io::Result<()> {
    let name = first.name.clone();
    let body = move || {
        let bed = Arc::new(Bed { thread: thread::current(), stack_bytes, next: Mutex::new(None) });
        let nice = nice_of(0).ok();
        let mut next = first;
        loop {
            NAME.set(Some(next.name));
            (next.work)();
            if APART.get() || !has_again(nice) {
                return;
            }
            match bed.rest() {
                Some(woken_for) => next = woken_for,
                None => return,
            }
            set_name(&next.name);
        }
    };
    thread::Builder::new().name(name).stack_size(stack_bytes).spawn(body).map(drop)
}

/// Gives the calling thread the niceness it began with, if it has another one; false where that is not allowed.
fn has_again(nice: Option<i8>) -> bool {
    let Some(nice) = nice else { return true };
    nice_of(0).is_ok_and(|now| now == nice) || set_nice(0, nice).is_ok()
}

impl Bed {
    /// Until somebody has something to do, or nobody had for long.
    fn rest(self: &Arc<Self>) -> Option<Next> {
        {
            let mut resting = RESTING.lock();
            if resting.len() >= RESTING_MAX {
                return None;
            }
            resting.push(Arc::clone(self));
        }
        let until = Instant::now() + REST;
        loop {
            if let Some(next) = self.next.lock().take() {
                return Some(next);
            }
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                thread::park_timeout(left);
                continue;
            }
            let mut resting = RESTING.lock();
            if let Some(index) = resting.iter().position(|bed| Arc::ptr_eq(bed, self)) {
                resting.remove(index);
                return None;
            }
            // Somebody has it up, and will say what for.
            drop(resting);
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::mpsc;

    use super::*;

    /// Name and number of the thread that does some work; returns when it rests or has ended. Each test has a size of stack
    /// of its own, so that no other test takes its threads.
    fn on_a_thread(name: &str, stack_bytes: usize, more: fn()) -> (String, i32) {
        let (said, hears) = mpsc::channel();
        let work = move || {
            more();
            said.send((name_here(), nix::unistd::gettid().as_raw())).unwrap();
        };
        run_recycled(name, stack_bytes, work).unwrap();
        let (name, thread) = hears.recv().unwrap();
        let rests = || RESTING.lock().iter().any(|bed| bed.stack_bytes == stack_bytes);
        while !rests() && lives(thread) {
            thread::yield_now();
        }
        (name, thread)
    }

    fn lives(thread: i32) -> bool {
        Path::new(&format!("/proc/self/task/{thread}")).exists()
    }

    #[test]
    fn who_rests_is_used_again_under_another_name() {
        let (first, thread) = on_a_thread("stage/first", 200 << 10, || {});
        let (second, same) = on_a_thread("stage/second", 200 << 10, || {});
        assert_eq!((&*first, &*second), ("stage/first", "stage/second"));
        assert_eq!(thread, same);
        let of_the_kernel = fs::read_to_string(format!("/proc/self/task/{thread}/comm"));
        assert_eq!(of_the_kernel.unwrap().trim_end(), "stage/second");
    }

    #[test]
    fn who_asked_for_it_is_not_used_again() {
        let (_, thread) = on_a_thread("apart", 204 << 10, keep_apart);
        let (_, other) = on_a_thread("apart", 204 << 10, || {});
        assert_ne!(thread, other);
    }

    #[test]
    fn another_priority_is_taken_back_or_ends_the_thread() {
        let lower = || set_nice(0, 7).unwrap();
        on_a_thread("nice", 208 << 10, lower);
        let before = nice_of(0).unwrap();
        let (said, hears) = mpsc::channel();
        run_recycled("usual", 208 << 10, move || said.send(nice_of(0)).unwrap()).unwrap();
        assert_eq!(hears.recv().unwrap().unwrap(), before);
    }

    #[test]
    fn who_was_not_needed_for_long_ends() {
        let (_, thread) = on_a_thread("short", 212 << 10, || {});
        while lives(thread) {
            thread::yield_now();
        }
        assert!(!RESTING.lock().iter().any(|bed| bed.stack_bytes == 212 << 10));
    }
}
