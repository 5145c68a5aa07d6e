//! The floor: judges each operation when it completes, in constant time, by the tag or version that it returns.
//!
//! RAMBO.md §1.8, theorem L3, as it stands: when one operation is done before another begins, the tag of the latter is
//! not below, and above if it writes. With tags that no two writes share, and reads that return what was written under
//! their tag, this is atomicity. Compared with a search it is blind in nothing but needs to see the tags; the search of
//! [`linearizability`](crate::linearizability) does not, and checks this one.
//!
//! Keys of class `Cas` are judged the same way by version. Versions have no gaps, so also: each change made its value
//! of the one before, and there are no more versions than changes.

mod proof;
mod violation;

use std::collections::{HashMap, hash_map::Entry};

use foldhash::fast::FixedState;
use palco_core::Time;
use palco_rambo::{Class, Key, Tag, Value};

use crate::history::{Asked, Change, ClientId, Done};

pub use violation::{Height, Party, Violation};

/// Which key of a [`Floor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyIndex(u32);

/// An operation under way: what it asked, and the floor of its key when it began. Dropping it means that its outcome is
/// unknown.
#[derive(Clone, Debug)]
pub struct Entered {
    key: KeyIndex,
    client: ClientId,
    called: Time,
    step: u64,
    floor: Mark,
    asked: Asked,
}

/// How high completed operations of a key have come, and which of them.
#[derive(Clone, Copy, Debug)]
struct Mark {
    height: Height,
    by: Option<Completed>,
}

/// Index of a completed operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Completed(u32);

/// A completed operation, and when it ended in calls and returns.
#[derive(Clone, Copy, Debug)]
struct Span {
    party: Party,
    left: u64,
}

#[derive(Debug)]
struct KeyFloor {
    key: Key,
    floor: Mark,
    /// Changes that were called and neither failed nor completed: they may take effect.
    open_changes: u64,
    /// Changes that completed and took effect.
    changed: u64,
}

/// What is known of a tag or version.
#[derive(Clone, Debug)]
struct Held {
    value: Value,
    origin: Origin,
    /// The completed operation that made it.
    maker: Option<Completed>,
    /// The first completed operation that saw it.
    seen: Option<Completed>,
}

/// Whether somebody is known to have written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Issued,
    OnlySeen,
}

/// A change whose predecessor's value is not known yet.
#[derive(Debug)]
struct Unproved {
    change: Change,
    maker: Completed,
}

/// The oracle. Memory grows by about 150 bytes for each tag or version and 32 for each completed operation; a verdict
/// costs about two look-ups.
#[derive(Debug, Default)]
pub struct Floor {
    indices: HashMap<Key, KeyIndex, FixedState>,
    keys: Vec<KeyFloor>,
    held: HashMap<(KeyIndex, Height), Held, FixedState>,
    unproved: HashMap<(KeyIndex, u64), Unproved, FixedState>,
    completed: Vec<Span>,
    /// Calls and returns so far.
    step: u64,
}

/// What a verdict is: boxed, because almost all are good.
pub type Judged = Result<(), Box<Violation>>;

impl Floor {
    /// The index of a key, the same for the same key.
    pub fn intern(&mut self, key: &Key) -> KeyIndex {
        if let Some(index) = self.indices.get(key) {
            return *index;
        }
        let index = KeyIndex(u32::try_from(self.keys.len()).expect("fewer than 2³² keys fit"));
        let floor = Mark { height: Height::lowest(key.class), by: None };
        self.keys.push(KeyFloor { key: key.clone(), floor, open_changes: 0, changed: 0 });
        self.indices.insert(key.clone(), index);
        index
    }

    /// An operation begins now: it remembers the floor.
    #[must_use = "the operation is judged by what is returned here"]
    pub fn enter(&mut self, key: KeyIndex, client: ClientId, at: Time, asked: Asked) -> Entered {
        self.step += 1;
        let state = &mut self.keys[key.0 as usize];
        if matches!(asked, Asked::Change(_)) {
            state.open_changes += 1;
        }
        Entered { key, client, called: at, step: self.step, floor: state.floor, asked }
    }

    /// A write has chosen this tag for this value. For the world to say when it first sees the tag, so that values of
    /// writes whose outcome stays unknown are known too; again and late does no harm, as long as it is before
    /// [`Floor::finish`].
    ///
    /// # Errors
    ///
    /// The tag is that of another value (I4), or a read returned another value with it.
    pub fn issued(&mut self, key: KeyIndex, tag: Tag, value: &Value) -> Judged {
        let height = Height::Tag(tag);
        match self.held.entry((key, height)) {
            Entry::Vacant(vacant) => {
                let origin = Origin::Issued;
                vacant.insert(Held { value: value.clone(), origin, maker: None, seen: None });
                Ok(())
            }
            Entry::Occupied(mut occupied) => {
                let held = occupied.get_mut();
                if held.value != *value {
                    let before = held.clone();
                    return Err(self.conflict(key, height, before, value, None));
                }
                held.origin = Origin::Issued;
                Ok(())
            }
        }
    }

    /// The operation did not happen.
    pub fn failed(&mut self, operation: &Entered) {
        self.step += 1;
        self.close(operation);
    }

