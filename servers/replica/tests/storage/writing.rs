//! The thread that writes: one flush for all that is queued, one error for all that follows.

use std::io::{self, Read};
use std::sync::Arc;

use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use palco_rambo::{Barrier, Record};
use palco_replica::storage::{
    Break, Breakable, Directory, Limits, Listed, Log, Medium, Memory, Operation, Space,
    StorageError, Tail, Writer,
};

use super::scribe::{OWNER, record};

type Done = Receiver<Result<Barrier, StorageError>>;

fn start(medium: impl Medium, limits: Limits) -> (Writer, Done) {
    let log = Log::create(Arc::new(medium), OWNER, limits).expect("a fresh log");
    let (done, told) = unbounded();
    let writer = Writer::start(log, move |result| drop(done.send(result))).expect("a thread");
    (writer, told)
}

fn numbered(numbers: std::ops::RangeInclusive<u64>) -> Vec<(Barrier, Record)> {
    numbers.map(|number| (number, record(number))).collect()
}

fn read_back(medium: impl Medium) -> Vec<Record> {
    let mut reading = Log::open(Arc::new(medium), OWNER, Limits::default()).expect("a log");
    let read = reading.by_ref().collect();
    reading.finish().expect("it is whole");
    read
}

/// A memory whose flushes say that they begin, and wait to be let go on.
#[derive(Debug)]
struct Gated {
    memory: Memory,
    began: Sender<()>,
    go: Receiver<()>,
}

#[derive(Debug)]
struct GatedTail {
    tail: Box<dyn Tail>,
    began: Sender<()>,
    go: Receiver<()>,
}

impl Medium for Gated {
    fn create(&self, file: &str) -> io::Result<Box<dyn Tail>> {
        let (began, go) = (self.began.clone(), self.go.clone());
        Ok(Box::new(GatedTail { tail: self.memory.create(file)?, began, go }))
    }

    fn list(&self) -> io::Result<Vec<Listed>> {
        self.memory.list()
    }

    fn read(&self, file: &str) -> io::Result<Box<dyn Read + Send>> {
        self.memory.read(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.memory.rename(from, to)
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.memory.remove(file)
    }

    fn space(&self) -> io::Result<Space> {
        self.memory.space()
    }
}

impl Tail for GatedTail {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tail.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.began.send(()).map_err(io::Error::other)?;
        self.go.recv().map_err(io::Error::other)
    }
}

#[test]
fn what_is_queued_during_a_flush_shares_the_next() {
    let (began, has_begun) = unbounded();
    let (let_go, go) = bounded(1);
    let memory = Memory::default();
    // For the first file's header.
    let_go.send(()).unwrap();
    let (writer, done) = start(Gated { memory: memory.clone(), began, go }, Limits::default());
    has_begun.recv().unwrap();
    writer.append(numbered(1..=1));
    has_begun.recv().unwrap();
    for number in 2..=101 {
        writer.append(numbered(number..=number));
    }
    assert!(done.is_empty(), "nothing is said before it is flushed");
    let_go.send(()).unwrap();
    assert_eq!(done.recv().unwrap().unwrap(), 1);
    let_go.send(()).unwrap();
    assert_eq!(done.recv().unwrap().unwrap(), 101);
    let statistics = writer.statistics();
    assert_eq!((statistics.syncs, statistics.records), (2, 101));
    assert_eq!((statistics.batches.max(), statistics.latency.len()), (100, 2));
    assert_eq!(read_back(memory), (1..=101).map(record).collect::<Vec<_>>());
    drop(let_go);
}

#[test]
fn closing_flushes_what_is_queued_and_leaves_nothing_to_mend() {
    let memory = Memory::default();
    let (writer, done) = start(memory.clone(), Limits::default());
    writer.append(numbered(1..=50));
    writer.append(numbered(51..=60));
    writer.close();
    let told: Vec<_> = done.iter().map(Result::unwrap).collect();
    assert_eq!(told.last(), Some(&60));
    let mut reading = Log::open(Arc::new(memory), OWNER, Limits::default()).unwrap();
    assert_eq!(reading.by_ref().count(), 60);
    assert_eq!(reading.finish().unwrap().1.cut_bytes, 0);
}

