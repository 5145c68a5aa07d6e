//! A change of the configuration under a write and a read: from {1, 2, 3} to {2, 3, 4}, driven by 3. The answer to a
//! request comes with it: one action.

use palco_rambo::{Configuration, Flaw, Member, Mode, Quorums, Target};

use super::model::{Setup, Wish, majority, n, x};
use super::world::{Answer, World, not_the_map_alone};

const STALE: &str = "a read saw less than was done when it began";

fn moved(world: &World) -> bool {
    world.over == world.asked && world.all_know_only(&[3], 1)
}

fn change() -> Wish {
    Wish::reconfigure(3, Target::majority(0, [2, 3, 4].map(n)))
}

fn first(quorums: Quorums) -> Configuration {
    let members = [1, 2, 3].map(|node| Member { node: n(node), weight: 1 });
    Configuration::new(0, members, quorums, n(3)).expect("they meet")
}

fn setup(script: Vec<Wish>) -> Setup {
    let setup = Setup::new(first(Quorums::Majority), 4, script).without(Flaw::NoPreflight);
    Setup { answers: Answer::AtOnce, carries: not_the_map_alone, end: moved, ..setup }
}

/// A writer that hears of the change from others; a reader that asks when it knows of the new configuration.
fn write_and_read() -> Vec<Wish> {
    vec![change(), Wish::write(1, "a"), Wish::read(3).knowing(1)]
}

#[test]
fn a_write_and_a_read_within_ten_actions() {
    Setup { depth: 10, end: |world| world.asked == 7, ..setup(write_and_read()) }
        .exhausts("rambo 2");
}

/// From {1, 2} to {2, 3}, driven by 2.
#[test]
fn a_write_and_a_read_among_fewer() {
    let script = vec![
        Wish::reconfigure(2, Target::majority(0, [2, 3].map(n))),
        Wish::write(1, "a"),
        Wish::read(3).knowing(1),
    ];
    let end = |world: &World| world.over == 7 && world.all_know_only(&[2], 1);
    let setup = Setup { first: majority(0, &[1, 2]), nodes: 3, ..setup(script) };
    Setup { end, mutes: 1, ..setup }.exhausts("rambo 2, fewer");
}

#[test]
fn the_old_one_goes_with_the_decision() {
    setup(write_and_read()).without(Flaw::DropAtDecision).objects("drop-at-decision", STALE);
}

#[test]
fn nobody_is_informed() {
    setup(write_and_read()).without(Flaw::NoInform).objects("no-inform", STALE);
}

#[test]
fn nothing_is_collected() {
    setup(write_and_read()).without(Flaw::NoCollect).objects("no-collect", STALE);
}

#[test]
fn answers_from_before_a_removal() {
    let script = vec![change().after(&[1]), Wish::write(1, "a"), Wish::read(3).knowing(1)];
    setup(script).without(Flaw::KeepAnswers).objects("keep-answers", STALE);
}

#[test]
fn only_read_quorums_are_informed() {
    let first = first(Quorums::Thresholds { read: 1, write: 3 });
    let script = vec![change(), Wish::write(4, "a").knowing(1), Wish::read(1).after(&[1])];
    Setup { first, ..setup(script) }
        .without(Flaw::InformReadsOnly)
        .objects("inform-reads-only", STALE);
}

/// Nobody objects: who fetches brings the map along to a read quorum of the old configuration, so those are informed
/// in any case.
#[test]
fn only_write_quorums_are_informed_within_eight_actions() {
    let first = first(Quorums::Thresholds { read: 3, write: 1 });
    let end = |world: &World| world.asked == 7;
    let setup = Setup { first, depth: 8, end, ..setup(write_and_read()) };
    setup.without(Flaw::InformWritesOnly).exhausts("inform-writes-only");
}

fn single(script: Vec<Wish>) -> Setup {
    Setup { mode: Mode::Rambo3(x()), ..setup(script) }
}

#[test]
fn one_register_and_one_change() {
    Setup { end: |world| world.over == 7, ..single(write_and_read()) }.exhausts("rambo 3");
}

fn two_changes() -> Vec<Wish> {
    let next = Target::majority(1, [1, 3, 4].map(n));
    vec![
        change(),
        Wish::write(1, "a"),
        Wish::reconfigure(3, next).after(&[0]),
        Wish::read(3).knowing(2),
    ]
}

#[test]
fn one_register_and_two_changes_within_twelve_actions() {
    Setup { end: |world| world.over == 15, depth: 12, ..single(two_changes()) }
        .exhausts("rambo 3, two changes");
}

#[test]
fn one_register_and_maps_without_it() {
    single(two_changes()).without(Flaw::MapWithoutRegister).objects("map-without-register", STALE);
}