    /// The operation ends now and returned this.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn done(&mut self, operation: Entered, at: Time, done: &Done) -> Judged {
        self.step += 1;
        self.close(&operation);
        let party = Party { client: operation.client, called: operation.called, returned: at };
        let span = Span { party, left: self.step };
        let index = u32::try_from(self.completed.len()).expect("fewer than 2³² operations fit");
        self.completed.push(span);
        self.judge(&operation, Completed(index), done)
    }

    /// Nothing happens any more: reads whose tag nobody issued are refused now, and versions that nobody made.
    /// Linear in the tags.
    ///
    /// # Errors
    ///
    /// The earliest read of them, or the first key of them.
    pub fn finish(&self) -> Judged {
        let unissued = self.held.iter().filter_map(|((key, height), held)| match height {
            Height::Tag(_) if held.origin == Origin::OnlySeen => Some((held.seen?, *key, *height)),
            Height::Tag(_) | Height::Version(_) => None,
        });
        if let Some((reader, key, height)) = unissued.min_by_key(|(reader, _, _)| *reader) {
            let (key, by) = (self.key(key), self.party(reader));
            return Err(Box::new(Violation::NeverIssued { key, by, height }));
        }
        for KeyFloor { key, floor, open_changes, changed } in &self.keys {
            match floor.height {
                Height::Version(version) if version > changed.saturating_add(*open_changes) => {
                    return Err(Box::new(Violation::MoreThanChanges {
                        key: key.clone(),
                        version,
                        changed: *changed,
                        open: *open_changes,
                    }));
                }
                Height::Version(_) | Height::Tag(_) => {}
            }
        }
        Ok(())
    }

    fn close(&mut self, operation: &Entered) {
        if matches!(operation.asked, Asked::Change(_)) {
            self.keys[operation.key.0 as usize].open_changes -= 1;
        }
    }

    fn party(&self, operation: Completed) -> Party {
        self.completed[operation.0 as usize].party
    }

    fn key(&self, key: KeyIndex) -> Key {
        self.keys[key.0 as usize].key.clone()
    }

    fn judge(&mut self, operation: &Entered, by: Completed, done: &Done) -> Judged {
        let class = self.keys[operation.key.0 as usize].key.class;
        match (class, &operation.asked, done) {
            (Class::Register, Asked::Read, Done::Read { tag, value }) => {
                self.seen(operation, by, Height::Tag(*tag), value)
            }
            (Class::Cas, Asked::Read, Done::Saw { version, value }) => {
                self.seen(operation, by, Height::Version(*version), value)
            }
            (Class::Cas, Asked::Change(change), Done::Mismatch { version, value }) => {
                if change.apply(*version, value).is_some() {
                    return Err(self.misfit(operation, by, done));
                }
                self.seen(operation, by, Height::Version(*version), value)
            }
            (Class::Register, Asked::Write(value), Done::Wrote { tag }) => {
                self.made(operation, by, Height::Tag(*tag), value)
            }
            (Class::Cas, Asked::Change(change), Done::Changed { version, value }) => {
                if let Change::Swap { expected, .. } = change
                    && expected.checked_add(1) != Some(*version)
                {
                    return Err(self.misfit(operation, by, done));
                }
                self.keys[operation.key.0 as usize].changed += 1;
                self.made(operation, by, Height::Version(*version), value)?;
                self.prove(operation, by, change, *version, value)
            }
            (Class::Register | Class::Cas, _, _) => Err(self.misfit(operation, by, done)),
        }
    }

    /// An operation that changed nothing saw this.
    fn seen(&mut self, operation: &Entered, by: Completed, at: Height, value: &Value) -> Judged {
        if at < operation.floor.height {
            return Err(self.below(operation, by, at));
        }
        if at.is_lowest() {
            if value.is_some() {
                return Err(self.other_value(operation, by, at, value, &None));
            }
        } else {
            match self.held.entry((operation.key, at)) {
                Entry::Vacant(vacant) => {
                    let (value, origin) = (value.clone(), Origin::OnlySeen);
                    vacant.insert(Held { value, origin, maker: None, seen: Some(by) });
                }
                Entry::Occupied(mut occupied) => {
                    let held = occupied.get_mut();
                    held.seen.get_or_insert(by);
                    if held.value != *value {
                        let written = held.value.clone();
                        return Err(self.other_value(operation, by, at, value, &written));
                    }
                }
            }
            self.prove_next(operation.key, at, value)?;
        }
        self.raise(operation.key, at, by);
        Ok(())
    }

    /// An operation made this.
    fn made(&mut self, operation: &Entered, by: Completed, at: Height, value: &Value) -> Judged {
        if at <= operation.floor.height {
            return Err(self.below(operation, by, at));
        }
        match self.held.entry((operation.key, at)) {
            Entry::Vacant(vacant) => {
                let (value, origin) = (value.clone(), Origin::Issued);
                vacant.insert(Held { value, origin, maker: Some(by), seen: None });
            }
            Entry::Occupied(mut occupied) => {
                let held = occupied.get_mut();
                if held.maker.is_some() || held.value != *value {
                    let before = held.clone();
                    return Err(self.conflict(operation.key, at, before, value, Some(by)));
                }
                (held.origin, held.maker) = (Origin::Issued, Some(by));
                let seen = held.seen;
                if let Some(reader) = seen
                    && self.completed[reader.0 as usize].left < operation.step
                {
                    return Err(Box::new(Violation::FromTheFuture {
                        key: self.key(operation.key),
                        reader: self.party(reader),
                        height: at,
                        writer: self.party(by),
                    }));
                }
            }
        }
        self.prove_next(operation.key, at, value)?;
        self.raise(operation.key, at, by);
        Ok(())
    }

    fn raise(&mut self, key: KeyIndex, height: Height, by: Completed) {
        let floor = &mut self.keys[key.0 as usize].floor;
        if floor.height < height {
            *floor = Mark { height, by: Some(by) };
        }
    }
}

#[cfg(test)]
mod tests;
