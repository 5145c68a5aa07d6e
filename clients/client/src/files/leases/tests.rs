//! Leases without a server: what holds, and what does not hold any more.

use proptest::prelude::*;

use super::*;

const TERM: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

fn grant(number: u8) -> Grant {
    Grant { lease: [number; 16], version: number.into(), term: TERM }
}

fn held(path: &str, asked_at: Instant) -> Leases {
    let mut leases = Leases::default();
    leases.begin_to_ask();
    assert_eq!(leases.take(&Arc::from(path), grant(1), asked_at, None), Taken::New);
    leases
}

#[test]
fn a_lease_holds_nine_tenths_of_its_term_from_when_it_was_asked_for() {
    let start = Instant::now();
    let mut leases = held("a", start);
    assert!(leases.get("a", start + 8 * SECOND).is_some());
    assert!(leases.get("a", start + 9 * SECOND).is_none());
    assert!(leases.expire(start + 8 * SECOND).is_empty());
    assert_eq!(leases.expire(start + 9 * SECOND), [Arc::from("a")]);
    assert_eq!(leases.held("a"), None);
}

#[test]
fn a_renewal_counts_for_those_that_were_there_when_it_was_asked_for() {
    let start = Instant::now();
    let mut leases = held("a", start);
    assert!(!leases.is_renewal_due(start + 4 * SECOND));
    assert!(leases.is_renewal_due(start + 5 * SECOND));
    assert_eq!(leases.next_due(), Some(start + 5 * SECOND));
    let late = Grant { term: SECOND, ..grant(2) };
    leases.take(&Arc::from("late"), late, start + 6 * SECOND, None);
    assert_eq!(leases.renew(start + 5 * SECOND, TERM), 1);
    assert!(leases.get("a", start + 13 * SECOND).is_some());
    assert!(leases.get("late", start + 7 * SECOND).is_none());
    // One that had ended before is not brought back.
    assert_eq!(leases.renew(start + 20 * SECOND, TERM), 0);
    assert!(leases.get("a", start + 21 * SECOND).is_none());
}

#[test]
fn a_refused_renewal_is_tried_again_later() {
    let start = Instant::now();
    let mut leases = held("a", start);
    leases.refuse_renewal(start + 6 * SECOND);
    assert!(!leases.is_renewal_due(start + 5 * SECOND));
    assert_eq!(leases.next_due(), Some(start + 6 * SECOND));
    leases.refuse_renewal(start + 60 * SECOND);
    assert_eq!(leases.next_due(), Some(start + 9 * SECOND), "then it ends");
}

#[test]
fn those_in_doubt_are_not_renewed_but_reclaimed() {
    let start = Instant::now();
    let (mut leases, path) = (held("a", start), Arc::from("a"));
    leases.doubt();
    assert!(leases.get("a", start + SECOND).is_some(), "the server keeps to it for its term");
    assert!(!leases.is_renewal_due(start + 5 * SECOND));
    assert_eq!(leases.renew(start + 5 * SECOND, TERM), 0);
    let (doubtful, changes) = leases.doubtful();
    assert_eq!(doubtful.len(), 1);
    let asked = (start + 5 * SECOND, changes);
    assert!(!leases.reclaimed(&path, [9; 16], grant(2), asked));
    assert!(leases.reclaimed(&path, [1; 16], grant(2), asked));
    assert_eq!(leases.get("a", start + 13 * SECOND).unwrap().id, [2; 16]);
    assert!(!leases.drop_doubtful("a", [2; 16]), "it is in doubt no more");
}

#[test]
fn one_that_is_reclaimed_while_names_change_or_it_is_given_back_is_dropped() {
    let start = Instant::now();
    let changes: [fn(&mut Leases); 2] =
        [Leases::forget_names, |leases| drop(leases.give_back([2; 16]))];
    for change in changes {
        let (mut leases, path) = (held("a", start), Arc::from("a"));
        leases.doubt();
        let (_, before) = leases.doubtful();
        // The server has looked at the path before the change, and its answer comes after it.
        change(&mut leases);
        assert!(!leases.reclaimed(&path, [1; 16], grant(2), (start, before)));
        assert!(leases.of_path("a", start).is_none() && leases.get("a", start).is_none());
    }
}

