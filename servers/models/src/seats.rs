//! The books of a server's processes, in memory that all of them share: one seat for each process.
//!
//! A seat is written by one process, and settled by the parent when that process has ended, however it did. So that no
//! crash loses or doubles a count, each change of more than one word is announced in the seat's first word, with what
//! the others will be: a settlement carries out what was announced, which may have been done already.
//!
//! ```text
//! nothing ─▶ held (accepted will be n) ─▶ ended (this ending will be n) ─▶ nothing
//! ```
//!
//! Beside the seats there are permits, one for each connection that may be held at once: a permit holds the number of
//! the seat that has taken it, so that the room of a dead process is found. Behind them, one line for each seat says
//! where its connection stands (`requests/lines.rs`).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use palco_sys::SharedWords;
use serde::{Deserialize, Serialize};

use crate::requests;
use crate::scoreboard::{Count, Ending, SCORE_WORDS, Tally, word_of};

/// Words of a seat: three cache lines, so that neighbours do not slow each other down.
const SEAT_WORDS: usize = 24;

/// The scoreboard follows the announcement.
const SCORES: usize = 1;
/// What the parent says, in bits.
const PARENT: usize = SEAT_WORDS - 1;
/// It kills the process because its connection takes too long.
const OVERDUE: u64 = 1;
/// The server has a successor.
const SUCCEEDED: u64 = 2;
const _: () = assert!(SCORES + SCORE_WORDS <= PARENT, "a scoreboard fits into a seat");

/// How many seats and permits there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) seats: usize,
    pub(crate) permits: usize,
}

/// All seats of one server.
#[derive(Debug)]
pub(crate) struct Seats {
    words: SharedWords,
    layout: Layout,
}

/// What a process is about to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Announced {
    Nothing,
    /// It holds a connection; its count of accepted ones becomes this.
    Held(u64),
    /// The connection has ended like this; the count of such endings becomes this.
    Ended(Ending, u64),
}

impl Announced {
    const COUNT_BITS: u32 = 56;

    fn to_word(self) -> u64 {
        let (tag, count) = match self {
            Self::Nothing => return 0,
            Self::Held(count) => (1, count),
            Self::Ended(ending, count) => (2 + ending as u64, count),
        };
        (tag << Self::COUNT_BITS) | (count & (u64::MAX >> (64 - Self::COUNT_BITS)))
    }

    /// Any word; one that means nothing is nothing.
    fn of(word: u64) -> Self {
        let (tag, count) = (word >> Self::COUNT_BITS, word & (u64::MAX >> (64 - Self::COUNT_BITS)));
        match tag {
            0 => Self::Nothing,
            1 => Self::Held(count),
            tag => usize::try_from(tag - 2)
                .ok()
                .and_then(|index| Ending::ALL.get(index))
                .map_or(Self::Nothing, |ending| Self::Ended(*ending, count)),
        }
    }
}

impl Layout {
    fn words(self) -> usize {
        self.before_lines() + requests::words_of(self.seats)
    }

    /// Lines begin where a cache line does.
    fn before_lines(self) -> usize {
        (self.seats * SEAT_WORDS + self.permits).next_multiple_of(SEAT_WORDS)
    }
}

impl Seats {
    pub(crate) fn create(layout: Layout) -> io::Result<Arc<Self>> {
        let words = SharedWords::create("palco-seats", layout.words())?;
        Ok(Arc::new(Self { words, layout }))
    }

