//! What must hold: the floor for registers (RAMBO.md §1.8, L3), one line of states for keys of class cas, and one
//! configuration for an index (I2).

use std::collections::BTreeMap;

use palco_rambo::{Configuration, ConfigurationMap, Outcome, Tag, Value};

/// What was seen so far, as far as it matters for what may be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Judge {
    /// The largest tag of an operation that is done.
    floor: Tag,
    /// Under a tag there is one value.
    told: BTreeMap<Tag, Value>,
    /// Tags of writes that are done.
    written: Vec<Tag>,
    /// The longest state of the key of class cas that was told: a letter for each change.
    longest: Vec<u8>,
    /// What was so when an operation under way began: the floor, and how long the state was.
    begun: BTreeMap<u64, (Tag, usize)>,
    /// Of each change, its letter.
    letters: BTreeMap<u64, u8>,
    decided: BTreeMap<u64, Configuration>,
    /// What is broken.
    pub(crate) objection: Option<&'static str>,
}

impl Judge {
    pub(crate) fn objects(&mut self, what: &'static str) {
        self.objection.get_or_insert(what);
    }

    pub(crate) fn asked(&mut self, request: u64, letter: Option<u8>) {
        self.begun.insert(request, (self.floor, self.longest.len()));
        self.letters.extend(letter.map(|letter| (request, letter)));
    }

    /// Who was asked is no more.
    pub(crate) fn lost(&mut self, request: u64) {
        self.begun.remove(&request);
    }

    pub(crate) fn answered(&mut self, request: u64, outcome: &Outcome) {
        let Some((floor, length)) = self.begun.remove(&request) else { return };
        match outcome {
            Outcome::Read(tagged) => {
                if tagged.tag < floor {
                    self.objects("a read saw less than was done when it began");
                }
                if self.told.entry(tagged.tag).or_insert_with(|| tagged.value.clone())
                    != &tagged.value
                {
                    self.objects("two values were read under one tag");
                }
                self.floor = self.floor.max(tagged.tag);
            }
            Outcome::Written(tag) => {
                if *tag <= floor {
                    self.objects("a write is not after what was done when it began");
                }
                if self.written.contains(tag) {
                    self.objects("two writes have one tag");
                }
                self.written.push(*tag);
                self.floor = self.floor.max(*tag);
            }
            Outcome::Cas(now) => {
                let state = now.value.as_deref().unwrap_or_default();
                let twice = (1..state.len()).any(|at| state[at..].contains(&state[at - 1]));
                let letter = self.letters.get(&request).copied();
                if twice || now.version != state.len() as u64 {
                    self.objects("a change was applied twice");
                }
                if letter.is_some_and(|letter| !state.contains(&letter)) {
                    self.objects("a change is done and was not applied");
                }
                if state.len() < length {
                    self.objects("a state went back");
                }
                if !(state.starts_with(&self.longest) || self.longest.starts_with(state)) {
                    self.objects("a change that was done is lost");
                }
                if state.len() > self.longest.len() {
                    self.longest = state.to_vec();
                }
            }
            Outcome::Reconfigured(done) => self.decided(&done.configuration),
            Outcome::Superseded(other) => self.decided(other),
            Outcome::Repeated { .. }
            | Outcome::Mismatch(_)
            | Outcome::Inapplicable(_)
            | Outcome::Left
            | Outcome::Unknown { .. }
            | Outcome::Failed(_) => {}
        }
    }

    /// Whether this map says nothing new.
    pub(crate) fn agrees(&self, map: &ConfigurationMap) -> bool {
        map.active().iter().all(|active| self.decided.get(&active.index()) == Some(active))
    }

    pub(crate) fn hears(&mut self, map: &ConfigurationMap) {
        for active in map.active() {
            self.decided(active);
        }
    }

    fn decided(&mut self, configuration: &Configuration) {
        let first =
            self.decided.entry(configuration.index()).or_insert_with(|| configuration.clone());
        if first != configuration {
            self.objects("two configurations have one index");
        }
    }
}
