//! Time limits: who is ended by which, in whose words, and who is not. Each limit is met once by a client that it is
//! meant for and once by one that it must leave alone.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use palco_files::http::{Config, HttpService};
use palco_models::{
    DeadlineError, Deadlines, PlanError, Scores, Server, ServerSettings, StartError,
};
use palco_service::Relaunch;
use palco_service::services::echo::EchoService;
use palco_service::services::kv::KvService;
use palco_service::services::telnet::TelnetService;
use palco_service::services::work::WorkService;

use crate::client::{Client, End};
use crate::stage::{Cell, LIMIT, Stage, in_cells, in_every_cell, trials, until};

trials! {
    a_client_that_never_ends_its_request_is_ended,
    a_client_that_says_nothing_is_ended_and_told_so_where_that_is_no_answer,
    a_slow_but_steady_request_lives_as_long_as_it_is_faster_than_the_lowest_rate,
    no_rate_keeps_a_request_beyond_the_longest_time,
    a_body_that_stops_coming_is_ended_and_one_that_goes_on_is_not,
    a_body_slower_than_the_lowest_rate_is_ended,
    an_idle_connection_is_ended_and_a_busy_one_is_not,
    a_call_that_takes_too_long_is_interrupted_and_each_call_has_its_time,
    where_the_protocol_has_words_for_it_the_connection_outlives_its_call,
    a_client_that_reads_nothing_is_reset,
    a_client_that_reads_slowly_gets_everything,
    a_client_that_reads_slower_than_the_lowest_rate_is_reset,
    without_limits_nobody_is_ended,
    limits_without_effect_are_refused,
}

const MS: Duration = Duration::from_millis(1);
const TOO_SLOW: &str = "error: the line took too long\n";
const IDLE: &str = "error: idle for too long\n";

pub(crate) fn limited<S: Relaunch>(
    stage: &Stage,
    deadlines: Deadlines,
    config: S::Config,
) -> Arc<Server> {
    stage.serve::<S>(ServerSettings { deadlines, ..stage.settings() }, config)
}

fn work(stage: &Stage, deadlines: Deadlines) -> Arc<Server> {
    limited::<WorkService>(stage, deadlines, ())
}

/// How often each limit has acted: header, body, idle, handler, send, worker; and the connections ended by one.
pub(crate) fn timeouts(scores: &Scores) -> ([u64; 6], u64) {
    let Scores { header_timeouts, body_timeouts, idle_timeouts, .. } = *scores;
    let Scores { handler_timeouts, send_timeouts, worker_timeouts, timed_out, .. } = *scores;
    let each = [header_timeouts, body_timeouts, idle_timeouts];
    let [header, body, idle] = each;
    ([header, body, idle, handler_timeouts, send_timeouts, worker_timeouts], timed_out)
}

#[track_caller]
pub(crate) fn until_counted(server: &Server, expected: ([u64; 6], u64)) {
    until("its end is counted", || server.scores().active == 0);
    let scores = server.scores();
    assert_eq!(timeouts(&scores), expected, "{scores:?}");
}

/// Goes at a client's pace for at least `length`, or until a step says that it is over.
fn at_a_pace(length: Duration, mut step: impl FnMut() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < length && step() {
        thread::sleep(20 * MS); // not a wait: the pace of a slow client
    }
}

fn a_client_that_never_ends_its_request_is_ended() {
    in_every_cell(|stage| {
        let deadlines = Deadlines {
            header: Some(300 * MS),
            min_rate: Some(100_000),
            idle: Some(3600 * 1000 * MS),
            ..Deadlines::default()
        };
        let server = work(stage, deadlines);
        let mut slow = Client::of(&server);
        slow.say("sleep 0\nsl");
        at_a_pace(LIMIT, || slow.try_say("e"));
        let mut next = Client::of(&server);
        next.say("sleep 0\n");
        assert!(next.line().starts_with("ok sleep 0 "));
        drop((slow, next));
        until_counted(&server, ([1, 0, 0, 0, 0, 0], 1));
        let mut stopped = Client::of(&server);
        stopped.say("sleep 0\nsl");
        assert!(stopped.line().starts_with("ok sleep 0 "));
        assert_eq!(stopped.rest(), TOO_SLOW);
        until_counted(&server, ([2, 0, 0, 0, 0, 0], 2));
    });
}

fn a_client_that_says_nothing_is_ended_and_told_so_where_that_is_no_answer() {
    in_every_cell(|stage| {
        let header = Deadlines { header: Some(200 * MS), ..Deadlines::default() };
        let idle = Deadlines { idle: Some(200 * MS), ..Deadlines::default() };
        for (deadlines, counted) in [(header, [1, 0, 0, 0, 0, 0]), (idle, [0, 0, 1, 0, 0, 0])] {
            let server = work(stage, deadlines);
            assert_eq!(Client::of(&server).rest(), IDLE);
            until_counted(&server, (counted, 1));
        }
        let server = limited::<HttpService>(stage, header, stage.directory().into());
        assert_eq!(Client::of(&server).rest(), "", "no answer to a request that was not made");
        let mut begun = Client::of(&server);
        begun.say("GET / HTTP/1.1\r\nHos");
        let answer = begun.rest();
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    });
}

