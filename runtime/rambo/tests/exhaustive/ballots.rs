//! Two that want different next configurations: members 1, 2 and 3 decide. Preflight is left out, for it asks others and
//! decides nothing.

use std::time::Duration;

use palco_rambo::{Body, Flaw, Flaws, Storage, Target};

use super::model::{Setup, Wish, majority, n};
use super::world::{Answer, World};

const TWO: &str = "two configurations have one index";

fn want(node: u64, members: &[u64]) -> Wish {
    Wish::reconfigure(node, Target::majority(0, members.iter().copied().map(n)))
}

/// Both know the decision.
fn decided(world: &World) -> bool {
    world.knows(1, 1) && world.knows(2, 1)
}

/// What decides, and nothing else: to be told what is decided could only keep somebody from deciding.
fn ballots(body: &Body) -> bool {
    matches!(
        body,
        Body::Prepare { .. }
            | Body::Promised { .. }
            | Body::Accept { .. }
            | Body::Accepted { .. }
            | Body::Refused { .. }
    )
}

fn rivals(one: Wish, other: Wish) -> Setup {
    let setup = Setup::new(majority(0, &[1, 2, 3]), 3, vec![one, other]);
    Setup { end: decided, carries: ballots, ..setup.without(Flaw::NoPreflight) }
}

#[test]
fn the_owner_of_round_zero_and_another() {
    rivals(want(1, &[1, 2]), want(2, &[2, 3])).exhausts("owner and other");
}

#[test]
fn two_that_own_nothing_and_try_again() {
    let setup = rivals(want(2, &[1, 2]), want(3, &[2, 3]));
    let end = |world: &World| world.knows(2, 1) && world.knows(3, 1);
    Setup { ticks: 2, moody: vec![2, 3], answers: Answer::AtOnce, end, ..setup }
        .exhausts("two others");
}

#[test]
fn what_was_accepted_is_ignored() {
    rivals(want(1, &[1, 2]), want(2, &[2, 3]))
        .without(Flaw::IgnoreAccepted)
        .objects("ignore-accepted", TWO);
}

#[test]
fn a_driver_that_crashes() {
    let setup = rivals(want(1, &[1, 2]), want(2, &[2, 3]));
    Setup { storage: Storage::Disk, crashes: 1, moody: vec![1], answers: Answer::AtOnce, ..setup }
        .exhausts("crash");
}

#[test]
fn votes_that_are_not_on_disk() {
    let setup = rivals(want(1, &[1, 2]), want(2, &[2, 3]));
    Setup { storage: Storage::Disk, crashes: 1, moody: vec![1, 3], ..setup }
        .without(Flaw::AnswerBeforeDisk)
        .objects("answer-before-disk", TWO);
}

/// Found by reading: the second wish of a driver must not use a ballot under which its first has been sent out.
#[test]
fn a_driver_that_gives_up_and_wants_something_else() {
    assert_eq!(gives_up(Flaws::NONE).judge.objection, None);
    let objection = gives_up(Flaws::NONE.with(Flaw::RoundsAnew)).judge.objection;
    assert_eq!(objection, Some(TWO));
}

fn gives_up(flaws: Flaws) -> World {
    let soon = want(4, &[1, 2]).within(Duration::from_millis(20));
    let script = vec![soon, want(5, &[2, 3]), want(4, &[1, 3]).after(&[0])];
    let setup = Setup::new(majority(0, &[1, 2, 3]), 5, script);
    let setup = Setup { flaws: flaws.with(Flaw::NoPreflight), ..setup };
    let setup =
        Setup { ticks: 3, moody: vec![4], answers: Answer::AtOnce, carries: ballots, ..setup };
    setup.walks(&[
        &["Ask(0)"],
        &["n4 to n1: Prepare", "round: 1"],
        &["n4 to n2: Prepare", "round: 1"],
        &["Ask(1)"],
        &["n5 to n3: Prepare", "round: 1"],
        &["n4 to n3: Accept"],
        // The backoff is over; then the time for the first wish.
        &["Tick"],
        &["Tick"],
        &["Tick"],
        &["Ask(2)"],
        &["n4 to n1: Prepare", "number: 4"],
        &["n4 to n2: Prepare", "number: 4"],
        &["n4 to n1: Accept", "number: 2"],
        &["n4 to n1: Accept", "number: 5"],
        &["n4 to n2: Accept", "number: 5"],
        &["n5 to n1: Prepare"],
        &["n5 to n1: Accept"],
        &["n5 to n3: Accept"],
    ])
}
