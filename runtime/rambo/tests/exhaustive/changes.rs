//! Changes of a key of class cas while the configuration changes from {1, 2, 3} to {2, 3, 4}.

use palco_rambo::{Configuration, Flaw, Member, Quorums, Target};

use super::model::{Setup, Wish, majority, n};
use super::world::{Answer, World, not_the_map_alone};

fn moved(world: &World) -> bool {
    world.over == 7 && world.all_know_only(&[3], 1)
}

fn change() -> Wish {
    Wish::reconfigure(3, Target::majority(0, [2, 3, 4].map(n)))
}

fn setup() -> Setup {
    let script = vec![Wish::append(1, "a"), Wish::append(3, "b").knowing(1), change()];
    let setup = Setup::new(majority(0, &[1, 2, 3]), 4, script).without(Flaw::NoPreflight);
    Setup { answers: Answer::AtOnce, carries: not_the_map_alone, end: moved, ..setup }
}

/// From member 1 to member 2, driven by 3, who is neither and appends when that is done; 4 appends at any time.
fn small() -> Setup {
    let members = [Member { node: n(1), weight: 1 }];
    let first = Configuration::new(0, members, Quorums::Majority, n(3)).expect("one is a majority");
    let script = vec![
        Wish::append(4, "a"),
        Wish::append(3, "b").knowing(1),
        Wish::reconfigure(3, Target::majority(0, [n(2)])),
    ];
    Setup { first, nodes: 4, script, ..setup() }
}

#[test]
fn two_appends_within_nine_actions() {
    Setup { depth: 9, end: |world| world.asked == 7, ..setup() }.exhausts("cas");
}

#[test]
fn two_appends_in_one_configuration() {
    let script = vec![Wish::append(1, "a"), Wish::append(2, "b")];
    let setup = Setup { nodes: 3, end: |world| world.over == 3, mutes: 1, ..setup() };
    Setup { script, ticks: 2, moody: vec![1, 2], ..setup }.exhausts("cas, static");
}

#[test]
fn two_appends_from_one_member_to_another() {
    Setup { mutes: 1, ..small() }.exhausts("cas, small");
}

/// Where ballots of older configurations may not outrank newer ones, that is made up for here; the simulator finds more.
#[test]
fn accepts_that_reach_into_a_new_configuration() {
    small()
        .without(Flaw::BallotsOfAnyAge)
        .without(Flaw::ExtendAccept)
        .objects("extend-accept", "a change that was done is lost");
}

#[test]
fn ballots_that_outrank_those_of_newer_configurations() {
    Setup { mutes: 1, ..small() }
        .without(Flaw::BallotsOfAnyAge)
        .objects("ballots-of-any-age", "a change that was done is lost");
}

#[test]
fn changes_without_a_name() {
    let script = vec![Wish::append(1, "a"), change()];
    Setup { script, ..setup() }
        .without(Flaw::NoOperationId)
        .objects("no-operation-id", "a change was applied twice");
}
