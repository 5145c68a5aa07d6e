//! The configuration map: learned before anything else in a message, on disk before anything that is said after it
//! (R1), sent only to who knows less (R0).

use std::sync::Arc;

use super::{Attach, Participant, Turn};
use crate::flaw::flawed;
use crate::{
    Body, Class, ConfigurationMap, Failure, Key, Knowledge, Mode, NodeId, Outcome, Record, Tagged,
    Version,
};

impl Participant {
    pub(super) fn version(&self) -> Version {
        self.map.as_ref().map(ConfigurationMap::version).unwrap_or_default()
    }

    /// The one register of the domain, where there is one only.
    pub(super) fn single(&self) -> Option<&Key> {
        match &self.settings.mode {
            Mode::Rambo3(key) => Some(key),
            Mode::Rambo1 | Mode::Rambo2 => None,
        }
    }

    pub(super) fn is_single(&self) -> bool {
        self.single().is_some()
    }

    /// What goes along with a message.
    pub(super) fn knowledge(&self) -> Option<Arc<Knowledge>> {
        let map = self.map.clone()?;
        let register = match self.single() {
            Some(_) if flawed!(self.settings.flaws, MapWithoutRegister) => None,
            Some(key) => Some(self.held(key)),
            None => None,
        };
        Some(Arc::new(Knowledge { map, register }))
    }

    /// Takes in what somebody knows; says whether it can be true.
    pub(super) fn learn(&mut self, news: &Knowledge, turn: &mut Turn<'_>) -> bool {
        if let Some(register) = &news.register {
            match self.single().cloned() {
                Some(key) => self.hold_single(&key, register, turn),
                None => self.refusals.foreign += 1,
            }
        }
        let merged = match &self.map {
            None => Ok(Some(news.map.clone())),
            Some(map) => map.merge(&news.map),
        };
        match merged {
            Ok(None) => true,
            Ok(Some(map)) => {
                self.adopt(map, turn);
                true
            }
            Err(_) => {
                self.refusals.disagreement += 1;
                false
            }
        }
    }

    /// Holds the one register, durably before anything is said after it: in this mode it belongs to the map.
    pub(super) fn hold_single(&mut self, key: &Key, register: &Tagged, turn: &mut Turn<'_>) {
        let barrier = self.hold(key, register, turn);
        self.learned = self.learned.max(barrier);
    }

    /// Knows more from now on, and everything under way takes notice (R1).
    pub(super) fn adopt(&mut self, map: ConfigurationMap, turn: &mut Turn<'_>) {
        let before = self.version();
        self.acceptor.forget_below(map.version().end);
        let many = map.active().len() > 1;
        self.map = Some(map);
        self.keep_map(turn);
        self.timers.upgrade_stands = many.then_some(turn.now);
        for slot in 0..self.operations.slots() {
            self.reconsider(slot, before, turn);
        }
        self.reconsider_fetch(turn);
        self.reconsider_drive(turn);
    }

    pub(super) fn keep_map(&mut self, turn: &mut Turn<'_>) {
        let map = self.map.clone().expect("there is a map to keep");
        self.learned = self.persist(Record::Learned(map), turn);
    }

    /// Asks who knows more, at most once per pause: every message of theirs would ask again.
    pub(super) fn ask_map(&mut self, of: NodeId, turn: &mut Turn<'_>) {
        if self.timers.asked_map.is_none_or(|at| turn.now >= at + self.settings.resend) {
            self.timers.asked_map = Some(turn.now);
            self.send(of, 0, Attach::Nothing, Body::AskMap, turn);
        }
    }

    /// Asks the seeds, when nobody else is known or answers.
    pub(super) fn ask_seeds(&mut self, turn: &mut Turn<'_>) {
        for at in 0..self.settings.seeds.len() {
            let seed = self.settings.seeds[at];
            if seed != self.settings.node {
                self.send(seed, 0, Attach::Nothing, Body::AskMap, turn);
            }
        }
    }

    pub(super) fn tell_map(&mut self, to: NodeId, turn: &mut Turn<'_>) {
        if to != self.settings.node {
            self.send(to, 0, Attach::Map, Body::TellMap, turn);
        }
    }

    /// Says to one of the members, drawn by lot, how much is known: who knows more or less answers or asks. So what one
    /// knows reaches all, without gossip from everybody to everybody (rule O4).
    pub(super) fn compare_notes(&mut self, turn: &mut Turn<'_>) {
        let Some(map) = &self.map else { return };
        let count = map.top().members().len();
        let position =
            usize::try_from(self.draw() % count as u64).expect("below the number of members");
        let member = self.map.as_ref().expect("looked at above").top().members()[position].node;
        if member != self.settings.node {
            self.send(member, 0, Attach::Nothing, Body::TellMap, turn);
        }
    }

    /// Whether this participant can be switched off without being missed.
    pub(super) fn leave(&self) -> Outcome {
        let node = self.settings.node;
        let member =
            self.map.iter().flat_map(ConfigurationMap::active).find(|active| active.contains(node));
        member.map_or(Outcome::Left, |configuration| {
            Outcome::Failed(Failure::Member { node, configuration: (**configuration).clone() })
        })
    }

    /// Why a request about this key cannot be taken on.
    pub(super) fn refuse_key(&self, key: &Key, class: Option<Class>) -> Option<Failure> {
        if class.is_some_and(|class| class != key.class) {
            return Some(Failure::Class(key.clone()));
        }
        if self.single().is_some_and(|single| single != key || key.class == Class::Cas) {
            return Some(Failure::OtherKey(key.clone()));
        }
        None
    }
}
