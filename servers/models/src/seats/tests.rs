//! A process may die between any two stores: after the settlement every connection has one ending, and no room is lost.

use super::*;

/// Every store of one connection's life, one after the other, as a process makes them.
fn steps(seats: &Seats, index: usize) -> Vec<Box<dyn Fn() + '_>> {
    let seat = seats.seat(index);
    let accepted = SCORES + Count::Accepted as usize;
    let done = SCORES + word_of(Ending::Done);
    vec![
        Box::new(move || assert!(seats.try_admit(index))),
        Box::new(move || {
            let count = seat[accepted].load(Ordering::Relaxed) + 1;
            seat[0].store(Announced::Held(count).to_word(), Ordering::Relaxed);
        }),
        Box::new(move || _ = seat[accepted].fetch_add(1, Ordering::Relaxed)),
        Box::new(move || seats.announce(index, Ending::Done)),
        Box::new(move || _ = seat[done].fetch_add(1, Ordering::Relaxed)),
        Box::new(move || {
            for permit in seats.permits() {
                let own = index as u64 + 1;
                let _ = permit.compare_exchange(own, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
        }),
        Box::new(move || seat[0].store(0, Ordering::Relaxed)),
    ]
}

fn scores(seats: &Seats) -> crate::Scores {
    let mut tally = Tally::default();
    seats.add_to(&mut tally);
    tally.scores(seats.active())
}

/// How many requests there were, and how it ended.
fn cleared(seats: &Arc<Seats>) -> (u64, Option<Ending>) {
    let (counts, ending) = seats.clear(0);
    let requests = counts.iter().find(|(what, _)| *what == Count::Requests);
    (requests.unwrap().1, ending)
}

#[test]
fn a_death_after_any_store_leaves_exact_books() {
    for permits in [1, 3] {
        for fatal in 0..=7 {
            let seats = Seats::create(Layout { seats: 3, permits }).unwrap();
            for round in 0..4 {
                let index = round % 2;
                let steps = steps(&seats, index);
                steps.iter().take(fatal).for_each(|step| step());
                seats.settle(index);
                let seen = scores(&seats);
                let expected = if fatal == 0 { 0 } else { round as u64 + 1 };
                assert_eq!(seen.accepted, expected, "dead after {fatal} stores: {seen:?}");
                assert_eq!((seen.active, seen.done + seen.abandoned), (0, expected));
                let ended_well = if fatal >= 4 { expected } else { 0 };
                assert_eq!(seen.done, ended_well);
                seats.settle(index);
                assert_eq!(scores(&seats), seen, "settled twice is as once");
            }
        }
    }
}

#[test]
fn what_is_written_is_what_the_steps_above_do() {
    let seats = Seats::create(Layout { seats: 2, permits: 2 }).unwrap();
    steps(&seats, 0).iter().for_each(|step| step());
    assert!(seats.try_admit(1));
    seats.begin(1);
    assert_eq!(seats.active(), 1);
    seats.announce(1, Ending::Broken);
    seats.announce(1, Ending::Done);
    seats.finish(1);
    let words = |index: usize| seats.seat(index).iter().map(|word| word.load(Ordering::Relaxed));
    assert!(words(0).eq(words(1)));
}

#[test]
fn permits_are_as_many_as_there_are() {
    let seats = Seats::create(Layout { seats: 5, permits: 2 }).unwrap();
    assert!(seats.try_admit(4) && seats.try_admit(0));
    assert!(!seats.try_admit(1) && !seats.has_room());
    seats.begin(4);
    seats.finish(4);
    assert!(seats.has_room() && seats.try_admit(3));
}

#[test]
fn a_cleared_seat_is_as_new_and_tells_its_ending() {
    let seats = Seats::create(Layout { seats: 1, permits: 0 }).unwrap();
    assert_eq!(cleared(&seats), (0, None), "it never began");
    seats.begin(0);
    seats.count(0, Count::Requests, 3);
    assert_eq!(cleared(&seats), (3, Some(Ending::Abandoned)));
    seats.begin(0);
    seats.announce(0, Ending::Drained);
    assert_eq!(cleared(&seats), (0, Some(Ending::Drained)));
    seats.begin(0);
    seats.announce(0, Ending::Done);
    seats.finish(0);
    assert_eq!(cleared(&seats), (0, Some(Ending::Done)));
    assert_eq!(cleared(&seats), (0, None));
}

#[test]
fn whatever_a_process_writes_can_be_settled() {
    let seats = Seats::create(Layout { seats: 1, permits: 1 }).unwrap();
    for word in [u64::MAX, 1 << 63, 9 << 56, 8 << 56 | 7] {
        seats.words.words().iter().for_each(|any| any.store(word, Ordering::Relaxed));
        seats.settle(0);
        let _ = (scores(&seats), seats.total(Count::Requests));
        seats.clear(0);
    }
}

#[test]
fn who_is_killed_for_taking_too_long_has_timed_out_and_nobody_after_it() {
    let seats = Seats::create(Layout { seats: 1, permits: 1 }).unwrap();
    let begin = || {
        assert!(seats.try_admit(0));
        seats.begin(0);
    };
    begin();
    seats.mark_overdue(0);
    seats.settle(0);
    assert_eq!((scores(&seats).timed_out, scores(&seats).abandoned), (1, 0));
    begin();
    seats.settle(0);
    assert_eq!((scores(&seats).timed_out, scores(&seats).abandoned), (1, 1));
    let seats = Seats::create(Layout { seats: 1, permits: 0 }).unwrap();
    seats.begin(0);
    seats.count(0, Count::HandlerTimeouts, 2);
    seats.mark_overdue(0);
    let (counts, ending) = seats.clear(0);
    assert_eq!(ending, Some(Ending::TimedOut));
    assert!(counts.contains(&(Count::HandlerTimeouts, 2)), "{counts:?}");
    seats.begin(0);
    assert_eq!(cleared(&seats), (0, Some(Ending::Abandoned)));
}
