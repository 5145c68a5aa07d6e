//! The processor time of a server and of every process it starts.
//!
//! Best a control group of its own, which counts all that ever was in it, to the nanosecond (`cpuacct` of version 1) or
//! the microsecond (`cpu.stat` of version 2). Without one: what the kernel tells of the server and of the children
//! it has reaped, in clock ticks (`proc_pid_stat(5)`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};

/// Between two tries to remove a group, whose last process may still be ending.
const REMOVE_EVERY: Duration = Duration::from_millis(5);

/// How often to try at most: a second. An empty directory is all that may be left behind.
const REMOVE_TRIES_MAX: usize = 200;

/// Who counts.
#[derive(Debug)]
pub(crate) enum Account {
    Group(Group),
    /// These processes and the children they have reaped.
    Ticks(Vec<i32>),
}

impl Account {
    /// Of all the processes that a server has now; those that they will start count too.
    pub(crate) fn of(pids: &[i32]) -> Self {
        let hierarchies = Kind::ALL.into_iter().filter_map(|kind| Some((kind, own_group(kind)?)));
        let mut groups = hierarchies.filter_map(|(kind, own)| Group::new(kind, &own, pids).ok());
        groups.next().map_or_else(|| Self::Ticks(pids.to_vec()), Self::Group)
    }

    /// Nanoseconds so far.
    ///
    /// # Errors
    /// The kernel's; `InvalidData` when it says something unheard of.
    pub(crate) fn nanos(&self) -> io::Result<u64> {
        match self {
            Self::Group(group) => group.nanos(),
            Self::Ticks(pids) => {
                let ticks_per_second = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100).max(1);
                let nanos_per_tick = 1_000_000_000 / ticks_per_second.unsigned_abs();
                pids.iter().try_fold(0, |sum, pid| {
                    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
                    Ok(sum + ticks(&stat).ok_or_else(unheard_of)? * nanos_per_tick)
                })
            }
        }
    }

    fn means(&self) -> &'static str {
        match self {
            Self::Group(group) => group.kind.means(),
            Self::Ticks(_) => {
                "clock ticks of the server and its reaped children (no control group can be made)"
            }
        }
    }
}

/// For the report: how it was counted.
pub(crate) fn sentence<'a>(accounts: impl Iterator<Item = &'a Account>) -> String {
    let mut means: Vec<&str> = accounts.map(Account::means).collect();
    means.sort_unstable();
    means.dedup();
    means.join("; ")
}

/// The two designs of the kernel (`cgroups(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    One,
    Two,
}

impl Kind {
    const ALL: [Self; 2] = [Self::One, Self::Two];

    fn means(self) -> &'static str {
        match self {
            Self::One => "cpuacct.usage of a control group for each server",
            Self::Two => "cpu.stat of a control group for each server",
        }
    }

    /// Where it is mounted, by a line of `/proc/self/mounts`.
    fn mounted(self, line: &str) -> Option<&Path> {
        let fields: Vec<&str> = line.split(' ').collect();
        let &[_source, point, kind, options, ..] = &fields[..] else { return None };
        let is_it = match self {
            Self::One => kind == "cgroup" && options.split(',').any(|option| option == "cpuacct"),
            Self::Two => kind == "cgroup2",
        };
        is_it.then(|| Path::new(point))
    }

    /// This process's group in it, by a line of `/proc/self/cgroup`.
    fn group(self, line: &str) -> Option<&str> {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, group) = (fields.next()?, fields.next()?);
        let is_it = match self {
            Self::One => controllers.split(',').any(|controller| controller == "cpuacct"),
            Self::Two => controllers.is_empty(),
        };
        is_it.then(|| group.trim_start_matches('/'))
    }

    fn nanos(self, text: &str) -> Option<u64> {
        match self {
            Self::One => text.trim_end().parse().ok(),
            Self::Two => {
                let micros = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
                Some(micros.parse::<u64>().ok()? * 1_000)
            }
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::One => "cpuacct.usage",
            Self::Two => "cpu.stat",
        }
    }
}

/// The directory of this process's own group.
fn own_group(kind: Kind) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let point = mounts.lines().find_map(|line| kind.mounted(line))?;
    Some(point.join(groups.lines().find_map(|line| kind.group(line))?))
}

/// A control group, until dropped; then nothing must be in it any more.
#[derive(Debug)]
pub(crate) struct Group {
    kind: Kind,
    directory: PathBuf,
}

