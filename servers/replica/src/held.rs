//! What a replica holds for a key, as it would tell who asks: for those who look, not for reads.

use palco_rambo::{Class, Key, Participant, State, Tag};
use serde::{Deserialize, Serialize};

/// Keys that are asked for at once, at most; those after them are left out.
pub const HELD_KEYS_MAX: usize = 256;

/// What one replica holds for one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The largest tag it has seen; for keys of class cas the ballot under which the value was accepted.
    /// [`Tag::ZERO`] if it never heard of the key.
    pub tag: Tag,
    /// For keys of class cas: how many changes the key took.
    pub version: Option<u64>,
    /// Bytes of the value; nothing when never written or deleted.
    pub value_bytes: Option<u64>,
    /// Whether this tag is known here to be with a write quorum of every configuration.
    pub is_confirmed: bool,
}

impl Holding {
    /// Of this participant.
    #[must_use]
    pub fn of(participant: &Participant, key: &Key) -> Self {
        let held = participant.held(key);
        let (version, value) = match key.class {
            Class::Register => (None, held.value),
            Class::Cas => {
                let state = State::decode(held.value.as_ref()).unwrap_or_default().versioned();
                (Some(state.version), state.value)
            }
        };
        Self {
            tag: held.tag,
            version,
            value_bytes: value.map(|value| value.len() as u64),
            is_confirmed: participant.is_confirmed(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use palco_core::Time;
    use palco_rambo::{
        Change, Command, Configuration, Event, NodeId, OperationId, Settings, Storage,
    };

    use super::*;

    #[test]
    fn what_is_held_is_told_without_the_value() {
        let settings = Settings { storage: Storage::Memory, ..Settings::new(NodeId(1)) };
        let first = Configuration::majority(0, [NodeId(1)]).unwrap();
        let mut alone = Participant::found(settings, first, &mut Vec::new());
        let (plain, counter) = (Key::register("x"), Key::cas("counter:n"));
        let id = OperationId { client: 1, number: 1 };
        for (request, command) in [
            (1, Command::Write(plain.clone(), Some("four".into()))),
            (2, Command::Change(counter.clone(), Change::Add(12), id)),
        ] {
            let deadline = Time::START + std::time::Duration::from_secs(1);
            let asked = Event::Asked { request, deadline, command };
            alone.step(Time::START, asked, &mut Vec::new());
        }
        let held = Holding::of(&alone, &plain);
        assert_eq!((held.tag.sequence, held.version, held.value_bytes), (1, None, Some(4)));
        assert!(held.is_confirmed);
        let held = Holding::of(&alone, &counter);
        assert_eq!((held.version, held.value_bytes), (Some(1), Some(2)));
        let nothing = Holding::of(&alone, &Key::register("y"));
        assert_eq!((nothing.tag, nothing.value_bytes), (Tag::ZERO, None));
    }
}
