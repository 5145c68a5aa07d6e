//! Where the two sides run, and how they are scheduled: told to the kernel, checked at every hop, and taken back.

use std::fs;
use std::io;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use palco_sys::{Scheduling, become_fifo, become_usual, scheduling_of};

use crate::{Cores, Policy, Unavailable};

/// The priority of both sides in real time: above what usual threads have, below the kernel's own watchdogs.
const PRIORITY: u8 = 50;

/// The processors of the two sides.
pub(crate) fn processors(cores: Cores) -> Result<[u32; 2], Unavailable> {
    let allowed = allowed_processors().map_err(|error| Unavailable(error.to_string()))?;
    let siblings = |processor| siblings_of(processor).unwrap_or_else(|_| vec![processor]);
    choose(cores, &allowed, siblings)
}

/// The last processor is usually the one with the fewest interrupts.
fn choose(
    cores: Cores,
    allowed: &[u32],
    siblings: impl Fn(u32) -> Vec<u32>,
) -> Result<[u32; 2], Unavailable> {
    let refuse = |text: &str| Unavailable(text.to_owned());
    let first = *allowed.last().ok_or_else(|| refuse("no processor is allowed"))?;
    let near = siblings(first);
    let mut others = allowed.iter().copied().filter(|other| *other != first).rev();
    let second = match cores {
        Cores::Same => Some(first),
        Cores::Sibling => others.find(|other| near.contains(other)),
        Cores::Other => others.find(|other| !near.contains(other)),
    };
    let missing = match cores {
        Cores::Same => "no processor",
        Cores::Sibling => "no two hardware threads of one core may be used here",
        Cores::Other => "no two cores may be used here: see `taskset -p $$`",
    };
    second.map(|second| [first, second]).ok_or_else(|| refuse(missing))
}

/// What the calling thread may run on, ascending.
fn allowed_processors() -> io::Result<Vec<u32>> {
    let set = sched_getaffinity(this_thread())?;
    let all = 0..CpuSet::count();
    all.filter(|processor| set.is_set(*processor).unwrap_or(false))
        .map(|processor| u32::try_from(processor).map_err(io::Error::other))
        .collect()
}

/// The hardware threads of a processor's core, itself among them.
fn siblings_of(processor: u32) -> io::Result<Vec<u32>> {
    let folder = format!("/sys/devices/system/cpu/cpu{processor}/topology");
    let text = fs::read_to_string(format!("{folder}/thread_siblings_list"))?;
    parse_list(text.trim()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// `0-1,4`, as the kernel writes lists of processors.
fn parse_list(text: &str) -> Option<Vec<u32>> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        // No machine has more, and no file may ask for more memory.
        if last.checked_sub(first)? > 1 << 16 {
            return None;
        }
        all.extend(first..=last);
    }
    Some(all)
}

/// Whether the calling thread may be in real time, if it is to.
pub(crate) fn check_policy(policy: Policy) -> Result<(), Unavailable> {
    match policy {
        Policy::Other => Ok(()),
        Policy::Fifo => {
            let place = Placement::save().and_then(|place| become_fifo(PRIORITY).map(|()| place));
            place.map(drop).map_err(|error| {
                let remedy = "give the program CAP_SYS_NICE or an RLIMIT_RTPRIO of 50 or more";
                Unavailable(format!("real time is not permitted: {error}; {remedy}"))
            })
        }
    }
}

/// Where the calling thread was and how it was scheduled; restored when dropped.
#[derive(Debug)]
pub(crate) struct Placement {
    affinity: CpuSet,
    scheduling: Scheduling,
}

impl Placement {
    /// Remembers what is now.
    pub(crate) fn save() -> io::Result<Self> {
        let (affinity, scheduling) = (sched_getaffinity(this_thread())?, scheduling_of(0)?);
        Ok(Self { affinity, scheduling })
    }
}

impl Drop for Placement {
    fn drop(&mut self) {
        let back = match self.scheduling {
            Scheduling::Fifo(priority) => become_fifo(priority),
            Scheduling::Usual(_) | Scheduling::Another(_) => become_usual(),
        };
        // Both were so before; if the machine has changed meanwhile there is nothing to go back to.
        drop((back, sched_setaffinity(this_thread(), &self.affinity)));
    }
}

/// The calling thread stays on this processor.
pub(crate) fn stay_on(processor: u32) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(usize::try_from(processor).map_err(io::Error::other)?)?;
    Ok(sched_setaffinity(this_thread(), &set)?)
}

/// The calling thread is scheduled like this from now on.
pub(crate) fn be_scheduled(policy: Policy) -> io::Result<()> {
    match policy {
        Policy::Fifo => become_fifo(PRIORITY),
        Policy::Other => Ok(()),
    }
}

const fn this_thread() -> Pid {
    Pid::from_raw(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_are_where_they_should_be() {
        // Two cores of two threads: 0 and 2, 1 and 3.
        let pairs = |processor: u32| vec![processor % 2, processor % 2 + 2];
        assert_eq!(choose(Cores::Same, &[0, 1, 2, 3], pairs), Ok([3, 3]));
        assert_eq!(choose(Cores::Sibling, &[0, 1, 2, 3], pairs), Ok([3, 1]));
        assert_eq!(choose(Cores::Other, &[0, 1, 2, 3], pairs), Ok([3, 2]));
        assert_eq!(choose(Cores::Other, &[0, 1, 3], pairs), Ok([3, 0]));
        assert!(choose(Cores::Other, &[1, 3], pairs).is_err());
        assert!(choose(Cores::Sibling, &[2, 3], pairs).is_err());
        assert!(choose(Cores::Same, &[], pairs).is_err());
    }

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(parse_list("0"), Some(vec![0]));
        assert_eq!(parse_list("0-2,5,7-7"), Some(vec![0, 1, 2, 5, 7]));
        for wrong in ["", "a", "2-1", "0-", "0-4294967295"] {
            assert_eq!(parse_list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_thread_is_where_it_was_before() {
        let before = allowed_processors().unwrap();
        let place = Placement::save().unwrap();
        stay_on(before[0]).unwrap();
        assert_eq!(allowed_processors().unwrap(), [before[0]]);
        assert_eq!(palco_sys::current_processor(), before[0]);
        drop(place);
        assert_eq!(allowed_processors().unwrap(), before);
    }
}
