//! Whatever happens in whatever order: what was said to be stored is read back, and nothing else than was appended.

use palco_replica::storage::{Break, Memory, Operation};
use proptest::prelude::*;

use super::scribe::Scribe;

#[derive(Clone, Debug)]
enum Act {
    Append(u64),
    Flush,
    Compact,
    Close,
    /// The process ends and is started again.
    Restart,
    /// The machine does, and the disk keeps what it likes.
    Crash(u64),
    Break(Option<Operation>, u64, Break),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let operation = prop_oneof![
        Just(None),
        Just(Some(Operation::Append)),
        Just(Some(Operation::Sync)),
        Just(Some(Operation::Create)),
        Just(Some(Operation::Rename)),
        Just(Some(Operation::Remove)),
    ];
    let how = prop_oneof![
        Just(Break::Failure),
        Just(Break::FailureAfter),
        Just(Break::Full),
        Just(Break::Short),
        Just(Break::OffBefore),
        Just(Break::OffAfter),
    ];
    let act = prop_oneof![
        8 => (0..12_u64).prop_map(Act::Append),
        8 => Just(Act::Flush),
        3 => Just(Act::Compact),
        1 => Just(Act::Close),
        2 => Just(Act::Restart),
        2 => any::<u64>().prop_map(Act::Crash),
        2 => (operation, 0..8_u64, how).prop_map(|(on, well, how)| Act::Break(on, well, how)),
    ];
    prop::collection::vec(act, 0..120)
}

fn play(scribe: &mut Scribe, acts: Vec<Act>) {
    for act in acts {
        let went_well = match act {
            Act::Append(count) => scribe.append(count).is_ok(),
            Act::Flush => scribe.flush().is_ok(),
            Act::Close => scribe.close().is_ok() && scribe.reopen().is_ok(),
            Act::Restart => scribe.reopen().is_ok(),
            Act::Compact => {
                scribe.compact();
                true
            }
            Act::Crash(seed) => {
                scribe.disk.crash(seed).expect("the inner disk is well");
                scribe.reopen().is_ok()
            }
            Act::Break(operation, well, how) => {
                scribe.disk.break_at(operation, well, how);
                true
            }
        };
        if !went_well {
            // The node stops. If the machine does too, it is what decides about what was written.
            if scribe.disk.is_off() {
                scribe.disk.crash(1).expect("the inner disk is well");
            }
            scribe.disk.restart();
            scribe.reopen().expect("nothing breaks, and what is torn is cut");
        }
    }
    scribe.disk.crash(2).expect("the inner disk is well");
    scribe.reopen().expect("nothing breaks, and what is torn is cut");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_said_to_be_stored_is_read_back_whatever_happens(acts in acts()) {
        play(&mut Scribe::new(Memory::default()), acts);
    }
}

#[test]
fn pages_that_a_failed_flush_left_unwritten_are_not_believed() {
    // It can be read after the process ends, so the next one answers with it; it must be on the disk by then.
    for seed in 0..50 {
        let mut scribe = Scribe::new(Memory::default());
        scribe.append(20).expect("nothing is written yet");
        scribe.disk.break_at(Some(Operation::Sync), 0, Break::Failure);
        assert!(scribe.flush().is_err());
        assert!(scribe.flush().is_err(), "an error is for good");
        scribe.reopen().expect("it can be read");
        scribe.disk.crash(seed).expect("the inner disk is well");
        scribe.reopen().expect("it can be read");
    }
}
