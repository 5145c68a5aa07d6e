//! Give descriptors the numbers they shall have in the child, whatever numbers they have in the parent.
//!
//! A descriptor whose own number is wanted for another is first lifted above all wanted numbers; then each is put in its
//! place, and every number that is neither wanted nor one of 0, 1, 2 is closed by the `exec`.

use std::ffi::{c_int, c_long, c_uint};
use std::os::fd::RawFd;

use super::Step;
use super::child::{Failed, check};

/// Inherited unless others are given: standard input, output and error.
const STANDARD: [RawFd; 3] = [0, 1, 2];

/// What the child does to its descriptors; decided by the parent.
pub(super) struct Renumbering {
    moves: Vec<Move>,
    /// What only the child itself needs, on its way: where it is, and whether that number is wanted for another.
    aside: Vec<(RawFd, bool)>,
    /// Lifted descriptors get numbers from here on.
    floor: RawFd,
    /// First and last of each range that is closed.
    gaps: Vec<(c_uint, c_uint)>,
}

struct Move {
    wanted: RawFd,
    /// Where the descriptor is: first in the parent, later where it was lifted to.
    now: RawFd,
    is_in_the_way: bool,
}

impl Renumbering {
    /// For pairs of a wanted number, of which none occurs twice, and the descriptor that shall have it; and for descriptors
    /// that the child uses on its way, and the program does not get.
    pub(super) fn new(
        pairs: impl Iterator<Item = (RawFd, RawFd)>,
        aside: impl Iterator<Item = RawFd>,
    ) -> Self {
        let mut moves: Vec<Move> =
            pairs.map(|(wanted, now)| Move { wanted, now, is_in_the_way: false }).collect();
        let mut kept: Vec<RawFd> = moves.iter().map(|step| step.wanted).chain(STANDARD).collect();
        kept.sort_unstable();
        kept.dedup();
        for step in &mut moves {
            step.is_in_the_way = step.now != step.wanted && kept.binary_search(&step.now).is_ok();
        }
        let aside = aside.map(|now| (now, kept.binary_search(&now).is_ok())).collect();
        let floor = kept.last().map_or(0, |last| last.saturating_add(1));
        Self { moves, aside, floor, gaps: gaps(&kept) }
    }

    /// In the child: where what it uses on its way is now; -1 if nothing was set aside at this place.
    pub(super) fn aside(&self, place: usize) -> RawFd {
        self.aside.get(place).map_or(-1, |(now, _)| *now)
    }

    /// In the child: makes it so.
    pub(super) fn apply(&mut self) -> Result<(), Failed> {
        for (place, step) in self.moves.iter_mut().enumerate() {
            if step.is_in_the_way {
                step.now = lift(step.now, self.floor, place)?;
            }
        }
        let after = self.moves.len();
        for (place, (now, is_in_the_way)) in self.aside.iter_mut().enumerate() {
            if *is_in_the_way {
                *now = lift(*now, self.floor, after + place)?;
            }
        }
        for (place, step) in self.moves.iter().enumerate() {
            // SAFETY: plain system calls; the table of descriptors is the child's own.
            let put = unsafe {
                if step.now == step.wanted {
                    libc::syscall(libc::SYS_fcntl, step.now, libc::F_SETFD, 0 as c_long)
                } else {
                    libc::syscall(libc::SYS_dup3, step.now, step.wanted, 0 as c_long)
                }
            };
            check(Step::Renumber(place), put)?;
        }
        for &(first, last) in &self.gaps {
            // SAFETY: plain system call; the table of descriptors is the child's own.
            check(Step::CloseRange, unsafe {
                libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC)
            })?;
        }
        Ok(())
    }
}

/// Gives the descriptor another number, above all that are wanted; none when the program begins.
fn lift(now: RawFd, floor: RawFd, place: usize) -> Result<RawFd, Failed> {
    // SAFETY: plain system call; the table of descriptors is the child's own.
    let lifted = unsafe { libc::syscall(libc::SYS_fcntl, now, libc::F_DUPFD_CLOEXEC, floor) };
    check(Step::Lift(place), lifted)?;
    Ok(lifted as c_int)
}

/// The ranges between the sorted numbers that are kept.
fn gaps(kept: &[RawFd]) -> Vec<(c_uint, c_uint)> {
    let mut gaps = Vec::new();
    let mut next: c_uint = 0;
    for &number in kept {
        let number = number.unsigned_abs();
        if number > next {
            gaps.push((next, number - 1));
        }
        next = number + 1;
    }
    gaps.push((next, c_uint::MAX));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_kept_numbers_are_closed() {
        assert_eq!(gaps(&[0, 1, 2]), [(3, c_uint::MAX)]);
        assert_eq!(gaps(&[0, 1, 2, 3, 7, 8, 10]), [(4, 6), (9, 9), (11, c_uint::MAX)]);
    }

    #[test]
    fn only_what_is_in_the_way_of_others_is_lifted() {
        let pairs = [(3, 4), (4, 3), (5, 5), (9, 20), (6, 1)];
        let plan = Renumbering::new(pairs.into_iter(), [7, 9, 20].into_iter());
        let lifted: Vec<RawFd> =
            plan.moves.iter().filter(|step| step.is_in_the_way).map(|step| step.wanted).collect();
        assert_eq!(lifted, [3, 4, 6]);
        assert_eq!(plan.floor, 10);
        assert_eq!(plan.aside, [(7, false), (9, true), (20, false)]);
    }
}
