//! Replicas that crash and come back with what their disks have (RAMBO.md §1.5, §6), as variants of the model of
//! reconfiguration: without one, and during one.

use crate::{
    reconfiguration::{
        Disks, Network, Reads, Reconfiguration,
        removal::UPGRADE,
        variants::{moving, standing},
    },
    report::{
        Expected::{Safe, Unsafe},
        variants,
    },
};

/// A write and a read in {0,1,2}, one crash.
fn standing_with(disks: Disks) -> Reconfiguration {
    Reconfiguration { clients: 2, crashes_max: 1, disks, network: Network::Calm, ..standing() }
        .up_to_names()
}

/// A write and two one-round reads in {0,1,2}, one crash.
fn reading_once_with(disks: Disks) -> Reconfiguration {
    let reads = Reads::OnceWriteQuorumHolds;
    Reconfiguration { clients: 3, reads, ..standing_with(disks) }
}

/// A write and a read, without write-back for there is only one, while {0,1,2} is upgraded to {1,2,3}, one crash.
fn moving_with(disks: Disks) -> Reconfiguration {
    let reads = Reads::WithoutWriteBack;
    Reconfiguration { crashes_max: 1, disks, reads, network: Network::Calm, ..moving(&[UPGRADE]) }
        .up_to_names()
}

variants! { "recovery":
    two_rounds_survive_crashes: "§1.5", "two-round reads, two crashes", Safe, Reconfiguration { crashes_max: 2, ..standing_with(Disks::Sound) };
    one_round_survives_a_crash: "§1.6, O1", "one-round reads", Safe, reading_once_with(Disks::Sound);
    a_lost_disk_under_a_new_name: "§6, 4", "disk lost, new identity", Safe, standing_with(Disks::LostUnderNewName);
    an_acknowledgement_before_the_disk: "§6, 15", "acknowledged before durable", Unsafe(15), standing_with(Disks::AcksFirst);
    a_one_round_read_of_what_is_not_durable: "§6, 15", "one-round read ignores durability", Unsafe(15), reading_once_with(Disks::VolatileCounts);
    a_lost_disk_under_the_old_name: "§6, 4", "disk lost, old identity", Unsafe(19), standing_with(Disks::LostUnderOldName);
    an_upgrade_whose_informed_forget: "§6, 6", "informed not durable, upgrade", Unsafe(22), moving_with(Disks::MapsForgotten);
}
