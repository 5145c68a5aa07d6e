//! The rules of RAMBO.md §1.4 and §1.6, and what happens without them.

use super::{
    Disks, Network, OnRemoval, Reads, Reconfiguration, Tags, Writes, nodes,
    removal::{
        AFTER_PUSH, AT_DECISION, DEFERRED, DEFERRED_WITH_PUSH, INFORMS_READ_QUORUM,
        INFORMS_WRITE_QUORUM, Stage, UPGRADE, WITHOUT_INFORMING, WITHOUT_PUSH,
    },
};
use crate::{
    map::{Map, Members, Quorums},
    report::{
        Expected::{Safe, Unsafe},
        variants,
    },
};

/// One write and one read while a driver replaces {0,1,2} by {1,2,3}; no reply is lost, no map spreads by itself.
pub(crate) fn moving(stages: &'static [&'static [Stage]]) -> Reconfiguration {
    let (c0, c1) = (nodes([0, 1, 2]), nodes([1, 2, 3]));
    Reconfiguration {
        members: Members([c0, c1, c1]),
        quorums: Quorums::MAJORITY,
        clients: 2,
        writers: 1,
        drivers: stages,
        drivers_know: Map::FIRST,
        tags: Tags::StayApart,
        reads: Reads::WriteBack,
        writes: Writes::AfterQuery,
        on_removal: OnRemoval::Continue,
        network: Network::Calm,
        names: Vec::new(),
        disks: Disks::Unneeded,
        crashes_max: 0,
        told: 0,
    }
}

/// The same with one register, whose tag rides with every map.
pub(super) fn moving_one(stages: &'static [&'static [Stage]]) -> Reconfiguration {
    Reconfiguration { tags: Tags::RideWithMaps, ..moving(stages) }
}

/// Two reconfigurations in a row, {0,1,2} to {1,2,3} to {0,2,3}, of which the second removes c0.
pub(super) fn deferring(stages: &'static [&'static [Stage]]) -> Reconfiguration {
    let members = Members([nodes([0, 1, 2]), nodes([1, 2, 3]), nodes([0, 2, 3])]);
    Reconfiguration { members, ..moving(stages) }
}

/// One write and two reads in {0,1,2}, which stays.
pub(crate) fn standing() -> Reconfiguration {
    let members = Members([nodes([0, 1, 2]); 3]);
    Reconfiguration { members, clients: 3, network: Network::Lossy, ..moving(&[]) }
}

pub(super) const READ_ONE: Quorums = Quorums { read: 1, write: 3 };
const WRITE_ONE: Quorums = Quorums { read: 3, write: 1 };

