//! One client: a thread that asks about one key after the other, and writes down what it is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use bytes::Bytes;
use palco_client::register::{Effect, Swap, Tagged, Versioned};
use palco_client::{RegisterClient, RegisterError, RegisterOptions};
use palco_measure::Chance;
use palco_rambo::{Tag, Value};
use palco_sim::history::{Asked, Change, ClientId, Done, Outcome};

use crate::recorder::{Generation, Named, Recorder, Use};

/// How long clients wait for an answer before they call it unknown; the last is longer than a gateway thinks.
const PATIENCE: [Duration; 3] =
    [Duration::from_millis(400), Duration::from_millis(1_500), Duration::from_millis(6_000)];

/// Between two operations of a client, at most; on average half of it.
const PAUSE_MAX: Duration = Duration::from_millis(12);

/// So many operations through the same gateways, then others are asked first: after faults all would stay where no fault
/// was.
const OPERATIONS_BEFORE_MOVING: usize = 150;

/// How a client reaches registers.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// Gateways, as `HOST:PORT`.
    pub(crate) gateways: Vec<String>,
    pub(crate) password: Option<String>,
}

impl Access {
    /// A client that begins with this gateway.
    pub(crate) fn open(
        &self,
        first: usize,
        patience: Duration,
    ) -> Result<RegisterClient, RegisterError> {
        let options = RegisterOptions {
            password: self.password.clone(),
            within: patience,
            connect_within: patience.min(Duration::from_secs(1)),
            answer_within: patience,
            pause_max: Duration::from_millis(200),
            ..Default::default()
        };
        let mut gateways = self.gateways.clone();
        let first = first % gateways.len().max(1);
        gateways.rotate_left(first);
        RegisterClient::new(gateways, options)
    }
}

/// A client with a random stream of its own.
#[derive(Debug)]
pub(crate) struct Client {
    id: ClientId,
    access: Access,
    chance: Chance,
    patience: Duration,
    /// The generation that `versions` are of.
    generation: u32,
    /// What versions of swapped keys it has seen last, by the key's place.
    versions: HashMap<usize, u64>,
    written: u64,
}

/// What is to be asked of a key.
enum Wish {
    Read,
    Write(Bytes),
    Increment,
    Swap { expected: u64, value: Option<Bytes> },
}

impl Client {
    pub(crate) fn new(number: u32, access: Access, seed: u64) -> Self {
        let chance = Chance::named(seed, &format!("client {number}"));
        let patience = PATIENCE[number as usize % PATIENCE.len()];
        let (id, versions) = (ClientId(number), HashMap::new());
        Self { id, access, chance, patience, generation: 0, versions, written: 0 }
    }

