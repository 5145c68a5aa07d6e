//! The leases that a client holds, and what it may believe because of them. Time is passed in.
//!
//! Source: C. Gray and D. Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency",
//! SOSP 1989. A term is counted from before it was asked for, and a tenth is taken off for clocks that run at different
//! speeds.
//!
//! A server's name of a lease is the same for all paths of one file, and another once it was given back. What makes a lease
//! hold is that the client has not begun to give it back: a name that is being given back is worth nothing, even if an
//! answer grants it that was on its way.
//!
//! A lease is on a file, not on its name. That a path leads to the file holds as well if the path was followed while the lease
//! was held: whoever removes or replaces the file must ask for the lease back. A directory above that gets another name is
//! not noticed.

pub(super) mod keeper;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use palco_files::sftp::wire::Secret;

use super::transport::Grant;

/// The most leases of a client: 8192. Of more files nothing is kept.
pub(super) const LEASES_MAX: usize = 8192;
/// What is left of a term when the clocks' drift is taken off: nine tenths.
const DRIFT: f64 = 0.9;

/// The leases.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: HashMap<Arc<str>, Lease>,
    /// When to ask again for those that the server did not give.
    put_off: HashMap<Arc<str>, Instant>,
    /// To be given back, and not yet answered.
    releasing: HashSet<Secret>,
    /// While one is asked for: the names that are worth nothing in the answer.
    worthless: HashSet<Secret>,
    /// How many were taken that were not there before.
    taken: u64,
    /// A renewal was refused: no other before.
    renew_not_before: Option<Instant>,
    /// How often this client has given one back or changed names: an answer to what was asked before may be out of date.
    changes: u64,
}

/// One lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) id: Secret,
    /// Of the file.
    pub(super) version: u64,
    asked_at: Instant,
    until: Instant,
    renew_at: Instant,
    /// The path led to the file when it was held already. Whoever wants to let it lead to another must ask for it back.
    is_of_path: bool,
    /// A connection was lost: the server may have forgotten it, and keeps to it only for its term.
    is_doubtful: bool,
}

/// What became of an answer that grants a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It holds, and is the one that was there before.
    Same,
    /// It holds, and nothing is known of the file.
    New,
    /// It was being given back.
    Worthless,
}

impl Leases {
    /// The lease on this path, if it holds.
    pub(super) fn get(&self, path: &str, now: Instant) -> Option<Lease> {
        self.held.get(path).filter(|lease| now < lease.until).copied()
    }

    /// The lease on this path, if it holds, and if the path leads to its file.
    pub(super) fn of_path(&self, path: &str, now: Instant) -> Option<Lease> {
        self.get(path, now).filter(|lease| lease.is_of_path)
    }

    /// No path is known to lead to its file any more.
    pub(super) fn forget_names(&mut self) {
        self.changes += 1;
        for lease in self.held.values_mut() {
            lease.is_of_path = false;
        }
    }

    /// How many were ever taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The name of the one on this path, whether it holds or not.
    pub(super) fn held(&self, path: &str) -> Option<Secret> {
        self.held.get(path).map(|lease| lease.id)
    }

    /// Whether one may be asked for.
    pub(super) fn may_ask(&mut self, path: &str, now: Instant) -> bool {
        if self.put_off.get(path).is_some_and(|until| now < *until) {
            return false;
        }
        self.put_off.remove(path);
        self.held.len() < LEASES_MAX
    }

    /// One is going to be asked for.
    pub(super) fn begin_to_ask(&mut self) {
        self.worthless.clone_from(&self.releasing);
    }

    /// It was granted on a file that was opened by this path when the path had the lease `opened_under`.
    pub(super) fn take(
        &mut self,
        path: &Arc<str>,
        grant: Grant,
        asked_at: Instant,
        opened_under: Option<Secret>,
    ) -> Taken {
        if self.worthless.contains(&grant.lease) {
            return Taken::Worthless;
        }
        let is_it = |lease: &&Lease| lease.id == grant.lease && lease.version == grant.version;
        let before = self.held.get(path).filter(is_it).copied();
        let is_of_path =
            opened_under == Some(grant.lease) || before.is_some_and(|lease| lease.is_of_path);
        let lease = Lease { is_of_path, ..Lease::new(grant, asked_at) };
        self.held.insert(Arc::clone(path), lease);
        if before.is_some() {
            return Taken::Same;
        }
        self.taken += 1;
        Taken::New
    }

    /// It was not granted.
    pub(super) fn put_off(&mut self, path: &Arc<str>, until: Instant) {
        if self.put_off.len() >= LEASES_MAX {
            self.put_off.clear();
        }
        self.put_off.insert(Arc::clone(path), until);
    }

