//! Reads and writes of one register, among three members that each are asked themselves.

use palco_rambo::{Configuration, Flaw, Member, Quorums};

use super::model::{Setup, Wish, majority, n};
use super::world::World;

const STALE: &str = "a read saw less than was done when it began";

fn all_over(world: &World) -> bool {
    world.over == world.asked && world.asked.count_ones() >= 2
}

fn three(script: Vec<Wish>) -> Setup {
    Setup { end: all_over, ..Setup::new(majority(0, &[1, 2, 3]), 3, script) }
}

fn thresholds(read: u32, write: u32) -> Configuration {
    let members = [1, 2, 3].map(|node| Member { node: n(node), weight: 1 });
    Configuration::unproved(0, members, Quorums::Thresholds { read, write }, n(1)).expect("three")
}

#[test]
fn two_writers_and_a_reader() {
    let script = vec![Wish::write(1, "a"), Wish::write(2, "b"), Wish::read(3)];
    three(script).exhausts("two writers and a reader");
}

#[test]
fn a_writer_and_a_reader_that_reads_twice() {
    let script = vec![Wish::write(1, "a"), Wish::read(2), Wish::read(2).after(&[1])];
    Setup { repeats: 1, ..three(script) }.exhausts("a message twice");
}

#[test]
fn two_writers_that_ask_nobody() {
    three(vec![Wish::write(2, "a"), Wish::write(1, "b").after(&[0])])
        .without(Flaw::WriteSkipsQuery)
        .objects("write-skips-query", "a write is not after what was done when it began");
}

#[test]
fn reads_that_never_write_back() {
    three(vec![Wish::write(1, "a"), Wish::read(2), Wish::read(3).after(&[1])])
        .without(Flaw::NoWriteBack)
        .objects("no-write-back", STALE);
}

#[test]
fn quorums_that_miss_each_other() {
    Setup {
        first: thresholds(1, 1),
        ..three(vec![Wish::write(1, "a"), Wish::read(2).after(&[0])])
    }
    .objects("quorums apart", STALE);
}

#[test]
fn answers_that_agree_but_are_of_too_few() {
    Setup {
        first: thresholds(1, 3),
        ..three(vec![Wish::write(1, "a"), Wish::read(2), Wish::read(3).after(&[1])])
    }
    .without(Flaw::AgreementSuffices)
    .objects("agreement-suffices", STALE);
}

#[test]
fn answers_to_another_phase() {
    three(vec![Wish::write(1, "a"), Wish::read(2), Wish::read(2).after(&[0, 1])])
        .without(Flaw::AnyPhase)
        .objects("any-phase", STALE);
}
