//! What goes wrong when: all of it follows from the seed before anything runs.

use std::time::Duration;

use palco_measure::Chance;
use serde::Serialize;

use crate::Fault;

/// Longer than every timeout of a node, a gateway and a client: who wakes up after this has missed all of them.
pub(crate) const LONG: Duration = Duration::from_millis(7_500);

/// One of so many faults hits more than a minority.
const WIDE_ONE_OF: usize = 6;

/// One of so many faults has another one beside it.
const PAIR_ONE_OF: usize = 4;

/// One fault to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Planned {
    /// When it begins, since the start of the run.
    pub(crate) at: Duration,
    /// How long it lasts.
    pub(crate) lasts: Duration,
    pub(crate) fault: Fault,
    /// Whether it may take the members' quorum away.
    pub(crate) is_wide: bool,
    /// Whether members change meanwhile, too.
    pub(crate) is_paired: bool,
    /// By which whoever it hits is chosen.
    pub(crate) lot: u64,
}

/// The faults of a run in their order; one ends before the next begins. Everything begins well and ends well: nothing
/// happens in the first and in the last period.
pub(crate) fn schedule(
    seed: u64,
    kinds: &[Fault],
    time: Duration,
    period: Duration,
) -> Vec<Planned> {
    let mut chance = Chance::named(seed, "schedule");
    let mut planned = Vec::new();
    let mut bag = Vec::new();
    let mut at = period;
    while !kinds.is_empty() {
        // Each kind has its turn before one comes again.
        if bag.is_empty() {
            bag = kinds.to_vec();
            chance.shuffle(&mut bag);
        }
        let fault = bag.pop().unwrap_or(kinds[0]);
        let share = 400 + chance.below(400);
        let short = period * u32::try_from(share).unwrap_or_default() / 1000;
        let is_long = fault == Fault::Pause && chance.below(2) == 0;
        let fits_long = at + LONG + period <= time;
        let lasts = if is_long && fits_long { short.max(LONG) } else { short };
        let (is_wide, is_paired) = (chance.below(WIDE_ONE_OF) == 0, chance.below(PAIR_ONE_OF) == 0);
        let lot = u64::try_from(chance.below(usize::MAX)).unwrap_or_default();
        if at + lasts + period > time {
            break;
        }
        planned.push(Planned { at, lasts, fault, is_wide, is_paired, lot });
        at += period.max(lasts + period / 4);
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const PERIOD: Duration = Duration::from_secs(3);

    #[test]
    fn a_seed_makes_the_same_schedule_and_another_seed_another() {
        let of = |seed| schedule(seed, &Fault::ALL, MINUTE, PERIOD);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn every_kind_has_its_turn_and_none_overlap() {
        for seed in 0..200 {
            let planned = schedule(seed, &Fault::ALL, MINUTE, PERIOD);
            assert!(Fault::ALL.iter().all(|kind| planned.iter().any(|one| one.fault == *kind)));
            let ends = |one: &Planned| one.at + one.lasts;
            assert!(planned.windows(2).all(|pair| ends(&pair[0]) < pair[1].at));
            assert!(planned[0].at >= PERIOD);
            assert!(planned.iter().all(|one| ends(one) + PERIOD <= MINUTE));
        }
    }

    #[test]
    fn some_faults_take_the_quorum_most_do_not_and_some_pauses_are_long() {
        let all: Vec<_> =
            (0..50).flat_map(|seed| schedule(seed, &Fault::ALL, MINUTE, PERIOD)).collect();
        let wide = all.iter().filter(|one| one.is_wide).count();
        assert!(wide * 10 > all.len() && wide * 4 < all.len(), "{wide} of {}", all.len());
        assert!(all.iter().any(|one| one.lasts >= LONG));
    }

    #[test]
    fn without_kinds_or_time_nothing_happens() {
        assert!(schedule(1, &[], MINUTE, PERIOD).is_empty());
        assert!(schedule(1, &Fault::ALL, Duration::ZERO, PERIOD).is_empty());
    }
}
