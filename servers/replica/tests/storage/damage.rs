//! Damage is told, with its place, and nothing is changed; what is torn is cut, and said.

use std::sync::Arc;

use palco_rambo::Record;
use palco_replica::storage::{
    Break, Breakable, Damage, Limits, Log, Medium, Memory, OpenError, Operation, Owner,
};

use super::scribe::{OWNER, record};

const FIRST: &str = "0000000001-0000000001.log";
const SECOND: &str = "0000000002-0000000002.log";

/// A log of `flushes` batches of one record each; dropped, not closed.
fn written(flushes: u64, limits: Limits) -> Memory {
    let memory = Memory::default();
    let mut log = Log::create(Arc::new(memory.clone()), OWNER, limits).expect("a fresh log");
    for number in 1..=flushes {
        log.append(&record(number)).expect("there is room");
        log.flush().expect("there is room");
    }
    memory
}

fn two_files() -> Memory {
    let memory = written(20, Limits { segment_bytes: 3000, ..Limits::default() });
    assert!(memory.bytes(SECOND).is_some());
    memory
}

fn open(memory: &Memory) -> Result<(Vec<Record>, u64), OpenError> {
    let before: Vec<_> = contents(memory);
    let mut reading = Log::open(Arc::new(memory.clone()), OWNER, Limits::default())?;
    let read: Vec<_> = reading.by_ref().collect();
    let finished = reading.finish();
    if finished.is_err() {
        assert_eq!(contents(memory), before, "what is damaged stays as it is");
    }
    let (_, recovered) = finished?;
    assert_eq!(recovered.records, read.len() as u64);
    Ok((read, recovered.cut_bytes))
}

fn contents(memory: &Memory) -> Vec<(String, Option<Vec<u8>>)> {
    let listed = memory.list().expect("a memory is listed").into_iter();
    listed.map(|listed| (listed.file.clone(), memory.bytes(&listed.file))).collect()
}

fn change(memory: &Memory, file: &str, how: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = memory.bytes(file).expect("it was written");
    how(&mut bytes);
    memory.put(file, bytes);
}

fn damage(memory: &Memory) -> (String, u64, Damage) {
    match open(memory).expect_err("it is damaged") {
        OpenError::Damaged { file, offset, damage } => (file, offset, damage),
        other => panic!("{other}"),
    }
}

#[test]
fn a_changed_byte_in_what_was_flushed_is_told_with_its_place() {
    let whole = written(5, Limits::default());
    let length = whole.bytes(FIRST).unwrap().len();
    let mut torn = 0;
    for at in 0..length {
        let memory = written(5, Limits::default());
        change(&memory, FIRST, |bytes| bytes[at] ^= 0x10);
        match open(&memory) {
            Err(OpenError::Damaged { file, offset, .. }) => {
                assert!(file == FIRST && offset <= at as u64, "{offset} of {file}, not {at}");
            }
            Err(other) => panic!("byte {at}: {other}"),
            // The last batch cannot be told from one that was never flushed.
            Ok((read, cut)) => {
                assert_eq!(read, (1..5).map(record).collect::<Vec<_>>(), "byte {at}");
                assert!(cut > 0);
                torn += 1;
            }
        }
    }
    // 24 bytes of header, the record's head and 485 bytes of value.
    assert!((500..550).contains(&torn), "{torn} of {length} bytes");
}

#[test]
fn what_is_cut_anywhere_is_read_up_to_there() {
    let whole = written(5, Limits::default()).bytes(FIRST).unwrap();
    let mut last = 0;
    for length in 0..whole.len() {
        let memory = Memory::default();
        memory.put(FIRST, whole[..length].to_vec());
        let (read, cut) = open(&memory).unwrap();
        assert_eq!(read, (1..=read.len() as u64).map(record).collect::<Vec<_>>());
        assert!(cut <= length as u64 && read.len() >= last);
        last = read.len();
        assert_eq!(open(&memory).unwrap(), (read, 0), "it is mended for good");
    }
    assert_eq!(last, 4);
}

#[test]
fn a_file_before_the_last_may_not_be_torn() {
    let memory = two_files();
    change(&memory, FIRST, |bytes| bytes.truncate(bytes.len() - 1));
    let (file, _, damage) = damage(&memory);
    assert_eq!((file.as_str(), damage), (FIRST, Damage::Truncated));
}

#[test]
fn what_lies_behind_the_end_is_told() {
    let memory = two_files();
    change(&memory, FIRST, |bytes| bytes.push(1));
    assert_eq!(damage(&memory).2, Damage::Behind);
}

#[test]
fn files_that_changed_places_are_told() {
    let memory = two_files();
    let (first, second) = (memory.bytes(FIRST).unwrap(), memory.bytes(SECOND).unwrap());
    memory.put(FIRST, second);
    memory.put(SECOND, first);
    assert_eq!(damage(&memory), (FIRST.into(), 0, Damage::Name));
}

#[test]
fn a_missing_file_and_a_missing_log_are_told() {
    let memory = two_files();
    memory.remove(FIRST).unwrap();
    let error = open(&memory).unwrap_err();
    assert!(matches!(error, OpenError::Sequence { expected: 1, .. }), "{error}");
    assert!(matches!(open(&Memory::default()), Err(OpenError::Empty)));
}

#[test]
fn anothers_log_is_refused() {
    let memory = written(3, Limits::default());
    let other = Owner { shard: 2, ..OWNER };
    let reading = Log::open(Arc::new(memory), other, Limits::default()).unwrap();
    let error = reading.finish().unwrap_err();
    assert!(matches!(error, OpenError::Foreign { found, .. } if found == OWNER), "{error}");
}

#[test]
fn a_disk_that_cannot_be_read_is_no_end_of_the_log() {
    let disk = Breakable::around(Arc::new(two_files())).unwrap();
    disk.break_at(Some(Operation::Read), 1, Break::Failure);
    let mut reading = Log::open(Arc::new(disk.clone()), OWNER, Limits::default()).unwrap();
    assert!(reading.by_ref().count() < 20);
    let error = reading.finish().unwrap_err();
    assert!(matches!(error, OpenError::Medium(_)), "{error}");
    let reading = Log::open(Arc::new(disk), OWNER, Limits::default()).unwrap();
    assert_eq!(reading.finish().unwrap().1.records, 20);
}
