//! Load shedding: where a queue to be accepted stands, some of those who wait in it are told that the server is busy.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use palco_models::{Limits, Server, ServerSettings, Shedding};
use palco_service::services::work::WorkService;

use crate::client::Client;
use crate::stage::{Stage, in_every_cell, trials, until};

trials! {
    of_a_queue_that_stands_some_are_told_that_the_server_is_busy,
    without_it_everybody_is_served,
    a_queue_that_does_not_stand_is_left_alone,
}

/// How many wait while the first is served.
const WAITING: usize = 16;
const BUSY: &str = "error: too many connections\n";

/// A server that serves one after the other, whatever its model.
fn one_at_a_time(stage: &Stage, above: Option<Duration>) -> Arc<Server> {
    let shedding = above.map(|above| Shedding { above });
    let limits = Limits { connections_max: 1, shedding, ..Limits::default() };
    stage.serve::<WorkService>(ServerSettings { limits, ..stage.settings_for_one_worker() }, ())
}

/// One client is served for long while others wait; what the others hear.
fn crowd(server: &Server) -> Vec<String> {
    let mut first = Client::of(server);
    first.say("sleep 500\n");
    until("the first is served", || server.scores().active == 1);
    let waiting: Vec<_> = (0..WAITING)
        .map(|_| {
            let mut client = Client::of(server);
            client.say("sleep 50\n");
            client.end();
            client
        })
        .collect();
    first.end();
    assert!(first.rest().starts_with("ok sleep 500 "));
    drop(first);
    thread::scope(|scope| {
        let hear = |mut client: Client| scope.spawn(move || client.rest());
        let hearing: Vec<_> = waiting.into_iter().map(hear).collect();
        hearing.into_iter().map(|heard| heard.join().unwrap()).collect()
    })
}

fn of_a_queue_that_stands_some_are_told_that_the_server_is_busy() {
    in_every_cell(|stage| {
        let server = one_at_a_time(stage, Some(Duration::from_millis(200)));
        let heard = crowd(&server);
        let busy = heard.iter().filter(|heard| *heard == BUSY).count();
        let served = heard.iter().filter(|heard| heard.starts_with("ok sleep 50 ")).count();
        assert_eq!(busy + served, WAITING, "{heard:?}");
        assert!(busy > 0, "{heard:?}");
        until("all are counted", || server.scores().active == 0);
        let scores = server.scores();
        assert_eq!((scores.shed, scores.accepted), (busy as u64, served as u64 + 1), "{scores:?}");
        assert_eq!((scores.failed, scores.closed, scores.dropped), (0, 0, 0));
        until("the queue stands no more", || {
            let mut late = Client::of(&server);
            late.say("sleep 0\n");
            late.line().starts_with("ok sleep 0 ")
        });
    });
}

fn without_it_everybody_is_served() {
    in_every_cell(|stage| {
        let server = one_at_a_time(stage, None);
        let heard = crowd(&server);
        assert!(heard.iter().all(|heard| heard.starts_with("ok sleep 50 ")), "{heard:?}");
        assert_eq!(server.scores().shed, 0);
    });
}

fn a_queue_that_does_not_stand_is_left_alone() {
    in_every_cell(|stage| {
        let server = one_at_a_time(stage, Some(Duration::from_secs(30)));
        let heard = crowd(&server);
        assert!(heard.iter().all(|heard| heard.starts_with("ok sleep 50 ")), "{heard:?}");
        assert_eq!(server.scores().shed, 0);
    });
}
