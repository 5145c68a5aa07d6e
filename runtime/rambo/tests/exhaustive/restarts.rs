//! Nodes that stop between any two things they do, with any part of what was not on disk yet, and come back.

use palco_rambo::{Flaw, Storage};

use super::model::{Setup, Wish, majority};
use super::world::{Answer, World};

const STALE: &str = "a read saw less than was done when it began";

fn all_over_after_a_crash(world: &World) -> bool {
    world.crashes == 1 && world.over == 7
}

fn three(moody: &[u64], script: Vec<Wish>) -> Setup {
    Setup {
        storage: Storage::Disk,
        crashes: 1,
        moody: moody.to_vec(),
        end: all_over_after_a_crash,
        ..Setup::new(majority(0, &[1, 2, 3]), 3, script)
    }
}

/// A writer that writes again in its next life, and a reader.
fn again() -> Vec<Wish> {
    vec![Wish::write(1, "a"), Wish::write(1, "b").after(&[0]), Wish::read(2)]
}

fn writer_and_reader() -> Vec<Wish> {
    vec![Wish::write(1, "a"), Wish::read(2).after(&[0]), Wish::read(3).after(&[1])]
}

#[test]
fn a_writer_that_comes_back_and_writes_again() {
    Setup { answers: Answer::AtOnce, ..three(&[1], again()) }.exhausts("writer crashes");
}

#[test]
fn a_member_that_comes_back() {
    three(&[2], writer_and_reader()).exhausts("member crashes");
}

#[test]
fn a_next_life_that_is_not_counted() {
    let script = vec![
        Wish::write(1, "a"),
        Wish::write(1, "b").after(&[0]),
        Wish::read(2).after(&[0]),
        Wish::read(3).after(&[1, 2]),
    ];
    three(&[1], script).without(Flaw::SameBoot).objects("same-boot", STALE);
}

#[test]
fn answers_that_are_not_on_disk() {
    three(&[2], vec![Wish::write(1, "a"), Wish::read(3).after(&[0])])
        .without(Flaw::AnswerBeforeDisk)
        .objects("answer-before-disk", STALE);
}
