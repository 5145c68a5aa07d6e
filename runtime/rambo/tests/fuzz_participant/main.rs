//! Fuzzing: no sequence of messages, requests and moments makes a participant panic, forget what it stored, or go back.
//!
//! `cargo test` plays some thousand inputs of chance. With coverage, for as long as it is let:
//! `cargo bolero test -p palco-rambo fuzz_participant --sanitizer NONE` (cargo-bolero, nightly).

mod chance;

use std::time::Duration;

use bolero::produce;
use chance::Chance;
use palco_core::Time;
use palco_rambo::{
    Configuration, ConfigurationMap, Effect, Event, Key, NodeId, Participant, Record, Settings,
    Tagged,
};

/// Effects of one event, at most: each of a few operations asks each of a few members again.
const EFFECTS_MAX: usize = 2_000;

fn main() {
    // Some hundred events each: a few say nothing yet.
    let bytes = produce::<Vec<u8>>().with().len(1_000_usize..=4_000);
    bolero::check!().with_iterations(2_000).with_generator(bytes).for_each(|bytes| {
        let mut chance = Chance::new(bytes);
        let mut life = Life::begin(&mut chance);
        while let Some(event) = chance.event() {
            life.step(event, &mut chance);
        }
        life.restart();
    });
}

struct Life {
    participant: Participant,
    settings: Settings,
    log: Vec<Record>,
    now: Time,
}

/// What may never go back.
type Seen = (Option<ConfigurationMap>, Vec<(Key, Tagged)>);

impl Life {
    fn begin(chance: &mut Chance<'_>) -> Self {
        let settings = Settings {
            mode: chance.mode(),
            seeds: vec![NodeId(2)],
            patience: chance.coin().then_some(Duration::from_millis(5)),
            ..Settings::new(NodeId(1))
        };
        let mut effects = Vec::new();
        let participant = if chance.coin() {
            let first = Configuration::majority(0, [1, 2, 3].map(NodeId)).expect("majorities meet");
            Participant::found(settings.clone(), first, &mut effects)
        } else {
            Participant::join(settings.clone(), &mut effects)
        };
        let mut life = Self { participant, settings, log: Vec::new(), now: Time::START };
        life.carry_out(effects, chance);
        life
    }

    fn step(&mut self, event: Event, chance: &mut Chance<'_>) {
        let before = self.seen();
        self.now = self.now + Duration::from_millis(chance.below(200));
        let mut effects = Vec::new();
        self.participant.step(self.now, event, &mut effects);
        assert!(effects.len() < EFFECTS_MAX, "{} effects of one event", effects.len());
        self.is_further_than(&before);
        self.carry_out(effects, chance);
    }

    fn carry_out(&mut self, effects: Vec<Effect>, chance: &mut Chance<'_>) {
        let mut stored = None;
        for effect in effects {
            match effect {
                Effect::Send { to, .. } => assert_ne!(to, self.settings.node, "sent to itself"),
                Effect::Persist { barrier, record } => {
                    self.log.push(record);
                    assert_eq!(barrier, self.log_barrier(), "barriers are counted");
                    stored = Some(barrier);
                }
                Effect::Reply { .. } | Effect::SetTimer { .. } => {}
            }
        }
        if let Some(barrier) = stored
            && chance.coin()
        {
            let mut effects = Vec::new();
            self.participant.step(self.now, Event::Persisted(barrier), &mut effects);
            self.carry_out(effects, chance);
        }
    }

    fn log_barrier(&self) -> u64 {
        self.log.len() as u64
    }

    fn seen(&self) -> Seen {
        let held = self
            .participant
            .registers()
            .map(|(key, tagged)| (key.clone(), tagged.clone()))
            .collect();
        (self.participant.map().cloned(), held)
    }

    fn is_further_than(&self, (map, held): &Seen) {
        if let Some(before) = map {
            let now = self.participant.map().expect("a map is not forgotten");
            assert!(!before.version().knows_more_than(now.version()), "{before} became {now}");
            let index = now.version().end;
            let (promised, accepted) = self.participant.promised(index);
            assert!(
                accepted.is_none_or(|(ballot, _)| ballot <= promised),
                "accepted above the promise"
            );
        }
        for (key, tagged) in held {
            assert!(self.participant.held(key).tag >= tagged.tag, "{key} went back");
        }
    }

    /// What was stored makes the same participant again.
    fn restart(&self) {
        let restored =
            Participant::restore(self.settings.clone(), self.log.clone(), &mut Vec::new());
        let restored = restored.expect("its own log");
        assert_eq!(restored.map(), self.participant.map());
        for (key, tagged) in self.participant.registers() {
            assert_eq!(restored.held(key).tag, tagged.tag, "{key}");
        }
    }
}
