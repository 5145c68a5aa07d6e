//! Limits, one by one and together.

use std::time::Duration;

use palco_threads::block_on;

use super::*;
use crate::spec::{Control, Rate};

fn gate(change: impl FnOnce(&mut Limits)) -> Arc<Gate> {
    let mut limits = Limits::default();
    change(&mut limits);
    Arc::new(Gate::new(&limits))
}

fn address(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, last]))
}

#[test]
fn one_instance_more_has_to_wait_until_one_has_ended() {
    let gate = gate(|limits| limits.instances = Control::defer(2));
    let now = Instant::now();
    let first = gate.try_admit(None, now).unwrap();
    let _second = gate.try_admit(None, now).unwrap();
    let excess = Excess { limit: Limit::Instances, action: Action::Defer, until: None };
    assert_eq!(gate.try_admit(None, now).unwrap_err(), excess);
    assert_eq!(gate.obstacle(now), Some(excess));
    let room = gate.room();
    drop(first);
    block_on(room);
    assert_eq!(gate.obstacle(now), None);
    assert_eq!(gate.occupancy(), (1, 0));
}

#[test]
fn a_source_at_its_limit_does_not_hold_up_others() {
    let gate = gate(|limits| {
        limits.per_source = Some(Control { max: 1, action: Action::Drop });
    });
    let now = Instant::now();
    let _first = gate.try_admit(address(1), now).unwrap();
    assert_eq!(gate.try_admit(address(1), now).unwrap_err().limit, Limit::PerSource);
    let mapped = Some("::ffff:192.0.2.1".parse().unwrap());
    assert_eq!(gate.try_admit(mapped, now).unwrap_err().action, Action::Drop);
    let _other = gate.try_admit(address(2), now).unwrap();
    assert_eq!(gate.obstacle(now), None);
}

#[test]
fn a_rate_counts_exactly_and_says_when_it_is_over() {
    let rate = Rate { count: 5, per: Duration::from_secs(60) };
    let gate = gate(|limits| limits.rate = Some(Control::defer(rate)));
    let begin = Instant::now();
    for second in 0..5 {
        drop(gate.try_admit(None, begin + Duration::from_secs(second)).unwrap());
    }
    let excess = gate.try_admit(None, begin + Duration::from_secs(5)).unwrap_err();
    assert_eq!((excess.limit, excess.until), (Limit::Rate, Some(begin + rate.per)));
    drop(gate.try_admit(None, begin + rate.per).unwrap());
    let next = gate.obstacle(begin + rate.per).unwrap().until;
    assert_eq!(next, Some(begin + rate.per + Duration::from_secs(1)));
}

#[test]
fn a_lower_rate_counts_what_has_been() {
    let rate = |count| Rate { count, per: Duration::from_secs(60) };
    let gate = gate(|limits| limits.rate = Some(Control::defer(rate(5))));
    let begin = Instant::now();
    for second in 0..5 {
        drop(gate.try_admit(None, begin + Duration::from_secs(second)).unwrap());
    }
    let lower = Limits { rate: Some(Control::defer(rate(2))), ..Limits::default() };
    gate.set_limits(&lower);
    // Of the starts at 0 to 4 s those at 3 and 4 s count; the first of them is forgotten a minute later.
    let until = gate.obstacle(begin + Duration::from_secs(5)).unwrap().until;
    assert_eq!(until, Some(begin + Duration::from_secs(63)));
}

#[test]
fn the_rate_of_a_source_is_its_own() {
    let rate = Rate { count: 1, per: Duration::from_secs(60) };
    let gate = gate(|limits| limits.rate_per_source = Some(Control::defer(rate)));
    let now = Instant::now();
    drop(gate.try_admit(address(1), now).unwrap());
    assert_eq!(gate.try_admit(address(1), now).unwrap_err().limit, Limit::RatePerSource);
    drop(gate.try_admit(address(2), now).unwrap());
    drop(gate.try_admit(address(1), now + rate.per).unwrap());
}

#[test]
fn with_too_many_waiting_nobody_else_is_accepted() {
    let gate = gate(|_| {});
    let now = Instant::now();
    let waiting: Vec<Waiting<'_>> = (0..WAITING_MAX).map(|_| gate.wait(now)).collect();
    assert_eq!(gate.obstacle(now).map(|excess| excess.limit), Some(Limit::Waiting));
    waiting[0].note(Limit::PerSource, now + Duration::from_secs(3));
    drop(waiting);
    assert_eq!(gate.obstacle(now), None);
    let (_, acted) = gate.acted()[Limit::PerSource as usize];
    assert_eq!(acted.waited_max, Duration::from_secs(3));
}

#[test]
fn what_runs_already_is_counted_whatever_the_limits_say() {
    let gate = gate(|limits| limits.instances = Control::defer(1));
    let guests = [gate.admit_guest(None), gate.admit_guest(None)];
    assert_eq!(gate.occupancy().0, 2);
    drop(guests);
    assert!(gate.try_admit(None, Instant::now()).is_ok());
}
