//! Writes a log whose every state can be told from the highest number in it, and checks what is read back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use palco_rambo::{Key, NodeId, Record, Tag, Tagged};
use palco_replica::storage::{
    Breakable, Limits, Log, Medium, Memory, OpenError, Owner, StorageError,
};

pub(crate) const OWNER: Owner = Owner { node: NodeId(7), shard: 1 };

/// So small that few records fill files, and a few files are compacted.
pub(crate) const SMALL: Limits = Limits { segment_bytes: 3000, growth_bytes: 6000, short_files: 5 };

/// Keys that the records are about.
const KEYS: u64 = 5;

/// Of the key it is about, the `number`th state. Some are longer than a sector.
pub(crate) fn record(number: u64) -> Record {
    let tag = Tag { sequence: number, ..Tag::ZERO };
    let value = vec![number as u8; (number * 97 % 700) as usize];
    Record::Stored(
        Key::register(vec![(number % KEYS) as u8]),
        Tagged { tag, value: Some(value.into()) },
    )
}

#[derive(Debug)]
pub(crate) struct Scribe {
    pub(crate) disk: Breakable,
    log: Option<Log>,
    appended: u64,
    durable: u64,
}

impl Scribe {
    pub(crate) fn new(memory: Memory) -> Self {
        let disk = Breakable::around(Arc::new(memory)).expect("it is empty");
        let log = Log::create(Arc::new(disk.clone()), OWNER, SMALL).expect("nothing breaks yet");
        Self { disk, log: Some(log), appended: 0, durable: 0 }
    }

    pub(crate) fn append(&mut self, count: u64) -> Result<(), StorageError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        for _ in 0..count {
            self.appended += 1;
            log.append(&record(self.appended))?;
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<(), StorageError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        log.flush()?;
        self.durable = self.appended;
        Ok(())
    }

    /// Compacts if it is due; says whether it was.
    pub(crate) fn compact(&mut self) -> bool {
        let Some(log) = &mut self.log else { return false };
        let Some(compaction) = log.compaction() else { return false };
        let result = compaction.run(&AtomicBool::new(false));
        log.compacted(&result);
        result.is_ok_and(|compacted| compacted.written_bytes().is_some())
    }

    pub(crate) fn close(&mut self) -> Result<(), StorageError> {
        let Some(log) = self.log.take() else { return Ok(()) };
        log.close()?;
        self.durable = self.appended;
        Ok(())
    }

    /// Reads the log back, which must say what was said once and nothing that was not: a state between what is durable
    /// and what was appended. From then on all of that is durable.
    pub(crate) fn reopen(&mut self) -> Result<(), OpenError> {
        drop(self.log.take());
        let medium: Arc<dyn Medium> = Arc::new(self.disk.clone());
        let mut reading = Log::open(medium, OWNER, SMALL)?;
        let read: Vec<Record> = reading.by_ref().collect();
        let (log, _) = reading.finish()?;
        let found = state(read.iter().cloned());
        let last = found.values().map(|tagged| tagged.tag.sequence).max().unwrap_or(0);
        assert!(
            (self.durable..=self.appended).contains(&last),
            "{last} is read, {} was said to be stored, {} were appended",
            self.durable,
            self.appended
        );
        assert_eq!(found, state((1..=last).map(record)), "as it was after {last} records");
        (self.appended, self.durable) = (last, last);
        self.log = Some(log);
        Ok(())
    }
}

fn state(records: impl Iterator<Item = Record>) -> BTreeMap<Key, Tagged> {
    let mut state = BTreeMap::new();
    for record in records {
        match record {
            Record::Stored(key, tagged) => state.insert(key, tagged),
            other => panic!("{other:?} was never written"),
        };
    }
    state
}
