//! A team whose size follows the load, and how many may wait for it.

use std::collections::BTreeMap;
use std::fs;

use bytes::Bytes;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::{Pid, getpid, gettid};
use palco_actors::{AnyRef, PlaceKind, Signal};
use palco_models::{AcceptBy, Crew, Limits, ModelKind, Server, ServerSettings};
use palco_service::services::echo::{EchoCodec, EchoService};
use palco_service::{CallContext, CannotRelaunch, Peer, Relaunch, Service};

use crate::client::Client;
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    a_team_grows_while_all_are_taken_and_shrinks_to_its_spares,
    a_team_grows_no_further_than_it_may,
    a_team_that_follows_the_load_drains_as_any_other,
    a_team_that_follows_the_load_ends_when_nobody_uses_it,
    the_kernel_keeps_as_many_waiting_as_it_says,
}

/// Says who serves: process, thread, and the cores that it may run on.
pub(crate) struct Who;

impl Service for Who {
    type Request = Bytes;
    type Response = Bytes;
    type Session = ();

    fn open(&self, _: &Peer) {}

    async fn call(&self, (): &mut (), _: Bytes, _: &CallContext<'_>) -> Bytes {
        let set = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
        let cores = (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false));
        let cores: Vec<String> = cores.map(|core| core.to_string()).collect();
        format!("{} {} {}\n", getpid(), gettid(), cores.join(",")).into()
    }
}

impl Relaunch for Who {
    const NAME: &'static str = "who";
    type Config = ();
    type Codec = EchoCodec;

    fn relaunch((): &()) -> Result<(Self, EchoCodec), CannotRelaunch> {
        Ok((Self, EchoCodec))
    }
}

/// What [`Who`] answers.
pub(crate) struct Served {
    pub(crate) pid: i32,
    pub(crate) thread: i32,
    pub(crate) cores: Vec<usize>,
}

impl Served {
    /// Asks once more on this connection.
    pub(crate) fn ask(client: &mut Client) -> Self {
        client.say("?");
        Self::of(&client.line())
    }

    /// Asks on a connection for it.
    pub(crate) fn by(server: &Server) -> Self {
        Self::ask(&mut Client::of(server))
    }

    pub(crate) fn of(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [pid, thread, cores] = words[..] else { panic!("{line}") };
        let cores = cores.split(',').map(|core| core.parse().unwrap()).collect();
        Self { pid: pid.parse().unwrap(), thread: thread.parse().unwrap(), cores }
    }
}

/// Teams whose workers serve one connection after the other, which they accept.
pub(crate) fn in_serving_teams(body: impl Fn(&Stage) + Sync) {
    let is_meant = |cell: Cell| {
        cell.model == ModelKind::Team
            && cell.place != PlaceKind::Task
            && cell.accept_by == AcceptBy::Workers
    };
    in_cells(is_meant, body);
}

/// A team of one, to begin with.
fn growing(stage: &Stage, crew: Crew) -> ServerSettings {
    ServerSettings { crew, ..stage.settings_for_one_worker() }
}

/// A connection, once it is being served.
fn served(server: &Server) -> Client {
    let mut client = Client::of(server);
    is_served(&mut client);
    client
}

fn is_served(client: &mut Client) {
    client.say("hello");
    assert_eq!(client.exactly(5), b"hello");
}

fn a_team_grows_while_all_are_taken_and_shrinks_to_its_spares() {
    in_serving_teams(|stage| {
        let crew = Crew {
            spare_min: Some(1),
            spare_max: Some(2),
            workers_max: Some(20),
            ..Crew::default()
        };
        let server = stage.serve::<EchoService>(growing(stage, crew), ());
        let mut clients: Vec<Client> = (0..8).map(|_| Client::of(&server)).collect();
        clients.iter_mut().for_each(is_served);
        assert!(server.acceptors().len() >= 8, "each has a worker");
        let keeper = server.supervisor().children().into_iter().map(|child| child.path());
        let crew = format!("{}/crew", server.settings().name);
        assert!(keeper.into_iter().any(|path| path == crew), "it is in the tree");
        clients.truncate(2);
        until("two are taken, and two are spare", || server.acceptors().len() == 4);
        clients.iter_mut().for_each(is_served);
        let scores = server.scores();
        assert_eq!((scores.drained, scores.abandoned, scores.broken), (0, 0, 0), "{scores:?}");
        assert_eq!(scores.accepted, 8);
        assert!(server.acceptors().iter().all(|worker| worker.snapshot().restarts == 0));
        clients.push(served(&server));
    });
}

fn a_team_grows_no_further_than_it_may() {
    in_serving_teams(|stage| {
        let crew = Crew { spare_min: Some(1), workers_max: Some(3), ..Crew::default() };
        let server = stage.serve::<EchoService>(growing(stage, crew), ());
        let mut held: Vec<Client> = (0..3).map(|_| served(&server)).collect();
        let mut fourth = Client::of(&server);
        fourth.say("hello");
        stage.let_pass(2_500);
        assert_eq!(server.acceptors().len(), 3);
        assert!(fourth.is_silent(), "it waits");
        held.pop();
        assert_eq!(fourth.exactly(5), b"hello");
    });
}

fn a_team_that_follows_the_load_drains_as_any_other() {
    in_serving_teams(|stage| {
        let crew = Crew { spare_min: Some(3), ..Crew::default() };
        let server = stage.serve::<EchoService>(growing(stage, crew), ());
        let _held = served(&server);
        until("it has grown", || server.acceptors().len() > 1);
        let report = stage.wait("the drain", server.drain());
        assert_eq!((report.finished, report.abandoned), (1, 0));
        assert!(server.supervisor().children().is_empty());
    });
}

fn a_team_that_follows_the_load_ends_when_nobody_uses_it() {
    in_serving_teams(|stage| {
        let crew = Crew { spare_min: Some(3), ..Crew::default() };
        let server = stage.serve::<EchoService>(growing(stage, crew), ());
        drop(served(&server));
        until("it has grown", || server.acceptors().len() > 1);
        let mut report = None;
        until("it is left", || {
            let seen = server.scores();
            report = stage.wait("leaving", server.drain_unless_used(&seen));
            report.is_some()
        });
        assert_eq!(report.map(|report| report.abandoned), Some(0));
    });
}

fn the_kernel_keeps_as_many_waiting_as_it_says() {
    let most = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let most: i32 = most.trim().parse().unwrap();
    in_cells(
        |_| true,
        |stage| {
            for (asked, had) in [(7, 7), (most, most), (most + 1, most)] {
                let limits = Limits { backlog: asked, ..Limits::default() };
                let server =
                    stage.serve::<EchoService>(ServerSettings { limits, ..stage.settings() }, ());
                assert_eq!(server.backlog(), u32::try_from(had).ok());
                let advice = server.settings().advice();
                assert_eq!(advice.len(), usize::from(asked > had), "{advice:?}");
                assert!(advice.iter().all(|text| text.contains("somaxconn")), "{advice:?}");
            }
        },
    );
}

/// How many of the server's actors with a process or thread of their own are in `found`, by who served.
pub(crate) fn by_worker(served: impl Iterator<Item = i32>) -> BTreeMap<i32, usize> {
    let mut counts = BTreeMap::new();
    for who in served {
        *counts.entry(who).or_default() += 1;
    }
    counts
}

/// Ends one worker as a person would.
pub(crate) fn stop(stage: &Stage, worker: &AnyRef) {
    worker.signal(Signal::Stop);
    stage.wait("the end of a worker", worker.exited());
}