fn a_slow_but_steady_request_lives_as_long_as_it_is_faster_than_the_lowest_rate() {
    in_every_cell(|stage| {
        // Each byte earns it ten seconds.
        let header = Some(500 * MS);
        let rated = Deadlines { header, min_rate: Some(1), ..Deadlines::default() };
        for (deadlines, lives) in
            [(rated, true), (Deadlines { header, ..Deadlines::default() }, false)]
        {
            let server = work(stage, deadlines);
            let mut client = Client::of(&server);
            client.say("sleep 0          ");
            stage.let_pass(1_000);
            if lives {
                client.say("\n");
                assert!(client.line().starts_with("ok sleep 0 "));
            } else {
                assert_eq!(client.rest(), TOO_SLOW);
            }
        }
    });
}

fn no_rate_keeps_a_request_beyond_the_longest_time() {
    in_every_cell(|stage| {
        let deadlines = Deadlines {
            header: Some(200 * MS),
            header_max: Some(400 * MS),
            min_rate: Some(1),
            ..Deadlines::default()
        };
        let server = work(stage, deadlines);
        let mut client = Client::of(&server);
        client.say("a line that goes on and on");
        assert_eq!(client.rest(), TOO_SLOW);
        until_counted(&server, ([1, 0, 0, 0, 0, 0], 1));
    });
}

/// The head of a request with a body of so many bytes.
fn put(bytes: usize) -> String {
    format!("PUT /file HTTP/1.1\r\nHost: h\r\nContent-Length: {bytes}\r\n\r\n")
}

fn a_body_that_stops_coming_is_ended_and_one_that_goes_on_is_not() {
    in_every_cell(|stage| {
        let deadlines = Deadlines { body: Some(1_500 * MS), ..Deadlines::default() };
        let config = Config::read_write(stage.directory());
        let server = limited::<HttpService>(stage, deadlines, config);
        let mut client = Client::of(&server);
        client.say(put(5));
        for _ in 0..5 {
            stage.let_pass(400);
            client.say("x");
        }
        client.hear(|heard| heard.ends_with(b"\r\n\r\n"));
        client.say(put(5) + "xxx");
        let answer = client.rest();
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        until_counted(&server, ([0, 1, 0, 0, 0, 0], 1));
    });
}

fn a_body_slower_than_the_lowest_rate_is_ended() {
    in_every_cell(|stage| {
        let body = Some(500 * MS);
        let deadlines = Deadlines { body, min_rate: Some(10_000), ..Deadlines::default() };
        let config = Config::read_write(stage.directory());
        let server = limited::<HttpService>(stage, deadlines, config);
        let mut client = Client::of(&server);
        client.say(put(1_000_000));
        at_a_pace(LIMIT, || client.try_say("x") && client.is_silent());
        drop(client);
        until_counted(&server, ([0, 1, 0, 0, 0, 0], 1));
    });
}

fn an_idle_connection_is_ended_and_a_busy_one_is_not() {
    in_every_cell(|stage| {
        let idle = Some(1_000 * MS);
        let server = work(stage, Deadlines { idle, ..Deadlines::default() });
        let mut client = Client::of(&server);
        for _ in 0..4 {
            // A request is no idleness, however long it takes to come and to be answered.
            client.say("sleep 1200");
            stage.let_pass(100);
            client.say("\n");
            assert!(client.line().starts_with("ok sleep 1200 "));
        }
        assert_eq!(client.rest(), IDLE);
        until_counted(&server, ([0, 0, 1, 0, 0, 0], 1));
        let server =
            limited::<KvService>(stage, Deadlines { idle, ..Deadlines::default() }, <_>::default());
        let mut client = Client::of(&server);
        client.say("PING\r\n");
        assert_eq!(client.rest(), "+PONG\r\n");
    });
}

fn a_call_that_takes_too_long_is_interrupted_and_each_call_has_its_time() {
    in_every_cell(|stage| {
        let server = work(stage, Deadlines { handler: Some(300 * MS), ..Deadlines::default() });
        let asks = ["sleep 60000\n", "cpu 60000000\n", "offload 1000\n", "sleep 0\nsleep 60000\n"];
        for (count, ask) in (1..).zip(asks) {
            let mut client = Client::of(&server);
            client.say(ask.to_owned() + "sleep 0\n");
            let heard = client.rest();
            assert!(heard.ends_with("error: the call was interrupted\n"), "{ask:?}: {heard:?}");
            assert_eq!(heard.lines().count(), ask.lines().count(), "{heard:?}");
            drop(client);
            until_counted(&server, ([0, 0, 0, count, 0, 0], count));
        }
        assert_eq!(server.scores().interrupted, 0, "that is for interrupts by people");
        let server = work(stage, Deadlines { handler: Some(2_500 * MS), ..Deadlines::default() });
        let mut client = Client::of(&server);
        client.say("sleep 1000\n".repeat(4));
        for _ in 0..4 {
            assert!(client.line().starts_with("ok sleep 1000 "));
        }
    });
}

