//! What cannot be started says why, and leaves nothing running.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use palco_models::{BindError, ModelKind, PlanError, Server, ServerSettings, StartError};
use palco_service::services::echo::{EchoCodec, EchoService};

use crate::actors::acceptors;
use crate::client::Client;
use crate::stage::{Stage, in_every_cell};

fn refusal(stage: &Stage, settings: ServerSettings) -> StartError {
    let started = Server::start(&stage.system, settings, Arc::new(EchoService), EchoCodec);
    let error = started.expect_err("it cannot be started");
    assert!(stage.system.snapshot().is_empty(), "nothing is left running");
    error
}

#[test]
fn a_port_in_use_names_its_holder() {
    in_every_cell(|stage| {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = taken.local_addr().unwrap();
        let error = refusal(stage, ServerSettings { listen, ..stage.settings() });
        let StartError::Bind(BindError::InUse { address, holder: Some(holder) }) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*address, listen);
        assert!(holder.ends_with(&format!("(pid {})", std::process::id())), "{holder}");
        assert_eq!(error.to_string(), format!("{listen} is in use by {holder}"));
        drop(taken);
        let settings = ServerSettings { listen, ..stage.settings() };
        let server = stage.serve(settings, EchoService, EchoCodec);
        let mut client = Client::of(&server);
        client.say("hello");
        assert_eq!(client.exactly(5), b"hello");
    });
}

#[test]
fn an_address_of_nobody_here_cannot_be_listened_on() {
    in_every_cell(|stage| {
        // TEST-NET-1, RFC 5737.
        let listen = SocketAddr::from(([192, 0, 2, 1], 0));
        let error = refusal(stage, ServerSettings { listen, ..stage.settings() });
        assert!(
            matches!(error, StartError::Bind(BindError::Other { address, .. }) if address == listen)
        );
    });
}

#[test]
fn workers_that_do_not_fit_the_model_are_refused() {
    in_every_cell(|stage| {
        let asked = [0, 1, 1024, 1025, usize::MAX];
        for workers in asked {
            let fits = stage.cell.model == ModelKind::Team && (1..=1024).contains(&workers);
            let expected = match stage.cell.model {
                ModelKind::Iterative | ModelKind::PerConnection => {
                    PlanError::NoWorkers(stage.cell.model)
                }
                ModelKind::Team => PlanError::Workers { asked: workers, max: 1024 },
            };
            let checked = stage.cell.model.check(stage.cell.place, Some(workers));
            assert_eq!(checked, if fits { Ok(()) } else { Err(expected.clone()) });
            if !fits {
                let settings = ServerSettings { workers: Some(workers), ..stage.settings() };
                let error = refusal(stage, settings);
                assert!(matches!(&error, StartError::Plan(plan) if *plan == expected), "{error:?}");
            }
        }
    });
}

#[test]
fn two_servers_of_one_name_do_not_start() {
    in_every_cell(|stage| {
        let server = stage.serve(stage.settings(), EchoService, EchoCodec);
        let mut settings = stage.settings();
        settings.name.clone_from(&server.settings().name);
        let second = Server::start(&stage.system, settings, Arc::new(EchoService), EchoCodec);
        assert!(matches!(second, Err(StartError::Spawn(_))));
        assert_eq!(stage.system.top().len(), 1);
    });
}

#[test]
fn a_server_says_where_it_listens_and_how_it_serves() {
    in_every_cell(|stage| {
        let server = stage.serve(stage.settings(), EchoService, EchoCodec);
        assert!(server.address().port() != 0 && server.address().ip().is_loopback());
        let acceptors = acceptors(&server);
        assert!(acceptors.iter().all(|acceptor| acceptor.snapshot().place == stage.cell.place));
        assert_eq!(server.supervisor().path(), server.settings().name);
    });
}
