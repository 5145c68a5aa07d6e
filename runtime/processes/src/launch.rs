//! What to start and how, said in one expression; checked and made ready before there is a child.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::libc;
use nix::sys::resource::Resource;
use nix::sys::signal::Signal;
use palco_sys::{Ids, Start};

use crate::confine::Fence;
use crate::error::LaunchError;

/// A program, its arguments, and the state it begins in.
///
/// The environment is empty unless given. Standard input, output and error are inherited unless given; every other
/// descriptor is closed unless given. No signal is ignored or blocked.
#[derive(Debug)]
pub struct Launch {
    program: PathBuf,
    arg0: Option<OsString>,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    pid_env: Option<OsString>,
    fds: Vec<(i32, OwnedFd)>,
    null_input: bool,
    cwd: Option<PathBuf>,
    umask: Option<u32>,
    nice: Option<i32>,
    policy: Option<Policy>,
    limits: Vec<(Resource, u64, u64)>,
    user: Option<User>,
    new_session: bool,
    death_signal: Option<Signal>,
    fence: Option<Arc<Fence>>,
}

/// The kernel's scheduling policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Fair.
    Normal,
    /// Fair, for work that never waits for a person.
    Batch,
    /// Only when nothing else wants to run.
    Idle,
    /// Real time at this priority (1 to 99), until it waits.
    Fifo(i32),
    /// Real time at this priority (1 to 99), in turns with its equals.
    RoundRobin(i32),
}

/// As an id this means to the kernel: leave it as it is.
const UNCHANGED: u32 = u32::MAX;

/// Who the child shall be; takes privileges to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// All supplementary groups.
    pub groups: Vec<u32>,
}

impl Launch {
    /// The program at this absolute path; there is no search.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arg0: None,
            args: Vec::new(),
            env: Vec::new(),
            pid_env: None,
            fds: Vec::new(),
            null_input: false,
            cwd: None,
            umask: None,
            nice: None,
            policy: None,
            limits: Vec::new(),
            user: None,
            new_session: false,
            death_signal: None,
            fence: None,
        }
    }

    /// This very program, even if another file is at its path by now.
    #[must_use]
    pub fn this_program() -> Self {
        // In the child, before it executes anything, this link still leads to its parent's program.
        Self::new("/proc/self/exe")
    }

    /// What the program is told to be called; its path, unless said.
    #[must_use]
    pub fn arg0(mut self, name: impl Into<OsString>) -> Self {
        self.arg0 = Some(name.into());
        self
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// A variable of the environment; the last value of a name counts.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let key = key.into();
        self.env.retain(|(known, _)| *known != key);
        self.pid_env = self.pid_env.filter(|known| *known != key);
        self.env.push((key, value.into()));
        self
    }

    /// A variable whose value is the child's own process id, as `LISTEN_PID` of `sd_listen_fds(3)`. One at most; takes the
    /// place of another variable of this name.
    #[must_use]
    pub fn pid_env(mut self, key: impl Into<OsString>) -> Self {
        let key = key.into();
        self.env.retain(|(known, _)| *known != key);
        self.pid_env = Some(key);
        self
    }

    /// This process's whole environment, as it is now.
    #[must_use]
    pub fn inherit_env(self) -> Self {
        env::vars_os().fold(self, |launch, (key, value)| launch.env(key, value))
    }

    /// A descriptor, and its number in the child; the last one for a number counts.
    #[must_use]
    pub fn fd(mut self, number: i32, fd: impl Into<OwnedFd>) -> Self {
        self.fds.retain(|(known, _)| *known != number);
        self.fds.push((number, fd.into()));
        self
    }

    /// `/dev/null` as standard input, unless another is given.
    #[must_use]
    pub fn quiet_stdin(mut self) -> Self {
        self.null_input = true;
        self
    }

    /// The working directory, entered as the child's user.
    #[must_use]
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cwd = Some(directory.into());
        self
    }

    /// Which permissions new files do not get.
    #[must_use]
    pub fn umask(mut self, mask: u32) -> Self {
        self.umask = Some(mask);
        self
    }

    /// Niceness from -20 to 19, absolute.
    #[must_use]
    pub fn nice(mut self, nice: i32) -> Self {
        self.nice = Some(nice);
        self
    }

    /// How the kernel schedules it.
    #[must_use]
    pub fn scheduler(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// A resource's limit, and how far the child may raise it.
    #[must_use]
    pub fn limit(mut self, resource: Resource, soft: u64, hard: u64) -> Self {
        self.limits.push((resource, soft, hard));
        self
    }

    /// Who it is.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.user = Some(user);
        self
    }

    /// Leads a session of its own, without a terminal.
    #[must_use]
    pub fn new_session(mut self) -> Self {
        self.new_session = true;
        self
    }

    /// The signal it gets when this process ends.
    #[must_use]
    pub fn death_signal(mut self, signal: Signal) -> Self {
        self.death_signal = Some(signal);
        self
    }

    /// What it gives up before it begins. For a program that knows nothing of palco; one that does confines itself.
    #[must_use]
    pub fn enclosed(mut self, fence: Arc<Fence>) -> Self {
        self.fence = Some(fence);
        self
    }

    pub(crate) fn has_death_signal(&self) -> bool {
        self.death_signal.is_some()
    }

    /// Everything as the kernel wants it.
    pub(crate) fn prepare(mut self) -> Result<Start, LaunchError> {
        if !self.program.is_absolute() {
            return Err(LaunchError::Invalid(format!(
                "the program's path must be absolute: {}",
                self.program.display()
            )));
        }
        if let Some((number, _)) = self.fds.iter().find(|(number, _)| *number < 0) {
            return Err(LaunchError::Invalid(format!("{number} is no number of a descriptor")));
        }
        if let Some(user) = &self.user
            && (user.uid == UNCHANGED || user.gid == UNCHANGED)
        {
            return Err(LaunchError::Invalid(format!("{UNCHANGED} is no user or group")));
        }
        if self.null_input && !self.fds.iter().any(|(number, _)| *number == 0) {
            let null = File::open("/dev/null").map_err(|source| LaunchError::Step {
                step: "open",
                asked: "/dev/null".to_owned(),
                source,
            })?;
            self.fds.push((0, null.into()));
        }
        let arg0 = self.arg0.as_deref().unwrap_or(self.program.as_os_str());
        let arguments = [arg0].into_iter().chain(self.args.iter().map(OsString::as_os_str));
        Ok(Start {
            program: c_string("program", self.program.as_os_str())?,
            arguments: arguments
                .map(|argument| c_string("argument", argument))
                .collect::<Result<_, _>>()?,
            environment: self.env.iter().map(variable).collect::<Result<_, _>>()?,
            pid_variable: self.pid_env.as_deref().map(variable_name).transpose()?,
            directory: self.cwd.as_deref().map(Path::as_os_str).map(directory).transpose()?,
            descriptors: self.fds,
            umask: self.umask,
            nice: self.nice,
            scheduler: self.policy.map(numbers),
            limits: self
                .limits
                .iter()
                .map(|(resource, soft, hard)| (*resource as u32, *soft, *hard))
                .collect(),
            user: self.user.map(|User { uid, gid, groups }| Ids { uid, gid, groups }),
            new_session: self.new_session,
            death_signal: self.death_signal.map(|signal| signal as i32),
            restrictions: self.fence.as_deref().map(Fence::restrictions),
            ruleset: match self.fence.as_deref() {
                Some(fence) => fence.ruleset().map_err(LaunchError::Fence)?,
                None => None,
            },
        })
    }
}

