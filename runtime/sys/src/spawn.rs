//! Start a program without copying the parent: `clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD)` and `exec`.
//!
//! The child shares the parent's memory until it executes the program, so a start costs the same however large the parent
//! is; the calling thread waits meanwhile, the others run on. Everything the child needs is made before: it allocates
//! nothing, takes no lock and only makes system calls. Needs Linux 5.11.

mod child;
mod descriptors;
mod environment;
mod restrictions;
mod stack;
mod step;

use std::ffi::{CString, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use crate::masked::AllSignalsBlocked;
use crate::pidfd;

use descriptors::Renumbering;
use environment::Environment;
pub use restrictions::{FilterStep, FreshDirectories, Restrictions, landlock_abi};
use stack::Stack;
pub use step::Step;

/// What to start, and in which state. Signals begin as new: nothing ignored, nothing handled, nothing blocked.
#[derive(Debug, Default)]
pub struct Start {
    /// The program's absolute path; `/proc/self/exe` is the caller's own program.
    pub program: CString,
    /// All arguments, the program's name first.
    pub arguments: Vec<CString>,
    /// The whole environment, as `NAME=value`, but for the next one.
    pub environment: Vec<CString>,
    /// The name of a variable whose value is the child's own process id, in decimal.
    pub pid_variable: Option<CString>,
    /// Descriptors under the number they have in the child. 0, 1 and 2 are inherited unless given; all others are closed.
    pub descriptors: Vec<(RawFd, OwnedFd)>,
    /// The working directory; entered as the new user.
    pub directory: Option<CString>,
    /// The file mode creation mask.
    pub umask: Option<u32>,
    /// Absolute niceness, -20 to 19.
    pub nice: Option<i32>,
    /// Scheduling policy and real-time priority, as the kernel numbers them.
    pub scheduler: Option<(i32, i32)>,
    /// Resource, soft and hard limit, as the kernel numbers them.
    pub limits: Vec<(u32, u64, u64)>,
    /// Real, effective and saved ids, and all supplementary groups.
    pub user: Option<Ids>,
    /// Whether the child leads a session of its own, without a terminal.
    pub new_session: bool,
    /// The signal it gets when the thread that starts it ends.
    pub death_signal: Option<i32>,
    /// What it gives up before it begins.
    pub restrictions: Option<Arc<Restrictions>>,
    /// A Landlock ruleset that it is restricted to. Needs privileges or [`Restrictions::no_new_privileges`].
    pub ruleset: Option<Arc<OwnedFd>>,
}

/// Who a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups; none is a choice too.
    pub groups: Vec<u32>,
}

/// The step that failed, and the kernel's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartFailure {
    /// Where.
    pub step: Step,
    /// Why.
    pub errno: i32,
}

/// A process that runs its program: its id, and its pidfd, with which alone it can be reaped.
#[derive(Debug)]
pub struct Started {
    /// The process id. Another's, once this process has been reaped.
    pub pid: i32,
    /// The process, whatever happens to its id.
    pub pidfd: OwnedFd,
}

/// What the child reads; made by the parent, which waits until the child needs it no more.
struct Prepared<'a> {
    start: &'a Start,
    arguments: Vec<*const c_char>,
    environment: Environment,
    renumbering: Renumbering,
    /// Where the child says what went wrong: a step's number and place, and an error other than 0.
    errno: AtomicI32,
    step: AtomicUsize,
    place: AtomicUsize,
}

