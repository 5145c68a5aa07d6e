//! What a replica holds: the registers, and for keys of class cas what it has promised.

use std::hash::{Hash, Hasher};

use foldhash::fast::FixedState;
use indexmap::IndexMap;

use crate::{Barrier, Boot, Cursor, Key, PULL_BYTES_MAX, Tag, Tagged};

/// Registers looked at for one answer to a fetch, at most.
const SCAN_MAX: usize = 1 << 14;

/// What is held for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) tagged: Tagged,
    /// On disk once this barrier is reached.
    pub(crate) barrier: Barrier,
    /// Which of this life's changes it was.
    changed: u64,
    /// Whether this tag is known to be with a write quorum of every configuration (rule O2). Not on disk: who forgets it
    /// takes a second round.
    pub(crate) confirmed: bool,
    /// For keys of class cas: accepted by vote, not handed over. Not on disk either.
    pub(crate) voted: bool,
    /// For keys of class cas: nothing below is accepted.
    pub(crate) promised: Tag,
    pub(crate) promise_barrier: Barrier,
}

/// All of it. Keys never go away, so a position stays the same key's (pitfall 20).
#[derive(Clone, Debug)]
pub(crate) struct Store {
    entries: IndexMap<Key, Entry, FixedState>,
    changes: u64,
}

impl PartialEq for Store {
    /// In the same order, for positions are told to others.
    fn eq(&self, other: &Self) -> bool {
        self.changes == other.changes && self.entries.as_slice() == other.entries.as_slice()
    }
}

impl Eq for Store {}

impl Hash for Store {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.changes.hash(hasher);
        self.entries.as_slice().hash(hasher);
    }
}

impl Store {
    pub(crate) fn new(seed: u64) -> Self {
        Self { entries: IndexMap::with_hasher(FixedState::with_seed(seed)), changes: 0 }
    }

    pub(crate) fn find(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = (&Key, &Entry)> {
        self.entries.iter()
    }

    /// Takes a tag in if it is larger than what is held; says whether it was, and the barrier behind which what is held
    /// now is on disk: `barrier` if it is this.
    pub(crate) fn put(&mut self, key: &Key, tagged: &Tagged, barrier: Barrier) -> (bool, Barrier) {
        if tagged.tag == Tag::ZERO {
            return (false, 0);
        }
        let entry = match self.entries.get_index_of(key) {
            Some(at) => &mut self.entries[at],
            None => self.entries.entry(key.clone()).or_default(),
        };
        if tagged.tag <= entry.tagged.tag {
            return (false, entry.barrier);
        }
        self.changes += 1;
        entry.tagged = tagged.clone();
        entry.barrier = barrier;
        entry.changed = self.changes;
        entry.confirmed = false;
        entry.voted = false;
        (true, barrier)
    }

    /// Promises for a key of class cas; the barrier is that of the promise, behind which what is held is on disk too.
    pub(crate) fn promise(&mut self, key: &Key, ballot: Tag, barrier: Barrier) {
        let entry = self.entries.entry(key.clone()).or_default();
        entry.promised = entry.promised.max(ballot);
        entry.promise_barrier = entry.promise_barrier.max(barrier);
    }

    /// What is held was accepted by vote.
    pub(crate) fn vote(&mut self, key: &Key, ballot: Tag) {
        if let Some(entry) = self.entries.get_mut(key)
            && entry.tagged.tag == ballot
        {
            entry.voted = true;
        }
    }

    /// This tag is with a write quorum of every configuration.
    pub(crate) fn confirm(&mut self, key: &Key, tag: Tag) {
        if let Some(entry) = self.entries.get_mut(key)
            && entry.tagged.tag == tag
        {
            entry.confirmed = true;
        }
    }

    /// A part of what changed, from a cursor on; where to go on, and whether that was all (U2).
    pub(crate) fn part(&self, boot: Boot, from: Cursor) -> (Vec<(Key, Tagged)>, Cursor, bool) {
        let begin = if from.boot != boot {
            // Of what another life changed nothing is known.
            Cursor { boot, since: 0, until: self.changes, position: 0 }
        } else if from.position == 0 {
            Cursor { until: self.changes, ..from }
        } else {
            from
        };
        let position =
            usize::try_from(begin.position).unwrap_or(usize::MAX).min(self.entries.len());
        let (mut part, mut bytes, mut next) = (Vec::new(), 0, position);
        for (key, entry) in self.entries.as_slice()[position..].iter().take(SCAN_MAX) {
            if entry.changed > begin.since {
                let size =
                    key.name.len() + entry.tagged.value.as_ref().map_or(0, bytes::Bytes::len) + 32;
                if bytes + size > PULL_BYTES_MAX && !part.is_empty() {
                    break;
                }
                bytes += size;
                part.push((key.clone(), entry.tagged.clone()));
            }
            next += 1;
        }
        (part, Cursor { position: next as u64, ..begin }, next == self.entries.len())
    }
}

impl Cursor {
    /// From where a later fetch goes on, when this one is through.
    pub(crate) fn finished(self) -> Self {
        Self { boot: self.boot, since: self.until, until: 0, position: 0 }
    }
}
