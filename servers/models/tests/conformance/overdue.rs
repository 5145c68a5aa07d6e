//! Calls that nobody can interrupt: their process is killed, and nobody else notices.

use std::time::Duration;

use palco_models::{Deadlines, ModelKind};
use palco_service::services::work::WorkService;

use crate::client::Client;
use crate::crashes::is_served_at_last;
use crate::deadlines::{limited, timeouts, until_counted};
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    a_process_whose_call_does_not_end_is_killed_and_nobody_else_notices,
    a_call_that_can_be_interrupted_costs_no_process,
    a_process_that_waits_for_its_client_is_left_alone,
}

const MS: Duration = Duration::from_millis(1);

fn in_processes(body: impl Fn(&Stage) + Sync) {
    in_cells(Cell::ends_by_force, body);
}

fn a_process_whose_call_does_not_end_is_killed_and_nobody_else_notices() {
    in_processes(|stage| {
        let worker = Some(400 * MS);
        for (handler, ask) in [(None, "block 60000\n"), (Some(100 * MS), "hog 60000000\n")] {
            let deadlines = Deadlines { handler, worker, ..Deadlines::default() };
            let server = limited::<WorkService>(stage, deadlines, ());
            let mut other = stage.cell.serves_several().then(|| Client::of(&server));
            if let Some(other) = &mut other {
                other.say("sleep 0\n");
                assert!(other.line().starts_with("ok sleep 0 "));
            }
            let mut client = Client::of(&server);
            client.say(ask);
            let (heard, _) = client.everything();
            assert!(heard.is_empty(), "heard \"{}\"", heard.escape_ascii());
            until("it is counted", || timeouts(&server.scores()) == ([0, 0, 0, 0, 0, 1], 1));
            if let Some(other) = &mut other {
                other.say("sleep 0\n");
                assert!(other.line().starts_with("ok sleep 0 "), "its process is another");
            }
            is_served_at_last(&server);
            let scores = server.scores();
            assert_eq!((scores.abandoned, scores.interrupted), (0, 0), "{scores:?}");
            assert_eq!(server.supervisor().snapshot().restarts, 0);
        }
    });
}

fn a_call_that_can_be_interrupted_costs_no_process() {
    in_processes(|stage| {
        let (handler, worker) = (Some(200 * MS), Some(20_000 * MS));
        let server = limited::<WorkService>(
            stage,
            Deadlines { handler, worker, ..Deadlines::default() },
            (),
        );
        let mut client = Client::of(&server);
        client.say("cpu 60000000\n");
        assert_eq!(client.rest(), "error: the call was interrupted\n");
        drop(client);
        until_counted(&server, ([0, 0, 0, 1, 0, 0], 1));
        if stage.cell.model == ModelKind::Team {
            assert!(server.workers().iter().all(|worker| worker.snapshot().restarts == 0));
        }
    });
}

fn a_process_that_waits_for_its_client_is_left_alone() {
    in_processes(|stage| {
        let deadlines = Deadlines { worker: Some(1_000 * MS), ..Deadlines::default() };
        let server = limited::<WorkService>(stage, deadlines, ());
        let mut client = Client::of(&server);
        for ask in ["sleep", " 0\n"] {
            stage.let_pass(1_500);
            client.say(ask);
        }
        assert!(client.line().starts_with("ok sleep 0 "));
        client.say("sleep 300\n".repeat(5));
        for _ in 0..5 {
            assert!(client.line().starts_with("ok sleep 300 "), "each call has its time");
        }
        drop(client);
        until_counted(&server, ([0; 6], 0));
    });
}
