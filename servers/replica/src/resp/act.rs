//! What a command wants done with one key, step by step.

use bytes::Bytes;
use palco_rambo::{
    Change, Class, Command, Failure, Key, OperationId, Outcome, Tag, Value, Versioned,
};
use palco_service::services::resp::{integer, words};

/// What is wanted.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// What the key holds.
    Read,
    /// This value, whatever is there.
    Put(Bytes),
    /// Nothing in a register, and whether there was something: read, then written.
    Erase,
    /// A change of a key of class cas.
    Change(Change),
    /// This value in a key of class cas, if the condition holds; compared and swapped until nobody comes between.
    Swap(Condition, Value),
}

/// When a swap writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Always,
    IfAbsent,
    IfPresent,
}

impl Condition {
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Always => true,
            Self::IfAbsent => value.is_none(),
            Self::IfPresent => value.is_some(),
        }
    }
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// What was read; before a swap what was there; after a change what is there.
    pub(super) value: Value,
    /// Of a key of class cas.
    pub(super) version: u64,
    /// Of a register.
    pub(super) tag: Tag,
    /// Whether this act has written.
    pub(super) changed: bool,
    /// The sum after an addition, the length after an append.
    pub(super) number: i64,
}

/// Why it was not done, or may not have been.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// Did not happen; may work later. Why.
    Again(String),
    /// May have happened, and may still; under this tag if it is a write.
    Unknown(Option<Tag>),
    /// Did not happen and never will. The whole error.
    Refused(Bytes),
}

#[derive(Debug)]
enum State {
    Fresh,
    /// A register that is erased holds something.
    Erasing,
    /// What a key of class cas held when it was last seen.
    Seen(Versioned),
    Ended(Result<Found, Trouble>),
}

#[derive(Debug)]
pub(super) struct Act {
    key: Key,
    deed: Deed,
    state: State,
}

impl Act {
    pub(super) fn new(key: Key, deed: Deed) -> Self {
        Self { key, deed, state: State::Fresh }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Whether others that only read the key may have the same answer.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self.deed, Deed::Read)
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    /// Bytes of the value that it keeps in memory.
    pub(super) fn value_bytes(&self) -> usize {
        match &self.state {
            State::Ended(Ok(Found { value: Some(value), .. })) => value.len(),
            State::Ended(_) | State::Fresh | State::Erasing | State::Seen(_) => 0,
        }
    }

    /// How it ended; unknown if it did not.
    pub(super) fn into_result(self) -> Result<Found, Trouble> {
        match self.state {
            State::Ended(result) => result,
            State::Fresh | State::Erasing | State::Seen(_) => Err(Trouble::Unknown(None)),
        }
    }

    /// The next step, of one that has not ended. A change gets its number from `id`.
    pub(super) fn step(&self, id: impl FnOnce() -> OperationId) -> Command {
        let key = self.key.clone();
        match (&self.deed, &self.state) {
            (_, State::Erasing) => Command::Write(key, None),
            (Deed::Put(value), _) => match key.class {
                Class::Register => Command::Write(key, Some(value.clone())),
                Class::Cas => Command::Change(key, Change::Set(Some(value.clone())), id()),
            },
            (Deed::Change(change), _) => Command::Change(key, change.clone(), id()),
            (Deed::Swap(_, value), State::Seen(Versioned { version, .. })) => {
                let change = Change::CompareAndSwap { expected: *version, value: value.clone() };
                Command::Change(key, change, id())
            }
            // Most likely the key is new: it costs no reading to find out.
            (Deed::Swap(Condition::IfAbsent, value), _) => {
                let change = Change::CompareAndSwap { expected: 0, value: value.clone() };
                Command::Change(key, change, id())
            }
            (Deed::Read | Deed::Erase | Deed::Swap(..), _) => Command::Read(key),
        }
    }

    /// What became of the step.
    pub(super) fn take(&mut self, outcome: Outcome) {
        self.state = match outcome {
            Outcome::Read(tagged) => match (&self.deed, &tagged.value) {
                (Deed::Erase, Some(_)) => State::Erasing,
                (Deed::Erase | Deed::Read, _) => {
                    let (value, tag) = (tagged.value, tagged.tag);
                    State::Ended(Ok(Found { value, tag, ..Found::default() }))
                }
                (Deed::Put(_) | Deed::Change(_) | Deed::Swap(..), _) => unasked(),
            },
            Outcome::Written(tag) => {
                State::Ended(Ok(Found { tag, changed: true, ..Found::default() }))
            }
            Outcome::Cas(versioned) => self.seen_or_changed(versioned),
            Outcome::Repeated { version, result } => {
                self.changed(Versioned { version, value: None }, Some(result))
            }
            Outcome::Mismatch(versioned) => match &self.deed {
                Deed::Swap(condition, _) => decide(*condition, versioned),
                Deed::Read | Deed::Put(_) | Deed::Erase | Deed::Change(_) => unchanged(versioned),
            },
            Outcome::Inapplicable(versioned) => {
                State::Ended(Err(Trouble::Refused(self.inapplicable(&versioned).into())))
            }
            Outcome::Unknown { tag } => State::Ended(Err(self.unknown(tag))),
            Outcome::Failed(failure) => State::Ended(Err(failed(&failure))),
            Outcome::Reconfigured(_) | Outcome::Superseded(_) | Outcome::Left => unasked(),
        };
    }