    /// In another process: the same seats.
    pub(crate) fn open(file: OwnedFd, layout: Layout) -> io::Result<Arc<Self>> {
        let words = SharedWords::open(file, layout.words())?;
        Ok(Arc::new(Self { words, layout }))
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The memory, to be passed to another process.
    pub(crate) fn file(&self) -> io::Result<OwnedFd> {
        self.words.as_fd().try_clone_to_owned()
    }

    fn seat(&self, index: usize) -> &[AtomicU64] {
        &self.words.words()[index * SEAT_WORDS..(index + 1) * SEAT_WORDS]
    }

    fn permits(&self) -> &[AtomicU64] {
        let first = self.layout.seats * SEAT_WORDS;
        &self.words.words()[first..first + self.layout.permits]
    }

    /// For [`requests::Lines`].
    pub(crate) fn lines(&self) -> &[AtomicU64] {
        &self.words.words()[self.layout.before_lines()..]
    }

    /// Permits that are taken.
    pub(crate) fn active(&self) -> u64 {
        let taken = |permit: &&AtomicU64| permit.load(Ordering::Acquire) != 0;
        self.permits().iter().filter(taken).count() as u64
    }

    pub(crate) fn has_room(&self) -> bool {
        self.permits().iter().any(|permit| permit.load(Ordering::Acquire) == 0)
    }

    /// Whether the server has a successor.
    pub(crate) fn is_succeeded(&self, index: usize) -> bool {
        self.seat(index)[PARENT].load(Ordering::Acquire) & SUCCEEDED != 0
    }

    /// Whether this one has a connection.
    pub(crate) fn is_taken(&self, index: usize) -> bool {
        let own = index as u64 + 1;
        self.permits().iter().any(|permit| permit.load(Ordering::Acquire) == own)
    }

    /// All counts of all seats.
    pub(crate) fn add_to(&self, tally: &mut Tally) {
        for index in 0..self.layout.seats {
            tally.add(&self.seat(index)[SCORES..SCORES + SCORE_WORDS]);
        }
    }

    /// One count of all seats.
    pub(crate) fn total(&self, what: Count) -> u64 {
        let of = |index| self.seat(index)[SCORES + what as usize].load(Ordering::Relaxed);
        (0..self.layout.seats).map(of).fold(0, u64::wrapping_add)
    }

    // The process's side, in the order of a connection

    pub(crate) fn count(&self, index: usize, what: Count, more: u64) {
        self.seat(index)[SCORES + what as usize].fetch_add(more, Ordering::Relaxed);
    }

    /// Takes a permit, if one is left.
    pub(crate) fn try_admit(&self, index: usize) -> bool {
        let (permits, own) = (self.permits(), index as u64 + 1);
        let first = index % permits.len().max(1);
        let (before, after) = permits.split_at(first);
        after.iter().chain(before).any(|permit| {
            permit.compare_exchange(0, own, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        })
    }

    /// A connection has been admitted.
    pub(crate) fn begin(&self, index: usize) {
        let seat = self.seat(index);
        if seat[PARENT].load(Ordering::Relaxed) & OVERDUE != 0 {
            seat[PARENT].fetch_and(!OVERDUE, Ordering::Relaxed); // it was about the one before
        }
        let accepted = &seat[SCORES + Count::Accepted as usize];
        let count = accepted.load(Ordering::Relaxed) + 1;
        seat[0].store(Announced::Held(count).to_word(), Ordering::Release);
        accepted.store(count, Ordering::Release);
    }

    /// The connection ends like this, unless something else is said.
    pub(crate) fn announce(&self, index: usize, ending: Ending) {
        let seat = self.seat(index);
        let count = seat[SCORES + word_of(ending)].load(Ordering::Relaxed) + 1;
        seat[0].store(Announced::Ended(ending, count).to_word(), Ordering::Release);
    }

    /// The connection has ended as announced; killed if nothing was.
    pub(crate) fn finish(&self, index: usize) {
        if matches!(self.announced(index), Announced::Held(_)) {
            self.announce(index, self.killed(index));
        }
        self.carry_out(index);
    }

    // The parent's side

    /// The server has a successor.
    pub(crate) fn mark_succeeded(&self) {
        for index in 0..self.layout.seats {
            self.seat(index)[PARENT].fetch_or(SUCCEEDED, Ordering::AcqRel);
        }
    }

    /// Its process is about to be killed because the connection takes too long.
    pub(crate) fn mark_overdue(&self, index: usize) {
        self.seat(index)[PARENT].fetch_or(OVERDUE, Ordering::AcqRel);
    }

    /// How a connection has ended whose process said nothing.
    fn killed(&self, index: usize) -> Ending {
        match self.seat(index)[PARENT].load(Ordering::Acquire) & OVERDUE {
            0 => Ending::Abandoned,
            _ => Ending::TimedOut,
        }
    }

    /// Closes the books of a process that has ended.
    pub(crate) fn settle(self: &Arc<Self>, index: usize) {
        self.close_line(index);
        let holds = self.is_taken(index);
        match self.announced(index) {
            // It ended between the permit and the announcement.
            Announced::Nothing if holds => self.begin(index),
            Announced::Nothing | Announced::Ended(..) => {}
            Announced::Held(count) => {
                let accepted = &self.seat(index)[SCORES + Count::Accepted as usize];
                accepted.store(count, Ordering::Release);
            }
        }
        self.finish(index);
    }

    /// Whether the process has begun the connection that the seat was taken for.
    pub(crate) fn has_begun(&self, index: usize) -> bool {
        let accepted = &self.seat(index)[SCORES + Count::Accepted as usize];
        self.announced(index) != Announced::Nothing || accepted.load(Ordering::Acquire) > 0
    }

    /// Closes the books of a process that has had one connection, and leaves the seat as if nobody had been there.
    /// What was counted meanwhile, and how it ended, if that is known.
    pub(crate) fn clear(
        self: &Arc<Self>,
        index: usize,
    ) -> ([(Count, u64); Count::SERVED.len()], Option<Ending>) {
        self.close_line(index);
        let seat = self.seat(index);
        let ending = match self.announced(index) {
            Announced::Ended(ending, _) => Some(ending),
            Announced::Held(_) => Some(self.killed(index)),
            Announced::Nothing => {
                let counted =
                    |ending: &Ending| seat[SCORES + word_of(*ending)].load(Ordering::Acquire) > 0;
                Ending::ALL.into_iter().find(counted)
            }
        };
        let counts =
            Count::SERVED.map(|what| (what, seat[SCORES + what as usize].load(Ordering::Acquire)));
        for word in seat {
            word.store(0, Ordering::Release);
        }
        (counts, ending)
    }

    fn close_line(self: &Arc<Self>, index: usize) {
        requests::Lines::Seats(Arc::clone(self)).line(index).close();
    }

    fn announced(&self, index: usize) -> Announced {
        Announced::of(self.seat(index)[0].load(Ordering::Acquire))
    }

    fn carry_out(&self, index: usize) {
        let seat = self.seat(index);
        if let Announced::Ended(ending, count) = self.announced(index) {
            seat[SCORES + word_of(ending)].store(count, Ordering::Release);
        }
        let own = index as u64 + 1;
        for permit in self.permits() {
            let _ = permit.compare_exchange(own, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
        // Last: as long as it stands there the permit may have to be given back.
        seat[0].store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
