//! Why a program was not started.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;

use palco_sys::{Start, StartFailure, Step};

use nix::sys::resource::Resource;

use crate::confine::ConfineError;

/// Names the step, what was asked for, and the kernel's error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// What was asked for makes no sense; nothing was tried.
    #[error("{0}")]
    Invalid(String),
    /// One step on the way to the program failed; there is no child.
    #[error("{step} {asked}: {source}")]
    Step {
        /// The step, in this order: `clone`, `dup`, `close_range`, `setsid`, `scheduler`, `nice`, `limit`, `cgroup`,
        /// `mount namespace`, `mount`, `setgroups`, `setgid`, `setuid`, `chdir`, `death signal`, `no new privileges`,
        /// `landlock`, `seccomp` or `exec`. `open` is before all of them.
        step: &'static str,
        /// Its argument: a path, an id, a number.
        asked: String,
        /// The kernel's error.
        source: io::Error,
    },
    /// The rules of an enclosure could not be made once more for this child.
    #[error("fence: {0}")]
    Fence(#[source] ConfineError),
    /// The socket over which the child is born could not be made, or did not take the message.
    #[error("birth socket: {0}")]
    Socket(#[source] io::Error),
    /// The thread that starts children could not be started.
    #[error("spawner thread: {0}")]
    Spawner(#[source] io::Error),
}

impl LaunchError {
    /// The kernel's error, if it is one.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        match self {
            Self::Invalid(_) | Self::Fence(_) => None,
            Self::Step { source, .. } | Self::Socket(source) | Self::Spawner(source) => {
                source.raw_os_error()
            }
        }
    }

    pub(crate) fn of(failure: StartFailure, start: &Start) -> Self {
        let (step, asked) = describe(failure.step, start);
        Self::Step { step, asked, source: io::Error::from_raw_os_error(failure.errno) }
    }
}

/// A step's name and what it was to do.
fn describe(step: Step, start: &Start) -> (&'static str, String) {
    let descriptor = |place: usize| {
        let number = start.descriptors.get(place).map(|(number, _)| *number);
        number.map_or_else(|| "out of the way".to_owned(), |number| format!("to {number}"))
    };
    let restrictions = start.restrictions.as_deref();
    let ids = start.user.as_ref();
    let program = start.program.to_string_lossy().into_owned();
    match step {
        Step::Clone => ("clone", format!("for {program}")),
        Step::Lift(place) | Step::Renumber(place) => ("dup", descriptor(place)),
        Step::CloseRange => ("close_range", "of all other descriptors".to_owned()),
        Step::Setsid => ("setsid", "for a new session".to_owned()),
        Step::Scheduler => ("scheduler", start.scheduler.map_or_else(String::new, describe_policy)),
        Step::Nice => ("nice", start.nice.unwrap_or_default().to_string()),
        Step::Limit(place) => {
            ("limit", start.limits.get(place).map_or_else(String::new, describe_limit))
        }
        Step::ControlGroup(place) => {
            let group = restrictions.and_then(|restrictions| restrictions.groups.get(place));
            ("cgroup", group.map_or_else(String::new, path_of))
        }
        Step::MountNamespace => ("mount namespace", "for directories of its own".to_owned()),
        Step::Mount(place) => {
            let directories = restrictions.and_then(|given_up| given_up.directories.as_ref());
            let path = directories.and_then(|directories| directories.paths.get(place));
            ("mount", format!("on {}", path.cloned().unwrap_or_default().to_string_lossy()))
        }
        Step::Setgroups => {
            ("setgroups", format!("{:?}", ids.map(|ids| ids.groups.as_slice()).unwrap_or_default()))
        }
        Step::Setgid => ("setgid", ids.map(|ids| ids.gid).unwrap_or_default().to_string()),
        Step::Setuid => ("setuid", ids.map(|ids| ids.uid).unwrap_or_default().to_string()),
        Step::Chdir => {
            let directory = start.directory.as_deref().unwrap_or_default();
            ("chdir", directory.to_string_lossy().into_owned())
        }
        Step::DeathSignal => ("death signal", start.death_signal.unwrap_or_default().to_string()),
        Step::NoNewPrivileges => ("no new privileges", format!("for {program}")),
        Step::Landlock => ("landlock", format!("for {program}")),
        Step::Seccomp => ("seccomp", format!("for {program}")),
        Step::Exec => ("exec", program),
    }
}

/// Where an open file is, as far as can be told.
fn path_of(file: &impl AsRawFd) -> String {
    let link = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
    link.map_or_else(|_| String::new(), |path| path.display().to_string())
}

fn describe_policy((policy, priority): (i32, i32)) -> String {
    format!("policy {policy} priority {priority}")
}

fn describe_limit(&(resource, soft, hard): &(u32, u64, u64)) -> String {
    const NAMED: [Resource; 9] = [
        Resource::RLIMIT_AS,
        Resource::RLIMIT_CORE,
        Resource::RLIMIT_CPU,
        Resource::RLIMIT_DATA,
        Resource::RLIMIT_FSIZE,
        Resource::RLIMIT_MEMLOCK,
        Resource::RLIMIT_NOFILE,
        Resource::RLIMIT_NPROC,
        Resource::RLIMIT_STACK,
    ];
    let name = NAMED.iter().find(|named| **named as u32 == resource);
    let name = name.map_or_else(|| format!("resource {resource}"), |name| format!("{name:?}"));
    format!("{name} to {soft}, at most {hard}")
}