impl Group {
    fn new(kind: Kind, own: &Path, pids: &[i32]) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = own.join(format!("palco-bench-{}-{number}", process::id()));
        fs::create_dir(&directory)?;
        let group = Self { kind, directory };
        group.nanos()?;
        for pid in pids {
            fs::write(group.directory.join("cgroup.procs"), pid.to_string())?;
        }
        Ok(group)
    }

    fn nanos(&self) -> io::Result<u64> {
        let text = fs::read_to_string(self.directory.join(self.kind.file()))?;
        self.kind.nanos(&text).ok_or_else(unheard_of)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..REMOVE_TRIES_MAX {
            if fs::remove_dir(&self.directory).is_ok() {
                return;
            }
            thread::sleep(REMOVE_EVERY);
        }
    }
}

fn unheard_of() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the kernel tells processor time in another form")
}

/// User and system time, own and that of reaped children. The name may hold anything; after the last parenthesis comes
/// the third field, and these four are the fourteenth and following.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let times: Vec<&str> = fields.split_ascii_whitespace().skip(11).take(4).collect();
    if times.len() < 4 {
        return None;
    }
    times.into_iter().map(|time| time.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    /// Works in a process of its own, which ends; then waits.
    const WORK: &str = "(i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done); echo; read line";

    #[test]
    fn a_child_of_the_server_counts_when_it_has_ended() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("read line; {WORK}")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let pids = [i32::try_from(child.id()).unwrap()];
        // In all of them at once, where there is the right to make them.
        let mut accounts = groups(&pids);
        accounts.push(Account::Ticks(pids.to_vec()));
        let before: Vec<u64> = accounts.iter().map(|account| account.nanos().unwrap()).collect();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"\n").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        for (account, before) in accounts.iter().zip(before) {
            assert!(account.nanos().unwrap() > before, "{account:?}");
        }
        drop(input);
        child.wait().unwrap();
    }

    #[test]
    fn a_group_goes_when_it_is_dropped() {
        for account in groups(&[]) {
            let Account::Group(group) = account else { unreachable!("only groups") };
            let directory = group.directory.clone();
            assert!(directory.exists());
            drop(group);
            assert!(!directory.exists());
        }
    }

    fn groups(pids: &[i32]) -> Vec<Account> {
        let group = |kind| Group::new(kind, &own_group(kind)?, pids).ok();
        Kind::ALL.into_iter().filter_map(group).map(Account::Group).collect()
    }

    #[test]
    fn hierarchies_are_found_by_what_the_kernel_says() {
        let one = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0";
        let two = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0";
        assert_eq!(Kind::One.mounted(one), Some(Path::new("/sys/fs/cgroup/cpu,cpuacct")));
        assert_eq!(Kind::Two.mounted(two), Some(Path::new("/sys/fs/cgroup")));
        assert_eq!((Kind::One.mounted(two), Kind::Two.mounted(one)), (None, None));
        assert_eq!(Kind::One.mounted("tmpfs /tmp tmpfs rw 0 0"), None);
        assert_eq!(Kind::One.group("3:cpu,cpuacct:/box"), Some("box"));
        assert_eq!(Kind::Two.group("0::/user.slice/a:b"), Some("user.slice/a:b"));
        assert_eq!((Kind::One.group("0::/x"), Kind::Two.group("3:cpuacct:/x")), (None, None));
        assert_eq!(Kind::Two.group("nonsense"), None);
    }

    #[test]
    fn both_forms_are_nanoseconds() {
        assert_eq!(Kind::One.nanos("1234567\n"), Some(1_234_567));
        assert_eq!(Kind::Two.nanos("usage_usec 17\nuser_usec 9\n"), Some(17_000));
        assert_eq!((Kind::One.nanos("?"), Kind::Two.nanos("user_usec 9\n")), (None, None));
    }

    #[test]
    fn ticks_are_of_the_server_and_of_its_children() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 1 20 300 4000 20 0 1 0";
        assert_eq!(ticks(stat), Some(4_321));
        for wrong in ["", "7 (a) S", "7 (a) S 1 7 7 0 -1 4194304 100 0 0 0 1 20 300"] {
            assert_eq!(ticks(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn who_counted_is_said_once() {
        let ticks = || Account::Ticks(Vec::new());
        let said = sentence([ticks(), ticks()].iter());
        assert_eq!(said.matches("clock ticks").count(), 1);
    }
}