    /// This one is to be given back: the paths that it was for, whose blocks are worth nothing any more.
    pub(super) fn give_back(&mut self, id: Secret) -> Vec<Arc<str>> {
        self.changes += 1;
        self.releasing.insert(id);
        self.worthless.insert(id);
        let paths = self.held.iter().filter(|(_, lease)| lease.id == id);
        let paths: Vec<_> = paths.map(|(path, _)| Arc::clone(path)).collect();
        for path in &paths {
            self.held.remove(path);
        }
        paths
    }

    /// It was given back.
    pub(super) fn given_back(&mut self, id: Secret) {
        self.releasing.remove(&id);
    }

    /// What is still to be given back.
    pub(super) fn to_give_back(&self) -> Vec<Secret> {
        self.releasing.iter().copied().collect()
    }

    /// Takes out those whose term has ended; their paths.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Arc<str>> {
        let ended = self.held.iter().filter(|(_, lease)| now >= lease.until);
        let ended: Vec<_> = ended.map(|(path, _)| Arc::clone(path)).collect();
        for path in &ended {
            self.held.remove(path);
        }
        ended
    }

    /// When one of them is to be renewed or ends.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let not_before = |at: Instant| self.renew_not_before.map_or(at, |before| at.max(before));
        let due = |lease: &Lease| {
            let renewal = (!lease.is_doubtful).then(|| not_before(lease.renew_at));
            renewal.map_or(lease.until, |at| at.min(lease.until))
        };
        self.held.values().map(due).min()
    }

    /// Whether they are to be renewed now.
    pub(super) fn is_renewal_due(&self, now: Instant) -> bool {
        self.renew_not_before.is_none_or(|before| now >= before)
            && self.held.values().any(|lease| !lease.is_doubtful && now >= lease.renew_at)
    }

    /// The server has renewed all that it knows of, when it was asked at `asked_at`; how many these are. Those in doubt it
    /// may not know.
    pub(super) fn renew(&mut self, asked_at: Instant, term: Duration) -> usize {
        let mut count = 0;
        self.renew_not_before = None;
        for lease in self.held.values_mut() {
            // Whoever came later may not have been among them.
            if lease.is_doubtful || lease.asked_at > asked_at || lease.until <= asked_at {
                continue;
            }
            let grant = Grant { lease: lease.id, version: lease.version, term };
            *lease = Lease { is_of_path: lease.is_of_path, ..Lease::new(grant, asked_at) };
            count += 1;
        }
        count
    }

    /// The server has not renewed any: one is to be given back first, or it does not know them.
    pub(super) fn refuse_renewal(&mut self, until: Instant) {
        self.renew_not_before = Some(until);
    }

    /// A connection was lost.
    pub(super) fn doubt(&mut self) {
        for lease in self.held.values_mut() {
            lease.is_doubtful = true;
        }
    }

    /// Those in doubt, and how many changes there have been when they are asked for.
    pub(super) fn doubtful(&self) -> (Vec<(Arc<str>, Lease)>, u64) {
        let doubtful = self.held.iter().filter(|(_, lease)| lease.is_doubtful);
        (doubtful.map(|(path, lease)| (Arc::clone(path), *lease)).collect(), self.changes)
    }

    /// One in doubt was given anew, when it was asked for after so many changes; whether it still was the one on this path.
    /// It is dropped if there have been more: the server may have looked at the path before it was changed.
    pub(super) fn reclaimed(
        &mut self,
        path: &Arc<str>,
        id: Secret,
        grant: Grant,
        (asked_at, changes): (Instant, u64),
    ) -> bool {
        let is_it = self.drop_doubtful(path, id) && changes == self.changes;
        if is_it {
            self.taken += 1;
            // The server has looked at what the path leads to.
            let lease = Lease { is_of_path: true, ..Lease::new(grant, asked_at) };
            self.held.insert(Arc::clone(path), lease);
        }
        is_it
    }

    /// Takes out the one on this path, if it is still this one and in doubt.
    pub(super) fn drop_doubtful(&mut self, path: &str, id: Secret) -> bool {
        let is_it = self.held.get(path).is_some_and(|lease| lease.id == id && lease.is_doubtful);
        is_it && self.held.remove(path).is_some()
    }

    /// All of them.
    pub(super) fn ids(&self) -> Vec<Secret> {
        let held: HashSet<Secret> = self.held.values().map(|lease| lease.id).collect();
        held.union(&self.releasing).copied().collect()
    }
}

impl Lease {
    fn new(Grant { lease: id, version, term }: Grant, asked_at: Instant) -> Self {
        let (until, renew_at) = (asked_at + term.mul_f64(DRIFT), asked_at + term / 2);
        Self { id, version, asked_at, until, renew_at, is_of_path: false, is_doubtful: false }
    }
}

#[cfg(test)]
mod tests;
