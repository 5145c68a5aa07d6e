//! Rings of threads, which need no process of one thread.

use super::*;

fn ring(units: u32, working_set: u64) -> Raw {
    let key = Key {
        units,
        working_set,
        policy: Policy::Other,
        ..Key::new(Section::Ring, Unit::Thread, MECHANISM)
    };
    subject(key).unwrap().round(1_000_000).unwrap()
}

#[test]
fn the_token_goes_round_in_order() {
    for units in [2, 3, 8, 32] {
        let raw = ring(units, WORKING_SET);
        assert_eq!((raw.objection, raw.out_of_turn), (None, Some(0)), "{units}");
        assert_eq!(raw.sides.len(), units as usize);
        assert_eq!(raw.operations % u64::from(units), 0);
        let laps = raw.operations / u64::from(units);
        assert!(laps >= LAPS_MIN);
        assert_eq!(raw.samples.len() as u64, laps - 1, "the first one that counts is not timed");
        for side in &raw.sides {
            assert_eq!(side.strays, 0, "{side:?}");
            assert!(side.voluntary + side.involuntary >= laps, "{side:?}");
        }
    }
}

#[test]
fn only_memory_is_touched() {
    assert!(ring(3, WORKING_SET).touch.is_some_and(|nanos| nanos > 0.0));
    assert_eq!(ring(3, 0).touch, None);
}

#[test]
fn every_key_has_its_subject_and_no_other_key_has() {
    for key in keys() {
        assert_eq!(subject(key.clone()).map(|subject| subject.key()), Some(key));
    }
    let usual = || keys().remove(0);
    let others = [
        Key { section: Section::Switch, ..usual() },
        Key { unit: Unit::Fiber, ..usual() },
        Key { mechanism: "pipe".to_owned(), ..usual() },
        Key { cores: Cores::Other, ..usual() },
        Key { units: 1, ..usual() },
        Key { units: UNITS_MAX + 1, ..usual() },
        Key { message: 64, ..usual() },
    ];
    for key in others {
        assert!(subject(key.clone()).is_none(), "{key}");
    }
}

#[test]
fn processes_are_not_forked_by_a_process_of_several_threads() {
    let key = Key { policy: Policy::Other, ..Key::new(Section::Ring, Unit::Process, MECHANISM) };
    let refused = subject(key).unwrap().round(1).unwrap_err();
    assert!(refused.0.contains("one thread only"), "{refused}");
}
