//! What a step costs with three members: `cargo bench -p palco-rambo`. The columns of allocations are part of the
//! promise: an answer that is counted allocates nothing.

use std::collections::VecDeque;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use palco_core::Time;
use palco_rambo::{
    Command, Configuration, Effect, Event, Key, Message, NodeId, Outcome, Participant, Settings,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const NOW: Time = Time::from_nanos(1);

/// Three members whose disks are at once.
struct Three {
    members: [Participant; 3],
    queue: VecDeque<(NodeId, NodeId, Message)>,
    effects: Vec<Effect>,
    requests: u64,
    steps: u64,
}

impl Three {
    fn new() -> Self {
        let first = Configuration::majority(0, [0, 1, 2].map(NodeId)).expect("majorities meet");
        let member =
            |node| Participant::found(Settings::new(NodeId(node)), first.clone(), &mut Vec::new());
        let members = [0, 1, 2].map(member);
        let mut three =
            Self { members, queue: VecDeque::new(), effects: Vec::new(), requests: 0, steps: 0 };
        for node in 0..3 {
            three.step(NodeId(node), Event::Persisted(2));
        }
        for at in 0..1_000 {
            three.write(at % 16);
        }
        three
    }

    fn key(at: u64) -> Key {
        Key::register(vec![b'k', at as u8])
    }

    /// The outcome, if there was one.
    fn step(&mut self, node: NodeId, event: Event) -> Option<Outcome> {
        self.steps += 1;
        let mut effects = std::mem::take(&mut self.effects);
        self.members[node.0 as usize].step(NOW, event, &mut effects);
        let (mut stored, mut told) = (None, None);
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { to, message, .. } => self.queue.push_back((node, to, message)),
                Effect::Persist { barrier, .. } => stored = Some(barrier),
                Effect::Reply { outcome, .. } => told = Some(outcome),
                Effect::SetTimer { .. } => {}
            }
        }
        self.effects = effects;
        stored.and_then(|barrier| self.step(node, Event::Persisted(barrier))).or(told)
    }

    fn ask(&mut self, command: Command) -> Outcome {
        self.requests += 1;
        let asked =
            Event::Asked { request: self.requests, deadline: Time::from_nanos(u64::MAX), command };
        let mut told = self.step(NodeId(self.requests % 3), asked);
        while let Some((from, to, message)) = self.queue.pop_front() {
            told = self.step(to, Event::Received { from, message }).or(told);
        }
        told.expect("all are there")
    }

    fn write(&mut self, at: u64) -> Outcome {
        self.ask(Command::Write(Self::key(at), Some("0123456789abcdef".into())))
    }

    /// The message that member 1 answers to a query or propagation of member 0, and member 0 waiting for it.
    fn waiting(&mut self, command: Command) -> (Participant, Event) {
        let mut waiting = self.members[0].clone();
        let asked = Event::Asked { request: 0, deadline: Time::from_nanos(u64::MAX), command };
        let mut effects = Vec::new();
        waiting.step(NOW, asked, &mut effects);
        let request = effects.into_iter().find_map(|effect| match effect {
            Effect::Send { to: NodeId(1), message, .. } => Some(message),
            _ => None,
        });
        let mut effects = Vec::new();
        let received = Event::Received { from: NodeId(0), message: request.expect("asked of all") };
        self.members[1].clone().step(NOW, received, &mut effects);
        let answer = effects.into_iter().find_map(|effect| match effect {
            Effect::Send { message, .. } => Some(message),
            _ => None,
        });
        (waiting, Event::Received { from: NodeId(1), message: answer.expect("answered") })
    }
}

fn main() {
    divan::main();
}

/// One answer to a query is counted; the second of five is no quorum.
#[divan::bench(sample_size = 64)]
fn an_answer_is_counted(bencher: Bencher<'_, '_>) {
    let members = [0, 1, 2, 3, 4].map(NodeId);
    let first = Configuration::majority(0, members).expect("majorities meet");
    let mut five: Vec<_> = members
        .iter()
        .map(|&node| Participant::found(Settings::new(node), first.clone(), &mut Vec::new()))
        .collect();
    for member in &mut five {
        member.step(NOW, Event::Persisted(2), &mut Vec::new());
    }
    let mut effects = Vec::new();
    let command = Command::Read(Three::key(1));
    five[0].step(
        NOW,
        Event::Asked { request: 1, deadline: Time::from_nanos(u64::MAX), command },
        &mut effects,
    );
    let query = effects.iter().find_map(|effect| match effect {
        Effect::Send { to: NodeId(1), message, .. } => Some(message.clone()),
        _ => None,
    });
    let mut effects = Vec::new();
    five[1].step(
        NOW,
        Event::Received { from: NodeId(0), message: query.expect("asked of all") },
        &mut effects,
    );
    let Some(Effect::Send { message, .. }) = effects.pop() else { panic!("answered") };
    let waiting = five[0].clone();
    bencher
        .with_inputs(|| {
            let event = Event::Received { from: NodeId(1), message: message.clone() };
            (waiting.clone(), event, Vec::with_capacity(16))
        })
        .bench_local_refs(|(waiting, event, effects)| {
            let event = std::mem::replace(event, Event::Timer);
            waiting.step(NOW, event, effects);
        });
}

/// The answer with which a read is done.
#[divan::bench(sample_size = 64)]
fn the_last_answer_of_a_read(bencher: Bencher<'_, '_>) {
    let mut three = Three::new();
    let (waiting, event) = three.waiting(Command::Read(Three::key(1)));
    bencher
        .with_inputs(|| (waiting.clone(), Some(event.clone()), Vec::with_capacity(16)))
        .bench_local_refs(|(waiting, event, effects)| {
            waiting.step(NOW, event.take().expect("once"), effects);
        });
}

/// A whole read of one round at a member: the request, two queries and two answers are five steps.
#[divan::bench]
fn a_read(bencher: Bencher<'_, '_>) {
    let mut three = Three::new();
    let before = three.steps;
    three.ask(Command::Read(Three::key(1)));
    let steps = three.steps - before;
    bencher.counter(ItemsCount::new(steps)).bench_local(|| three.ask(Command::Read(Three::key(1))));
}

/// A whole write at a member: the steps of two rounds, and those that say that the disks are there.
#[divan::bench]
fn a_write(bencher: Bencher<'_, '_>) {
    let mut three = Three::new();
    let before = three.steps;
    three.write(1);
    let steps = three.steps - before;
    bencher.counter(ItemsCount::new(steps)).bench_local(|| three.write(1));
}