variants! { "reconfiguration":
    a1_c0_goes_at_the_decision: "§1.4", "A1 c0 goes when c1 is decided", Unsafe(18), moving_one(&[AT_DECISION]).up_to_names();
    a2_c0_goes_after_a_push: "§1.4", "A2 c0 goes after a push of the votes' tags", Unsafe(21), moving_one(&[AFTER_PUSH]).up_to_names();
    b1_upgrade_of_many_registers: "§1.4", "B upgrade, many registers", Safe, moving(&[UPGRADE]).up_to_names();
    b2_upgrade_of_one_register: "§1.4", "B upgrade, one register", Safe, moving_one(&[UPGRADE]).up_to_names();
    b3_upgrade_of_one_register_without_push: "§1.4", "B3 without push, one register", Safe, moving_one(&[WITHOUT_PUSH]).up_to_names();
    b4_upgrade_of_many_registers_without_push: "§1.4", "B3 without push, many registers", Unsafe(21), moving(&[WITHOUT_PUSH]).up_to_names();
    b5_upgrade_that_tells_nobody: "§1.4", "B5 collects again, informs nobody", Unsafe(24), moving(&[WITHOUT_INFORMING]).up_to_names();
    c1_slide_28_with_one_register: "§1.4", "C slide 28, one register", Safe, Reconfiguration { tags: Tags::RideWithMaps, ..deferring(&[DEFERRED]) }.up_to_names();
    c2_slide_28_with_many_registers: "§1.4", "C slide 28, many registers", Unsafe(21), deferring(&[DEFERRED]).up_to_names();
    c3_slide_28_with_push: "§1.4", "C3 slide 28 with push", Safe, deferring(&[DEFERRED_WITH_PUSH]).up_to_names();
    d1_read_without_write_back: "§6, 14", "D1 read without write-back", Unsafe(13), Reconfiguration { reads: Reads::WithoutWriteBack, ..standing() }.up_to_names();
    d2_read_once_all_agree_with_majorities: "§1.6, O1", "D2 one-round read once all agree, majorities", Safe, Reconfiguration { reads: Reads::OnceAllAgree, ..standing() }.up_to_names();
    d4_read_once_all_agree_with_one: "§1.6, O1", "D4 one-round read once all agree, R=1 W=3", Unsafe(10), Reconfiguration { reads: Reads::OnceAllAgree, quorums: READ_ONE, ..standing() }.up_to_names();
    d5_read_once_a_write_quorum_holds: "§1.6, O1", "D5 one-round read once W holds, R=1 W=3", Safe, Reconfiguration { reads: Reads::OnceWriteQuorumHolds, quorums: READ_ONE, ..standing() }.up_to_names();
    e1_upgrade_that_waits_for_r: "§1.4", "E1 upgrade waits for R only, R=1 W=3", Unsafe(26), Reconfiguration { quorums: READ_ONE, ..moving(&[INFORMS_READ_QUORUM]) }.up_to_names();
    e2_upgrade_that_waits_for_w: "§1.4", "E2 upgrade waits for W only, R=3 W=1", Unsafe(23), Reconfiguration { quorums: WRITE_ONE, ..moving(&[INFORMS_WRITE_QUORUM]) }.up_to_names();
    e3_upgrade_with_unequal_quorums: "§1.4", "E3 upgrade, R=1 W=3", Safe, Reconfiguration { quorums: READ_ONE, ..moving(&[UPGRADE]) }.up_to_names();
    f1_acks_kept_when_a_configuration_goes: "§1.6, O7", "F1 keeps acks when a configuration goes, lossy", Unsafe(24), Reconfiguration { on_removal: OnRemoval::KeepAcks, network: Network::Lossy, ..moving(&[UPGRADE]) }.up_to_names();
    f2_phase_restarted_when_a_configuration_goes: "§1.6, O7", "F2 restarts the phase when a configuration goes", Safe, Reconfiguration { on_removal: OnRemoval::Restart, ..moving(&[UPGRADE]) }.up_to_names();
    f3_acks_kept_with_one_register: "§1.6, O7", "F3 keeps acks, one register", Safe, Reconfiguration { on_removal: OnRemoval::KeepAcks, ..moving_one(&[UPGRADE]) }.up_to_names();
    g1_two_writers: "§1.5", "G1 two writers and a reader", Safe, Reconfiguration { writers: 2, ..standing() }.up_to_names();
    h1_writers_that_do_not_query: "§6, 3", "H1 two writers that do not query", Unsafe(8), Reconfiguration { writers: 2, writes: Writes::WithoutQuery, ..standing() }.up_to_names();
    q1_quorums_that_do_not_meet: "§1.7", "Q1 quorums that do not meet, R=1 W=1", Unsafe(10), Reconfiguration { quorums: Quorums { read: 1, write: 1 }, ..standing() }.up_to_names();
    x1_read_without_write_back_while_moving: "§6, 14", "X1 read without write-back, upgrade", Unsafe(13), Reconfiguration { reads: Reads::WithoutWriteBack, clients: 3, ..moving(&[UPGRADE]) }.up_to_names();
    x3_read_once_a_write_quorum_holds_while_moving: "§1.6, O1", "X3 one-round read once W holds, upgrade, one reader", Safe, Reconfiguration { reads: Reads::OnceWriteQuorumHolds, ..moving(&[UPGRADE]) }.up_to_names();
    x6_read_of_a_confirmed_tag_while_moving: "§1.6, O2", "X6 one-round read of a confirmed tag, upgrade, one reader", Safe, Reconfiguration { reads: Reads::OnceConfirmed, ..moving(&[UPGRADE]) }.up_to_names();
}
