//! The eager side, beside the slow one: on a thread of its own or in a process of its own.
//!
//! The slow side stays on the calling thread and watches. What they tell each other, apart from the pipe, is in words of
//! shared memory, which both kinds of unit understand.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use palco_sys::{Forked, SharedWords, exit_at_once, fork_child, open_pidfd, wait_pidfd};
use serde::{Deserialize, Serialize};

use crate::crew::with_threads;

use super::watch::{Pose, Watched};
use super::{Blocked, Outcome};

/// What the two sides are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Units {
    /// Two threads of this process.
    Threads,
    /// Two processes.
    Processes,
}

/// What the sides tell each other in shared memory.
#[derive(Debug)]
pub(super) struct Board(SharedWords);

/// A word of the board.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(super) enum Word {
    /// Kernel's id of the eager side's thread; 0 until it is there.
    Thread,
    /// Voluntary switches of the eager side before the call that it is in; more than it ever has until it is there.
    Switches,
    /// Messages that the eager side has handed over or received; written after [`Word::Switches`].
    Progress,
    /// Messages that the eager side was refused, and has forgotten.
    Lost,
    /// Reads that found nothing.
    InVain,
    /// See [`Outcome::stale`].
    Stale,
    /// See [`Outcome::zeros`].
    Zeros,
    /// Messages received that were not the next.
    Disorder,
    /// See [`Blocked::calls`].
    BlockedCalls,
    /// See [`Blocked::longest_nanos`].
    BlockedLongest,
    /// See [`Blocked::total_nanos`].
    BlockedTotal,
    /// 1 when the eager side has closed its end; what it failed with otherwise, as [`FAILED`] and an error number.
    End,
}

/// Above every other value of [`Word::End`].
const FAILED: u64 = 1 << 32;

impl Board {
    fn new() -> io::Result<Self> {
        let board = Self(SharedWords::create("palco-pipes", Word::End as usize + 1)?);
        board.write(Word::Switches, u64::MAX);
        Ok(board)
    }

    fn word(&self, word: Word) -> &AtomicU64 {
        &self.0.words()[word as usize]
    }

    pub(super) fn read(&self, word: Word) -> u64 {
        self.word(word).load(Ordering::Acquire)
    }

    pub(super) fn write(&self, word: Word, value: u64) {
        self.word(word).store(value, Ordering::Release);
    }

    pub(super) fn add(&self, word: Word) {
        self.word(word).fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn write_blocked(&self, blocked: Blocked) {
        self.write(Word::BlockedCalls, blocked.calls);
        self.write(Word::BlockedLongest, blocked.longest_nanos);
        self.write(Word::BlockedTotal, blocked.total_nanos);
    }

    /// What the eager side alone knows.
    pub(super) fn blocked(&self) -> Blocked {
        Blocked {
            calls: self.read(Word::BlockedCalls),
            longest_nanos: self.read(Word::BlockedLongest),
            total_nanos: self.read(Word::BlockedTotal),
        }
    }

    /// Runs the eager side to its end.
    fn act<E>(&self, end: E, eager: impl FnOnce(E, &Self) -> io::Result<()>) {
        self.write(Word::Thread, u64::from(palco_sys::thread_id().unsigned_abs()));
        // A panic in a copy of the process must not unwind into what the original is about to do.
        let done = catch_unwind(AssertUnwindSafe(|| eager(end, self)));
        let value = match done {
            Ok(Ok(())) => 1,
            Ok(Err(error)) => FAILED + u64::from(error.raw_os_error().unwrap_or(0).unsigned_abs()),
            Err(_panic) => FAILED,
        };
        self.write(Word::End, value);
    }
}

/// The eager side, as the slow one sees it.
#[derive(Debug)]
pub(super) struct Eager<'a> {
    pub(super) board: &'a Board,
    watched: Watched,
}

impl<'a> Eager<'a> {
    /// Waits until it is there. Whoever starts it knows that it will be.
    fn meet(board: &'a Board) -> io::Result<Self> {
        loop {
            match i32::try_from(board.read(Word::Thread)) {
                Ok(0) => thread::yield_now(),
                Ok(thread) => return Ok(Self { board, watched: Watched::of(thread)? }),
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Whether it has fallen asleep in the call that follows message `progress`.
    pub(super) fn sleeps_at(&self, progress: u64) -> bool {
        self.board.read(Word::Progress) == progress
            && match self.watched.pose() {
                Pose::Asleep { switches } => switches > self.board.read(Word::Switches),
                Pose::Awake | Pose::Gone => false,
            }
    }

    /// Whether it has closed its end of the pipe, or broken off.
    pub(super) fn has_ended(&self) -> bool {
        self.board.read(Word::End) != 0 || self.watched.pose() == Pose::Gone
    }

    /// Waits for a condition that the eager side brings about.
    ///
    /// # Errors
    /// When it ends without.
    pub(super) fn until(&self, condition: impl Fn(&Self) -> bool) -> io::Result<()> {
        loop {
            // In this order: what it did last, it did before it ended.
            let ended = self.has_ended();
            if condition(self) {
                return Ok(());
            }
            if ended {
                return Err(failure(self.board.read(Word::End)));
            }
            thread::yield_now();
        }
    }
}

fn failure(end: u64) -> io::Error {
    match end.checked_sub(FAILED).and_then(|number| i32::try_from(number).ok()) {
        Some(number) if number > 0 => io::Error::from_raw_os_error(number),
        _ => io::Error::other("the other side of the pipe ended too early"),
    }
}

/// Runs both sides, each with its end of the pipe, to the end. What the eager side is given is closed before it is said
/// to have ended.
///
/// # Errors
/// Those of either side; `Deadlock` for [`Units::Processes`] in a process of several threads.
pub(super) fn run<E: Send, S>(
    units: Units,
    (eager_end, eager): (E, impl FnOnce(E, &Board) -> io::Result<()> + Send),
    (slow_end, slow): (S, impl FnOnce(S, &Eager<'_>) -> io::Result<Outcome>),
) -> io::Result<Outcome> {
    let board = Board::new()?;
    let outcome = match units {
        Units::Threads => with_threads(|scope| {
            thread::Builder::new().spawn_scoped(scope, || board.act(eager_end, eager))?;
            slow(slow_end, &Eager::meet(&board)?)
        }),
        Units::Processes => match fork_child()? {
            Forked::Copy => {
                drop(slow_end);
                board.act(eager_end, eager);
                exit_at_once(0)
            }
            Forked::Original { pid } => {
                drop(eager_end);
                let process = open_pidfd(pid)?;
                let outcome = slow(slow_end, &Eager { board: &board, watched: Watched::of(pid)? });
                // By now the pipe has one end, at most: nothing holds the other side up.
                wait_pidfd(process)?;
                outcome
            }
        },
    }?;
    match board.read(Word::End) {
        1 => Ok(outcome),
        end => Err(failure(end)),
    }
}
