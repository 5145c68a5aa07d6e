//! Events out of bytes, from few nodes, keys, indices and tags, so that they meet.

use std::sync::Arc;
use std::time::Duration;

use palco_core::Time;
use palco_rambo::{
    Ballot, Body, Change, Command, Configuration, ConfigurationMap, Cursor, Event, Key, Knowledge,
    Message, Mode, NodeId, OperationId, Phase, Tag, Tagged, Target, Value, Version, Want,
};

pub(crate) struct Chance<'a> {
    bytes: &'a [u8],
    requests: u64,
}

impl<'a> Chance<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, requests: 0 }
    }

    /// The end of the bytes is 0 for ever.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let (first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        self.bytes = rest;
        u64::from(*first) % limit
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn mode(&mut self) -> Mode {
        match self.below(3) {
            0 => Mode::Rambo1,
            1 => Mode::Rambo2,
            _ => Mode::Rambo3(Key::register("x")),
        }
    }

    /// None when there are no bytes left.
    pub(crate) fn event(&mut self) -> Option<Event> {
        if self.bytes.is_empty() {
            return None;
        }
        Some(match self.below(9) {
            0 => Event::Timer,
            8 => Event::Unreachable(self.node()),
            1 => Event::Persisted(self.below(60)),
            2 => {
                self.requests += 1;
                let deadline = Time::from_nanos(0) + Duration::from_millis(self.below(250) * 100);
                Event::Asked { request: self.requests, deadline, command: self.command() }
            }
            _ => Event::Received { from: self.node(), message: self.message() },
        })
    }

    fn node(&mut self) -> NodeId {
        NodeId(1 + self.below(6))
    }

    fn key(&mut self) -> Key {
        match self.below(3) {
            0 => Key::register("x"),
            1 => Key::register("y"),
            _ => Key::cas("x"),
        }
    }

    fn tag(&mut self) -> Tag {
        let (sequence, node) = (self.below(5), self.node());
        if sequence == 0 { Tag::ZERO } else { Tag { sequence, node, boot: 1, n: 0 } }
    }

    fn value(&mut self) -> Value {
        [None, Some("a".into()), Some("\0\0\0\0".into())][self.below(3) as usize].clone()
    }

    fn tagged(&mut self) -> Tagged {
        Tagged { tag: self.tag(), value: self.value() }
    }

    fn ballot(&mut self) -> Ballot {
        Ballot { round: self.below(4), node: self.node(), boot: 1 }
    }

    /// Mostly the one with this index that everybody would name, sometimes another.
    fn configuration(&mut self, index: u64) -> Configuration {
        let shift = if self.below(8) == 0 { self.below(4) } else { index };
        Configuration::majority(index, [1, 2, 3].map(|node| NodeId(node + shift % 3)))
            .expect("majorities meet")
    }

    fn map(&mut self) -> ConfigurationMap {
        let base = self.below(4);
        let mut map = ConfigurationMap::of(self.configuration(base));
        for next in 0..self.below(4) {
            let configuration = self.configuration(base + 1 + next);
            map = map.with_next(configuration).expect("the next of few");
        }
        map
    }

    /// Phases that this participant could be in, and some that it could not.
    fn phase(&mut self) -> Phase {
        let slot = [0, 1, 2, u32::MAX, u32::MAX - 1][self.below(5) as usize];
        Phase { boot: u32::from(self.below(8) != 0), slot, number: self.below(40) }
    }

    fn command(&mut self) -> Command {
        let id = OperationId { client: self.below(3), number: self.below(5) };
        match self.below(6) {
            0 => Command::Read(self.key()),
            1 => Command::Write(self.key(), self.value()),
            2 => Command::Change(self.key(), self.change(), id),
            3 => Command::Repeat(self.key(), self.change(), id, self.below(3)),
            4 => Command::Reconfigure(Target::majority(
                self.below(4),
                [1, 2, 3].map(|node| NodeId(node + 1)),
            )),
            _ => Command::Leave,
        }
    }

    fn change(&mut self) -> Change {
        match self.below(4) {
            0 => Change::Set(self.value()),
            1 => Change::CompareAndSwap { expected: self.below(3), value: self.value() },
            2 => Change::Append("b".into()),
            _ => Change::Add(i64::MAX / 2),
        }
    }

    fn cursor(&mut self) -> Cursor {
        let boot = u32::from(self.coin());
        Cursor {
            boot,
            since: self.below(4),
            until: self.below(4),
            position: [0, 1, 7, u64::MAX][self.below(4) as usize],
        }
    }

    fn message(&mut self) -> Message {
        let map = self.coin().then(|| self.map());
        let version = map
            .as_ref()
            .map_or(Version { base: self.below(3), end: self.below(6) }, ConfigurationMap::version);
        let register = (self.below(4) == 0).then(|| self.tagged());
        let map = map.map(|map| Arc::new(Knowledge { map, register }));
        Message { version, map, body: self.body() }
    }

    fn body(&mut self) -> Body {
        let phase = self.phase();
        match self.below(22) {
            0 => Body::Query {
                phase,
                key: self.key(),
                want: if self.coin() { Want::Tag } else { Want::Value },
            },
            1 => {
                let (tag, value) = (self.tag(), self.coin().then(|| self.value()));
                Body::Queried { phase, tag, value, durable: self.coin(), confirmed: self.coin() }
            }
            2 => Body::Propagate { phase, key: self.key(), tagged: self.tagged() },
            3 => Body::Propagated { phase },
            4 => Body::CasPrepare { phase, key: self.key(), ballot: self.tag() },
            5 => Body::CasPromised { phase, accepted: self.tagged(), voted: self.coin() },
            6 => Body::CasAccept { phase, key: self.key(), accept: self.tagged() },
            7 => Body::CasAccepted { phase },
            8 => Body::CasRefused { phase, promised: self.tag() },
            9 => Body::Prepare { phase, index: self.below(5), ballot: self.ballot() },
            10 => {
                let index = self.below(5);
                let accepted =
                    self.coin().then(|| (self.ballot(), Arc::new(self.configuration(index))));
                Body::Promised { phase, accepted }
            }
            11 => {
                let index = self.below(5);
                Body::Accept {
                    phase,
                    ballot: self.ballot(),
                    configuration: Arc::new(self.configuration(index)),
                }
            }
            12 => Body::Accepted { phase },
            13 => Body::Refused { phase, promised: self.ballot() },
            14 => Body::Inform { phase, target: self.below(5) },
            15 => Body::Informed { phase },
            16 => Body::Collect { phase, target: self.below(5) },
            17 => {
                if self.coin() {
                    Body::Collecting { phase }
                } else {
                    Body::Collected { phase }
                }
            }
            18 => Body::Pull { phase, from: self.cursor() },
            19 => {
                let registers = (0..self.below(3)).map(|_| (self.key(), self.tagged())).collect();
                let (from, then) = (self.cursor(), self.cursor());
                Body::Pulled { phase, from, registers, then, last: self.coin() }
            }
            20 => Body::AskMap,
            _ => Body::TellMap,
        }
    }
}
