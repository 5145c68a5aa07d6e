//! Every verb on every request that can run long, in every cell: what is said is so, and nobody else is met.

use std::time::Duration;

use palco_actors::PlaceKind;
use palco_core::{Answer, Nice, Remark, RequestId, RequestState, Verb};
use palco_models::{ModelKind, Server};

use crate::client::Client;
use crate::stage::{Cell, Stage, in_cells, in_every_cell, trials, until};

trials! {
    a_held_request_makes_no_progress_and_finishes_when_resumed,
    a_held_answer_stops_on_its_way_and_goes_on_unchanged,
    a_cancelled_request_is_over_and_the_next_is_served,
    a_held_request_can_be_cancelled,
    an_answer_on_its_way_can_be_cancelled,
    a_queued_request_is_given_up_before_it_begins,
    what_is_over_is_finished_and_what_never_was_is_not_found,
    work_without_checkpoints_is_stopped_in_processes_and_reported_elsewhere,
    a_hold_that_comes_too_late_holds_nobody_else,
    a_priority_lasts_as_long_as_its_request,
    a_request_that_is_nice_lets_others_go_first,
}

/// Requests that would take a minute, and reach checkpoints.
const LONG: [&str; 3] = ["sleep 60000\n", "cpu 60000000\n", "count 1000000000\n"];

pub(crate) fn act(stage: &Stage, server: &Server, request: &RequestId, verb: Verb) -> Answer {
    stage.wait("an answer", server.act(request, verb))
}

/// The request that is being served, once there is one: of the youngest connection, because an older one may have
/// been answered without having come to its end.
#[track_caller]
fn running(server: &Server) -> RequestId {
    let mut found = None;
    until("a request is being served", || {
        let requests = server.requests(9).into_iter().map(|view| view.request);
        found = requests.max_by_key(|request| request.connection);
        found.is_some()
    });
    found.unwrap()
}

fn is_ok(client: &mut Client) -> bool {
    client.say("sleep 0\n");
    client.line().starts_with("ok sleep 0 ")
}

fn a_held_request_makes_no_progress_and_finishes_when_resumed() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings());
        for (count, ask) in (1..).zip(["sleep 300\n", "cpu 300000\n"]) {
            let mut client = Client::of(&server);
            client.say(ask);
            begun.until(count);
            let request = running(&server);
            let answer = act(stage, &server, &request, Verb::Hold);
            if answer.state == RequestState::Finished {
                assert!(client.line().starts_with("ok "));
                continue; // on a slow machine it was faster
            }
            assert_eq!(answer, Answer::reached(RequestState::Held), "{ask}");
            // A second one changes nothing.
            assert_eq!(act(stage, &server, &request, Verb::Hold).state, RequestState::Held);
            assert_eq!(server.requests(9)[0].state, RequestState::Held);
            stage.let_pass(500);
            assert!(client.is_silent(), "{ask}");
            assert_eq!(act(stage, &server, &request, Verb::Status).state, RequestState::Held);
            let answer = act(stage, &server, &request, Verb::Resume);
            assert!(answer.is_reached() && answer.state != RequestState::Held, "{answer:?}");
            assert!(client.line().starts_with(&format!("ok {}", ask.trim())));
            until("it is finished", || {
                act(stage, &server, &request, Verb::Status).state == RequestState::Finished
            });
        }
    });
}

fn a_held_answer_stops_on_its_way_and_goes_on_unchanged() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        let mut client = Client::with_little_room(server.address());
        // More than twice what the kernel takes for a connection: it is under way when it is held, and when it goes on.
        let lines = 2_000_000;
        client.say(format!("count {lines}\n"));
        let mut heard = client.exactly(1 << 10);
        let request = running(&server);
        assert_eq!(act(stage, &server, &request, Verb::Hold).state, RequestState::Held);
        // What had left before the hold.
        heard.extend(client.drain(Duration::from_millis(100)));
        stage.let_pass(100);
        assert!(client.is_silent(), "not a byte while it is held");
        assert_eq!(act(stage, &server, &request, Verb::Resume).state, RequestState::Running);
        client.end();
        let (rest, _) = client.everything();
        heard.extend(rest);
        let heard = String::from_utf8(heard).unwrap();
        let mut expected = 0;
        for line in heard.lines().take(lines) {
            expected += 1;
            assert_eq!(line, expected.to_string());
        }
        assert!(heard.lines().last().unwrap().starts_with(&format!("ok count {lines} ")));
    });
}

