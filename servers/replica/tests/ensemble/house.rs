//! Starts an ensemble for a test, and asks it in few words.

use std::time::Duration;

use bytes::Bytes;
use libtest_mimic::Trial;
use palco_actors::{PlaceKind, System};
use palco_rambo::{
    self as rambo, Command, Failure, Key, Member, NodeId, OperationId, Outcome, Quorums, Value,
};
use palco_replica::{Change, Domain, Ensemble, EnsembleOptions, Registers, Wanted, reconfigure};
use palco_threads::block_on;

/// Against hanging only: nothing that works takes nearly as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct House {
    pub(crate) system: System,
    pub(crate) ensemble: Ensemble,
}

/// One trial for each place.
pub(crate) fn in_every_place(name: &'static str, body: fn(House)) -> Vec<Trial> {
    let places = [PlaceKind::Task, PlaceKind::Thread, PlaceKind::Fiber, PlaceKind::Process];
    places
        .into_iter()
        .map(|place| {
            Trial::test(format!("{place}: {name}"), move || {
                body(House::start(EnsembleOptions { place, ..EnsembleOptions::default() }));
                Ok(())
            })
        })
        .collect()
}

impl House {
    pub(crate) fn start(options: EnsembleOptions) -> Self {
        let system = System::new().expect("a system starts");
        let ensemble = Ensemble::start(&system, options).expect("an ensemble starts");
        Self { system, ensemble }
    }

    pub(crate) fn domain(&self, node: usize) -> Domain {
        self.ensemble.nodes()[node].domain.clone()
    }

    pub(crate) fn run(&self, node: usize, command: Command) -> Outcome {
        let mut outcomes = block_on(self.domain(node).run(vec![command], LIMIT));
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    pub(crate) fn write(&self, node: usize, key: &str, value: &str) {
        let command = Command::Write(register(key), Some(value.to_owned().into()));
        let outcome = self.run(node, command);
        assert!(matches!(outcome, Outcome::Written(_)), "{outcome:?}");
    }

    pub(crate) fn read(&self, node: usize, key: &str) -> Value {
        match self.run(node, Command::Read(register(key))) {
            Outcome::Read(found) => found.value,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn add(&self, node: usize, key: &str, number: u64) -> Option<Bytes> {
        let id = OperationId { client: 1 + node as u64, number };
        match self.run(node, Command::Change(Key::cas(key.to_owned()), rambo::Change::Add(1), id)) {
            Outcome::Cas(found) => found.value,
            other => panic!("{other:?}"),
        }
    }

    /// Majorities of these, in every shard.
    pub(crate) fn reconfigure(&self, node: usize, members: &[u64]) {
        let members: Vec<_> = members.iter().copied().map(NodeId).collect();
        self.reconfigure_to(node, &members);
    }

    pub(crate) fn reconfigure_to(&self, node: usize, members: &[NodeId]) {
        let members = members.iter().map(|node| Member { node: *node, weight: 1 });
        let wanted =
            Wanted { expected: Vec::new(), members: members.collect(), quorums: Quorums::Majority };
        loop {
            let changes = block_on(reconfigure(&self.domain(node), &wanted, LIMIT));
            match changes.last() {
                // Who just came has asked its seeds, and perhaps not heard from them yet.
                Some(Change::Failed(Failure::NotJoined)) => {}
                last => {
                    assert!(matches!(last, Some(Change::Installed(_))), "{last:?}");
                    return;
                }
            }
        }
    }

    pub(crate) fn close(self) {
        block_on(self.system.shutdown());
    }
}

pub(crate) fn register(key: &str) -> Key {
    Key::register(key.to_owned())
}
