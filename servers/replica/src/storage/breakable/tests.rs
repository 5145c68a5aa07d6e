//! What is flushed survives, what is not is torn, and each break comes when it was planned.

use super::*;
use crate::storage::Memory;

fn disk() -> (Breakable, Memory) {
    let memory = Memory::default();
    (Breakable::around(Arc::new(memory.clone())).unwrap(), memory)
}

#[test]
fn a_crash_takes_a_part_of_what_was_not_flushed_and_nothing_else() {
    let mut lengths = std::collections::BTreeSet::new();
    let mut holes = 0;
    for seed in 0..64 {
        let (disk, memory) = disk();
        let mut tail = disk.create("a").unwrap();
        tail.append(&[1; 700]).unwrap();
        tail.sync().unwrap();
        tail.append(&[2; 2000]).unwrap();
        disk.crash(seed).unwrap();
        let bytes = memory.bytes("a").unwrap();
        assert!(bytes.starts_with(&[1; 700]) && bytes.len() <= 2700);
        assert!(bytes[700..].iter().all(|byte| [0, 2].contains(byte)));
        holes += usize::from(bytes[700..].is_sorted_by(|a, b| a < b));
        lengths.insert(bytes.len());
    }
    assert!(lengths.len() > 30 && holes > 0, "{lengths:?}");
}

#[test]
fn a_failed_flush_is_not_made_good_by_the_next() {
    let (disk, memory) = disk();
    let mut tail = disk.create("a").unwrap();
    tail.append(&[1; 5000]).unwrap();
    disk.break_at(Some(Operation::Sync), 0, Break::Failure);
    assert_eq!(tail.sync().unwrap_err().raw_os_error(), Some(nix::Error::EIO as i32));
    tail.sync().unwrap();
    assert_eq!(memory.bytes("a").unwrap(), [1; 5000], "it can be read");
    disk.crash(5).unwrap();
    assert_ne!(memory.bytes("a").unwrap(), [1; 5000], "and is lost");
}

#[test]
fn breaks_come_when_they_were_planned_and_once() {
    let (disk, _) = disk();
    disk.break_at(Some(Operation::Append), 1, Break::Short);
    disk.break_at(Some(Operation::Append), 2, Break::Full);
    let mut tail = disk.create("a").unwrap();
    assert_eq!(tail.append(b"1234").unwrap(), 4);
    assert_eq!(tail.append(b"1234").unwrap(), 2);
    assert_eq!(tail.append(b"1234").unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(tail.append(b"1234").unwrap(), 4);
    assert_eq!(disk.list().unwrap(), [Listed { file: "a".into(), bytes: 10 }]);
}

#[test]
fn a_machine_that_is_off_does_nothing_until_it_is_started() {
    for (how, is_done) in [(Break::OffBefore, false), (Break::OffAfter, true)] {
        let (disk, memory) = disk();
        disk.break_at(None, 1, how);
        drop(disk.create("a").unwrap());
        assert!(disk.rename("a", "b").is_err() && disk.is_off());
        assert!(disk.list().is_err());
        assert_eq!(memory.bytes("b").is_some(), is_done, "{how:?}");
        disk.crash(0).unwrap();
        assert!(disk.list().is_ok());
    }
}
