//! Three configurations that are active at once (RAMBO.md §1.1, §1.2), {0,1}, {2,3} and {4,5} with R=1 and W=2, all decided
//! at first: nodes 2 and 3 know of the second, for they voted on the third; everybody else knows the first only. Pairs,
//! for with configurations of three that overlap the spaces have tens of millions of states.

use crate::{
    map::{Map, Members, Quorums},
    reconfiguration::{
        Network, OnRemoval, Reconfiguration, nodes,
        removal::{C0, C1, C2, Needs, Stage, inform, push},
        variants::moving,
    },
    report::{
        Expected::{Safe, Unsafe},
        variants,
    },
};

/// RAMBO II: all that are old, at once.
const ALL_AT_ONCE: &[Stage] = &[inform(C0 | C1, Needs::Both), push(C2).removes(C0 | C1)];
/// RAMBO I: the oldest, then the next.
const ONE_AT_A_TIME: &[Stage] =
    &[inform(C0, Needs::Both), push(C1).removes(C0), inform(C1, Needs::Both), push(C2).removes(C1)];
/// All that are old, but asking only the newest of them.
const ASKING_THE_NEWEST: &[Stage] = &[inform(C1, Needs::Both), push(C2).removes(C0 | C1)];
/// Those of RAMBO I, in the wrong order.
const IN_THE_WRONG_ORDER: &[Stage] =
    &[inform(C1, Needs::Both), push(C2).removes(C1), inform(C0, Needs::Both), push(C1).removes(C0)];

/// One write and one read; a phase is restarted when a configuration that it contacts goes.
fn three_deep(stages: &'static [&'static [Stage]]) -> Reconfiguration {
    Reconfiguration {
        members: Members([nodes([0, 1]), nodes([2, 3]), nodes([4, 5])]),
        quorums: Quorums { read: 1, write: 2 },
        drivers_know: Map::ALL,
        told: nodes([2, 3]),
        on_removal: OnRemoval::Restart,
        network: Network::Calm,
        ..moving(stages)
    }
}

/// The same with {0}, {1} and {2}, of which node 1 knows of the second configuration: the smaller instance.
fn single(stages: &'static [&'static [Stage]]) -> Reconfiguration {
    let members = Members([nodes([0]), nodes([1]), nodes([2])]);
    let quorums = Quorums { read: 1, write: 1 };
    Reconfiguration { members, quorums, told: nodes([1]), ..three_deep(stages) }
}

variants! { "three deep":
    all_at_once: "§1.1", "all old at once, RAMBO II; base jumps by two", Safe, three_deep(&[ALL_AT_ONCE]).up_to_names();
    one_at_a_time: "§1.1", "one at a time, RAMBO I", Safe, three_deep(&[ONE_AT_A_TIME]).up_to_names();
    two_drivers: "§1.5", "two drivers at once, one node each", Safe, single(&[ALL_AT_ONCE, ALL_AT_ONCE]).up_to_names();
    asking_the_newest_only: "§1.2", "collects only from the newest old configuration", Unsafe(19), three_deep(&[ASKING_THE_NEWEST]).up_to_names();
    in_the_wrong_order: "§1.2", "c1 removed before c0, one node each", Unsafe(19), single(&[IN_THE_WRONG_ORDER]).up_to_names();
}
