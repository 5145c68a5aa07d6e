//! The spaces of millions of states: what `variants.rs` has in smaller instances.

use super::{
    Network, OnRemoval, Reads, Reconfiguration, Tags,
    removal::{DEFERRED, DEFERRED_WITH_PUSH, UPGRADE, WITHOUT_PUSH},
    variants::{READ_ONE, deferring, moving, moving_one},
};
use crate::report::{Expected::Safe, variants};

/// With lost replies and maps that spread by themselves.
fn lossy(variant: Reconfiguration) -> Reconfiguration {
    Reconfiguration { network: Network::Lossy, ..variant }.up_to_names()
}

variants! { "reconfiguration":
    b1_upgrade_of_many_registers: "§1.4", "B upgrade, many registers, lossy", Safe, lossy(moving(&[UPGRADE]));
    b2_upgrade_of_one_register: "§1.4", "B upgrade, one register, lossy", Safe, lossy(moving_one(&[UPGRADE]));
    b3_upgrade_of_one_register_without_push: "§1.4", "B3 without push, one register, lossy", Safe, lossy(moving_one(&[WITHOUT_PUSH]));
    c1_slide_28_with_one_register: "§1.4", "C slide 28, one register, lossy", Safe, lossy(Reconfiguration { tags: Tags::RideWithMaps, ..deferring(&[DEFERRED]) });
    c3_slide_28_with_push: "§1.4", "C3 slide 28 with push, lossy", Safe, lossy(deferring(&[DEFERRED_WITH_PUSH]));
    e3_upgrade_with_unequal_quorums: "§1.4", "E3 upgrade, R=1 W=3, lossy", Safe, lossy(Reconfiguration { quorums: READ_ONE, ..moving(&[UPGRADE]) });
    f2_phase_restarted_when_a_configuration_goes: "§1.6, O7", "F2 restarts the phase when a configuration goes, lossy", Safe, lossy(Reconfiguration { on_removal: OnRemoval::Restart, ..moving(&[UPGRADE]) });
    f3_acks_kept_with_one_register: "§1.6, O7", "F3 keeps acks, one register, lossy", Safe, lossy(Reconfiguration { on_removal: OnRemoval::KeepAcks, ..moving_one(&[UPGRADE]) });
    x3_read_once_a_write_quorum_holds_while_moving: "§1.6, O1", "X3 one-round read once W holds, upgrade", Safe, Reconfiguration { reads: Reads::OnceWriteQuorumHolds, clients: 3, network: Network::Calm, ..moving(&[UPGRADE]) }.up_to_names();
    x6_read_of_a_confirmed_tag_while_moving: "§1.6, O2", "X6 one-round read of a confirmed tag, upgrade", Safe, Reconfiguration { reads: Reads::OnceConfirmed, clients: 3, network: Network::Calm, ..moving(&[UPGRADE]) }.up_to_names();
}
