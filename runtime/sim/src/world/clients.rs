//! Clients: each asks one thing at a time of a node it picks. What did not happen is over; of what may have happened a
//! change is perhaps tried again under the same name, at another node, and anything else is left.

use std::time::Duration;

use palco_core::Time;
use palco_rambo::{OperationId, Tag};

use super::{Phase, Planned, World, wishes};
use crate::floor::Entered;
use crate::history::{self, Asked, ClientId, Invocation};
use crate::network::Machine;
use crate::random::{Random, Stream};
use crate::trace::Happening;

/// Between two wishes of a client, at most.
const REST_MAX: Duration = Duration::from_micros(200);
/// When nobody is there to be asked.
const NOBODY_PAUSE: Duration = Duration::from_millis(1);
/// What most operations may take, from and to.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// What the last reads may take, of which every one must be done.
const LAST_PATIENCE: Duration = Duration::from_secs(20);
/// How late an answer may come: pauses, and slow machines.
const OVERDUE: Duration = Duration::from_secs(5);
/// In a request's number, the bits that say who asks; drivers count from the middle.
pub(super) const WHO_BITS: u32 = 24;

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) random: Random,
    number: u64,
    pub(super) operation: Option<Operation>,
    /// For the last reads: the key that it must read.
    pub(super) errand: Option<u32>,
}

/// What a client is waiting for.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) key: u32,
    pub(super) asked: Asked,
    pub(super) called: Time,
    pub(super) entered: Entered,
    pub(super) recorded: Option<history::OperationId>,
    /// The tag of the last reconfiguration when it began.
    pub(super) upgraded: Tag,
    pub(super) id: OperationId,
    /// A version that the key had reached when it began.
    pub(super) tried: u64,
    pub(super) tries: u32,
    /// Where it is asked; nowhere between two tries.
    pub(super) at: Option<Place>,
}

/// Where something was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) machine: Machine,
    pub(super) request: u64,
    pub(super) deadline: Time,
}

impl Client {
    pub(super) fn new(seed: u64, client: u32) -> Self {
        let random = Random::new(seed, Stream::Client(client));
        Self { random, number: 0, operation: None, errand: None }
    }

    /// Whether it waits for an answer.
    pub(super) fn is_waiting(&self) -> bool {
        self.operation.is_some()
    }
}

impl World<'_> {
    /// A client will want something soon.
    pub(super) fn rest(&mut self, client: u32) {
        let random = &mut self.clients[client as usize].random;
        let at = self.now + random.between(Duration::ZERO, REST_MAX);
        self.schedule.push(at, Planned::Wants { client });
    }

    /// A client wants something, or tries again.
    pub(super) fn wants(&mut self, client: u32) {
        let this = &mut self.clients[client as usize];
        let wants_nothing = match self.phase {
            Phase::Busy => self.left == 0,
            Phase::Mended => this.errand.is_none(),
        };
        let is_over = match &this.operation {
            None => wants_nothing,
            Some(operation) => operation.at.is_some(),
        };
        if is_over {
            return;
        }
        let Some((machine, life)) = self.somewhere(client) else {
            return self.schedule.push(self.now + NOBODY_PAUSE, Planned::Wants { client });
        };
        if self.clients[client as usize].operation.is_none() {
            self.call(client);
        }
        self.ask(client, machine, life);
    }

    /// A machine that is up; mostly one whose participant has joined.
    fn somewhere(&mut self, client: u32) -> Option<(Machine, u32)> {
        let random = &mut self.clients[client as usize].random;
        let any = random.percent(5) && self.phase == Phase::Busy;
        let up = |machine: Machine| {
            let node = self.machines.node(machine);
            let participant = node.participant.as_ref()?;
            (any || participant.map().is_some()).then_some((machine, node.life))
        };
        let count = self.machines.len();
        let first = random.position(count);
        (0..count).find_map(|step| up(((first + step) % count) as Machine))
    }

    fn call(&mut self, client: u32) {
        let this = &mut self.clients[client as usize];
        let number = this.number;
        this.number += 1;
        let (key, asked) = match this.errand.take() {
            Some(key) => (key, Asked::Read),
            None => {
                self.left -= 1;
                let key = wishes::key(&mut this.random, &self.keys);
                let name = || format!("{client}.{number}");
                (key, wishes::asked(&mut this.random, self.scenario, &self.keys, key, name))
            }
        };
        self.open += 1;
        let (who, called) = (ClientId(client), self.now);
        let floor = self.keys.floor(key);
        let recorded = self.judge.history.as_mut().map(|history| {
            let key = self.keys.key(key).clone();
            history.call(Invocation { client: who, key, asked: asked.clone(), at: called })
        });
        let entered = self.judge.floor.enter(floor, who, called, asked.clone());
        let tried = self.keys.seen.get(key as usize).map_or(0, |seen| seen.version);
        let upgraded = self.judge.order.begin(key);
        let id = OperationId { client: u64::from(client) + 1, number };
        let tries = 0;
        let operation = Operation {
            key,
            asked,
            called,
            entered,
            recorded,
            upgraded,
            id,
            tried,
            tries,
            at: None,
        };
        self.clients[client as usize].operation = Some(operation);
    }

    fn ask(&mut self, client: u32, machine: Machine, life: u32) {
        let (request, phase) = (self.new_request(client), self.phase);
        let short = self.scenario.delay.1;
        let this = &mut self.clients[client as usize];
        let patience = match phase {
            Phase::Busy if this.random.percent(10) => this.random.between(short, short * 5),
            Phase::Busy => this.random.between(PATIENCE.0, PATIENCE.1),
            Phase::Mended => LAST_PATIENCE,
        };
        let deadline = self.now + patience;
        let operation = this.operation.as_mut().expect("it was called");
        let repeat = (operation.tries > 0).then_some(operation.tried);
        operation.tries += 1;
        operation.at = Some(Place { machine, request, deadline });
        let Operation { key, asked, id, .. } = operation;
        let command = wishes::command(&self.keys, *key, asked, *id, repeat);
        let node = self.machines.node(machine).identity;
        self.recorder.record(self.now, || {
            let what = format!("{asked} {}", self.keys.key(*key));
            Happening::Asked { client, node, request, what }
        });
        let reaches = Planned::Reaches { machine, life, request, deadline, command };
        self.schedule.push(self.now, reaches);
    }

    /// A number for a request: who asks is in it.
    pub(super) fn new_request(&mut self, who: u32) -> u64 {
        self.requests += 1;
        self.requests << WHO_BITS | u64::from(who)
    }

    /// Requests whose deadline is long over.
    pub(super) fn look_for_overdue(&mut self) {
        let overdue = self.clients.iter().find_map(|client| {
            let at = client.operation.as_ref()?.at?;
            (at.deadline + OVERDUE < self.now).then_some(at)
        });
        if let Some(Place { machine, request, deadline, .. }) = overdue {
            let node = self.machines.node(machine).identity;
            let what = format!(
                "{node} has not answered request {request}, due at {deadline:?}, until now"
            );
            self.object("liveness", &what);
        }
    }
}