    /// Time is over before the next step: none of those taken has changed anything.
    pub(super) fn give_up(&mut self) {
        if !self.has_ended() {
            self.state = State::Ended(Err(failed(&Failure::Timeout)));
        }
    }

    /// Ends with this error, if it has not ended.
    pub(super) fn refuse(&mut self, text: &Bytes) {
        if !self.has_ended() {
            self.state = State::Ended(Err(Trouble::Refused(text.clone())));
        }
    }

    fn seen_or_changed(&self, versioned: Versioned) -> State {
        match (&self.deed, &self.state) {
            (Deed::Read, _) => unchanged(versioned),
            (Deed::Swap(Condition::IfAbsent, _), _) | (Deed::Swap(..), State::Seen(_)) => {
                self.changed(versioned, None)
            }
            (Deed::Swap(condition, _), _) => decide(*condition, versioned),
            (Deed::Put(_) | Deed::Change(_), _) => self.changed(versioned, None),
            (Deed::Erase, _) => unasked(),
        }
    }

    /// A change was applied; `result` is what it gave then, if that was before.
    fn changed(&self, now: Versioned, result: Option<i64>) -> State {
        let number = result.unwrap_or_else(|| match &self.deed {
            Deed::Change(Change::Append(_)) => {
                now.value.as_ref().map_or(0, |value| value.len() as i64)
            }
            Deed::Change(Change::Add(_)) => {
                now.value.as_deref().and_then(integer::parse).unwrap_or_default()
            }
            Deed::Change(Change::Set(_) | Change::CompareAndSwap { .. })
            | Deed::Read
            | Deed::Put(_)
            | Deed::Erase
            | Deed::Swap(..) => 0,
        });
        let value = match (&self.deed, &self.state) {
            (Deed::Swap(..), State::Seen(before)) => before.value.clone(),
            (Deed::Swap(..), _) => None,
            (Deed::Read | Deed::Put(_) | Deed::Erase | Deed::Change(_), _) => now.value,
        };
        let version = now.version;
        State::Ended(Ok(Found { value, version, changed: true, number, ..Found::default() }))
    }

    /// Whether the step that ran out of time can have changed anything.
    fn unknown(&self, tag: Option<Tag>) -> Trouble {
        let only_read = match (&self.deed, &self.state) {
            (Deed::Read, _) | (Deed::Erase, State::Fresh) => true,
            (Deed::Swap(condition, _), State::Fresh) => *condition != Condition::IfAbsent,
            (Deed::Put(_) | Deed::Erase | Deed::Change(_) | Deed::Swap(..), _) => false,
        };
        if only_read {
            Trouble::Again("no quorum answered in time".into())
        } else {
            Trouble::Unknown(tag)
        }
    }

    fn inapplicable(&self, found: &Versioned) -> &'static str {
        let text = found.value.as_deref().unwrap_or(b"0");
        match &self.deed {
            Deed::Change(Change::Add(_)) if integer::parse(text).is_some() => words::OVERFLOW,
            Deed::Change(Change::Add(_)) => words::NOT_AN_INTEGER,
            Deed::Change(Change::Append(_) | Change::Set(_) | Change::CompareAndSwap { .. })
            | Deed::Read
            | Deed::Put(_)
            | Deed::Erase
            | Deed::Swap(..) => "ERR the value would be longer than a key of class cas can hold",
        }
    }
}

/// What a swap does about what is there.
fn decide(condition: Condition, found: Versioned) -> State {
    if condition.holds(&found.value) { State::Seen(found) } else { unchanged(found) }
}

fn unchanged(Versioned { version, value }: Versioned) -> State {
    State::Ended(Ok(Found { value, version, ..Found::default() }))
}

fn unasked() -> State {
    State::Ended(Err(Trouble::Refused(Bytes::from_static(
        b"ERR the registers answered something else than what they were asked",
    ))))
}

fn failed(failure: &Failure) -> Trouble {
    let text = failure.to_string();
    match failure {
        Failure::NotJoined | Failure::Busy { .. } | Failure::Timeout => Trouble::Again(text),
        Failure::Class(_) => Trouble::Refused(format!("WRONGTYPE {text}").into()),
        Failure::OtherKey(_)
        | Failure::Oversized { .. }
        | Failure::Driving
        | Failure::Configuration(_)
        | Failure::Dead { .. }
        | Failure::Member { .. } => Trouble::Refused(format!("ERR {text}").into()),
    }
}
