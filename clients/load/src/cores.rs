//! Which cores a thread may run on.
//!
//! Two threads that talk to each other are often put on one core by the kernel, and then cost a fifth of what they cost
//! on two, where one must be woken; or a multiple of it, if one of them spins. So the difference must be made on
//! purpose, and be part of the question.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The calling thread.
const SELF: Pid = Pid::from_raw(0);

/// Confines the calling thread, and those that it will start, to the `index`-th core it may run on now, counted round.
/// Without the right to do so the thread stays where it is.
pub(crate) fn confine(index: usize) {
    let allowed = allowed();
    if allowed.is_empty() {
        return;
    }
    let mut only = CpuSet::new();
    if only.set(allowed[index % allowed.len()]).is_ok() {
        let _ = sched_setaffinity(SELF, &only);
    }
}

fn allowed() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(SELF) else { return Vec::new() };
    (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_confined_thread_has_one_core() {
        let before = allowed();
        let inside = thread::spawn(|| {
            confine(1);
            allowed()
        });
        let inside = inside.join().unwrap();
        assert_eq!(inside.len(), 1);
        assert_eq!(inside[0], before[1 % before.len()]);
        assert_eq!(allowed(), before, "only the calling thread");
    }
}
