//! What the two sides share beside their mechanism: whose turn it is, when to begin, when to end, what the second saw.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use palco_sys::{FutexScope, SharedArea, Woken, futex_wait, futex_wake};

use super::tally::Tally;
use crate::mechanisms::{gone, patiently};

/// The line of the sequence word.
const SEQUENCE: usize = 0;
/// The line of how many trips count, once it is known.
const COUNT: usize = 1;
/// The line of the stage of the second side.
const STAGE: usize = 2;
/// The line of the starting signal.
const GO: usize = 3;
/// The first line of what the second side reports.
const REPORT: usize = 4;
const REPORT_LINES: usize = 8;

const TEXT_BYTES_MAX: usize = 256;

/// How far the second side is.
const ABSENT: u32 = 0;
const READY: u32 = 1;
const FAILED: u32 = 2;
const DONE: u32 = 3;

/// Whether the second side may begin.
const NOT_YET: u32 = 0;
const STARTED: u32 = 1;
const CALLED_OFF: u32 = 2;

/// Shared memory of both sides.
#[derive(Debug)]
pub(crate) struct Court {
    area: SharedArea,
}

/// What a side has seen between the two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) tally: Tally,
    pub(crate) strays: u64,
    pub(crate) out_of_turn: u64,
    /// Messages that were not what the other side has sent.
    pub(crate) spoiled: u64,
}

impl Court {
    pub(crate) fn new() -> io::Result<Self> {
        let area = SharedArea::with_room(REPORT + REPORT_LINES, TEXT_BYTES_MAX + 8)?;
        Ok(Self { area })
    }

    /// The word that each side checks and increments when it has the turn.
    #[inline]
    pub(crate) fn sequence(&self) -> &AtomicU64 {
        self.area.word(SEQUENCE)
    }

    /// So many trips, at least one, count from the next on.
    pub(crate) fn count(&self, trips: u64) {
        self.area.word(COUNT).store(trips, Ordering::Release);
    }

    /// How many trips count from now on, once the first side has said so.
    #[inline]
    pub(crate) fn counted(&self) -> Option<u64> {
        Some(self.area.word(COUNT).load(Ordering::Acquire)).filter(|trips| *trips > 0)
    }

    /// The second side is where it should be and waits for the start.
    ///
    /// # Errors
    /// `TimedOut` when the first side gives up, or does not say anything.
    pub(crate) fn be_ready(&self) -> io::Result<()> {
        self.enter(READY)?;
        match self.wait_while(GO, |go| go == NOT_YET)? {
            CALLED_OFF => Err(gone()),
            _ => Ok(()),
        }
    }

    /// The first side waits until the second is ready.
    ///
    /// # Errors
    /// What the second side could not do, in its words; `TimedOut` when it does not say anything.
    pub(crate) fn await_ready(&self) -> io::Result<()> {
        match self.wait_while(STAGE, |stage| stage == ABSENT)? {
            FAILED => Err(io::Error::other(self.text())),
            _ => Ok(()),
        }
    }

    /// The second side begins to wait for its first turn.
    pub(crate) fn go(&self) -> io::Result<()> {
        self.set(GO, STARTED)
    }

    /// The first side has given up: if the second one still waits for the start, it need not.
    pub(crate) fn call_off(&self) -> io::Result<()> {
        self.set(GO, CALLED_OFF)
    }

    /// The second side leaves what it has seen.
    pub(crate) fn report(&self, result: &io::Result<Seen>) -> io::Result<()> {
        match result {
            Ok(seen) => {
                let Tally { voluntary, involuntary, cpu_nanos, migrations } = seen.tally;
                let figures = [
                    voluntary,
                    involuntary,
                    cpu_nanos,
                    migrations.map_or(0, |migrations| migrations + 1),
                    seen.strays,
                    seen.out_of_turn,
                    seen.spoiled,
                ];
                for (line, figure) in figures.into_iter().enumerate() {
                    self.area.word(REPORT + line).store(figure, Ordering::Relaxed);
                }
                self.enter(DONE)
            }
            Err(error) => {
                let text = error.to_string();
                let bytes = text.as_bytes().get(..TEXT_BYTES_MAX).unwrap_or(text.as_bytes());
                self.area.copy_in(0, bytes);
                self.enter(FAILED)
            }
        }
    }

    /// What the second side has seen; the first side waits for it.
    ///
    /// # Errors
    /// As [`Court::await_ready`].
    pub(crate) fn await_report(&self) -> io::Result<Seen> {
        if self.wait_while(STAGE, |stage| stage == ABSENT || stage == READY)? == FAILED {
            return Err(io::Error::other(self.text()));
        }
        let figure = |line: usize| self.area.word(REPORT + line).load(Ordering::Relaxed);
        Ok(Seen {
            tally: Tally {
                voluntary: figure(0),
                involuntary: figure(1),
                cpu_nanos: figure(2),
                migrations: figure(3).checked_sub(1),
            },
            strays: figure(4),
            out_of_turn: figure(5),
            spoiled: figure(6),
        })
    }

    /// Why the second side has failed, if it has.
    pub(crate) fn failure(&self) -> Option<String> {
        let has_failed = self.area.word32(STAGE).load(Ordering::Acquire) == FAILED;
        has_failed.then(|| self.text())
    }

    fn text(&self) -> String {
        let mut bytes = [0; TEXT_BYTES_MAX];
        self.area.copy_out(0, &mut bytes);
        String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned()
    }

    fn enter(&self, stage: u32) -> io::Result<()> {
        self.set(STAGE, stage)
    }

    fn set(&self, line: usize, value: u32) -> io::Result<()> {
        let word = self.area.word32(line);
        word.store(value, Ordering::Release);
        futex_wake(word, 1, FutexScope::Shared).map(drop)
    }

    /// Waits until the word is another one, and returns it.
    fn wait_while(&self, line: usize, is_so: impl Fn(u32) -> bool) -> io::Result<u32> {
        let word = self.area.word32(line);
        patiently(|| {
            loop {
                let value = word.load(Ordering::Acquire);
                if !is_so(value) {
                    return Ok(value);
                }
                if futex_wait(word, value, FutexScope::Shared, None)? == Woken::Interrupted {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_second_side_reports_the_first_one_reads() {
        let court = Court::new().unwrap();
        let tally = Tally { voluntary: 1, involuntary: 2, cpu_nanos: 3, migrations: Some(0) };
        let seen = Seen { tally, strays: 4, out_of_turn: 5, spoiled: 6 };
        court.report(&Ok(seen)).unwrap();
        assert_eq!(court.await_report().unwrap(), seen);
        assert_eq!(court.failure(), None);
    }

    #[test]
    fn a_failure_is_told_in_words_of_any_length() {
        let court = Court::new().unwrap();
        court.report(&Err(io::Error::other("no memory"))).unwrap();
        assert_eq!(court.await_ready().unwrap_err().to_string(), "no memory");
        court.report(&Err(io::Error::other("ä".repeat(1000)))).unwrap();
        assert!(court.failure().unwrap().starts_with("ää"));
    }

    #[test]
    fn who_waits_for_a_start_that_is_called_off_goes_away() {
        let court = Court::new().unwrap();
        std::thread::scope(|threads| {
            let second = threads.spawn(|| court.be_ready());
            court.await_ready().unwrap();
            court.call_off().unwrap();
            assert_eq!(second.join().unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
        });
    }

    #[test]
    fn trips_count_once_it_is_said() {
        let court = Court::new().unwrap();
        assert_eq!(court.counted(), None);
        court.count(7);
        assert_eq!(court.counted(), Some(7));
    }
}
