//! What a process uses, and what people see of it.

use std::fs;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};

/// What a process uses at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Memory it has in RAM, shared pages included.
    pub rss_bytes: u64,
    /// Processor time of all its threads so far, in steps of the kernel's clock tick.
    pub cpu: Duration,
    /// Its threads.
    pub threads: u32,
}

/// What the process uses; `None` when there is no such process or no `/proc`.
#[must_use]
pub fn usage(pid: i32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let page = u64::try_from(sysconf(SysconfVar::PAGE_SIZE).ok()??).ok()?;
    let ticks_per_s = u64::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()?;
    parse(&stat, page, ticks_per_s)
}

/// Of `proc_pid_stat(5)`.
fn parse(stat: &str, page: u64, ticks_per_s: u64) -> Option<Usage> {
    // The name may hold anything, also a parenthesis; what follows the last one is field 3.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = field(14)?.checked_add(field(15)?)?;
    let millis = ticks.checked_mul(1000)?.checked_div(ticks_per_s)?;
    Some(Usage {
        rss_bytes: field(24)?.checked_mul(page)?,
        cpu: Duration::from_millis(millis),
        threads: field(20)?.try_into().ok()?,
    })
}

/// How often the kernel has killed a process for want of memory since it was booted; `None` without `/proc`.
#[must_use]
pub fn kernel_oom_kills() -> Option<u64> {
    let counters = fs::read_to_string("/proc/vmstat").ok()?;
    counters.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let used = usage(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(used.rss_bytes > 0 && used.threads > 0, "{used:?}");
        assert_eq!(usage(i32::MAX), None);
        assert!(kernel_oom_kills().is_some());
    }

    #[test]
    fn a_name_may_hold_anything() {
        let rest = "0 ".repeat(10);
        let stat = format!("7 (a) b) c) S {rest}250 50 0 0 20 0 3 0 0 4096 5 0");
        let expected = Usage { rss_bytes: 20480, cpu: Duration::from_secs(3), threads: 3 };
        assert_eq!(parse(&stat, 4096, 100), Some(expected));
        assert_eq!(parse("7 (a) S 1 2", 4096, 100), None);
        assert_eq!(parse("", 4096, 0), None);
    }
}
