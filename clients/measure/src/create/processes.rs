//! Processes: copies of this one, and programs that are started from it.
//!
//! The round runs in a copy of the process already, which touches its heap, if it is to have one, on small pages, and
//! takes it along when it ends. A fork of such a process copies the map of its memory; whoever starts a program without
//! a copy does not mind.

use std::ffi::{CStr, CString};
use std::hint::black_box;
use std::io;
use std::process::Command;

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, execve};
use palco_sys::{End, Forked, PrivateArea, Start, exit_at_once, fork_child, start, wait_pidfd};

use crate::local::apart::Outcome;
use crate::local::counted::Charged;
use crate::local::meter::{Meter, Plan};
use crate::local::way::Way;
use crate::{Raw, Section, Unavailable, Unit};

pub(super) const WAYS: [Way; 5] = [
    process("fork-wait", |plan| measured(plan, fork_wait)),
    process("fork-exec", |plan| measured(plan, fork_exec)),
    process("posix-spawn", |plan| measured(plan, spawn)),
    process("command", |plan| measured(plan, command)),
    process("palco-start", |plan| measured(plan, palco_start)),
];

const fn process(mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section: Section::Create, unit: Unit::Process, mechanism, round }
}

/// The smallest program there is.
const TRUE: &CStr = c"/bin/true";

/// What a copy ends with, and nothing else does.
const COPY_ENDS_WITH: i32 = 42;

/// What a copy ends with that cannot become the program, as shells do.
const NO_PROGRAM: i32 = 127;

/// `live` makes a process, waits until it has ended as it must, and reaps it.
fn measured(plan: &Plan, mut live: impl FnMut() -> io::Result<()>) -> Outcome {
    let heap = heap(plan.key.heap)?;
    let mut meter = Meter::charging(plan, 1, Charged::Family)?;
    let mut failed = None;
    meter.run(|| {
        if let Err(error) = live() {
            failed.get_or_insert(error);
        }
    });
    black_box(heap.as_ref().map(PrivateArea::words));
    match failed {
        Some(error) => Err(Unavailable(format!("a process could not be made: {error}"))),
        None => Ok(Raw { switches_expected: None, ..meter.raw() }),
    }
}

fn heap(bytes: u64) -> Result<Option<PrivateArea>, Unavailable> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    if bytes == 0 {
        return Ok(None);
    }
    let mut heap = PrivateArea::new(bytes, false)
        .map_err(|error| Unavailable(format!("no heap of {bytes} bytes: {error}")))?;
    // One word a page, so that each is a page of its own and not the kernel's one page of zeroes.
    heap.words_mut().iter_mut().step_by(512).for_each(|word| *word = 1);
    Ok(Some(heap))
}

fn fork_wait() -> io::Result<()> {
    match fork_child()? {
        Forked::Copy => exit_at_once(COPY_ENDS_WITH),
        Forked::Original { pid } => reap(Pid::from_raw(pid), COPY_ENDS_WITH),
    }
}

fn fork_exec() -> io::Result<()> {
    match fork_child()? {
        Forked::Copy => {
            let _ = execve::<_, &CStr>(TRUE, &[TRUE], &[]);
            exit_at_once(NO_PROGRAM)
        }
        Forked::Original { pid } => reap(Pid::from_raw(pid), 0),
    }
}

fn spawn() -> io::Result<()> {
    let (files, attributes) = (PosixSpawnFileActions::init()?, PosixSpawnAttr::init()?);
    reap(posix_spawn::<_, _, &CStr>(TRUE, &files, &attributes, &[TRUE], &[])?, 0)
}

fn command() -> io::Result<()> {
    let status = Command::new("/bin/true").env_clear().status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
}

fn palco_start() -> io::Result<()> {
    let program = CString::from(TRUE);
    let plan = Start { arguments: vec![program.clone()], program, ..Start::default() };
    let started = start(&plan).map_err(|failure| io::Error::from_raw_os_error(failure.errno))?;
    match wait_pidfd(&started.pidfd)? {
        End::Exited(0) => Ok(()),
        end => Err(io::Error::other(format!("{end:?}"))),
    }
}

fn reap(pid: Pid, code: i32) -> io::Result<()> {
    loop {
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, ended)) if ended == code => return Ok(()),
            Ok(end) => return Err(io::Error::other(format!("a process ended otherwise: {end:?}"))),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
