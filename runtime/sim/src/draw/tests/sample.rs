//! A small run, made by hand: writes and reads on three members, a reconfiguration, a crash, a partition, losses, and a
//! read that comes too late to be right.

use palco_core::Time;
use palco_rambo::{Configuration, ConfigurationMap, NodeId, Tag};

use crate::Trace;
use crate::trace::{Happening, Traced};

pub(crate) struct Sample {
    pub(crate) trace: Trace,
    now: u64,
    noise: u64,
    request: u64,
    sequence: u64,
}

pub(crate) fn configuration(index: u64, nodes: &[u64]) -> Configuration {
    Configuration::majority(index, nodes.iter().map(|&node| NodeId(node))).unwrap()
}

impl Sample {
    pub(crate) fn new(nodes: u64) -> Self {
        let nodes = (1..=nodes).map(NodeId).collect();
        let trace = Trace { nodes, ..Trace::default() };
        let mut sample = Self { trace, now: 0, noise: 7, request: 0, sequence: 0 };
        let map = ConfigurationMap::of(configuration(0, &[1, 2, 3]));
        for node in sample.trace.nodes.clone() {
            sample.push(Happening::Learned { node, map: map.clone() });
        }
        sample
    }

    /// A whole story.
    pub(crate) fn story(operations: u64) -> Trace {
        let mut sample = Self::new(5);
        for number in 0..operations {
            sample.operation(1 + number % 3, &[1, 2, 3], number % 3 == 0);
            match number {
                3 => sample.fault(Some(3), "crash"),
                5 => sample.fault(Some(3), "back"),
                6 => sample.reconfigure(),
                8 => sample.fault(None, "partition n1 n2 | n3 n4 n5"),
                10 => sample.fault(None, "mended"),
                _ => {}
            }
        }
        let what = "floor: the read of x3 by client 2 returned tag 4.n2.1.0, and 5.n1.1.0 was complete before it began";
        sample.push(Happening::Violation { what: what.to_owned() });
        sample.sorted()
    }

    pub(crate) fn sorted(mut self) -> Trace {
        self.trace.events.sort_by_key(|event| event.at);
        self.trace
    }

    pub(crate) fn push(&mut self, what: Happening) {
        self.push_at(self.now, what);
    }

    pub(crate) fn push_at(&mut self, at: u64, what: Happening) {
        self.trace.events.push(Traced { at: Time::from_nanos(at), what });
    }

    pub(crate) fn fault(&mut self, node: Option<u64>, what: &str) {
        self.push(Happening::Fault { node: node.map(NodeId), what: what.to_owned() });
        self.now += 200_000;
    }

    pub(crate) fn message(
        &mut self,
        from: u64,
        to: u64,
        at: u64,
        arrived: Option<u64>,
        kind: &'static str,
    ) {
        let (from, to) = (NodeId(from), NodeId(to));
        let arrived = arrived.map(Time::from_nanos);
        self.push_at(
            at,
            Happening::Message { from, to, arrived, kind, detail: "x3 7.n2.1.0".to_owned() },
        );
    }

    /// A question to all members and their answers, one of them lost now and then.
    pub(crate) fn phase(&mut self, from: u64, members: &[u64], kinds: [&'static str; 2]) {
        let start = self.now;
        for &to in members.iter().filter(|&&to| to != from) {
            let there = start + self.delay();
            let is_lost = self.noise.is_multiple_of(9);
            self.message(from, to, start, (!is_lost).then_some(there), kinds[0]);
            if !is_lost {
                let back = there + 30_000 + self.delay();
                self.message(to, from, there + 30_000, Some(back), kinds[1]);
                self.now = self.now.max(back);
            }
        }
        self.now += 40_000;
    }

    fn operation(&mut self, node: u64, members: &[u64], is_write: bool) {
        self.request += 1;
        let (request, client) = (self.request, (self.request % 4) as u32);
        let what = if is_write { "write x3" } else { "read x3" }.to_owned();
        self.push(Happening::Asked { client, node: NodeId(node), request, what });
        self.phase(node, members, ["query", "queried"]);
        if is_write {
            self.sequence += 1;
            let tag = self.tag(node);
            for &holder in members {
                let at = self.now + self.delay();
                self.push_at(
                    at,
                    Happening::Held { node: NodeId(holder), key: "x3".to_owned(), tag },
                );
            }
            self.phase(node, members, ["propagate", "propagated"]);
        }
        let what = if is_write { "in 2 rounds" } else { "in 1 round" }.to_owned();
        let tag = Some(self.tag(node));
        self.push(Happening::Told { client, node: NodeId(node), request, what, tag });
        self.now += if request == 5 { 30_000_000 } else { 150_000 };
    }

    fn reconfigure(&mut self) {
        let before = ConfigurationMap::of(configuration(0, &[1, 2, 3]));
        let both = before.with_next(configuration(1, &[2, 3, 4, 5])).unwrap();
        self.phase(2, &[1, 2, 3], ["accept", "accepted"]);
        for node in 1..=5 {
            let at = self.now + self.delay();
            self.push_at(at, Happening::Learned { node: NodeId(node), map: both.clone() });
        }
        self.phase(2, &[1, 2, 3], ["inform", "informed"]);
        self.phase(2, &[2, 3, 4, 5], ["collect", "collected"]);
        let after = both.from_base(1);
        for node in 1..=5 {
            let at = self.now + self.delay();
            self.push_at(at, Happening::Learned { node: NodeId(node), map: after.clone() });
        }
    }

    fn tag(&self, node: u64) -> Tag {
        Tag { sequence: self.sequence, node: NodeId(node), boot: 1, n: 0 }
    }

    /// 100 µs to 1 ms.
    fn delay(&mut self) -> u64 {
        self.noise = self
            .noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407)
            >> 3;
        100_000 + (self.noise >> 8) % 900_000
    }
}
