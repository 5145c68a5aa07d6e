//! Helpers: threads that make the calls of fibers, so that LWPs need not (policy `offload`).

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::Scope;

use parking_lot::{Condvar, Mutex};

use super::event::{FiberId, Lane};
use super::log::Log;
use super::lwp::Seat;
use super::world::World;

/// A call, and where its fiber waits.
struct Job {
    fiber: FiberId,
    home: Arc<Seat>,
}

#[derive(Default)]
struct Jobs {
    queue: VecDeque<Job>,
    helpers: usize,
    idle: usize,
    is_closed: bool,
}

/// Where calls wait for a helper.
#[derive(Default)]
pub(super) struct Desk {
    jobs: Mutex<Jobs>,
    job_came: Condvar,
}

impl Desk {
    /// Nobody will bring another call.
    pub(super) fn close(&self) {
        self.jobs.lock().is_closed = true;
        self.job_came.notify_all();
    }

    /// Helpers that there ever were; none ends before the run.
    pub(super) fn helpers(&self) -> usize {
        self.jobs.lock().helpers
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = self.jobs.lock();
        jobs.idle += 1;
        loop {
            if let Some(job) = jobs.queue.pop_front() {
                jobs.idle -= 1;
                return Some(job);
            }
            if jobs.is_closed {
                return None;
            }
            self.job_came.wait(&mut jobs);
        }
    }
}

/// Ships the call of a fiber. A helper is added when none is idle; never are there more than sleepers.
///
/// # Errors
/// When there is no helper, and no thread for one.
pub(super) fn ship<'scope>(
    world: &'scope World,
    scope: &'scope Scope<'scope, '_>,
    fiber: FiberId,
    home: Arc<Seat>,
) -> io::Result<()> {
    let mut jobs = world.desk.jobs.lock();
    jobs.queue.push_back(Job { fiber, home });
    if jobs.idle >= jobs.queue.len() || jobs.helpers >= world.settings().sleepers {
        drop(jobs);
        world.desk.job_came.notify_one();
        return Ok(());
    }
    let number = jobs.helpers;
    jobs.helpers += 1;
    drop(jobs);
    let lane = Lane::Helper(u16::try_from(number).expect("no more helpers than sleepers"));
    let started = world.spawn(scope, &format!("helper-{number}"), move |world| help(world, lane));
    let Err(error) = started else { return Ok(()) };
    let mut jobs = world.desk.jobs.lock();
    jobs.helpers -= 1;
    if jobs.helpers > 0 {
        // One of them will come to it.
        return Ok(());
    }
    jobs.queue.retain(|job| job.fiber != fiber);
    Err(error)
}

fn help(world: &World, lane: Lane) {
    let mut log = Log::new(world, lane);
    while let Some(Job { fiber, home }) = world.desk.next() {
        log.blocks(world.now(), fiber);
        world.call();
        log.unblocks(world.now(), fiber);
        home.deliver(fiber);
    }
}
