//! The one thread that starts every child, and buries those that nobody waits for.
//!
//! A death signal (`PR_SET_PDEATHSIG`) follows the *thread* that started a child, not its process: children started from
//! a thread that ends are killed then. This thread ends with the process. A child without such a signal may be started by
//! any thread that can wait for it.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{sched_getaffinity, sched_setaffinity};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd::Pid;
use palco_threads::{STACK_BYTES_DEFAULT, block_on, spawn_named};
use parking_lot::Mutex;

use crate::child::Child;
use crate::error::LaunchError;
use crate::launch::Launch;
use crate::oneshot::{Promise, oneshot};

/// A handle to this process's one spawner thread.
#[derive(Clone)]
pub struct Spawner {
    office: Arc<Office>,
}

/// What the thread and its handles share.
struct Office {
    jobs: Mutex<VecDeque<Job>>,
    bell: EventFd,
}

enum Job {
    Start(Box<Launch>, Promise<Result<Child, LaunchError>>),
    /// A child that was killed or left, and is still to be reaped.
    Bury(Arc<OwnedFd>),
}

impl Spawner {
    /// Starts the thread, if this process has none yet. It lives until the process ends, whether there are handles or not.
    ///
    /// # Errors
    /// The kernel's, when it has no thread or descriptor left.
    pub fn new() -> io::Result<Self> {
        static ONLY: OnceLock<Spawner> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        let _starting = STARTING.lock();
        if let Some(spawner) = ONLY.get() {
            return Ok(spawner.clone());
        }
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let bell = EventFd::from_value_and_flags(0, flags)?;
        let office = Arc::new(Office { jobs: Mutex::new(VecDeque::new()), bell });
        let spawner = Self { office };
        let of_the_thread = spawner.clone();
        // Detached: nobody waits for its end, which is the process's.
        drop(spawn_named("palco-spawner", STACK_BYTES_DEFAULT, move || of_the_thread.work())?);
        Ok(ONLY.get_or_init(|| spawner).clone())
    }

    /// Starts a child, from now on: whether the future is polled or not. A child that comes after the future was dropped is
    /// killed.
    pub fn spawn(
        &self,
        launch: Launch,
    ) -> impl Future<Output = Result<Child, LaunchError>> + Send + use<> {
        let (promise, answer) = oneshot();
        self.enqueue(Job::Start(Box::new(launch), promise));
        answer
    }

    /// Starts a child and waits until it runs its program.
    ///
    /// # Errors
    /// As [`LaunchError`] says; there is no child then.
    pub fn spawn_blocking(&self, launch: Launch) -> Result<Child, LaunchError> {
        if !launch.has_death_signal() {
            // Nothing ties it to the thread that starts it: this one, which waits anyway, saves two wake-ups.
            return self.start(launch);
        }
        block_on(self.spawn(launch))
    }

    /// Reaps a child that nobody watches whenever it has ended.
    pub(crate) fn bury(&self, pidfd: Arc<OwnedFd>) {
        self.enqueue(Job::Bury(pidfd));
    }

    fn enqueue(&self, job: Job) {
        self.office.jobs.lock().push_back(job);
        if let Err(error) = self.office.bell.write(1) {
            // Full: it has rung 2⁶⁴ times and has not been heard yet. It will be.
            tracing::debug!(%error, "the spawner's bell");
        }
    }

    fn work(&self) {
        run_where_the_program_may();
        let mut dying: Vec<Arc<OwnedFd>> = Vec::new();
        loop {
            // Silenced before the jobs are taken, so that none is overlooked.
            let _rung = self.office.bell.read();
            loop {
                let job = self.office.jobs.lock().pop_front();
                match job {
                    Some(Job::Start(launch, promise)) => promise.keep(self.start(*launch)),
                    Some(Job::Bury(pidfd)) => dying.push(pidfd),
                    None => break,
                }
            }
            dying.retain(|pidfd| matches!(palco_sys::reap_pidfd(pidfd.as_fd()), Ok(None)));
            self.wait(&dying);
        }
    }

    /// Until there may be a job, or a death.
    fn wait(&self, dying: &[Arc<OwnedFd>]) {
        let watched =
            [self.office.bell.as_fd()].into_iter().chain(dying.iter().map(|fd| fd.as_fd()));
        let mut watched: Vec<PollFd<'_>> =
            watched.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        // An interrupted wait is a short one.
        let _ready = poll(&mut watched, PollTimeout::NONE);
    }

    fn start(&self, launch: Launch) -> Result<Child, LaunchError> {
        let start = launch.prepare()?;
        match palco_sys::start(&start) {
            Ok(started) => Ok(Child::new(started.pid, started.pidfd, self.clone())),
            Err(failure) => Err(LaunchError::of(failure, &start)),
        }
    }
}

/// Undoes what this thread has from the one that started it, which may be confined to some cores: all children to come would
/// have it too. Where the program's first thread may run, the program may.
fn run_where_the_program_may() {
    let allowed = sched_getaffinity(Pid::this());
    if let Err(error) = allowed.and_then(|cores| sched_setaffinity(Pid::from_raw(0), &cores)) {
        tracing::debug!(%error, "children run where the thread did that started the first of them");
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").field("jobs", &self.office.jobs.lock().len()).finish()
    }
}