fn a_cancelled_request_is_over_and_the_next_is_served() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings());
        for (count, ask) in (1..).zip(LONG) {
            let mut client = Client::of(&server);
            client.say(ask);
            begun.until(2 * count - 1);
            let request = running(&server);
            let answer = act(stage, &server, &request, Verb::Cancel);
            assert_eq!(answer.state, RequestState::Finished, "{ask}: {answer:?}");
            client.everything();
            drop(client);
            assert!(is_ok(&mut Client::of(&server)), "{ask}");
            assert_eq!(act(stage, &server, &request, Verb::Cancel).state, RequestState::Finished);
        }
    });
}

fn a_held_request_can_be_cancelled() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings());
        let mut client = Client::of(&server);
        client.say(LONG[1]);
        begun.until(1);
        let request = running(&server);
        assert_eq!(act(stage, &server, &request, Verb::Hold).state, RequestState::Held);
        let answer = act(stage, &server, &request, Verb::Cancel);
        assert_eq!(answer, Answer::reached(RequestState::Finished));
        assert_eq!(client.rest(), "error: the call was interrupted\n");
        drop(client);
        assert!(is_ok(&mut Client::of(&server)));
    });
}

fn an_answer_on_its_way_can_be_cancelled() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        let mut client = Client::with_little_room(server.address());
        client.say(LONG[2]);
        client.exactly(1 << 10);
        let request = running(&server);
        // Now it waits for its client to read.
        stage.let_pass(50);
        let answer = act(stage, &server, &request, Verb::Cancel);
        assert_eq!(answer.state, RequestState::Finished, "{answer:?}");
        client.everything();
        drop(client);
        assert!(is_ok(&mut Client::of(&server)));
    });
}

fn a_queued_request_is_given_up_before_it_begins() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings());
        let mut client = Client::of(&server);
        client.say("sleep 200\nsleep 60000\n");
        begun.until(1);
        let first = running(&server);
        let second = RequestId { number: first.number + 1, ..first.clone() };
        let answer = act(stage, &server, &second, Verb::Hold);
        if answer.state == RequestState::Queued {
            assert!(matches!(answer.remark, Remark::Pending(_)), "{answer:?}");
        }
        assert!(act(stage, &server, &second, Verb::Cancel).is_reached());
        let heard = client.rest();
        assert!(heard.starts_with("ok sleep 200 "), "{heard}");
        assert!(heard.ends_with("error: the call was interrupted\n"), "{heard}");
    });
}

fn what_is_over_is_finished_and_what_never_was_is_not_found() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        let mut client = Client::of(&server);
        assert!(is_ok(&mut client));
        assert!(is_ok(&mut client));
        client.say("sleep 60000\n");
        until("the third is being served", || running(&server).number == 3);
        let request = running(&server);
        let of = |connection, number| RequestId { server: "any".into(), connection, number };
        for verb in [Verb::Status, Verb::Hold, Verb::Cancel, Verb::Priority(Nice::USUAL)] {
            let ended = of(request.connection, 2);
            assert_eq!(act(stage, &server, &ended, verb), Answer::reached(RequestState::Finished));
            let never = of(request.connection + 100, 1);
            assert_eq!(act(stage, &server, &never, verb), Answer::reached(RequestState::NotFound));
        }
        assert!(client.is_silent());
        let status = act(stage, &server, &request, Verb::Status);
        assert_eq!(status.state, RequestState::Running);
        assert!(matches!(status.remark, Remark::Note(_)));
        assert_eq!(act(stage, &server, &request, Verb::Cancel).state, RequestState::Finished);
        client.rest();
        drop(client);
        until("the connection has ended", || server.scores().active == 0);
        assert_eq!(act(stage, &server, &request, Verb::Status).state, RequestState::Finished);
    });
}

