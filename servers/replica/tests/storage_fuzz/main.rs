//! Fuzzing: whatever bytes a disk holds, reading them back ends, with records or with a refusal, and never with a panic.
//!
//! `cargo test` plays some thousand inputs of chance. With coverage, for as long as it is let:
//! `cargo bolero test -p palco-replica storage_fuzz --sanitizer NONE` (cargo-bolero, nightly).

use std::sync::Arc;

use palco_rambo::{NodeId, Record};
use palco_replica::storage::{Limits, Log, Memory, Owner};

const OWNER: Owner = Owner { node: NodeId(7), shard: 0 };
const FIRST: &str = "0000000001-0000000001.log";

fn main() {
    let whole = written();
    bolero::check!().with_iterations(5_000).for_each(|bytes: &[u8]| {
        // Bytes alone, bytes behind what was written, and bytes in the middle of it.
        let at = bytes.first().map_or(0, |at| usize::from(*at) * whole.len() / 256);
        let mut inside = whole.clone();
        for (place, byte) in inside[at..].iter_mut().zip(bytes) {
            *place ^= byte;
        }
        for bytes in
            [bytes.to_vec(), [&whole, bytes].concat(), [&whole[..at], bytes].concat(), inside]
        {
            read(bytes);
        }
    });
}

fn written() -> Vec<u8> {
    let memory = Memory::default();
    let mut log =
        Log::create(Arc::new(memory.clone()), OWNER, Limits::default()).expect("a fresh log");
    for boot in 1..10 {
        log.append(&Record::Began { node: OWNER.node, boot }).expect("there is room");
        log.flush().expect("there is room");
    }
    memory.bytes(FIRST).expect("the first file")
}

/// What is read must be a beginning of what was written, and be read again as it was.
fn read(bytes: Vec<u8>) {
    let memory = Memory::default();
    memory.put(FIRST, bytes);
    let open = || {
        let mut reading = Log::open(Arc::new(memory.clone()), OWNER, Limits::default()).ok()?;
        let read: Vec<Record> = reading.by_ref().collect();
        reading.finish().ok().map(|_| read)
    };
    let Some(read) = open() else { return };
    for (record, boot) in read.iter().zip(1..) {
        assert_eq!(*record, Record::Began { node: OWNER.node, boot });
    }
    assert_eq!(open(), Some(read));
}
