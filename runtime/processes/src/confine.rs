//! What a child gives up before it begins, for good: rights, resources, files, network, system calls.
//!
//! In this order, since each step may take what an earlier one needs:
//! 1. the death signal, and a check that the parent is still there;
//! 2. no memory dumps and no tracing by others, with [`Syscalls::Service`];
//! 3. no new privileges;
//! 4. resource limits;
//! 5. Landlock: files and network, as far as the kernel knows them;
//! 6. seccomp: system calls.
//!
//! What copies inherit, a zygote gives up once for all of them: 2, 3, 5 and 6 as far as it can and still fork. Each of its
//! copies does the rest: 1, 4, and a second filter against processes of its own.
//!
//! A program that knows nothing of this is enclosed instead: [`Enclosure`].

mod administration;
mod ahead;
mod control_groups;
mod enclosure;
mod landlock;
mod seccomp;
mod tree;

use std::fmt;
use std::io;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use serde::{Deserialize, Serialize};

pub(crate) use ahead::confine_ahead;
pub use enclosure::{Enclosed, Enclosure, Fence};
pub use seccomp::denied_syscall_name;

/// What a child may do. By default everything.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Default)]
#[serde(default)]
pub struct Confinement {
    /// Address space at most; beyond it allocations fail.
    pub memory_bytes: Option<u64>,
    /// Descriptors at most.
    pub files_max: Option<u64>,
    /// Processor time at most, in seconds; then `SIGXCPU`, a second later `SIGKILL`.
    pub cpu_s: Option<u64>,
    /// Which files it may open. What is open already stays so.
    pub file_access: FileAccess,
    /// Which system calls it may make.
    pub syscalls: Syscalls,
    /// Which connections it may make. What is connected already stays so.
    pub network: Network,
}

/// Which files a child may open.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Default)]
pub enum FileAccess {
    /// Those its user may.
    #[default]
    Free,
    /// Of those, the ones below these paths, which must exist.
    Only {
        /// Read, list, execute.
        read: Vec<PathBuf>,
        /// Read, and write, make, rename, remove.
        write: Vec<PathBuf>,
    },
}

/// Which system calls a child may make.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Syscalls {
    /// All.
    #[default]
    Free,
    /// What a service needs: files, sockets, memory, threads. No processes (`EPERM`), and no administration, tracing or
    /// change of user: trying ends the child with `SIGSYS`.
    Service,
}

/// Which connections a child may make.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Network {
    /// All.
    #[default]
    Free,
    /// TCP can be neither bound nor connected. Landlock knows nothing else: UDP and unix sockets are not covered.
    NoConnect,
}

impl Confinement {
    /// The strict one: 1 GiB of address space, 64 descriptors, no files, no connections, a service's system calls.
    #[must_use]
    pub fn service() -> Self {
        Self {
            memory_bytes: Some(1 << 30),
            files_max: Some(64),
            cpu_s: None,
            file_access: FileAccess::Only { read: Vec::new(), write: Vec::new() },
            syscalls: Syscalls::Service,
            network: Network::NoConnect,
        }
    }

    /// None, but for the death signal and no core dumps.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }
}

/// What was really obtained.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Default)]
#[serde(default)]
pub struct Obtained {
    /// It is killed when its parent ends.
    pub death_signal: bool,
    /// Nothing it could execute gives it privileges.
    pub no_new_privileges: bool,
    /// One phrase for each limit, as `64 files`.
    pub limits: Vec<String>,
    /// `abi 7`, `partly: …`, `none: …`, or nothing if it was not wanted.
    pub landlock: String,
    /// `service`, or nothing if it was not wanted.
    pub seccomp: String,
}