    /// Asks until it is told to stop, and for the answer to the last question.
    pub(crate) fn run(mut self, recorder: &Recorder, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let first = self.chance.below(self.access.gateways.len());
            let Ok(mut client) = self.access.open(first, self.patience) else { return };
            for _ in 0..OPERATIONS_BEFORE_MOVING {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                self.ask(recorder, &mut client);
                let us = usize::try_from(PAUSE_MAX.as_micros()).unwrap_or_default();
                let us = u64::try_from(self.chance.below(us)).unwrap_or_default();
                sleep(Duration::from_micros(us));
            }
        }
    }

    fn ask(&mut self, recorder: &Recorder, client: &mut RegisterClient) {
        let generation = recorder.current();
        if generation.number != self.generation {
            self.generation = generation.number;
            self.versions.clear();
        }
        let place = self.chance.below(generation.keys.len());
        let wish = self.wish(&generation, place);
        let asked = match &wish {
            Wish::Read => Asked::Read,
            Wish::Write(value) if generation.keys[place].purpose == Use::Plain => {
                Asked::Write(Some(value.clone()))
            }
            Wish::Write(value) => Asked::Change(Change::Set(value.clone())),
            Wish::Increment => Asked::Change(Change::Add(1)),
            Wish::Swap { expected, value } => {
                Asked::Change(Change::Swap { expected: *expected, value: value.clone() })
            }
        };
        let Some(ticket) = recorder.call(&generation, self.id, place, asked) else { return };
        let outcome = carry_out(client, &generation.keys[place], wish);
        if let Some(version) = outcome.done().and_then(version) {
            self.versions.insert(place, version);
        }
        recorder.end(ticket, outcome);
    }

    fn wish(&mut self, generation: &Arc<Generation>, place: usize) -> Wish {
        let dice = self.chance.below(100);
        let swapped = self.versions.get(&place).copied();
        match (generation.keys[place].purpose, swapped) {
            (_, _) if dice < 45 => Wish::Read,
            (Use::Plain, _) => Wish::Write(self.value()),
            (Use::Counted, _) => Wish::Increment,
            (Use::Swapped, Some(expected)) if dice < 90 => {
                let value = (dice < 82).then(|| self.value());
                Wish::Swap { expected, value }
            }
            (Use::Swapped, _) => Wish::Write(self.value()),
        }
    }

    /// Unlike every other of this run.
    fn value(&mut self) -> Bytes {
        self.written += 1;
        format!("{}.{}", self.id, self.written).into()
    }
}

fn version(done: &Done) -> Option<u64> {
    match done {
        Done::Saw { version, .. }
        | Done::Changed { version, .. }
        | Done::Mismatch { version, .. } => Some(*version),
        Done::Read { .. } | Done::Wrote { .. } => None,
    }
}

/// Asks, and says how it ended. What was answered and cannot be understood counts as unknown.
fn carry_out(client: &mut RegisterClient, key: &Named, wish: Wish) -> Outcome {
    let name = key.name.as_bytes();
    let done = match wish {
        Wish::Read => read(client, key),
        Wish::Write(value) => client.write(name, &value).map(|tag| match key.purpose {
            Use::Plain => tag.parse().ok().map(|tag| Done::Wrote { tag }),
            Use::Swapped | Use::Counted => {
                let value = Some(value);
                tag.parse().ok().map(|version| Done::Changed { version, value })
            }
        }),
        Wish::Increment => client.increment(name, 1).map(|sum| {
            // Nothing else ever happens to such a key: so many versions, so many increments.
            let version = u64::try_from(sum).ok()?;
            Some(Done::Changed { version, value: Some(sum.to_string().into()) })
        }),
        Wish::Swap { expected, value } => {
            match client.compare_and_swap(name, expected, value.as_deref()) {
                Ok(Swap::Done(version)) => Ok(Some(Done::Changed { version, value })),
                // Nothing was changed; what is there is not said.
                Ok(Swap::Mismatch) => return Outcome::Failed,
                Err(error) => Err(error),
            }
        }
    };
    match done {
        Ok(Some(done)) => Outcome::Done(done),
        Ok(None) => Outcome::Unknown,
        Err(error) => match error.effect() {
            Effect::Nothing => Outcome::Failed,
            Effect::Unknown => Outcome::Unknown,
        },
    }
}

/// What a key holds; nothing if the answer is not understood.
pub(crate) fn read(
    client: &mut RegisterClient,
    key: &Named,
) -> Result<Option<Done>, RegisterError> {
    let name = key.name.as_bytes();
    let value = |bytes: Option<Vec<u8>>| -> Value { bytes.map(Bytes::from) };
    match key.purpose {
        Use::Plain => client.read(name).map(|Tagged { tag, value: found }| {
            let tag = tag.map_or(Some(Tag::ZERO), |tag| tag.parse().ok())?;
            Some(Done::Read { tag, value: value(found) })
        }),
        Use::Swapped | Use::Counted => client.get_versioned(name).map(|found| {
            let Versioned { version, value: found } = found;
            Some(Done::Saw { version, value: value(found) })
        }),
    }
}