#[test]
fn an_error_is_told_once_and_nothing_after_it() {
    for (operation, how) in [
        (Operation::Sync, Break::Failure),
        (Operation::Append, Break::Failure),
        (Operation::Append, Break::Full),
    ] {
        let memory = Memory::default();
        let disk = Breakable::around(Arc::new(memory.clone())).unwrap();
        let (writer, done) = start(disk.clone(), Limits::default());
        writer.append(numbered(1..=3));
        assert_eq!(done.recv().unwrap().unwrap(), 3);
        disk.break_at(Some(operation), 0, how);
        writer.append(numbered(4..=5));
        let error = done.recv().unwrap().unwrap_err();
        assert!(matches!(error, StorageError::Medium(_)), "{error}");
        writer.append(numbered(6..=7));
        writer.close();
        assert!(done.recv().is_err(), "nothing is said any more");
        let read = read_back(memory);
        assert!(read.len() == 3 || read.len() == 5, "{}", read.len());
        assert_eq!(read, (1..=read.len() as u64).map(record).collect::<Vec<_>>());
    }
}

#[test]
fn a_full_disk_leaves_a_log_that_opens_when_there_is_room() {
    let memory = Memory::with_capacity(10_000);
    let (writer, done) = start(memory.clone(), Limits::default());
    let mut stored = 0;
    let error = loop {
        writer.append(numbered(stored + 1..=stored + 1));
        match done.recv().unwrap() {
            Ok(barrier) => stored = barrier,
            Err(error) => break error,
        }
    };
    drop(writer);
    let StorageError::Medium(error) = error else { panic!("{error}") };
    assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
    assert!(stored > 5);
    let roomy = Memory::default();
    for Listed { file, .. } in memory.list().unwrap() {
        roomy.put(&file, memory.bytes(&file).unwrap());
    }
    assert_eq!(read_back(roomy), (1..=stored).map(record).collect::<Vec<_>>());
}

#[test]
fn a_log_is_compacted_while_it_is_written() {
    let place = tempfile::tempdir().unwrap();
    let limits = Limits { segment_bytes: 20_000, growth_bytes: 100_000, ..Limits::default() };
    let (writer, done) = start(Directory::open(place.path()).unwrap(), limits);
    let mut last = 0;
    while writer.statistics().compactions < 3 {
        writer.append(numbered(last + 1..=last + 20));
        last += 20;
        assert_eq!(done.recv().unwrap().unwrap(), last);
    }
    let statistics = writer.statistics();
    assert!(statistics.log_bytes < statistics.bytes, "{statistics:?}");
    assert_eq!(statistics.compactions_failed, 0, "{statistics:?}");
    writer.close();
    let mut tags = std::collections::BTreeMap::new();
    for record in read_back(Directory::open(place.path()).unwrap()) {
        let Record::Stored(key, tagged) = record else { panic!("{record:?}") };
        tags.insert(key, tagged.tag.sequence);
    }
    assert_eq!(tags.into_values().max(), Some(last));
}

#[test]
fn who_is_told_of_the_end_may_drop_the_writer() {
    let memory = Memory::default();
    let log = Log::create(Arc::new(memory.clone()), OWNER, Limits::default()).unwrap();
    let (hand_over, handed) = bounded::<Writer>(1);
    let (done, told) = bounded(1);
    let writer = Writer::start(log, move |result| {
        drop(handed.recv());
        drop(done.send(result));
    });
    let writer = writer.unwrap();
    writer.append(numbered(1..=2));
    hand_over.send(writer).unwrap();
    assert_eq!(told.recv().unwrap().unwrap(), 2);
    // The thread ends by itself, and its log with it.
    assert!(told.recv().is_err());
    assert_eq!(read_back(memory).len(), 2);
}