fn work_without_checkpoints_is_stopped_in_processes_and_reported_elsewhere() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings());
        let by_force = stage.cell.ends_by_force();
        // Where it cannot be stopped it has to end by itself.
        let ask = if by_force { "hog 60000000\n" } else { "block 2500\n" };
        let mut client = Client::of(&server);
        client.say(ask);
        client.end();
        begun.until(1);
        let request = running(&server);
        stage.let_pass(200); // it has left its only checkpoint behind
        let answer = act(stage, &server, &request, Verb::Hold);
        if by_force {
            assert_eq!(answer, Answer::reached(RequestState::Held));
            let answer = act(stage, &server, &request, Verb::Resume);
            assert_eq!(answer, Answer::reached(RequestState::Running));
            assert_eq!(act(stage, &server, &request, Verb::Hold).state, RequestState::Held);
        } else if answer.state != RequestState::Finished {
            assert!(!answer.is_reached() && answer.state == RequestState::Running, "{answer:?}");
        }
        let answer = act(stage, &server, &request, Verb::Cancel);
        if by_force {
            assert_eq!(answer.state, RequestState::Finished, "{answer:?}");
            assert!(matches!(answer.remark, Remark::Note(_)), "it says that it has killed");
            assert!(client.everything().0.is_empty(), "its process was killed");
        } else {
            assert!(answer.state == RequestState::Finished || !answer.is_reached(), "{answer:?}");
            client.everything();
        }
        drop(client);
        assert!(is_ok(&mut Client::of(&server)), "nobody else is held");
    });
}

fn a_hold_that_comes_too_late_holds_nobody_else() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings_for_one_worker());
        for count in 1..=20 {
            let mut client = Client::of(&server);
            client.say("sleep 1\n");
            begun.until(2 * count - 1);
            let Some(view) = server.requests(1).pop() else {
                begun.until(2 * count - 1);
                drop(client);
                assert!(is_ok(&mut Client::of(&server)));
                continue;
            };
            let answer = act(stage, &server, &view.request, Verb::Hold);
            match answer.state {
                RequestState::Held => {
                    act(stage, &server, &view.request, Verb::Resume);
                }
                state => assert_eq!(state, RequestState::Finished, "{answer:?}"),
            }
            assert!(client.line().starts_with("ok sleep 1 "));
            drop(client);
            assert!(is_ok(&mut Client::of(&server)), "nobody is held");
        }
    });
}

fn a_priority_lasts_as_long_as_its_request() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings_for_one_worker());
        let mut client = Client::of(&server);
        client.say("cpu 60000000\n");
        begun.until(1);
        let request = running(&server);
        for nice in [5, 19, -5].map(|nice| Nice::new(nice).unwrap()) {
            let answer = act(stage, &server, &request, Verb::Priority(nice));
            assert_eq!(answer.state, RequestState::Running);
            // Without privileges not every priority can be had, and that is said.
            if answer.is_reached() {
                assert_eq!(server.requests(1)[0].nice, Some(nice), "{answer:?}");
                if let Some(thread) = thread_of(&answer) {
                    assert_eq!(palco_sys::nice_of(thread).unwrap(), nice.value());
                }
            }
        }
        let answer = act(stage, &server, &request, Verb::Priority(Nice::new(7).unwrap()));
        let thread = thread_of(&answer);
        act(stage, &server, &request, Verb::Cancel);
        client.rest();
        drop(client);
        if let Some(thread) = thread {
            // Of a thread that ends with its connection nothing is left.
            until("the usual priority is back", || {
                palco_sys::nice_of(thread).map_or(true, |nice| nice == 0)
            });
        }
        assert!(is_ok(&mut Client::of(&server)));
    });
}

/// Which thread was given a priority.
fn thread_of(answer: &Answer) -> Option<i32> {
    let Remark::Note(note) = &answer.remark else { return None };
    note.split_once("for thread ").and_then(|(_, thread)| thread.parse().ok())
}

fn a_request_that_is_nice_lets_others_go_first() {
    let is_meant =
        |cell: Cell| cell.model == ModelKind::PerConnection && cell.place == PlaceKind::Task;
    in_cells(is_meant, |stage| {
        let (server, begun) = stage.work(stage.settings());
        let mut nice = Client::of(&server);
        nice.say("cpu 400000\n");
        begun.until(1);
        let request = running(&server);
        let most = Verb::Priority(Nice::new(19).unwrap());
        assert!(act(stage, &server, &request, most).is_reached());
        // It needs as long, came later, and would end later if both had the same share of their loop.
        let mut usual = Client::of(&server);
        usual.say("cpu 300000\n");
        assert!(usual.line().starts_with("ok cpu 300000 "));
        assert!(nice.is_silent(), "who is nice has gone first");
        assert!(nice.line().starts_with("ok cpu 400000 "));
    });
}
