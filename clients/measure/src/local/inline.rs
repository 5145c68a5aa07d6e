//! No unit at all: a function called through a pointer, there and back.

use std::hint::black_box;

use super::apart::Outcome;
use super::meter::{Meter, Plan};
use super::turns::{Player, pair};
use super::way::Way;
use crate::{Raw, Section, Unit};

pub(super) const WAYS: [Way; 1] =
    [Way { section: Section::Switch, unit: Unit::Inline, mechanism: "call", round: call }];

#[inline(never)]
fn answer(other: &mut Player) {
    other.hop();
}

fn call(plan: &Plan) -> Outcome {
    let [mut player, mut other] = pair();
    let function: fn(&mut Player) = answer;
    let mut meter = Meter::start(plan, 2)?;
    meter.run(|| {
        player.hop();
        black_box(function)(&mut other);
    });
    Ok(Raw { out_of_turn: Some(player.out_of_turn()), ..meter.raw() })
}