fn where_the_protocol_has_words_for_it_the_connection_outlives_its_call() {
    in_every_cell(|stage| {
        let handler = Some(300 * MS);
        let deadlines = Deadlines { handler, ..Deadlines::default() };
        let server = limited::<TelnetService>(stage, deadlines, ());
        let mut client = Client::of(&server);
        client.say("sleep 60000\r\n");
        client.hear(|heard| heard.windows(13).any(|some| some == b"[interrupted]"));
        client.say("sleep 0\r\n");
        client.hear(|heard| heard.ends_with(b"ok\r\n"));
        until("it is counted", || timeouts(&server.scores()) == ([0, 0, 0, 1, 0, 0], 0));
    });
}

/// Asks for `count` answers of 256 KiB each.
fn asks_for_much(server: &Server, count: usize) -> Client {
    let mut client = Client::with_little_room(server.address());
    let value = "v".repeat(256 << 10);
    client.say(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$262144\r\n{value}\r\n"));
    assert_eq!(client.line(), "+OK\r\n");
    client.say("GET k\r\n".repeat(count));
    client
}

/// What so many answers take.
fn answers(count: usize) -> usize {
    count * ("$262144\r\n\r\n".len() + (256 << 10))
}

fn a_client_that_reads_nothing_is_reset() {
    in_every_cell(|stage| {
        let deadlines = Deadlines { send: Some(300 * MS), ..Deadlines::default() };
        let server = limited::<KvService>(stage, deadlines, <_>::default());
        let mut client = asks_for_much(&server, 100);
        until_counted(&server, ([0, 0, 0, 0, 1, 0], 1));
        assert_eq!(client.everything().1, End::Reset);
    });
}

fn a_client_that_reads_slowly_gets_everything() {
    in_every_cell(|stage| {
        let (send, min_rate) = (Some(1_500 * MS), Some(10_000));
        let deadlines = Deadlines { send, min_rate, ..Deadlines::default() };
        let server = limited::<KvService>(stage, deadlines, <_>::default());
        let mut client = asks_for_much(&server, 40);
        let mut read = 0;
        at_a_pace(4_000 * MS, || {
            read += client.exactly(2_000).len();
            true
        });
        client.end();
        assert_eq!(read + client.rest_of_bytes().len(), answers(40));
        until_counted(&server, ([0; 6], 0));
    });
}

fn a_client_that_reads_slower_than_the_lowest_rate_is_reset() {
    in_every_cell(|stage| {
        let (send, min_rate) = (Some(500 * MS), Some(10_000_000));
        let deadlines = Deadlines { send, min_rate, ..Deadlines::default() };
        let server = limited::<KvService>(stage, deadlines, <_>::default());
        let mut client = asks_for_much(&server, 100);
        at_a_pace(LIMIT, || {
            let is_ended = server.scores().send_timeouts > 0;
            !is_ended && client.try_read(2_000).is_ok_and(|read| read > 0)
        });
        assert_eq!(server.scores().send_timeouts, 1, "it was ended while it read");
        until_counted(&server, ([0, 0, 0, 0, 1, 0], 1));
        assert_eq!(client.everything().1, End::Reset);
    });
}

fn without_limits_nobody_is_ended() {
    in_every_cell(|stage| {
        let server = work(stage, Deadlines::default());
        let mut client = Client::of(&server);
        stage.let_pass(300);
        client.say("sle");
        stage.let_pass(300);
        client.say("ep 300\n");
        assert!(client.line().starts_with("ok sleep 300 "));
        drop(client);
        until_counted(&server, ([0; 6], 0));
    });
}

fn limits_without_effect_are_refused() {
    in_every_cell(|stage| {
        let zero = Deadlines { idle: Some(Duration::ZERO), ..Deadlines::default() };
        let settings = ServerSettings { deadlines: zero, ..stage.settings() };
        let error = PlanError::Deadline(DeadlineError::Zero("idle-within"));
        assert_eq!(settings.check(), Err(error.clone()));
        let started = Server::launch::<EchoService>(&stage.system, settings, ());
        assert!(matches!(started, Err(StartError::Plan(plan)) if plan == error));
    });
    in_cells(Cell::shares_memory, |stage| {
        let worker = Deadlines { worker: Some(MS), ..Deadlines::default() };
        let settings = ServerSettings { deadlines: worker, ..stage.settings() };
        let error = DeadlineError::NoProcess(stage.cell.place);
        assert_eq!(settings.check(), Err(PlanError::Deadline(error)));
    });
}
