//! Fibers, made by a fiber of the same LWP.

use std::sync::Arc;

use palco_fibers::{current, park};

use super::inside::Roll;
use crate::local::apart::Outcome;
use crate::local::meter::{Meter, Next, Plan};
use crate::local::on_fibers::{in_fiber, no_fiber};
use crate::local::way::Way;
use crate::{Section, Unit};

pub(super) const WAYS: [Way; 2] = [
    Way { section: Section::Create, unit: Unit::Fiber, mechanism: "spawn", round: recycled },
    Way { section: Section::Create, unit: Unit::Fiber, mechanism: "spawn-new", round: new },
];

/// Fibers that are kept with their stacks: far below where the kernel has no more mappings.
const KEPT_MAX: usize = 4_000;

/// Made, run to its end and joined, again and again: each gets the stack of the one before.
fn recycled(plan: &Plan) -> Outcome {
    let plan = plan.clone();
    in_fiber(move |pool| {
        let roll = Roll::default();
        let mut meter = Meter::start(&plan, 1)?;
        let name: Arc<str> = "made".into();
        loop {
            let signs = roll.clone();
            let fiber = pool.spawn(Arc::clone(&name), move || signs.sign());
            let _ = fiber.map_err(|error| no_fiber(&error))?.join();
            if meter.trip() == Next::Over {
                return Ok(roll.checked(meter));
            }
        }
    })
}

/// Made and run until it parks, and kept: each needs a stack that nobody has used. Their ends are not in it.
fn new(plan: &Plan) -> Outcome {
    let plan = plan.clone();
    in_fiber(move |pool| {
        let roll = Roll::default();
        let maker = current().ok_or_else(|| no_fiber(&"the maker is none"))?;
        let mut meter = Meter::start(&plan, 1)?.at_most(KEPT_MAX);
        let name: Arc<str> = "made".into();
        loop {
            let (signs, wakes) = (roll.clone(), maker.clone());
            let fiber = pool.spawn(Arc::clone(&name), move || {
                signs.sign();
                wakes.unpark();
                park();
            });
            drop(fiber.map_err(|error| no_fiber(&error))?);
            park();
            if meter.trip() == Next::Over {
                return Ok(roll.checked(meter));
            }
        }
    })
}