impl fmt::Display for Obtained {
    /// Short, as `no-new-privs, landlock, seccomp, 64 files`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<&str> = Vec::new();
        if self.no_new_privileges {
            parts.push("no-new-privs");
        }
        match self.landlock.split_once(':').map_or(self.landlock.as_str(), |(word, _)| word) {
            "" => {}
            "none" => parts.push("no landlock"),
            "partly" => parts.push("landlock in part"),
            _ => parts.push("landlock"),
        }
        if !self.seccomp.is_empty() {
            parts.push("seccomp");
        }
        parts.extend(self.limits.iter().map(String::as_str));
        f.write_str(if parts.is_empty() { "not confined" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

/// What could not be had. The process may be confined in part and should end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfineError {
    /// The parent has ended, so that nobody would end this process.
    #[error("the parent {expected} has ended: the parent is {found} now")]
    ParentGone {
        /// Who it was to be.
        expected: i32,
        /// Who it is.
        found: i32,
    },
    /// Another thread would not be confined.
    #[error("a process with several threads cannot be confined")]
    Threads,
    /// The kernel refused.
    #[error("{step}: {source}")]
    Kernel {
        /// What.
        step: String,
        /// Why.
        source: io::Error,
    },
    /// A path that was allowed cannot be.
    #[error("{}: {why}", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The rules could not be made.
    #[error("{step}: {why}")]
    Rules {
        /// `landlock`, `seccomp`, `private /tmp` or `control group`.
        step: &'static str,
        /// Why.
        why: String,
    },
}

impl ConfineError {
    fn kernel(step: impl Into<String>) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Kernel { step: step.into(), source: errno.into() }
    }
}

/// Confines this process for good. To be called while it has one thread, before it reads what it is to be kept from doing
/// harm with. `parent` is the process that it must not outlive.
///
/// A kernel without Landlock is not an error: [`Obtained`] says so.
///
/// In a fork of a zygote that was confined the same, the paths are those that were there when the zygote was started.
///
/// # Errors
/// What could not be had; see [`ConfineError`].
pub fn confine(wanted: &Confinement, parent: i32) -> Result<Obtained, ConfineError> {
    check_alone()?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(ConfineError::kernel("death signal"))?;
    // If the parent ended before, that signal will never come.
    let found = getppid().as_raw();
    if found != parent {
        return Err(ConfineError::ParentGone { expected: parent, found });
    }
    let mut obtained = match ahead::complete(wanted) {
        Some(obtained) => obtained?,
        None => {
            let privileges = give_up_privileges(wanted)?;
            let limits = Limits::of(wanted)?;
            limits.set()?;
            let landlock = landlock::restrict(wanted)?;
            let seccomp = restrict_calls(wanted, seccomp::restrict)?;
            Obtained { limits: limits.phrases, landlock, seccomp, ..privileges }
        }
    };
    obtained.death_signal = true;
    Ok(obtained)
}

/// Another thread would not be confined.
fn check_alone() -> Result<(), ConfineError> {
    match palco_sys::is_single_threaded() {
        Ok(true) => Ok(()),
        Ok(false) => Err(ConfineError::Threads),
        Err(source) => Err(ConfineError::Kernel { step: "threads".to_owned(), source }),
    }
}

fn give_up_privileges(wanted: &Confinement) -> Result<Obtained, ConfineError> {
    if wanted.syscalls == Syscalls::Service {
        prctl::set_dumpable(false).map_err(ConfineError::kernel("dumpable"))?;
    }
    let no_new_privileges = *wanted != Confinement::none();
    if no_new_privileges {
        prctl::set_no_new_privs().map_err(ConfineError::kernel("no new privileges"))?;
    }
    Ok(Obtained { no_new_privileges, ..Obtained::default() })
}

/// Says what was obtained.
fn restrict_calls(
    wanted: &Confinement,
    restrict: fn() -> Result<(), ConfineError>,
) -> Result<String, ConfineError> {
    if wanted.syscalls == Syscalls::Free {
        return Ok(String::new());
    }
    restrict()?;
    Ok("service".to_owned())
}

/// What limits are to be set to, and a phrase for each that was wanted.
#[derive(Debug, Default)]
struct Limits {
    values: Vec<(Resource, u64, u64)>,
    phrases: Vec<String>,
}

impl Limits {
    fn of(wanted: &Confinement) -> Result<Self, ConfineError> {
        let mut limits = Self::default();
        limits.at_most(Resource::RLIMIT_CORE, 0, 0)?;
        if let Some(bytes) = wanted.memory_bytes {
            let bytes = limits.at_most(Resource::RLIMIT_AS, bytes, 0)?;
            limits.phrases.push(format!("{} MiB", bytes >> 20));
        }
        if let Some(files) = wanted.files_max {
            let files = limits.at_most(Resource::RLIMIT_NOFILE, files, 0)?;
            limits.phrases.push(format!("{files} files"));
        }
        if let Some(seconds) = wanted.cpu_s {
            let seconds = limits.at_most(Resource::RLIMIT_CPU, seconds, 1)?;
            limits.phrases.push(format!("{seconds} s cpu"));
        }
        Ok(limits)
    }

    /// A lower limit, with some space to its hard limit. One that is lower already stays.
    fn at_most(&mut self, resource: Resource, value: u64, space: u64) -> Result<u64, ConfineError> {
        let (soft, hard) = getrlimit(resource).map_err(refused(resource, value))?;
        let (soft, hard) = (soft.min(value), hard.min(value.saturating_add(space)));
        self.values.push((resource, soft, hard));
        Ok(soft)
    }

    fn set(&self) -> Result<(), ConfineError> {
        let set = |(resource, soft, hard): &(Resource, u64, u64)| {
            setrlimit(*resource, *soft, *hard).map_err(refused(*resource, *soft))
        };
        self.values.iter().try_for_each(set)
    }
}

fn refused(resource: Resource, value: u64) -> impl FnOnce(Errno) -> ConfineError {
    move |errno| ConfineError::kernel(format!("limit {resource:?} to {value}"))(errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_obtained_is_short_to_read() {
        assert_eq!(Obtained::default().to_string(), "not confined");
        let obtained = Obtained {
            death_signal: true,
            no_new_privileges: true,
            limits: vec!["64 files".to_owned()],
            landlock: "abi 7".to_owned(),
            seccomp: "service".to_owned(),
        };
        assert_eq!(obtained.to_string(), "no-new-privs, landlock, seccomp, 64 files");
        let landlock = "none: kernel without landlock".to_owned();
        assert_eq!(Obtained { landlock, ..Obtained::default() }.to_string(), "no landlock");
    }

    #[test]
    fn a_process_with_threads_is_not_confined_by_half() {
        assert!(matches!(confine(&Confinement::service(), 1), Err(ConfineError::Threads)));
    }
}
