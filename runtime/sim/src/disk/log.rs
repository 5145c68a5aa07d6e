//! A log that remembers of each thing the last that was written, so that long runs fit into memory. Later entries win,
//! so reading back only those, in the order in which they were written, makes the same participant.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use palco_rambo::{
    Ballot, Boot, Configuration, ConfigurationMap, Index, Key, NodeId, Record, Tag, Tagged, Version,
};

/// Something written, and as the how manieth.
type Entry<T> = (u64, T);

/// What is on a disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    written: u64,
    began: Option<Entry<(NodeId, Boot)>>,
    learned: Option<Entry<ConfigurationMap>>,
    stored: HashMap<Key, Entry<Tagged>, FixedState>,
    cas_promised: HashMap<Key, Entry<Tag>, FixedState>,
    promised: BTreeMap<Index, Entry<Ballot>>,
    accepted: BTreeMap<Index, Entry<(Ballot, Configuration)>>,
    round_zero: BTreeMap<Index, Entry<Configuration>>,
}

impl Log {
    /// One more record.
    pub(crate) fn append(&mut self, record: Record) {
        self.written += 1;
        let at = self.written;
        match record {
            Record::Began { node, boot } => self.began = Some((at, (node, boot))),
            Record::Learned(map) => self.learned = Some((at, map)),
            Record::Stored(key, tagged) => {
                self.stored.insert(key, (at, tagged));
            }
            Record::CasPromised(key, tag) => {
                self.cas_promised.insert(key, (at, tag));
            }
            Record::Promised(index, ballot) => {
                self.promised.insert(index, (at, ballot));
            }
            Record::Accepted(ballot, configuration) => {
                self.accepted.insert(configuration.index(), (at, (ballot, configuration)));
            }
            Record::RoundZero(configuration) => {
                self.round_zero.insert(configuration.index(), (at, configuration));
            }
        }
    }

    /// What is read back, in the order in which it was written.
    pub(crate) fn records(&self) -> Vec<Record> {
        let began = self.began.map(|(at, (node, boot))| (at, Record::Began { node, boot }));
        let learned = self.learned.clone().map(|(at, map)| (at, Record::Learned(map)));
        let stored = self
            .stored
            .iter()
            .map(|(key, (at, tagged))| (*at, Record::Stored(key.clone(), tagged.clone())));
        let cas = self
            .cas_promised
            .iter()
            .map(|(key, (at, tag))| (*at, Record::CasPromised(key.clone(), *tag)));
        let promised = self
            .promised
            .iter()
            .map(|(index, (at, ballot))| (*at, Record::Promised(*index, *ballot)));
        let accepted = self
            .accepted
            .values()
            .map(|(at, (ballot, one))| (*at, Record::Accepted(*ballot, one.clone())));
        let zero = self.round_zero.values().map(|(at, one)| (*at, Record::RoundZero(one.clone())));
        let mut all: Vec<Entry<Record>> = began
            .into_iter()
            .chain(learned)
            .chain(stored)
            .chain(cas)
            .chain(promised)
            .chain(accepted)
            .chain(zero)
            .collect();
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, record)| record).collect()
    }

    /// Whether a life began on it.
    pub(crate) fn is_empty(&self) -> bool {
        self.began.is_none()
    }

    /// The tag it has for a key.
    pub(crate) fn tag(&self, key: &Key) -> Tag {
        self.stored.get(key).map_or(Tag::ZERO, |(_, tagged)| tagged.tag)
    }

    /// The ballot it has promised for a key.
    pub(crate) fn cas_promise(&self, key: &Key) -> Tag {
        self.cas_promised.get(key).map_or(Tag::ZERO, |(_, tag)| *tag)
    }

    /// How much of the configurations it knows.
    pub(crate) fn version(&self) -> Version {
        self.learned.as_ref().map_or_else(Version::default, |(_, map)| map.version())
    }

    /// What it has promised and accepted, by index.
    pub(crate) fn votes(&self) -> impl Iterator<Item = (Index, Ballot, Option<Ballot>)> {
        let accepted_alone = self
            .accepted
            .iter()
            .filter(|(index, _)| !self.promised.contains_key(index))
            .map(|(index, (_, (ballot, _)))| (*index, *ballot, Some(*ballot)));
        let promised = self.promised.iter().map(|(index, (_, ballot))| {
            let accepted = self.accepted.get(index).map(|(_, (ballot, _))| *ballot);
            (*index, accepted.map_or(*ballot, |accepted| accepted.max(*ballot)), accepted)
        });
        promised.chain(accepted_alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(name: &'static str, sequence: u64) -> Record {
        let tag = Tag { sequence, ..Tag::ZERO };
        Record::Stored(Key::register(name), Tagged { tag, value: None })
    }

    #[test]
    fn of_each_thing_the_last_is_read_back_in_the_order_of_writing() {
        let began = |boot| Record::Began { node: NodeId(1), boot };
        let promised = |index, round| Record::Promised(index, Ballot { round, ..Ballot::ZERO });
        let mut log = Log::default();
        assert!(log.is_empty());
        for record in
            [began(1), stored("a", 1), promised(2, 5), stored("b", 1), stored("a", 2), began(2)]
        {
            log.append(record);
        }
        assert_eq!(log.records(), [promised(2, 5), stored("b", 1), stored("a", 2), began(2)]);
        assert_eq!(log.tag(&Key::register("a")).sequence, 2);
        assert!(!log.is_empty());
    }

    #[test]
    fn an_acceptance_is_a_promise_too() {
        let ballot = |round| Ballot { round, ..Ballot::ZERO };
        let one = |index| Configuration::majority(index, [NodeId(1)]).expect("it can be");
        let mut log = Log::default();
        log.append(Record::Promised(1, ballot(3)));
        log.append(Record::Accepted(ballot(4), one(1)));
        log.append(Record::Accepted(ballot(0), one(2)));
        let votes: Vec<_> = log.votes().collect();
        assert_eq!(votes, [(1, ballot(4), Some(ballot(4))), (2, ballot(0), Some(ballot(0)))]);
    }
}
