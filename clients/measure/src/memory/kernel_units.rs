//! Threads that are parked, and copies of this process that wait.

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use palco_sys::{Forked, exit_at_once, fork_child};

use super::scale::{PORTIONS, each, kib_of, own, own_of, raw, weigh};
use crate::local::apart::Outcome;
use crate::local::meter::Plan;
use crate::local::way::Way;
use crate::{Section, Unavailable, Unit};

pub(super) const WAYS: [Way; 3] = [
    way(Unit::Thread, "parked", threads),
    way(Unit::Thread, "kernel-stack", kernel_stacks),
    way(Unit::Process, "forked", processes),
];

const fn way(unit: Unit, mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section: Section::Memory, unit, mechanism, round }
}

/// Threads in a portion.
const THREADS: u64 = 100;

/// Processes in a portion.
const PROCESSES: u64 = 20;

fn threads(_: &Plan) -> Outcome {
    weigh_threads(own)
}

/// By the machine's sum, so whoever else makes threads meanwhile is in it: the median of some rounds is not.
fn kernel_stacks(_: &Plan) -> Outcome {
    weigh_threads(|| {
        let told = fs::read_to_string("/proc/meminfo").ok();
        told.and_then(|text| kib_of(&text, "KernelStack"))
            .ok_or_else(|| Unavailable("the kernel does not tell what its stacks take".into()))
    })
}

fn weigh_threads(weight: impl FnMut() -> Result<u64, Unavailable>) -> Outcome {
    let mut held = Vec::with_capacity(usize::try_from((PORTIONS + 1) * THREADS).unwrap_or(0));
    let raw = weigh(THREADS, weight, |units| {
        let (ready, are_ready) = mpsc::channel();
        for _ in 0..units {
            held.push(parked(ready.clone())?);
        }
        drop(ready);
        // All have run, and said so last of all.
        while are_ready.recv().is_ok() {}
        Ok(())
    });
    for thread in &held {
        thread.thread().unpark();
    }
    held.into_iter().for_each(|thread| drop(thread.join()));
    raw
}

/// A thread that has said that it is there and waits to be woken.
fn parked(ready: mpsc::Sender<()>) -> Result<JoinHandle<()>, Unavailable> {
    let body = move || {
        let _ = ready.send(());
        drop(ready);
        thread::park();
    };
    let thread = thread::Builder::new().spawn(body);
    thread.map_err(|error| Unavailable(format!("no more threads: {error}")))
}

/// The copies in this process's care; they end when it ends, or drops this.
struct Copies {
    /// Nothing is written to it: its end is what they wait for.
    end: Option<PipeWriter>,
    ends: PipeReader,
    ready: (PipeReader, PipeWriter),
    pids: Vec<Pid>,
}

impl Copies {
    fn new() -> io::Result<Self> {
        let (ends, end) = io::pipe()?;
        Ok(Self { end: Some(end), ends, ready: io::pipe()?, pids: Vec::new() })
    }

    /// Makes one that waits. Returns when it does.
    fn add(&mut self) -> io::Result<Pid> {
        match fork_child()? {
            Forked::Copy => {
                self.end = None;
                let _ = self.ready.1.write_all(&[1]);
                let _ = self.ends.read(&mut [0]);
                exit_at_once(0)
            }
            Forked::Original { pid } => {
                let pid = Pid::from_raw(pid);
                self.pids.push(pid);
                self.ready.0.read_exact(&mut [0])?;
                Ok(pid)
            }
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.end = None;
        for pid in self.pids.drain(..) {
            while waitpid(pid, None) == Err(nix::errno::Errno::EINTR) {}
        }
    }
}

/// Each copy is asked itself what it has alone; what it shares with the others belongs to none.
fn processes(_: &Plan) -> Outcome {
    let failed = |error: io::Error| Unavailable(format!("no more processes: {error}"));
    let mut copies = Copies::new().map_err(failed)?;
    let mut samples = Vec::new();
    for _ in 0..PORTIONS {
        let mut bytes = 0;
        let mut portion = Vec::new();
        for _ in 0..PROCESSES {
            portion.push(copies.add().map_err(failed)?);
        }
        for pid in portion {
            bytes += own_of(&pid.to_string())?;
        }
        samples.push(each(bytes, PROCESSES));
    }
    Ok(raw(samples, PROCESSES))
}
