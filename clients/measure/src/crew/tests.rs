//! Crews of threads: what is heard of members that fail, and that nobody is left waiting.

use super::*;

fn posts() -> [Post; 1] {
    let processor = palco_sys::current_processor();
    [Post { processor, policy: Policy::Other }]
}

fn led_by(gate: &Gate) -> io::Result<Seen> {
    gate.gather()?;
    gate.start()?;
    Ok(Seen { strays: 1, ..Seen::default() })
}

#[test]
fn all_are_heard_in_order() {
    let lead = |(), gate: &Gate| led_by(gate);
    let work = |number: usize, wrong: u64, gate: &Gate| {
        gate.ready(number)?;
        Ok(Seen { wrong, ..Seen::default() })
    };
    let seen = run(Unit::Thread, &posts(), ((), lead), vec![10, 20], &work).unwrap();
    let heard: Vec<_> = seen.iter().map(|seen| (seen.strays, seen.wrong)).collect();
    assert_eq!(heard, [(1, 0), (0, 10), (0, 20)]);
}

#[test]
fn a_member_that_fails_says_why_and_nobody_waits_for_it() {
    let lead = |(), gate: &Gate| led_by(gate);
    // Others that are told to give up are not taken for the cause.
    let work = |number: usize, (), gate: &Gate| match number {
        2 => Err(io::Error::other("no memory for me")),
        _ => gate.ready(number).map(|()| Seen::default()),
    };
    let error = run(Unit::Thread, &posts(), ((), lead), vec![(); 3], &work).unwrap_err();
    assert_eq!(error.to_string(), "member 2: no memory for me");
}

#[test]
fn a_leader_that_fails_lets_the_members_go() {
    let lead = |(), _: &Gate| Err(io::Error::other("no clock"));
    let work = |number: usize, (), gate: &Gate| gate.ready(number).map(|()| Seen::default());
    let error = run(Unit::Thread, &posts(), ((), lead), vec![(); 3], &work).unwrap_err();
    assert_eq!(error.to_string(), "no clock");
}
