//! A drain has a limit: what does not end by then is abandoned, counted, and holds up nobody.

use std::time::Duration;

use palco_actors::{PlaceKind, Signal};
use palco_models::{DrainReport, ModelKind, ServerSettings};
use palco_service::services::kv::{KvService, Limits};

use crate::actors::{acceptors, connections};
use crate::client::Client;
use crate::stage::{Stage, in_cells, in_every_cell, trials, until};

trials! {
    a_handler_that_sleeps_on_is_abandoned,
    a_handler_that_computes_on_is_abandoned,
    a_client_that_never_reads_is_abandoned,
    some_finish_and_some_are_abandoned,
    a_handler_that_blocks_its_thread_is_left_behind,
    several_that_block_are_left_behind_together,
    a_hog_without_checkpoints_does_not_hang_the_drain,
    a_suspended_server_drains_when_its_limit_is_reached,
}

/// Soon abandoned.
fn impatient(stage: &Stage) -> ServerSettings {
    ServerSettings { drain_within: Duration::from_millis(200), ..stage.settings() }
}

fn a_handler_that_sleeps_on_is_abandoned() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(impatient(stage));
        let count = if stage.cell.serves_several() { 4 } else { 1 };
        let mut clients: Vec<Client> = (0..count).map(|_| Client::of(&server)).collect();
        for client in &mut clients {
            client.say("sleep 60000\n");
        }
        begun.until(count);
        let report = stage.wait("the drain", server.drain());
        assert_eq!(report, DrainReport { finished: 0, abandoned: count as u64 });
        let scores = server.scores();
        assert_eq!((scores.abandoned, scores.active), (count as u64, 0), "{scores:?}");
        for client in &mut clients {
            assert!(client.everything().0.is_empty(), "no answer, half or whole");
        }
    });
}

fn a_handler_that_computes_on_is_abandoned() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(impatient(stage));
        let mut client = Client::of(&server);
        client.say("cpu 60000000\n");
        begun.until(1);
        let report = stage.wait("the drain", server.drain());
        assert_eq!(report, DrainReport { finished: 0, abandoned: 1 });
    });
}

fn a_client_that_never_reads_is_abandoned() {
    in_every_cell(|stage| {
        let server = stage.serve::<KvService>(impatient(stage), Limits::default());
        let mut client = Client::with_little_room(server.address());
        let value = "v".repeat(256 << 10);
        client.say(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$262144\r\n{value}\r\n"));
        assert_eq!(client.line(), "+OK\r\n");
        client.say("GET k\r\n".repeat(200)); // far more than fits on the way
        until("the first answers are on their way", || server.scores().requests > 2);
        let report = stage.wait("the drain", server.drain());
        assert_eq!(report, DrainReport { finished: 0, abandoned: 1 });
    });
}

fn some_finish_and_some_are_abandoned() {
    in_cells(
        |cell| cell.serves_several(),
        |stage| {
            let (server, begun) = stage.work(impatient(stage));
            let mut stuck = Client::of(&server);
            stuck.say("sleep 60000\n");
            let mut idle = Client::of(&server);
            idle.say("sleep 0\n");
            assert!(idle.line().starts_with("ok sleep 0 "));
            begun.until(2);
            let report = stage.wait("the drain", server.drain());
            assert_eq!(report, DrainReport { finished: 1, abandoned: 1 });
            assert_eq!(idle.rest(), "");
        },
    );
}

fn a_handler_that_blocks_its_thread_is_left_behind() {
    in_every_cell(|stage| {
        let ends = stage.cell.ends_by_force();
        if !ends {
            stage.leaves_behind();
        }
        let (server, begun) = stage.work(impatient(stage));
        let mut client = Client::of(&server);
        client.say("block 60000\n");
        begun.until(1);
        let report = stage.wait("the drain", server.drain());
        assert_eq!(report, DrainReport { finished: 0, abandoned: 1 });
        // Nothing is left behind of a process.
        let active = u64::from(!ends);
        assert_eq!(server.scores().active, active, "it is still there, and the count says so");
    });
}

fn several_that_block_are_left_behind_together() {
    in_cells(
        |cell| cell.isolates_blocking(),
        |stage| {
            if !stage.cell.ends_by_force() {
                stage.leaves_behind();
            }
            let (server, begun) = stage.work(impatient(stage));
            let mut clients: Vec<Client> = (0..5).map(|_| Client::of(&server)).collect();
            for client in &mut clients {
                client.say("block 60000\n");
            }
            begun.until(5);
            let report = stage.wait("the drain", server.drain());
            assert_eq!(report, DrainReport { finished: 0, abandoned: 5 });
        },
    );
}

fn a_hog_without_checkpoints_does_not_hang_the_drain() {
    in_cells(
        |cell| cell.place != PlaceKind::Task && cell.model == ModelKind::PerConnection,
        |stage| {
            if !stage.cell.ends_by_force() {
                stage.leaves_behind();
            }
            let (server, begun) = stage.work(impatient(stage));
            let mut client = Client::of(&server);
            client.say("hog 2500000\n");
            begun.until(1);
            let report = stage.wait("the drain", server.drain());
            assert_eq!(report.finished + report.abandoned, 1);
        },
    );
}

fn a_suspended_server_drains_when_its_limit_is_reached() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(impatient(stage));
        let mut client = Client::of(&server);
        client.say("sleep 0\n");
        assert!(client.line().starts_with("ok sleep 0 "));
        begun.until(1);
        stage.signal(&acceptors(&server), Signal::Suspend);
        stage.signal(&connections(&server), Signal::Suspend);
        let report = stage.wait("the drain", server.drain());
        assert_eq!(report.finished + report.abandoned, 1);
        assert_eq!(server.scores().active, 0);
    });
}
