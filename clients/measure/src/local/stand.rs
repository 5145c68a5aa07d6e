//! Where the measured thread stands: on one processor, in real time if that is asked for.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use palco_sys::become_fifo;

use crate::{Cores, Key, Policy, Unavailable};

/// The calling thread.
const SELF: Pid = Pid::from_raw(0);

/// Below what the kernel's own threads of the highest priority have, above everything usual.
const PRIORITY: u8 = 50;

/// Longest burst in real time: the kernel keeps a twentieth of every second for others, and stops who takes it.
pub(crate) const BURST_NANOS: u64 = 800_000_000;

/// Puts the calling thread where `key` says, for the rest of its life: it is one of a copy that ends with the round.
/// Only this thread: those that the runtime keeps beside it stay where and what they are, so that they neither disturb it
/// nor starve behind it on a machine with a second processor.
///
/// # Errors
/// [`Unavailable`] without the right to real time, and for any place but one processor.
pub(crate) fn take_stand(key: &Key) -> Result<u32, Unavailable> {
    match key.cores {
        Cores::Same => {}
        Cores::Sibling | Cores::Other => {
            return Err(Unavailable("one thread is on one processor: cores must be `same`".into()));
        }
    }
    let processor =
        pin().map_err(|error| Unavailable(format!("no processor to stay on: {error}")))?;
    match key.policy {
        Policy::Fifo => become_fifo(PRIORITY).map_err(|error| {
            Unavailable(format!(
                "no real time (SCHED_FIFO): {error}; needs CAP_SYS_NICE or RLIMIT_RTPRIO ≥ {PRIORITY}"
            ))
        })?,
        Policy::Other => {}
    }
    Ok(processor)
}

/// On the last processor that the thread may use: the first ones have most of the interrupts.
fn pin() -> nix::Result<u32> {
    let allowed = sched_getaffinity(SELF)?;
    let last = (0..CpuSet::count()).rev().find(|cpu| allowed.is_set(*cpu).unwrap_or(false));
    let last = last.ok_or(nix::errno::Errno::ENODEV)?;
    let mut only = CpuSet::new();
    only.set(last)?;
    sched_setaffinity(SELF, &only)?;
    u32::try_from(last).map_err(|_| nix::errno::Errno::ERANGE)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use palco_sys::current_processor;

    use super::*;
    use crate::{Section, Unit};

    #[test]
    fn a_thread_stands_alone_and_others_are_left_where_they_are() {
        let before = sched_getaffinity(SELF).unwrap();
        let key = Key { policy: Policy::Other, ..Key::new(Section::Switch, Unit::Inline, "call") };
        let (told, seen) =
            thread::spawn(move || (take_stand(&key).unwrap(), current_processor())).join().unwrap();
        assert_eq!(told, seen);
        assert_eq!(sched_getaffinity(SELF).unwrap(), before);
    }

    #[test]
    fn one_thread_is_not_on_two_processors() {
        let key = Key { cores: Cores::Other, ..Key::new(Section::Switch, Unit::Inline, "call") };
        assert!(take_stand(&key).is_err());
    }
}