#[test]
fn what_is_being_given_back_is_worth_nothing_in_an_answer_that_grants_it() {
    let start = Instant::now();
    // Asked for, taken back, granted: in this order here, in another at the server.
    let (mut leases, path) = (Leases::default(), Arc::from("a"));
    leases.begin_to_ask();
    assert!(leases.give_back([1; 16]).is_empty());
    leases.given_back([1; 16]);
    assert_eq!(leases.take(&path, grant(1), start, None), Taken::Worthless);
    // Taken back, asked for, given back, granted.
    let mut leases = held("a", start);
    assert_eq!(leases.give_back([1; 16]), [Arc::from("a")]);
    leases.begin_to_ask();
    leases.given_back([1; 16]);
    assert_eq!(leases.take(&path, grant(1), start, None), Taken::Worthless);
    // The next is another.
    leases.begin_to_ask();
    assert_eq!(leases.take(&path, grant(2), start, None), Taken::New);
}

#[test]
fn two_paths_of_one_file_lose_their_lease_together() {
    let start = Instant::now();
    let mut leases = held("a", start);
    leases.take(&Arc::from("b"), grant(1), start, None);
    leases.take(&Arc::from("c"), grant(2), start, None);
    let mut paths = leases.give_back([1; 16]);
    paths.sort();
    assert_eq!(paths, [Arc::from("a"), Arc::from("b")]);
    assert!(leases.get("c", start).is_some());
    let mut ids = leases.ids();
    ids.sort_unstable();
    assert_eq!(ids, [[1; 16], [2; 16]]);
}

#[test]
fn a_path_leads_to_the_file_if_it_was_followed_while_the_lease_was_held() {
    let start = Instant::now();
    let (mut leases, path) = (held("/d/a", start), Arc::from("/d/a"));
    assert!(leases.of_path("/d/a", start).is_none(), "it may have led elsewhere before the grant");
    assert_eq!(leases.take(&path, grant(1), start, Some([9; 16])), Taken::Same);
    assert!(leases.of_path("/d/a", start).is_none());
    assert_eq!(leases.take(&path, grant(1), start, Some([1; 16])), Taken::Same);
    assert!(leases.of_path("/d/a", start).is_some());
    leases.renew(start + SECOND, TERM);
    assert!(leases.of_path("/d/a", start + 9 * SECOND).is_some());
    leases.forget_names();
    assert!(leases.of_path("/d/a", start).is_none() && leases.get("/d/a", start).is_some());
    // What was open before is another file by now.
    assert_eq!(leases.take(&path, grant(2), start, Some([1; 16])), Taken::New);
    assert!(leases.of_path("/d/a", start).is_none());
}

#[test]
fn one_that_was_put_off_is_asked_for_later() {
    let start = Instant::now();
    let mut leases = Leases::default();
    leases.put_off(&Arc::from("a"), start + SECOND);
    assert!(!leases.may_ask("a", start));
    assert!(leases.may_ask("b", start));
    assert!(leases.may_ask("a", start + SECOND));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Grant(u8),
    Renew,
    Doubt,
    GiveBack(u8),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1_u8..4).prop_map(Step::Grant),
        Just(Step::Renew),
        Just(Step::Doubt),
        (1_u8..4).prop_map(Step::GiveBack),
        (1_u64..6).prop_map(Step::Pass),
    ]
}

proptest! {
    /// The server keeps every lease for its whole term from when it answered, and may forget those from before a lost
    /// connection only after that.
    #[test]
    fn no_lease_holds_longer_than_the_server_keeps_it(steps in prop::collection::vec(step(), 1..60)) {
        let (mut leases, mut now) = (Leases::default(), Instant::now());
        let mut kept: HashMap<u8, (Instant, bool)> = HashMap::new();
        for step in steps {
            match step {
                Step::Grant(number) => {
                    leases.begin_to_ask();
                    let path = Arc::from(number.to_string());
                    if leases.take(&path, grant(number), now, None) != Taken::Worthless {
                        kept.insert(number, (now + TERM, true));
                    }
                }
                Step::Renew => {
                    leases.renew(now, TERM);
                    for (until, is_known) in kept.values_mut() {
                        if *is_known && *until > now {
                            *until = now + TERM;
                        }
                    }
                }
                Step::Doubt => {
                    leases.doubt();
                    kept.values_mut().for_each(|(_, is_known)| *is_known = false);
                }
                Step::GiveBack(number) => {
                    leases.give_back([number; 16]);
                    leases.given_back([number; 16]);
                    kept.remove(&number);
                }
                Step::Pass(seconds) => now += Duration::from_secs(seconds),
            }
            for number in 1..4 {
                let holds = leases.get(&number.to_string(), now).is_some();
                let is_kept = kept.get(&number).is_some_and(|(until, _)| now < *until);
                prop_assert!(!holds || is_kept, "{number} at {step:?}");
            }
        }
    }
}
