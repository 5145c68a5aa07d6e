//! When two participants are the same: when they do the same from now on. So an exploration of all that can happen meets
//! what it has seen before. What was counted, and room that is used again, tells no two of them apart.

use std::hash::{Hash, Hasher};

use super::Participant;

impl Participant {
    /// All that its steps depend on, but for its settings, which stay the same.
    fn standing(&self) -> impl PartialEq + Hash + '_ {
        let Self {
            settings: _,
            boot,
            map,
            store,
            acceptor,
            operations,
            drive,
            fetch,
            fetched,
            barrier,
            durable,
            learned,
            own,
            own_waiting,
            phases,
            tags,
            rounds,
            dice,
            timers,
            doubts,
            refusals: _,
            followed: _,
            nodes: _,
        } = self;
        (
            (boot, map, store, acceptor, operations.standing(), drive, fetch, fetched),
            (barrier, durable, learned, own, own_waiting),
            (phases, tags, rounds, dice, timers, doubts),
        )
    }
}

impl PartialEq for Participant {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings && self.standing() == other.standing()
    }
}

impl Eq for Participant {}

impl Hash for Participant {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.settings.node.hash(hasher);
        self.standing().hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Configuration, Event, Message, NodeId, Participant, Phase, Settings, Version};
    use palco_core::Time;

    #[test]
    fn what_was_refused_tells_nobody_apart_and_what_is_known_does() {
        let found = |nodes: &[u64]| {
            let nodes = nodes.iter().copied().map(NodeId);
            let first = Configuration::majority(0, nodes).unwrap();
            Participant::found(Settings::new(NodeId(1)), first, &mut Vec::new())
        };
        let (one, mut other) = (found(&[1, 2]), found(&[1, 2]));
        assert_eq!(one, other);
        let body = crate::Body::Propagated { phase: Phase::default() };
        let message = Message { version: Version { base: 0, end: 1 }, map: None, body };
        let event = Event::Received { from: NodeId(2), message };
        other.step(Time::START, event, &mut Vec::new());
        assert_ne!(one.refusals(), other.refusals());
        assert_eq!(one, other);
        assert_ne!(one, found(&[1, 3]));
    }
}
