//! Which records of a log make the same participant as all of it: of each thing the one that wins when the log is read
//! back ([`Participant::restore`](palco_rambo::Participant::restore)).

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};

use palco_rambo::{Ballot, Boot, Index, Key, Record, Tag};

/// Known after all records were [seen](Survivors::see). Costs some hundred bytes for each key, however long its name and
/// its values are.
#[derive(Debug, Default)]
pub(super) struct Survivors {
    stored: HashMap<Print, Winner<Tag>>,
    promised: HashMap<Print, Winner<Tag>>,
    votes: BTreeMap<(Vote, Index), Winner<Ballot>>,
    learned: Option<Winner<()>>,
    base: Index,
    began: Option<Winner<Boot>>,
    prints: Prints,
    seen: u64,
    bytes: u64,
}

/// Two hashes that nobody outside can foresee: that two keys share both is not to be expected in the life of this disk.
type Print = (u64, u64);

#[derive(Debug, Default)]
struct Prints(RandomState, RandomState);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Vote {
    Promised,
    Accepted,
    RoundZero,
}

/// The record that wins so far: as the how manieth it was seen, and how long it is.
#[derive(Clone, Copy, Debug)]
struct Winner<T> {
    rank: T,
    at: u64,
    bytes: u32,
}

impl<T: PartialOrd + Copy> Winner<T> {
    /// Gives its place to one that wins; says how long the loser is.
    fn contend(&mut self, other: Self, ties: Ties) -> u32 {
        let wins = match ties {
            Ties::First => other.rank > self.rank,
            Ties::Last => other.rank >= self.rank,
        };
        let loser = if wins { std::mem::replace(self, other) } else { other };
        loser.bytes
    }
}

/// Which of equals wins.
#[derive(Clone, Copy)]
enum Ties {
    First,
    Last,
}

impl Survivors {
    /// Takes note of the next record, which is so long.
    pub(super) fn see(&mut self, record: &Record, bytes: usize) {
        let at = self.seen;
        self.seen += 1;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.bytes += u64::from(bytes);
        let mut lost = 0;
        match record {
            Record::Began { boot, .. } => {
                let new = Winner { rank: *boot, at, bytes };
                lost =
                    self.began.get_or_insert(Winner { bytes: 0, ..new }).contend(new, Ties::Last);
            }
            Record::Learned(map) => {
                self.base = map.base();
                let new = Winner { rank: (), at, bytes };
                lost =
                    self.learned.get_or_insert(Winner { bytes: 0, ..new }).contend(new, Ties::Last);
            }
            Record::Stored(key, tagged) => {
                // As a replica's store takes values in: larger tags alone.
                let new = Winner { rank: tagged.tag, at, bytes };
                let place = self.stored.entry(self.prints.of(key));
                place.and_modify(|old| lost = old.contend(new, Ties::First)).or_insert(new);
            }
            Record::CasPromised(key, tag) => {
                let new = Winner { rank: *tag, at, bytes };
                let place = self.promised.entry(self.prints.of(key));
                place.and_modify(|old| lost = old.contend(new, Ties::First)).or_insert(new);
            }
            Record::Promised(..) | Record::Accepted(..) | Record::RoundZero(_) => {
                let (place, rank) = voted(record).expect("a vote is one");
                let new = Winner { rank, at, bytes };
                let place = self.votes.entry(place);
                place.and_modify(|old| lost = old.contend(new, Ties::Last)).or_insert(new);
            }
        }
        self.bytes -= u64::from(lost);
    }

    /// Votes on configurations below the base are over: their outcome is known and its successors are installed.
    pub(super) fn forget_decided(&mut self) {
        let base = self.base;
        let bytes = &mut self.bytes;
        self.votes.retain(|(_, index), winner| {
            let is_kept = *index >= base;
            if !is_kept {
                *bytes -= u64::from(winner.bytes);
            }
            is_kept
        });
    }

    /// Whether this record, seen as the `at`th from 0, is one of them.
    pub(super) fn include(&self, record: &Record, at: u64) -> bool {
        let winner = match record {
            Record::Began { .. } => self.began.map(|winner| winner.at),
            Record::Learned(_) => self.learned.map(|winner| winner.at),
            Record::Stored(key, _) => self.stored.get(&self.prints.of(key)).map(|winner| winner.at),
            Record::CasPromised(key, _) => {
                self.promised.get(&self.prints.of(key)).map(|winner| winner.at)
            }
            Record::Promised(..) | Record::Accepted(..) | Record::RoundZero(_) => {
                voted(record).and_then(|(place, _)| self.votes.get(&place)).map(|winner| winner.at)
            }
        };
        winner == Some(at)
    }

    /// How long they are together.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many were seen.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }
}

impl Prints {
    fn of(&self, key: &Key) -> Print {
        (self.0.hash_one(key), self.1.hash_one(key))
    }
}

/// Which vote it is, and what it is ordered by, if it is one.
fn voted(record: &Record) -> Option<((Vote, Index), Ballot)> {
    match record {
        Record::Promised(index, ballot) => Some(((Vote::Promised, *index), *ballot)),
        Record::Accepted(ballot, configuration) => {
            Some(((Vote::Accepted, configuration.index()), *ballot))
        }
        Record::RoundZero(configuration) => {
            Some(((Vote::RoundZero, configuration.index()), Ballot::ZERO))
        }
        Record::Began { .. }
        | Record::Learned(_)
        | Record::Stored(..)
        | Record::CasPromised(..) => None,
    }
}
