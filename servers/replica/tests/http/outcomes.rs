//! What is said of outcomes that are no success, over registers that have them.

use std::time::Duration;

use palco_rambo::{Command, Failure, NodeId, Outcome, Tag};

use crate::gateway::{Gateway, over_three};

/// Registers whose changes end like this, and that hold nothing.
fn changes_end(outcome: Outcome) -> Gateway {
    Gateway::scripted(move |command| {
        Some(match command {
            Command::Read(_) => Outcome::Read(Default::default()),
            _ => outcome.clone(),
        })
    })
}

#[test]
fn an_unknown_outcome_says_that_it_may_have_happened() {
    let tag = Tag { sequence: 3, node: NodeId(2), boot: 1, n: 0 };
    let gateway = changes_end(Outcome::Unknown { tag: Some(tag) });
    let problem = gateway.put("x", "1").answer().refused(504, "outcome-unknown");
    assert_eq!(problem["etag"], "\"3.n2.1.0\"");
    assert!(problem["advice"].as_str().unwrap().contains("may have happened"), "{problem}");
    gateway.delete("x").answer().refused(504, "outcome-unknown");
    let gateway = changes_end(Outcome::Unknown { tag: None });
    let problem = gateway.put("cas:x", "1").answer().refused(504, "outcome-unknown");
    assert!(problem.get("etag").is_none(), "{problem}");
}

#[test]
fn what_changed_nothing_says_so_and_when_to_come_again() {
    for why in [Failure::Timeout, Failure::NotJoined, Failure::Busy { limit: 1 }] {
        let gateway = changes_end(Outcome::Failed(why));
        for ask in [gateway.put("x", "1"), gateway.put("cas:x", "1"), gateway.delete("x")] {
            let answer = ask.answer();
            let problem = answer.refused(503, "unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"));
            assert!(problem["advice"].as_str().unwrap().contains("Nothing was changed"));
        }
    }
}

#[test]
fn a_read_that_ran_out_of_time_is_never_an_unknown_change() {
    for outcome in [Outcome::Unknown { tag: None }, Outcome::Failed(Failure::Timeout)] {
        let gateway = Gateway::scripted(move |_| Some(outcome.clone()));
        gateway.get("x").answer().refused(503, "unavailable");
        // A condition that could not be looked at.
        let put = gateway.put("cas:x", "1").with("If-None-Match", "*");
        put.answer().refused(503, "unavailable");
    }
}

#[test]
fn registers_that_answer_something_else_are_a_mistake_that_is_said() {
    let gateway = Gateway::scripted(|_| Some(Outcome::Left));
    let answer = gateway.ask("GET", "/v1/registers/x").send();
    crate::client::read(answer).refused(500, "broken");
}

#[test]
fn a_node_that_is_cut_off_says_what_it_knows_and_goes_on_afterwards() {
    let hurried = |settings: &mut palco_replica::http::Settings| {
        settings.answer_within = Duration::from_millis(300);
    };
    over_three(1, hurried, |gateway, ensemble| {
        let cut = |is_cut| {
            for other in [2, 3] {
                ensemble.cut(NodeId(1), NodeId(other), is_cut);
            }
        };
        cut(true);
        gateway.get("x").answer().refused(503, "unavailable");
        // A write asks before it tells anybody.
        gateway.put("x", "1").answer().refused(503, "unavailable");
        gateway.get("x?watch=0&timeout=1s").answer().refused(503, "unavailable");
        cut(false);
        while gateway.put("x", "2").answer().status != 204 {}
        let read = loop {
            let answer = gateway.get("x").answer();
            if answer.status != 503 {
                break answer;
            }
        };
        assert_eq!(read.is(200).body, b"2");
    });
}
