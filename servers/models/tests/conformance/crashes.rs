//! A process that dies takes its own connection along and nothing else, and the books stay right.

use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal as Unix, kill};
use nix::unistd::Pid;
use palco_actors::{AnyRef, ExitReason};
use palco_models::{ProcessSettings, Server, ServerSettings};
use palco_service::services::echo::EchoService;
use palco_service::services::work::WorkService;

use crate::actors::{serving, standing};
use crate::client::Client;
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    a_crash_ends_one_connection_and_the_server_says_why,
    who_shares_a_process_does_not_crash_it,
    a_crash_between_two_requests_is_mended_too,
    those_who_wait_are_served_after_a_crash,
    any_process_can_be_killed_under_load_and_no_count_is_lost,
    a_stopped_process_holds_up_only_its_own_client,
    a_process_has_no_more_memory_than_it_may,
    a_client_that_floods_costs_its_process_no_memory,
    rooms_of_dead_processes_are_given_back,
}

/// In processes, whose failures are expected here.
fn in_processes(body: impl Fn(&Stage) + Sync) {
    in_cells(Cell::ends_by_force, body);
}

fn patient(stage: &Stage) -> ServerSettings {
    let settings = stage.settings();
    let supervision = settings.supervision.with_intensity(1000, Duration::from_secs(60));
    ServerSettings { supervision, ..settings }
}

/// The ids of the processes of these actors.
fn pids(actors: &[AnyRef]) -> Vec<Pid> {
    let pid = |actor: &AnyRef| actor.snapshot().process.and_then(|process| process.pid);
    actors.iter().filter_map(pid).map(Pid::from_raw).collect()
}

fn is_served(server: &Server) {
    let mut next = Client::of(server);
    next.say("sleep 0\n");
    assert!(next.line().starts_with("ok sleep 0 "));
}

/// A client that is served by a process, and that process's actor.
fn held(server: &Server) -> (Client, AnyRef) {
    let before: Vec<_> = busy(server).iter().map(AnyRef::id).collect();
    let mut client = Client::of(server);
    client.say("sleep 0\n");
    assert!(client.line().starts_with("ok sleep 0 "));
    let fresh = busy(server).into_iter().find(|actor| !before.contains(&actor.id()));
    (client, fresh.unwrap())
}

/// Who has a connection now: as many as are held.
fn busy(server: &Server) -> Vec<AnyRef> {
    let reads = |actor: &AnyRef| actor.snapshot().note.is_some_and(|note| note == "reading");
    let mut busy = Vec::new();
    until("those who are held are seen", || {
        busy = serving(server).into_iter().filter(reads).collect();
        busy.len() as u64 == server.scores().active
    });
    busy
}

fn a_crash_ends_one_connection_and_the_server_says_why() {
    in_processes(|stage| {
        let server = stage.serve::<WorkService>(patient(stage), ());
        let mut other = stage.cell.serves_several().then(|| held(&server).0);
        let of_signal = |signal| ExitReason::Signaled { signal, core: false };
        for (count, (how, reason)) in (1..).zip([
            ("segv", of_signal(11)),
            ("abort", of_signal(6)),
            ("exit 3", ExitReason::Exited(3)),
            ("memory", ExitReason::OutOfMemory),
        ]) {
            let (mut client, actor) = held(&server);
            client.say(format!("crash {how}\nsleep 0\n"));
            assert!(client.everything().0.is_empty());
            until("it is counted", || server.scores().abandoned == count);
            until("it is known why", || actor.snapshot().last_exit.as_ref() == Some(&reason));
            if let Some(other) = &mut other {
                other.say("sleep 0\n");
                assert!(other.line().starts_with("ok sleep 0 "));
            }
        }
        drop(other);
        is_served(&server);
        assert_eq!(server.supervisor().snapshot().restarts, 0);
    });
}

fn who_shares_a_process_does_not_crash_it() {
    in_cells(Cell::shares_memory, |stage| {
        let server = stage.serve::<WorkService>(stage.settings(), ());
        let mut client = Client::of(&server);
        for how in ["segv", "abort", "exit 3", "memory"] {
            client.say(format!("crash {how}\n"));
            assert_eq!(client.line(), "error: this process serves others too: it does not crash\n");
        }
    });
}

fn a_crash_between_two_requests_is_mended_too() {
    in_processes(|stage| {
        let server = stage.serve::<EchoService>(patient(stage), ());
        for count in 1..=5 {
            let mut client = Client::of(&server);
            client.say("hello");
            assert_eq!(client.exactly(5), b"hello");
            for pid in pids(&busy(&server)) {
                kill(pid, Unix::SIGKILL).unwrap();
            }
            assert!(client.everything().0.is_empty());
            until("it is counted", || server.scores().abandoned == count);
            until("there is room", || server.scores().active == 0);
        }
    });
}

