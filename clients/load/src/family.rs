//! Processor time of this process and of all that descend from it, none of it counted in clock ticks.
//!
//! It is the sum of three: the process's own clock; what `getrusage(RUSAGE_CHILDREN)` says of children that were reaped,
//! each with the children that it had reaped itself; and the clock of each living descendant
//! (`clock_getcpuclockid`). What a *living* descendant's reaped children have used is in none of them: who starts such a
//! program must have it told by that program.

use std::fs;
use std::iter;
use std::thread;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::time::ClockId;
use nix::unistd::Pid;

use crate::cpu;

/// How long nothing may change until nothing is expected to.
const STILL_FOR: Duration = Duration::from_millis(5);

/// How often to look for that at most: a second.
const LOOKS_MAX: usize = 200;

/// Nanoseconds so far, to be called before what is measured: looking around is not part of it.
pub(crate) fn nanos_before() -> u64 {
    let others = others_nanos();
    others + cpu::process_nanos()
}

/// Nanoseconds so far, to be called after what was measured.
pub(crate) fn nanos_after() -> u64 {
    let own = cpu::process_nanos();
    own + others_nanos()
}

/// Waits until no process of the family comes or goes, so that all who have ended are reaped.
pub(crate) fn settle() {
    let mut before = None;
    for _ in 0..LOOKS_MAX {
        let now = Some((descendants(), reaped_nanos()));
        if now == before {
            return;
        }
        before = now;
        thread::sleep(STILL_FOR);
    }
}

/// Nanoseconds so far of all but this process.
pub(crate) fn others_nanos() -> u64 {
    let mut reaped = reaped_nanos();
    loop {
        let living = descendants().into_iter().filter_map(living_nanos).sum::<u64>();
        let now = reaped_nanos();
        // Who was reaped meanwhile may have been counted twice, or not at all.
        if now == reaped {
            return reaped + living;
        }
        reaped = now;
    }
}

fn reaped_nanos() -> u64 {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return 0 };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    u64::try_from(micros).unwrap_or(0) * 1_000
}

/// `None` when there is no such process any more.
fn living_nanos(pid: i32) -> Option<u64> {
    Some(cpu::nanos(ClockId::pid_cpu_clock_id(Pid::from_raw(pid)).ok()?))
}

/// Nanoseconds so far of a process and of the living that descend from it, as it is with a server that has workers.
pub(crate) fn nanos_with_descendants(root: i32) -> u64 {
    let family = descendants_of(root, &everybody());
    iter::once(root).chain(family).filter_map(living_nanos).sum()
}

/// The living that descend from a process.
pub(crate) fn descendants_of_process(root: i32) -> Vec<i32> {
    descendants_of(root, &everybody())
}

/// Memory of a process in KiB, pages that are shared divided by those who share them (`Pss`); nothing where the kernel does
/// not tell.
pub(crate) fn proportional_kib(pid: i32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// The living, and those who have ended and are not reaped, children before grandchildren.
fn descendants() -> Vec<i32> {
    descendants_of(Pid::this().as_raw(), &everybody())
}

/// All processes, each with its parent.
fn everybody() -> Vec<(i32, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let processes = entries.filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, parent(&stat)?))
    });
    processes.collect()
}

/// Of `proc_pid_stat(5)`: the name may hold anything, also a parenthesis; after the last one come the state, the parent.
fn parent(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Of pairs of process and parent.
fn descendants_of(root: i32, everybody: &[(i32, i32)]) -> Vec<i32> {
    let mut found = vec![root];
    let mut looked_at = 0;
    while let Some(&ancestor) = found.get(looked_at) {
        looked_at += 1;
        let children = everybody.iter().filter(|(_, parent)| *parent == ancestor);
        found.extend(children.map(|(pid, _)| *pid));
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(parent("7 (a) b) S 3 7 7 0"), Some(3));
        assert_eq!(parent("7 (a) S"), None);
        assert_eq!(parent(""), None);
    }

    #[test]
    fn grandchildren_are_descendants_and_cousins_are_not() {
        let everybody = [(1, 0), (9, 7), (5, 1), (7, 5), (8, 5), (6, 1)];
        assert_eq!(descendants_of(5, &everybody), [7, 8, 9]);
        assert!(descendants_of(9, &everybody).is_empty());
    }

    #[test]
    fn a_child_counts_while_it_lives_and_after_it_was_reaped() {
        // Only what has been reaped never becomes less, whatever other tests start and end meanwhile.
        let before = reaped_nanos();
        let mut command = Command::new("/bin/sh");
        let mut child = command.args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert!(descendants().contains(&pid));
        assert!(living_nanos(pid).is_some());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!descendants().contains(&pid));
        assert!(reaped_nanos() > before);
    }
}
