//! A real atomic register and clients that are slow in every way, driven by a tape of numbers: what it records is good.

use bytes::Bytes;
use palco_core::Time;
use palco_rambo::{Class, Key, NodeId, Tag, Value};
use palco_sim::{
    floor::{Entered, Floor, Judged, KeyIndex},
    history::{Asked, Change, ClientId, Done, History, Invocation, OperationId, Outcome},
};

/// One turn: who acts, and how.
pub(crate) type Turn = (u8, u8);

/// The world that a tape drives.
pub(crate) struct World {
    pub(crate) history: History,
    /// What the floor said first.
    pub(crate) judged: Judged,
    floor: Floor,
    key: Key,
    index: KeyIndex,
    contents: Contents,
    clients: Vec<Client>,
    /// What was given up and may still happen.
    ghosts: Vec<Asked>,
    operations_max: usize,
}

/// What the register holds. Both orders are kept; the key's class says which of them is shown.
#[derive(Default)]
struct Contents {
    height: u64,
    value: Value,
}

enum Client {
    Idle,
    Asks(OperationId, Entered, Asked),
    Knows(OperationId, Entered, Done),
}

impl World {
    pub(crate) fn play(key: Key, clients: usize, operations_max: usize, tape: &[Turn]) -> Self {
        let mut floor = Floor::default();
        let index = floor.intern(&key);
        let mut world = Self {
            history: History::default(),
            judged: Ok(()),
            floor,
            key,
            index,
            contents: Contents::default(),
            clients: (0..clients).map(|_| Client::Idle).collect(),
            ghosts: Vec::new(),
            operations_max,
        };
        for (nanos, (who, how)) in (0..).zip(tape) {
            let at = Time::from_nanos(nanos);
            match usize::from(*who) % (clients + 1) {
                client if client < clients => world.act(client, *how, at),
                _ => world.haunt(*how),
            }
        }
        let finished = world.floor.finish();
        world.judged = world.judged.and(finished);
        world
    }

    fn act(&mut self, client: usize, how: u8, at: Time) {
        let before = std::mem::replace(&mut self.clients[client], Client::Idle);
        self.clients[client] = match before {
            Client::Idle => self.ask(client, how, at),
            Client::Asks(operation, _, asked) if how.is_multiple_of(16) => {
                self.ghosts.push(asked);
                self.history.end(operation, at, Outcome::Unknown);
                Client::Idle
            }
            Client::Asks(operation, entered, _) if how % 16 == 1 => {
                self.floor.failed(&entered);
                self.history.end(operation, at, Outcome::Failed);
                Client::Idle
            }
            Client::Asks(operation, entered, asked) => {
                let done = self.perform(&asked);
                Client::Knows(operation, entered, done)
            }
            Client::Knows(operation, ..) if how.is_multiple_of(16) => {
                self.history.end(operation, at, Outcome::Unknown);
                Client::Idle
            }
            Client::Knows(operation, entered, done) => {
                let judged = self.floor.done(entered, at, &done);
                self.note(judged);
                self.history.end(operation, at, Outcome::Done(done));
                Client::Idle
            }
        };
    }

    fn ask(&mut self, client: usize, how: u8, at: Time) -> Client {
        if self.history.len() == self.operations_max {
            return Client::Idle;
        }
        let (client, key) = (ClientId(client as u32), self.key.clone());
        let asked = asked(self.key.class, how, self.contents.height);
        let entered = self.floor.enter(self.index, client, at, asked.clone());
        let operation = self.history.call(Invocation { client, key, asked: asked.clone(), at });
        Client::Asks(operation, entered, asked)
    }

    /// Something that was given up happens after all.
    fn haunt(&mut self, how: u8) {
        if !self.ghosts.is_empty() {
            let ghost = self.ghosts.swap_remove(usize::from(how) % self.ghosts.len());
            self.perform(&ghost);
        }
    }

    fn perform(&mut self, asked: &Asked) -> Done {
        let Contents { height, value } = &mut self.contents;
        let tag = |height| Tag { sequence: height, node: NodeId(height.min(1)), boot: 0, n: 0 };
        match asked {
            Asked::Read => match self.key.class {
                Class::Register => Done::Read { tag: tag(*height), value: value.clone() },
                Class::Cas => Done::Saw { version: *height, value: value.clone() },
            },
            Asked::Write(written) => {
                *height += 1;
                value.clone_from(written);
                let tag = tag(*height);
                let judged = self.floor.issued(self.index, tag, written);
                self.note(judged);
                Done::Wrote { tag }
            }
            Asked::Change(change) => match change.apply(*height, value) {
                Some(after) => {
                    *height += 1;
                    *value = after;
                    Done::Changed { version: *height, value: value.clone() }
                }
                None => Done::Mismatch { version: *height, value: value.clone() },
            },
        }
    }

    fn note(&mut self, judged: Judged) {
        if self.judged.is_ok() {
            self.judged = judged;
        }
    }
}

/// What a client wants, drawn from few values so that confusions are likely.
fn asked(class: Class, how: u8, height: u64) -> Asked {
    let text = ["1", "2"][usize::from(how / 128)];
    let value = Bytes::from_static(text.as_bytes());
    match (class, how % 8) {
        (_, 0..=2) => Asked::Read,
        (Class::Register, 3) => Asked::Write(None),
        (Class::Register, _) => Asked::Write(Some(value)),
        (Class::Cas, 3) => Asked::Change(Change::Delete),
        (Class::Cas, 4) => Asked::Change(Change::Append(value)),
        (Class::Cas, 5) => Asked::Change(Change::Add(1)),
        (Class::Cas, 6) => Asked::Change(Change::Set(value)),
        (Class::Cas, _) => Asked::Change(Change::Swap { expected: height, value: Some(value) }),
    }
}
