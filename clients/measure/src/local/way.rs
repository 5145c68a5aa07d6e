//! A cell that is measured by one function, in a copy of this process.

use std::time::Duration;

use super::apart::{Outcome, apart};
use super::meter::Plan;
use crate::sides::Stopwatch;
use crate::{Key, Raw, Section, Subject, Unavailable, Unit};

/// What a mechanism is called and how it is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) section: Section,
    pub(crate) unit: Unit,
    pub(crate) mechanism: &'static str,
    pub(crate) round: fn(&Plan) -> Outcome,
}

impl Way {
    pub(crate) fn key(&self) -> Key {
        Key::new(self.section, self.unit, self.mechanism)
    }
}

/// The cell with this key, if there is a way to measure it.
pub(crate) fn subject(ways: &[Way], key: Key) -> Option<Box<dyn Subject>> {
    let is_way = |way: &&Way| {
        (way.section, way.unit, way.mechanism) == (key.section, key.unit, key.mechanism.as_str())
    };
    let round = ways.iter().find(is_way)?.round;
    Some(Box::new(Cell { key, round }))
}

struct Cell {
    key: Key,
    round: fn(&Plan) -> Outcome,
}

impl Subject for Cell {
    fn key(&self) -> Key {
        self.key.clone()
    }

    fn round(&mut self, budget_nanos: u64) -> Result<Raw, Unavailable> {
        let plan = Plan { key: self.key.clone(), budget_nanos };
        Stopwatch::new(); // calibrated here, once, and not in each copy
        apart(Duration::from_nanos(budget_nanos), || (self.round)(&plan))
    }
}
