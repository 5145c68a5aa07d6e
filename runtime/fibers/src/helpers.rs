//! Kernel threads that make blocking calls in place of fibers: started when needed, up to a bound, gone when idle.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// How long a helper waits for the next call before it ends.
const IDLE_FOR: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
pub(crate) struct Helpers(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    has_job: Condvar,
    max: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    alive: usize,
    stopped: bool,
}

impl Helpers {
    pub(crate) fn new(max: usize) -> Self {
        let (state, has_job) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Inner { state, has_job, max: max.max(1) }))
    }

    /// Has it run by a helper; where no thread can be had, when one is free.
    ///
    /// # Errors
    /// The kernel's, when it has no thread and there is no helper; the job is dropped then.
    pub(crate) fn run(&self, job: Job) -> io::Result<()> {
        let mut state = self.0.state.lock();
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() || state.alive >= self.0.max {
            self.0.has_job.notify_one();
            return Ok(());
        }
        state.alive += 1;
        drop(state);
        let inner = Arc::clone(&self.0);
        let started = palco_threads::spawn_named(
            "palco-helper",
            palco_threads::STACK_BYTES_DEFAULT,
            move || inner.help(),
        );
        let Err(error) = started else { return Ok(()) };
        let mut state = self.0.state.lock();
        state.alive -= 1;
        if state.alive > 0 {
            return Ok(());
        }
        let job = state.jobs.pop_back();
        drop(state);
        drop(job);
        Err(error)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.state.lock().alive
    }

    /// No more calls; what has begun ends.
    pub(crate) fn stop(&self) {
        let jobs = {
            let mut state = self.0.state.lock();
            state.stopped = true;
            std::mem::take(&mut state.jobs)
        };
        self.0.has_job.notify_all();
        drop(jobs);
    }
}

impl Inner {
    fn help(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.state.lock();
                continue;
            }
            if state.stopped {
                break;
            }
            state.idle += 1;
            let waited = self.has_job.wait_for(&mut state, IDLE_FOR);
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.alive -= 1;
    }
}