fn numbers(policy: Policy) -> (i32, i32) {
    match policy {
        Policy::Normal => (libc::SCHED_OTHER, 0),
        Policy::Batch => (libc::SCHED_BATCH, 0),
        Policy::Idle => (libc::SCHED_IDLE, 0),
        Policy::Fifo(priority) => (libc::SCHED_FIFO, priority),
        Policy::RoundRobin(priority) => (libc::SCHED_RR, priority),
    }
}

fn directory(path: &OsStr) -> Result<CString, LaunchError> {
    c_string("directory", path)
}

fn variable((key, value): &(OsString, OsString)) -> Result<CString, LaunchError> {
    variable_name(key)?;
    let mut text = key.clone();
    text.push("=");
    text.push(value);
    c_string("variable", &text)
}

fn variable_name(key: &OsStr) -> Result<CString, LaunchError> {
    if key.is_empty() || key.as_bytes().contains(&b'=') {
        let text = format!("{} is no name of a variable", key.display());
        return Err(LaunchError::Invalid(text));
    }
    c_string("variable", key)
}

fn c_string(what: &str, text: &OsStr) -> Result<CString, LaunchError> {
    let invalid = |_| LaunchError::Invalid(format!("a NUL in the {what} {}", text.display()));
    CString::new(text.as_bytes()).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts() {
        let null = || File::open("/dev/null").unwrap();
        let launch = Launch::new("/bin/true")
            .env("A", "1")
            .env("B", "2")
            .env("A", "3")
            .fd(5, null())
            .fd(5, null())
            .quiet_stdin();
        let start = launch.prepare().unwrap();
        assert_eq!(start.environment, [c"B=2".to_owned(), c"A=3".to_owned()]);
        let numbers: Vec<i32> = start.descriptors.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [5, 0]);
        assert_eq!(start.arguments, [c"/bin/true".to_owned()]);
        let launch = Launch::new("/bin/true").env("P", "1").pid_env("P").pid_env("Q");
        let start = launch.prepare().unwrap();
        assert_eq!((start.environment, start.pid_variable), (vec![], Some(c"Q".to_owned())));
        let start = Launch::new("/bin/true").pid_env("P").env("P", "1").prepare().unwrap();
        assert_eq!((start.environment, start.pid_variable), (vec![c"P=1".to_owned()], None));
    }

    #[test]
    fn what_makes_no_sense_is_said_before_anything_is_tried() {
        let refusal = |launch: Launch| launch.prepare().unwrap_err().to_string();
        assert_eq!(refusal(Launch::new("sh")), "the program's path must be absolute: sh");
        let launch = Launch::new("/bin/sh").fd(-1, File::open("/dev/null").unwrap());
        assert_eq!(refusal(launch), "-1 is no number of a descriptor");
        assert_eq!(refusal(Launch::new("/a").arg("b\0c")), "a NUL in the argument b\0c");
        assert_eq!(refusal(Launch::new("/a").env("b=c", "d")), "b=c is no name of a variable");
        assert_eq!(refusal(Launch::new("/a").pid_env("")), " is no name of a variable");
    }
}
