//! What a server in processes is made from, and what its processes may do.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use palco_actors::{AnyRef, PlaceKind};
use palco_files::http::HttpService;
use palco_models::{
    ModelKind, PlanError, ProcessSettings, RecycleSettings, Server, ServerSettings, StartError,
};
use palco_service::services::echo::{EchoCodec, EchoService};
use palco_service::services::work::WorkService;
use palco_service::{CallContext, CannotRelaunch, Peer, Relaunch, Service};

use crate::actors::standing;
use crate::client::Client;
use crate::crashes::is_served_at_last;
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    a_service_that_cannot_be_made_again_is_not_served_in_processes,
    settings_for_processes_are_refused_where_there_are_none,
    a_service_that_cannot_be_made_is_refused_at_once,
    a_process_reads_what_it_serves_and_nothing_else,
    a_process_starts_no_others,
    a_process_is_replaced_when_it_is_old,
}

fn in_processes(body: impl Fn(&Stage) + Sync) {
    in_cells(Cell::ends_by_force, body);
}

fn a_service_that_cannot_be_made_again_is_not_served_in_processes() {
    in_processes(|stage| {
        let started =
            Server::start(&stage.system, stage.settings(), Arc::new(EchoService), EchoCodec);
        let error = started.expect_err("it cannot be started");
        assert!(matches!(error, StartError::NeedsLaunch), "{error:?}");
        assert!(error.to_string().contains("`Server::launch`"), "{error}");
        assert!(stage.system.snapshot().is_empty(), "nothing is left running");
    });
}

fn settings_for_processes_are_refused_where_there_are_none() {
    in_cells(Cell::shares_memory, |stage| {
        let settings =
            ServerSettings { process: Some(ProcessSettings::default()), ..stage.settings() };
        assert_eq!(settings.check(), Err(PlanError::NoProcess(stage.cell.place)));
        let started = Server::launch::<EchoService>(&stage.system, settings, ());
        assert!(matches!(started, Err(StartError::Plan(PlanError::NoProcess(_)))));
    });
}

fn a_service_that_cannot_be_made_is_refused_at_once() {
    in_cells(
        |_| true,
        |stage| {
            let nowhere = stage.directory().join("nowhere");
            let started =
                Server::launch::<HttpService>(&stage.system, stage.settings(), nowhere.into());
            let error = started.expect_err("there is no such directory");
            assert!(matches!(&error, StartError::Service(_)), "{error:?}");
            assert!(error.to_string().contains("nowhere"), "{error}");
        },
    );
}

/// Tries what it is asked to try.
pub(crate) struct Curious;

impl Service for Curious {
    type Request = Bytes;
    type Response = Bytes;
    type Session = ();

    fn open(&self, _: &Peer) {}

    async fn call(&self, _: &mut (), request: Bytes, _: &CallContext<'_>) -> Bytes {
        let request = String::from_utf8(request.into()).unwrap();
        let (what, with) = request.trim_end().split_once(' ').unwrap();
        let outcome = match what {
            "read" => fs::read(with).map(drop),
            "write" => fs::File::create(with).map(drop),
            "run" => Command::new(with).spawn().map(drop),
            "connect" => TcpStream::connect(with.parse::<SocketAddr>().unwrap()).map(drop),
            _ => panic!("{request}"),
        };
        match outcome {
            Ok(()) => "done\n".into(),
            Err(error) => format!("{:?}\n", error.kind()).into(),
        }
    }
}

impl Relaunch for Curious {
    const NAME: &'static str = "curious";
    type Config = PathBuf;
    type Codec = EchoCodec;

    fn relaunch(_: &PathBuf) -> Result<(Self, EchoCodec), CannotRelaunch> {
        Ok((Self, EchoCodec))
    }

    fn read_paths(site: &PathBuf) -> Vec<PathBuf> {
        vec![site.clone()]
    }
}

const DENIED: &str = "PermissionDenied\n";

fn a_process_reads_what_it_serves_and_nothing_else() {
    in_processes(|stage| {
        let (site, elsewhere) = (stage.directory(), stage.directory());
        for directory in [&site, &elsewhere] {
            fs::write(directory.join("file"), "content").unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = stage.serve::<Curious>(stage.settings(), site.clone());
        let mut client = Client::of(&server);
        let mut attempt = |what: String| {
            client.say(what);
            client.line()
        };
        let path = |directory: &PathBuf| directory.join("file").display().to_string();
        assert_eq!(attempt(format!("read {}", path(&site))), "done\n");
        if !knows_landlock() {
            return; // nothing else can be promised on such a kernel
        }
        assert_eq!(attempt(format!("read {}", path(&elsewhere))), DENIED);
        assert_eq!(attempt("read /etc/passwd".into()), DENIED);
        assert_eq!(attempt(format!("write {}", path(&site))), DENIED);
        assert_eq!(attempt(format!("connect {address}")), DENIED);
    });
}

/// Version 4 is the first that knows of the network.
fn knows_landlock() -> bool {
    let list = fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    list.contains("landlock")
}

fn a_process_starts_no_others() {
    in_processes(|stage| {
        let server = stage.serve::<Curious>(stage.settings(), stage.directory());
        let mut client = Client::of(&server);
        for _ in 0..100 {
            client.say("run /bin/true");
            assert_eq!(client.line(), DENIED);
        }
    });
}

fn a_process_is_replaced_when_it_is_old() {
    in_cells(
        |cell| cell.ends_by_force() && cell.model != ModelKind::PerConnection,
        |stage| {
            let recycle = RecycleSettings { age_s: Some(1), ..RecycleSettings::default() };
            let process = ProcessSettings { recycle, ..stage.process() };
            let settings =
                ServerSettings { process: Some(process), ..stage.settings_for_one_worker() };
            let server = stage.serve::<WorkService>(settings, ());
            let replaced = |actor: &AnyRef| {
                actor.snapshot().process.is_some_and(|process| process.recycled > 0)
            };
            let is_process = |actor: &&AnyRef| actor.snapshot().place == PlaceKind::Process;
            // Replacing one is a drain of it: who has just come may have to come again, a request is finished.
            until("all are replaced", || {
                let mut client = Client::of(&server);
                let answer = client.try_say("sleep 1\n").then(|| client.line_if_any()).flatten();
                assert!(answer.is_none_or(|line| line.starts_with("ok sleep 1 ")));
                standing(&server).iter().filter(is_process).all(replaced)
            });
            is_served_at_last(&server);
            assert_eq!(server.scores().abandoned, 0);
            assert!(standing(&server).iter().all(|actor| actor.snapshot().restarts == 0));
        },
    );
}
