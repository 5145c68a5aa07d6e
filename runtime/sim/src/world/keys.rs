//! The keys of a run, by number.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use palco_rambo::{Class, Key};

use crate::floor::{Floor, KeyIndex};
use crate::scenario::{ModeKind, Scenario};

/// All keys. First those of class cas, then the registers.
#[derive(Debug)]
pub(crate) struct Keys {
    all: Vec<Key>,
    floor: Vec<KeyIndex>,
    numbers: HashMap<Key, u32, FixedState>,
    /// Per key of class cas what was seen of it last by anybody.
    pub(crate) seen: Vec<Seen>,
}

/// What was seen of a key last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Its version.
    pub(crate) version: u64,
    /// Bytes of its value.
    pub(crate) bytes: usize,
}

impl Keys {
    /// Those of a scenario.
    pub(crate) fn new(scenario: &Scenario, floor: &mut Floor) -> Self {
        let (count, cas) = match scenario.mode {
            ModeKind::Rambo1 | ModeKind::Rambo2 => {
                let count = scenario.keys.max(1);
                let cas = u64::from(count) * u64::from(scenario.cas_percent.min(100)) / 100;
                (count, cas as u32)
            }
            ModeKind::Rambo3 => (1, 0),
        };
        let key = |number| match number < cas {
            true => Key::cas(format!("k{number}")),
            false => Key::register(format!("k{number}")),
        };
        let all: Vec<Key> = (0..count).map(key).collect();
        let floor = all.iter().map(|key| floor.intern(key)).collect();
        let numbers = (0..).zip(&all).map(|(number, key)| (key.clone(), number)).collect();
        Self { floor, numbers, seen: vec![Seen::default(); cas as usize], all }
    }

    /// All, by number.
    pub(crate) fn all(&self) -> &[Key] {
        &self.all
    }

    /// How many, at least 1.
    pub(crate) fn len(&self) -> u32 {
        self.all.len() as u32
    }

    /// The key with a number.
    pub(crate) fn key(&self, number: u32) -> &Key {
        &self.all[number as usize]
    }

    /// As the floor calls it.
    pub(crate) fn floor(&self, number: u32) -> KeyIndex {
        self.floor[number as usize]
    }

    /// The number of a key; none if it is not of this run.
    pub(crate) fn number(&self, key: &Key) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// Whether a key is of class cas.
    pub(crate) fn is_cas(&self, number: u32) -> bool {
        self.key(number).class == Class::Cas
    }
}
