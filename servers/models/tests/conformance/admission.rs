//! The limit on connections: what one client too many sees, and which count says so.

use std::thread;

use palco_actors::Signal;
use palco_models::{Action, Limits, Scores, Server, ServerSettings};

use crate::actors::acceptors;
use crate::client::{Client, End};
use crate::protocols::for_every_service;
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    drop_resets_one_too_many,
    close_ends_one_too_many_in_order,
    fail_tells_one_too_many_why,
    fail_uses_the_words_of_each_protocol,
    one_too_many_that_has_asked_already_gets_an_end_in_order,
    defer_lets_one_too_many_wait_and_loses_nothing,
    never_are_more_connections_held_than_the_limit,
    where_one_is_served_at_a_time_the_limit_never_acts,
}

/// A work server with room for two.
fn room_for_two(stage: &Stage, action: Action) -> ServerSettings {
    let limits = Limits { connections_max: 2, action, ..Limits::default() };
    ServerSettings { limits, ..stage.settings() }
}

/// A client that holds its connection.
fn held(server: &Server) -> Client {
    let mut client = Client::of(server);
    client.say("sleep 0\n");
    assert!(client.line().starts_with("ok sleep 0 "));
    client
}

/// The counts of the limit: deferred, dropped, closed, failed.
fn acted(scores: &Scores) -> [u64; 4] {
    [scores.deferred.min(1), scores.dropped, scores.closed, scores.failed]
}

/// Two clients are held, a third sees what is to be seen, and the count of `action` shows it. When one of the two
/// has gone, there is room again.
fn one_too_many_is_refused(action: Action, counts: [u64; 4], seen: (&str, End)) {
    in_cells(Cell::serves_several, |stage| {
        let (server, _) = stage.work(room_for_two(stage, action));
        let (mut first, second) = (held(&server), held(&server));
        assert_eq!(Client::refused(&server), (seen.0.into(), seen.1));
        let scores = server.scores();
        assert_eq!(acted(&scores), counts, "{scores:?}");
        assert_eq!((scores.accepted, scores.active), (2, 2));
        first.say("sleep 0\n");
        assert!(first.line().starts_with("ok sleep 0 "), "those inside notice nothing");
        drop(second);
        until("there is room", || server.scores().active == 1);
        held(&server);
        assert_eq!(server.scores().accepted, 3);
    });
}

fn drop_resets_one_too_many() {
    one_too_many_is_refused(Action::Drop, [0, 1, 0, 0], ("", End::Reset));
}

fn close_ends_one_too_many_in_order() {
    one_too_many_is_refused(Action::Close, [0, 0, 1, 0], ("", End::Eof));
}

fn fail_tells_one_too_many_why() {
    let words = "error: too many connections\n";
    one_too_many_is_refused(Action::Fail, [0, 0, 0, 1], (words, End::Eof));
}

fn fail_uses_the_words_of_each_protocol() {
    in_cells(Cell::serves_several, |stage| {
        for_every_service(stage, |protocol, _| {
            let limits = Limits { connections_max: 1, action: Action::Fail, ..Limits::default() };
            let server = (protocol.start)(stage, ServerSettings { limits, ..stage.settings() });
            let holding = Client::of(&server);
            if !protocol.speaks_first {
                until("one is held", || server.scores().active == 1);
                let (heard, end) = Client::of(&server).everything();
                assert_eq!((protocol.plain)(&heard), protocol.busy, "{}", protocol.name);
                assert_eq!(end, End::Eof);
            }
            drop(holding);
            stage.wait(protocol.name, server.drain());
        });
    });
}

/// The usual client has asked before it is refused; that must not turn an orderly end into a reset.
fn one_too_many_that_has_asked_already_gets_an_end_in_order() {
    for (action, words) in [(Action::Close, ""), (Action::Fail, "error: too many connections\n")] {
        in_cells(Cell::serves_several, |stage| {
            let (server, _) = stage.work(room_for_two(stage, action));
            let _held = (held(&server), held(&server));
            stage.signal(&acceptors(&server), Signal::Suspend);
            let mut client = Client::of(&server);
            client.say("sleep 0\n".repeat(1000));
            stage.signal(&acceptors(&server), Signal::Resume);
            assert_eq!(client.rest(), words);
        });
    }
}

fn defer_lets_one_too_many_wait_and_loses_nothing() {
    in_cells(Cell::serves_several, |stage| {
        let (server, begun) = stage.work(room_for_two(stage, Action::Defer));
        let mut held = vec![held(&server), held(&server)];
        let mut waiting: Vec<Client> = (0..4).map(|_| Client::of(&server)).collect();
        for client in &mut waiting {
            client.say("sleep 0\n");
        }
        until("the limit acts", || server.scores().deferred > 0);
        for client in &mut held {
            client.say("sleep 0\n");
            assert!(client.line().starts_with("ok sleep 0 "), "those inside notice nothing");
        }
        assert!(waiting.iter().all(Client::is_silent));
        assert_eq!((server.scores().accepted, server.scores().active), (2, 2));
        drop(held);
        // Whichever is let in first: each leaves when it has its answer.
        thread::scope(|scope| {
            for mut client in waiting {
                scope.spawn(move || assert!(client.line().starts_with("ok sleep 0 ")));
            }
        });
        begun.until(8);
        until("all are counted", || server.scores().done == 6);
        let scores = server.scores();
        assert_eq!(acted(&scores), [1, 0, 0, 0], "{scores:?}");
    });
}

fn never_are_more_connections_held_than_the_limit() {
    in_cells(Cell::serves_several, |stage| {
        let (server, _) = stage.work(room_for_two(stage, Action::Defer));
        thread::scope(|scope| {
            let visit = || {
                for _ in 0..10 {
                    drop(held(&server));
                    assert!(server.scores().active <= 2);
                }
            };
            for _ in 0..6 {
                scope.spawn(visit);
            }
        });
        until("all are counted", || server.scores().done == 60);
    });
}

fn where_one_is_served_at_a_time_the_limit_never_acts() {
    in_cells(
        |cell| !cell.serves_several(),
        |stage| {
            for action in [Action::Defer, Action::Drop, Action::Close, Action::Fail] {
                let limits = Limits { connections_max: 1, action, ..Limits::default() };
                let (server, _) = stage.work(ServerSettings { limits, ..stage.settings() });
                let first = held(&server);
                let mut second = Client::of(&server);
                second.say("sleep 0\n");
                drop(first);
                assert!(second.line().starts_with("ok sleep 0 "));
                assert_eq!(acted(&server.scores()), [0; 4]);
            }
        },
    );
}
