//! What cannot be started says why, and leaves nothing running.

use std::net::{SocketAddr, TcpListener};

use palco_actors::PlaceKind;
use palco_models::{AcceptBy, BindError, ModelKind, PlanError, Server, ServerSettings, StartError};
use palco_service::services::echo::EchoService;

use crate::actors::acceptors;
use crate::client::Client;
use crate::stage::{Cell, Stage, in_every_cell, trials, until};

trials! {
    a_port_in_use_names_its_holder,
    an_address_of_nobody_here_cannot_be_listened_on,
    workers_that_do_not_fit_the_model_are_refused,
    two_servers_of_one_name_do_not_start,
    a_server_says_where_it_listens_and_how_it_serves,
}

fn refusal(stage: &Stage, settings: ServerSettings) -> StartError {
    let started = Server::launch::<EchoService>(&stage.system, settings, ());
    let error = started.expect_err("it cannot be started");
    assert!(stage.system.snapshot().is_empty(), "nothing is left running");
    error
}

fn a_port_in_use_names_its_holder() {
    in_every_cell(|stage| {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = taken.local_addr().unwrap();
        let error = refusal(stage, ServerSettings { listen: listen.into(), ..stage.settings() });
        let StartError::Bind(BindError::InUse { address, holder: Some(holder) }) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*address, listen);
        assert!(holder.ends_with(&format!("(pid {})", std::process::id())), "{holder}");
        assert_eq!(error.to_string(), format!("{listen} is in use by {holder}"));
        drop(taken);
        let settings = ServerSettings { listen: listen.into(), ..stage.settings() };
        let mut server = None;
        // A process that is started in another cell at this moment holds the socket until it is another program.
        until("the address is free", || {
            server = Server::launch::<EchoService>(&stage.system, settings.clone(), ()).ok();
            server.is_some()
        });
        let mut client = Client::of(&stage.keep(server.unwrap()));
        client.say("hello");
        assert_eq!(client.exactly(5), b"hello");
    });
}

fn an_address_of_nobody_here_cannot_be_listened_on() {
    in_every_cell(|stage| {
        // TEST-NET-1, RFC 5737.
        let listen = SocketAddr::from(([192, 0, 2, 1], 0));
        let error = refusal(stage, ServerSettings { listen: listen.into(), ..stage.settings() });
        assert!(
            matches!(error, StartError::Bind(BindError::Other { address, .. }) if address == listen)
        );
    });
}

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

fn two_servers_of_one_name_do_not_start() {
    in_every_cell(|stage| {
        let server = stage.serve::<EchoService>(stage.settings(), ());
        let mut settings = stage.settings();
        settings.name.clone_from(&server.settings().name);
        let second = Server::launch::<EchoService>(&stage.system, settings, ());
        assert!(matches!(second, Err(StartError::Spawn(_))));
        assert_eq!(stage.system.top().len(), 1);
    });
}

fn a_server_says_where_it_listens_and_how_it_serves() {
    in_every_cell(|stage| {
        let server = stage.serve::<EchoService>(stage.settings(), ());
        assert!(server.address().port() != 0 && server.address().ip().is_loopback());
        // The dispatcher of processes does nothing but pass sockets on: that needs no process.
        let Cell { model, place, accept_by } = stage.cell;
        let dispatches = model == ModelKind::PerConnection || accept_by == AcceptBy::Dispatcher;
        let accepting =
            if dispatches && stage.cell.ends_by_force() { PlaceKind::Task } else { place };
        assert!(acceptors(&server).iter().all(|actor| actor.snapshot().place == accepting));
        if model == ModelKind::Team {
            assert!(server.workers().iter().all(|worker| worker.snapshot().place == place));
        }
        assert_eq!(server.supervisor().path(), server.settings().name);
    });
}