fn those_who_wait_are_served_after_a_crash() {
    in_processes(|stage| {
        let settings =
            ServerSettings { workers: stage.settings_for_one_worker().workers, ..patient(stage) };
        let server = stage.serve::<WorkService>(settings, ());
        let mut first = Client::of(&server);
        first.say("sleep 0\n");
        assert!(first.line().starts_with("ok sleep 0 "));
        let mut waiting: Vec<Client> = (0..4).map(|_| Client::of(&server)).collect();
        for client in &mut waiting {
            client.say("sleep 0\n");
        }
        first.say("crash segv\n");
        assert!(first.everything().0.is_empty());
        for mut client in waiting {
            assert!(client.line().starts_with("ok sleep 0 "));
        }
    });
}

fn any_process_can_be_killed_under_load_and_no_count_is_lost() {
    in_processes(|stage| {
        let server = stage.serve::<WorkService>(patient(stage), ());
        let all = standing(&server).len();
        thread::scope(|scope| {
            let visit = || {
                for _ in 0..15 {
                    let mut client = Client::of(&server);
                    // Whoever was with a process that dies comes again.
                    if client.try_say("sleep 1\n") {
                        let _ = client.line_if_any();
                    }
                }
            };
            for _ in 0..4 {
                scope.spawn(visit);
            }
            for round in 0..2 * all.max(4) {
                let living = pids(&serving(&server));
                if let Some(pid) = living.get(round % living.len().max(1)) {
                    let _ = kill(*pid, Unix::SIGKILL);
                }
                is_served_at_last(&server);
            }
        });
        until("all are counted", || server.scores().active == 0);
        is_served_at_last(&server);
        assert_eq!(server.supervisor().snapshot().restarts, 0);
    });
}

/// Those who are with a process that is killed go down with it; the next one does not.
pub(crate) fn is_served_at_last(server: &Server) {
    until("somebody is served", || {
        let mut client = Client::of(server);
        client.try_say("sleep 0\n") && client.line_if_any().is_some()
    });
}

fn a_stopped_process_holds_up_only_its_own_client() {
    in_cells(
        |cell| cell.ends_by_force() && cell.serves_several(),
        |stage| {
            let server = stage.serve::<WorkService>(patient(stage), ());
            let (mut client, actor) = held(&server);
            let pid = pids(&[actor])[0];
            kill(pid, Unix::SIGSTOP).unwrap();
            client.say("sleep 0\n");
            for _ in 0..10 {
                is_served(&server);
            }
            assert!(client.is_silent());
            kill(pid, Unix::SIGCONT).unwrap();
            assert!(client.line().starts_with("ok sleep 0 "));
        },
    );
}

fn a_process_has_no_more_memory_than_it_may() {
    in_processes(|stage| {
        let process = ProcessSettings { memory_max_bytes: Some(256 << 20), ..stage.process() };
        let settings = ServerSettings { process: Some(process), ..patient(stage) };
        let server = stage.serve::<WorkService>(settings, ());
        let (mut client, actor) = held(&server);
        client.say("alloc 1000\nalloc 500000\n");
        assert!(client.line().starts_with("ok alloc 1000 KiB"));
        assert_eq!(client.line(), "error: 500000 KiB cannot be allocated\n");
        client.say("crash memory\n");
        assert!(client.everything().0.is_empty());
        until("it is known why", || actor.snapshot().last_exit == Some(ExitReason::OutOfMemory));
        is_served(&server);
    });
}

fn a_client_that_floods_costs_its_process_no_memory() {
    in_processes(|stage| {
        let server = stage.serve::<WorkService>(patient(stage), ());
        let (client, actor) = held(&server);
        let mut speaker = client.twin();
        let flood = thread::spawn(move || {
            // More than all buffers on the way hold; nobody reads the answers.
            for _ in 0..40 {
                if !speaker.try_say("help\n".repeat(200_000)) {
                    return;
                }
            }
        });
        until("it is slowed down", || actor.snapshot().note.is_some_and(|note| note == "writing"));
        if stage.cell.serves_several() {
            is_served(&server);
        }
        let rss = actor.snapshot().process.and_then(|process| process.rss_bytes).unwrap();
        assert!(rss < 64 << 20, "{rss} bytes");
        client.twin().end(); // which also ends the writing of the other half
        flood.join().unwrap();
        drop(client);
        is_served(&server);
    });
}

fn rooms_of_dead_processes_are_given_back() {
    in_cells(
        |cell| cell.ends_by_force() && cell.serves_several(),
        |stage| {
            let settings = patient(stage);
            let limits = palco_models::Limits { connections_max: 2, ..settings.limits };
            let server = stage.serve::<WorkService>(ServerSettings { limits, ..settings }, ());
            for round in 1..=5 {
                let (first, one) = held(&server);
                let (second, other) = held(&server);
                assert_eq!(server.scores().active, 2);
                for pid in pids(&[one, other]) {
                    kill(pid, Unix::SIGKILL).unwrap();
                }
                until("there is room", || server.scores().active == 0);
                assert_eq!(server.scores().abandoned, 2 * round);
                drop((first, second));
            }
            is_served(&server);
        },
    );
}
