//! The order in which servers are shown: every C program with the servers of its design below it.

use super::{ContestantFacts, ServersReport};
use crate::servers::contestant::{Dialect, Origin};

/// Servers of one design; first the program in C, if there is one.
pub(super) type Family<'a> = Vec<&'a ContestantFacts>;

impl ServersReport {
    /// All who speak the dialect, each once. Whoever has no C program of its design is with the others of its origin.
    pub(super) fn families(&self, dialect: Dialect) -> Vec<Family<'_>> {
        let all = || self.contestants.iter().filter(|one| one.dialect == dialect);
        let is_floor = |one: &ContestantFacts| one.origin == Origin::C;
        let floor_of = |one: &ContestantFacts| {
            all().find(|floor| is_floor(floor) && one.floor.as_deref() == Some(&floor.name))
        };
        let mut families: Vec<Family<'_>> = Vec::new();
        for floor in all().filter(|one| is_floor(one)) {
            let is_of = |one: &&ContestantFacts| {
                floor_of(one).is_some_and(|its_floor| its_floor.name == floor.name)
            };
            families.push(std::iter::once(floor).chain(all().filter(is_of)).collect());
        }
        for origin in [Origin::Palco, Origin::Peer] {
            let alone = all().filter(|one| one.origin == origin && floor_of(one).is_none());
            families.push(alone.collect());
        }
        families.retain(|family| !family.is_empty());
        families
    }

    /// The same without the families.
    pub(super) fn ordered(&self, dialect: Dialect) -> Family<'_> {
        self.families(dialect).into_iter().flatten().collect()
    }
}
