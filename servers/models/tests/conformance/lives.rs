//! Workers that begin another life after so many requests.

use std::fs;
use std::thread;
use std::time::Duration;

use palco_actors::{AnyRef, PlaceKind, Supervision};
use palco_files::http::{Config, HttpService};
use palco_models::{Crew, ModelKind, Server, ServerSettings};
use palco_service::services::echo::EchoService;

use crate::client::{Client, End};
use crate::crew::{Served, Who};
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    a_worker_begins_another_life_after_its_requests,
    a_connection_that_stays_is_drained_after_its_worker_s_last_request,
    the_last_answer_of_a_life_says_that_it_is_the_last,
    who_waits_is_served_by_the_next_life,
    lives_differ_by_the_jitter_and_a_seed_repeats_them,
}

/// Where somebody serves one connection after the other.
fn has_lives(cell: Cell) -> bool {
    match cell.model {
        ModelKind::Iterative => true,
        ModelKind::Team => cell.place != PlaceKind::Task,
        ModelKind::PerConnection => false,
    }
}

/// One worker that begins anew after so many requests. A single restart that counts as a failure ends the server.
fn settings(stage: &Stage, crew: Crew) -> ServerSettings {
    let supervision = Supervision::default().with_intensity(0, Duration::from_secs(3600));
    ServerSettings { crew, supervision, ..stage.settings_for_one_worker() }
}

fn after(requests: u64) -> Crew {
    Crew { requests_max: Some(requests), ..Crew::default() }
}

/// How many lives the workers of a server have had that have ended.
fn lives(server: &Server) -> u64 {
    let of = |worker: &AnyRef| {
        let snapshot = worker.snapshot();
        let recycled = snapshot.process.map_or(0, |process| process.recycled);
        u64::from(snapshot.restarts + recycled)
    };
    server.workers().iter().map(of).sum()
}

fn a_worker_begins_another_life_after_its_requests() {
    in_cells(has_lives, |stage| {
        let server = stage.serve::<Who>(settings(stage, after(3)), ());
        let mut pids = Vec::new();
        for _ in 0..12 {
            pids.push(Served::by(&server).pid);
        }
        until("four lives are over", || lives(&server) == 4);
        if stage.cell.place == PlaceKind::Process {
            let mut processes = pids.clone();
            processes.dedup();
            assert_eq!(processes.len(), 4, "a fresh process after three requests: {pids:?}");
            assert!(pids.chunks(3).all(|life| life[0] == life[2]), "{pids:?}");
        }
        // Nobody asks: it counts all the same.
        for _ in 0..3 {
            drop(Client::of(&server));
        }
        until("a fifth is", || lives(&server) == 5);
        let scores = server.scores();
        assert_eq!((scores.accepted, scores.abandoned), (15, 0), "{scores:?}");
    });
}

fn a_connection_that_stays_is_drained_after_its_worker_s_last_request() {
    in_cells(has_lives, |stage| {
        let server = stage.serve::<EchoService>(settings(stage, after(3)), ());
        let mut client = Client::of(&server);
        for _ in 0..3 {
            client.say("hello");
            assert_eq!(client.exactly(5), b"hello");
        }
        assert_eq!(client.ending(), End::Eof);
        until("it is counted", || server.scores().drained == 1);
        let mut next = Client::of(&server);
        next.say("hello");
        assert_eq!(next.exactly(5), b"hello");
    });
}

/// Gets the file and returns the head of the answer.
fn head(client: &mut Client) -> String {
    client.say("GET /tiny HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head += &client.line();
    }
    assert_eq!(client.exactly(4), b"tiny");
    head
}

fn the_last_answer_of_a_life_says_that_it_is_the_last() {
    in_cells(has_lives, |stage| {
        let root = stage.directory();
        fs::write(root.join("tiny"), "tiny").unwrap();
        let server = stage.serve::<HttpService>(settings(stage, after(3)), Config::read_only(root));
        let mut client = Client::of(&server);
        let heads = [head(&mut client), head(&mut client), head(&mut client)];
        let says_so = |head: &String| head.contains("\r\nConnection: close\r\n");
        assert_eq!(heads.each_ref().map(says_so), [false, false, true], "{heads:?}");
        assert_eq!(client.ending(), End::Eof);
        until("it has ended as others do", || server.scores().done == 1);
    });
}

fn who_waits_is_served_by_the_next_life() {
    in_cells(has_lives, |stage| {
        let server = stage.serve::<Who>(settings(stage, after(1)), ());
        let mut crowd: Vec<Client> = (0..20).map(|_| Client::of(&server)).collect();
        thread::scope(|scope| {
            for client in &mut crowd {
                scope.spawn(move || {
                    Served::ask(client);
                    assert_eq!(client.ending(), End::Eof);
                });
            }
        });
        until("each had a life of its own", || lives(&server) == 20);
    });
}

fn lives_differ_by_the_jitter_and_a_seed_repeats_them() {
    let is_process = |cell: Cell| has_lives(cell) && cell.ends_by_force();
    in_cells(is_process, |stage| {
        let lengths = |seed| {
            let jitter = (Some(6), Some(seed));
            let crew = Crew { requests_jitter: jitter.0, requests_seed: jitter.1, ..after(2) };
            let server = stage.serve::<Who>(settings(stage, crew), ());
            let pids: Vec<i32> = (0..60).map(|_| Served::by(&server).pid).collect();
            let mut lives: Vec<usize> =
                pids.chunk_by(|one, next| one == next).map(<[i32]>::len).collect();
            lives.pop(); // it is not over
            lives
        };
        let first = lengths(7);
        assert!(first.iter().all(|life| (2..=8).contains(life)), "{first:?}");
        assert!(first.iter().any(|life| *life != first[0]), "{first:?}");
        assert_eq!(lengths(7), first);
        assert_ne!(lengths(8), first);
    });
}
