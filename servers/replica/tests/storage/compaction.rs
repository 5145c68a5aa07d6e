//! A compacted log makes the same participant as the whole one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use palco_rambo::{Participant, Record, Settings};
use palco_replica::storage::{CompactionError, Limits, Log, Memory};
use proptest::prelude::*;

use super::domain::{Domain, Want, Wish};
use super::scribe::{OWNER, record};

const SMALL: Limits = Limits { segment_bytes: 600, growth_bytes: 1200, short_files: 4 };

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let want = prop_oneof![
        6 => Just(Want::Write),
        1 => Just(Want::Delete),
        4 => Just(Want::Add),
        2 => Just(Want::Swap),
        2 => Just(Want::Reconfigure),
        1 => Just(Want::Restart),
        3 => Just(Want::Pass),
    ];
    prop::collection::vec((0..4_u64, want, any::<u64>()), 0..150)
}

/// Written with a flush after every few records and compacted whenever it is due; how often, and what is read back.
fn compacted(records: &[Record], per_flush: usize) -> (u32, Vec<Record>) {
    let memory = Memory::default();
    let mut log = Log::create(Arc::new(memory.clone()), OWNER, SMALL).expect("a fresh log");
    let mut rewritten = 0;
    for some in records.chunks(per_flush) {
        for record in some {
            log.append(record).expect("there is room");
        }
        log.flush().expect("there is room");
        if let Some(compaction) = log.compaction() {
            let result = compaction.run(&AtomicBool::new(false));
            log.compacted(&result);
            rewritten += u32::from(result.expect("nothing breaks").written_bytes().is_some());
        }
    }
    log.close().expect("there is room");
    let mut reading = Log::open(Arc::new(memory), OWNER, SMALL).expect("it was written");
    let read = reading.by_ref().collect();
    reading.finish().expect("it is whole");
    (rewritten, read)
}

/// All that a participant knows that can still matter: votes on what is decided cannot.
fn known(participant: &Participant) -> BTreeSet<String> {
    let base = participant.map().map_or(0, |map| map.base());
    let matters = |record: &Record| match record {
        Record::Promised(index, _) => *index >= base,
        Record::Accepted(_, configuration) | Record::RoundZero(configuration) => {
            configuration.index() >= base
        }
        Record::Began { .. }
        | Record::Learned(_)
        | Record::Stored(..)
        | Record::CasPromised(..) => true,
    };
    participant.snapshot().filter(matters).map(|record| format!("{record:?}")).collect()
}

fn is_the_same(whole: &[Record], read: &[Record]) {
    let Some(Record::Began { node, .. }) = whole.first() else { panic!("a life begins first") };
    let restore = |log: &[Record]| {
        let log = log.iter().cloned();
        Participant::restore(Settings::new(*node), log, &mut Vec::new()).expect("its own log")
    };
    let (before, after) = (restore(whole), restore(read));
    assert_eq!(known(&before), known(&after));
    assert_eq!(before.boot(), after.boot());
    let index = before.map().map_or(0, |map| map.version().end);
    assert_eq!(before.promised(index), after.promised(index));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 64,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_compacted_log_makes_the_same_participant(wishes in wishes(), per_flush in 1..10_usize) {
        let mut domain = Domain::new();
        for wish in wishes {
            domain.wish(wish);
        }
        for log in domain.into_logs().into_values() {
            is_the_same(&log, &compacted(&log, per_flush).1);
        }
    }
}

#[test]
fn much_that_is_written_again_and_again_stays_short() {
    let mut domain = Domain::new();
    for number in 0..600 {
        let want = [Want::Write, Want::Add, Want::Reconfigure, Want::Pass];
        domain.wish((number, want[(number % 11 % 4) as usize], number * 7));
    }
    for (node, log) in domain.into_logs() {
        let (rewritten, read) = compacted(&log, 3);
        assert!(rewritten > 2, "{node}: {rewritten} compactions of {} records", log.len());
        assert!(read.len() * 4 < log.len(), "{node}: {} of {} records", read.len(), log.len());
        is_the_same(&log, &read);
    }
}

/// A log of a first file that is due.
fn due(memory: &Memory) -> Log {
    let mut log = Log::create(Arc::new(memory.clone()), OWNER, SMALL).expect("a fresh log");
    for number in 1..40 {
        log.append(&record(number)).expect("there is room");
        log.flush().expect("there is room");
    }
    log
}

#[test]
fn a_compaction_that_is_stopped_or_has_no_room_leaves_the_log_and_waits_for_growth() {
    let memory = Memory::with_capacity(1 << 20);
    let mut log = due(&memory);
    let compaction = log.compaction().unwrap();
    assert!(log.compaction().is_none(), "one at a time");
    let stopped = compaction.run(&AtomicBool::new(true));
    assert!(matches!(stopped, Err(CompactionError::Stopped)));
    let full = compaction.run(&AtomicBool::new(false));
    assert!(matches!(full, Err(CompactionError::Room { .. })), "{full:?}");
    let bytes = log.bytes();
    log.compacted(&full);
    assert!(log.compaction().is_none(), "not at once again");
    let mut number = 40;
    while log.compaction().is_none() {
        log.append(&record(number)).unwrap();
        log.flush().unwrap();
        number += 1;
    }
    assert!(log.bytes() >= bytes + SMALL.growth_bytes);
}

#[test]
fn what_has_no_garbage_is_left_as_it_is() {
    let memory = Memory::default();
    let limits = Limits { short_files: 1000, ..SMALL };
    let mut log = Log::create(Arc::new(memory.clone()), OWNER, limits).unwrap();
    let mut looked = 0;
    for number in 0..2000_u64 {
        let key = palco_rambo::Key::register(number.to_be_bytes().to_vec());
        let tag = palco_rambo::Tag { sequence: 1, ..palco_rambo::Tag::ZERO };
        log.append(&Record::Stored(key, palco_rambo::Tagged { tag, value: None })).unwrap();
        if number % 10 == 0 {
            log.flush().unwrap();
        }
        if let Some(compaction) = log.compaction() {
            let result = compaction.run(&AtomicBool::new(false));
            log.compacted(&result);
            assert_eq!(result.unwrap().written_bytes(), None);
            looked += 1;
        }
    }
    // Each time it has doubled.
    assert!((3..10).contains(&looked), "{looked}");
}
