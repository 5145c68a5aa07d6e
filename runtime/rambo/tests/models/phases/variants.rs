//! Who counts which acknowledgement, and what a tag says.

use super::{Flaw, Kind, Phases};
use crate::{
    report::{
        Expected::{Safe, Unsafe},
        variants,
    },
    symmetry::renamings,
};

/// Operations one after the other, one crash.
fn in_turn(flaw: Flaw, operations: &'static [Kind]) -> Phases {
    Phases { flaw, operations, nodes: 3, alive_max: 1, crashes_max: 1, names: renamings(&[0b111]) }
}

/// Operations two at a time, no crash, and two replicas, which is the smaller instance.
fn together(flaw: Flaw, operations: &'static [Kind]) -> Phases {
    Phases {
        nodes: 2,
        alive_max: 2,
        crashes_max: 0,
        names: renamings(&[0b011, 0b100]),
        ..in_turn(flaw, operations)
    }
}

const WRITE_READ: &[Kind] = &[Kind::Write, Kind::Read];
const WRITE_WRITE: &[Kind] = &[Kind::Write, Kind::Write];
const WRITE_WRITE_READ: &[Kind] = &[Kind::Write, Kind::Write, Kind::Read];

variants! { "phases":
    phases_of_a_boot_count: "§1.5", "phases counted per boot, write and read", Safe, in_turn(Flaw::None, WRITE_READ);
    two_writes_together_have_two_tags: "§6, 2", "two writes together", Safe, together(Flaw::None, WRITE_WRITE);
    acks_of_any_phase: "§6, 7", "acks matched without the phase", Unsafe(16), in_turn(Flaw::AnyPhase, WRITE_READ);
    acks_of_any_boot: "§6, 7", "acks matched without the boot", Unsafe(19), in_turn(Flaw::AnyBoot, WRITE_READ);
    tags_without_boot: "§6, 1", "tags without boot", Unsafe(13), in_turn(Flaw::TagsWithoutBoot, WRITE_WRITE_READ);
    tags_without_count: "§6, 2", "two writes together with one tag", Unsafe(12), together(Flaw::TagsWithoutCount, WRITE_WRITE);
}
