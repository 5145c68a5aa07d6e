//! Where the measured thread stands: on one processor, in real time if that is asked for.

use crate::sides::placement::{be_scheduled, check_policy, processors, stay_on};
use crate::{Cores, Key, Unavailable};

/// Longest burst in real time: the kernel keeps a twentieth of every second for others, and stops who takes it.
pub(crate) const BURST_NANOS: u64 = 800_000_000;

/// Puts the calling thread where `key` says, for the rest of its life: it is one of a copy that ends with the round.
/// Only this thread: those that the runtime keeps beside it stay where and what they are, so that they neither disturb it
/// nor starve behind it on a machine with a second processor.
///
/// # Errors
/// [`Unavailable`] without the right to real time, and for any place but one processor.
pub(crate) fn take_stand(key: &Key) -> Result<u32, Unavailable> {
    let failed = |error: std::io::Error| Unavailable(format!("no place to stand: {error}"));
    match key.cores {
        Cores::Same => {}
        Cores::Sibling | Cores::Other => {
            return Err(Unavailable("one thread is on one processor: cores must be `same`".into()));
        }
    }
    // The same that the two sides of threads and processes are on.
    let [processor, _] = processors(key.cores)?;
    stay_on(processor).map_err(failed)?;
    check_policy(key.policy)?;
    be_scheduled(key.policy).map_err(failed)?;
    Ok(processor)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use nix::sched::sched_getaffinity;
    use nix::unistd::Pid;
    use palco_sys::current_processor;

    use super::*;
    use crate::{Policy, Section, Unit};

    #[test]
    fn a_thread_stands_alone_and_others_are_left_where_they_are() {
        let before = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let key = Key { policy: Policy::Other, ..Key::new(Section::Switch, Unit::Inline, "call") };
        let (told, seen) =
            thread::spawn(move || (take_stand(&key).unwrap(), current_processor())).join().unwrap();
        assert_eq!(told, seen);
        assert_eq!(sched_getaffinity(Pid::from_raw(0)).unwrap(), before);
    }

    #[test]
    fn one_thread_is_not_on_two_processors() {
        let key = Key { cores: Cores::Other, ..Key::new(Section::Switch, Unit::Inline, "call") };
        assert!(take_stand(&key).is_err());
    }
}