/// Starts a program. Returns when it runs, or when it is known why it does not.
///
/// # Errors
/// The step and the kernel's error; a child that failed has been reaped.
pub fn start(start: &Start) -> Result<Started, StartFailure> {
    let before = |error: io::Error| StartFailure { step: Step::Clone, errno: errno_of(&error) };
    let mut prepared = Prepared {
        start,
        arguments: pointers(&start.arguments),
        environment: Environment::new(&start.environment, start.pid_variable.as_deref()),
        renumbering: Renumbering::new(
            start.descriptors.iter().map(|(number, fd)| (*number, fd.as_raw_fd())),
            restrictions::descriptors(start),
        ),
        errno: AtomicI32::new(0),
        step: AtomicUsize::new(0),
        place: AtomicUsize::new(0),
    };
    let stack = Stack::take().map_err(before)?;
    let mut pidfd: c_int = -1;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    let blocked = AllSignalsBlocked::new();
    // SAFETY: the stack is this child's own and large enough. The child gets the only reference to `prepared`, and this
    // thread does not go on (CLONE_VFORK) before the child has executed another program or ended. No signal handler of
    // this program can run in the child: all signals are blocked until it has reset them. It only makes system calls
    // and touches no thread-local state but errno, which is this thread's.
    let pid = unsafe {
        libc::clone(
            child::run,
            stack.top(),
            flags,
            ptr::from_mut(&mut prepared).cast::<c_void>(),
            &raw mut pidfd,
        )
    };
    let error = io::Error::last_os_error();
    drop(blocked);
    // There is no child, or it runs another program by now, or ends without returning to any frame.
    stack.keep();
    if pid < 0 {
        return Err(before(error));
    }
    // SAFETY: the kernel has just made this descriptor, close-on-exec, for this thread.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    let errno = prepared.errno.load(Ordering::Acquire);
    if errno == 0 {
        return Ok(Started { pid, pidfd });
    }
    let step =
        Step::of(prepared.step.load(Ordering::Relaxed), prepared.place.load(Ordering::Relaxed));
    // It has ended or is about to; nobody else can have reaped it.
    let _ended = pidfd::wait_pidfd(&pidfd);
    Err(StartFailure { step, errno })
}

/// A C array: pointers into `strings`, and null.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pidfd::End;

    fn c(text: &str) -> CString {
        CString::new(text).unwrap()
    }

    fn shell(script: &str) -> Start {
        Start {
            program: c("/bin/sh"),
            arguments: vec![c("sh"), c("-c"), c(script)],
            ..Start::default()
        }
    }

    fn end_of(plan: &Start) -> End {
        let started = start(plan).unwrap();
        pidfd::wait_pidfd(&started.pidfd).unwrap()
    }

    #[test]
    fn a_program_runs_and_its_exit_code_arrives() {
        assert_eq!(end_of(&shell("exit 7")), End::Exited(7));
        let environment = vec![c("A=b")];
        let plan = Start { environment, umask: Some(0o27), ..shell("[ $A$(umask) = b0027 ]") };
        assert_eq!(end_of(&plan), End::Exited(0));
    }

    #[test]
    fn a_program_is_told_its_own_id() {
        let pid_variable = Some(c("LISTEN_PID"));
        let environment = vec![c("LISTEN_FDS=1")];
        let script = "[ $LISTEN_PID = $$ ] && [ $LISTEN_FDS = 1 ]";
        let plan = Start { pid_variable, environment, ..shell(script) };
        for _ in 0..3 {
            assert_eq!(end_of(&plan), End::Exited(0));
        }
        assert_eq!(end_of(&shell("[ -z \"$LISTEN_PID\" ]")), End::Exited(0));
    }

    #[test]
    fn a_failure_names_its_step() {
        let failure = |plan: Start| start(&plan).unwrap_err();
        let plan = Start { program: c("/nowhere"), arguments: vec![c("x")], ..Start::default() };
        assert_eq!(failure(plan), StartFailure { step: Step::Exec, errno: libc::ENOENT });
        let plan = Start { directory: Some(c("/nowhere")), ..shell("") };
        assert_eq!(failure(plan), StartFailure { step: Step::Chdir, errno: libc::ENOENT });
        let plan = Start { limits: vec![(libc::RLIMIT_CORE, 0, 0), (99, 0, 0)], ..shell("") };
        assert_eq!(failure(plan), StartFailure { step: Step::Limit(1), errno: libc::EINVAL });
        let plan = Start { scheduler: Some((77, 0)), ..shell("") };
        assert_eq!(failure(plan), StartFailure { step: Step::Scheduler, errno: libc::EINVAL });
    }
}
