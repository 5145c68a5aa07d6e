//! That each change made its value of the one before it, and how a broken rule is told.

use palco_rambo::Value;

use super::{
    Completed, Entered, Floor, Height, Held, Judged, KeyIndex, Origin, Unproved, Violation,
};
use crate::history::{Change, Done};

impl Floor {
    /// A change made `value`: at once if the version before is known, or as soon as it is. A version before that nobody
    /// ever sees was made by a change of unknown outcome, and proves nothing.
    pub(super) fn prove(
        &mut self,
        operation: &Entered,
        by: Completed,
        change: &Change,
        version: u64,
        value: &Value,
    ) -> Judged {
        let before = version - 1;
        let known = match before {
            0 => Some(&None),
            _ => self.held.get(&(operation.key, Height::Version(before))).map(|held| &held.value),
        };
        let Some(known) = known else {
            let unproved = Unproved { change: change.clone(), maker: by };
            self.unproved.insert((operation.key, version), unproved);
            return Ok(());
        };
        if change.apply(before, known).as_ref() == Some(value) {
            return Ok(());
        }
        let known = known.clone();
        Err(self.lost(operation.key, by, change, version, known, value))
    }

    /// A version became known: so did what the change after it began with.
    pub(super) fn prove_next(&mut self, key: KeyIndex, height: Height, value: &Value) -> Judged {
        let Height::Version(before) = height else { return Ok(()) };
        let Some(version) = before.checked_add(1) else { return Ok(()) };
        let Some(Unproved { change, maker }) = self.unproved.remove(&(key, version)) else {
            return Ok(());
        };
        let made = self.held.get(&(key, Height::Version(version))).expect("a change holds its own");
        if change.apply(before, value).as_ref() == Some(&made.value) {
            return Ok(());
        }
        Err(self.lost(key, maker, &change, version, value.clone(), &made.value))
    }

    fn lost(
        &self,
        key: KeyIndex,
        by: Completed,
        change: &Change,
        version: u64,
        before: Value,
        made: &Value,
    ) -> Box<Violation> {
        Box::new(Violation::Lost {
            key: self.key(key),
            by: self.party(by),
            change: change.clone(),
            version,
            before,
            made: made.clone(),
        })
    }

    pub(super) fn below(
        &self,
        operation: &Entered,
        by: Completed,
        height: Height,
    ) -> Box<Violation> {
        Box::new(Violation::Below {
            key: self.key(operation.key),
            by: self.party(by),
            asked: operation.asked.clone(),
            height,
            floor: operation.floor.height,
            floor_by: operation.floor.by.map(|by| self.party(by)),
        })
    }

    pub(super) fn other_value(
        &self,
        operation: &Entered,
        by: Completed,
        height: Height,
        found: &Value,
        written: &Value,
    ) -> Box<Violation> {
        Box::new(Violation::OtherValue {
            key: self.key(operation.key),
            by: self.party(by),
            height,
            found: found.clone(),
            written: written.clone(),
        })
    }

    pub(super) fn misfit(&self, operation: &Entered, by: Completed, done: &Done) -> Box<Violation> {
        Box::new(Violation::Misfit {
            key: self.key(operation.key),
            by: self.party(by),
            asked: operation.asked.clone(),
            done: done.clone(),
        })
    }

    /// A second value, or a second maker, for a tag or version.
    pub(super) fn conflict(
        &self,
        key: KeyIndex,
        height: Height,
        before: Held,
        second: &Value,
        second_by: Option<Completed>,
    ) -> Box<Violation> {
        let party = |operation: Option<Completed>| operation.map(|by| self.party(by));
        let Held { value: first, origin, maker, seen } = before;
        let key = self.key(key);
        Box::new(match (origin, seen) {
            (Origin::OnlySeen, Some(reader)) => {
                let (by, written) = (self.party(reader), second.clone());
                Violation::OtherValue { key, by, height, found: first, written }
            }
            (Origin::OnlySeen, None) | (Origin::Issued, _) => Violation::Shared {
                key,
                height,
                first,
                first_by: party(maker),
                second: second.clone(),
                second_by: party(second_by),
            },
        })
    }
}
