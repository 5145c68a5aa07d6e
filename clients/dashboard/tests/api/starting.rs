//! The beginning and the end of a dashboard.

use std::net::TcpListener;

use palco_actors::System;
use palco_dashboard::{Dashboard, DashboardSettings, House, StartError, Token};
use palco_observe::Observer;
use palco_threads::block_on;

use crate::stage::{Stage, TOKEN};

fn house(system: &System) -> House {
    House {
        observer: Observer::attach(system),
        servers: Vec::new(),
        services: None,
        registers: None,
        urgent: None,
        reports: None,
        version: "0.0.1".into(),
        event_loops: 1,
        demo: Some("circle".into()),
    }
}

fn settings() -> DashboardSettings {
    DashboardSettings::new(Token::parse(TOKEN).unwrap())
}

#[test]
fn by_default_it_listens_on_this_machine_only() {
    assert_eq!(settings().listen.to_string(), "127.0.0.1:7070");
    assert!(!format!("{:?}", settings()).contains(TOKEN));
}

#[test]
fn an_address_in_use_names_its_holder() {
    let system = System::builder().event_loops(1).build().unwrap();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = DashboardSettings { listen: holder.local_addr().unwrap(), ..settings() };
    let error = Dashboard::start(taken, house(&system)).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StartError::InUse { .. }), "{text}");
    assert!(text.ends_with(&format!("(pid {})", std::process::id())), "{text}");
    let nowhere = DashboardSettings { listen: ([192, 0, 2, 1], 0).into(), ..settings() };
    let error = Dashboard::start(nowhere, house(&system)).unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
    block_on(system.shutdown());
}

#[test]
fn the_address_is_free_again_when_it_has_ended() {
    let mut stage = Stage::start();
    let address = stage.dashboard().address();
    stage.end_dashboard();
    let again = DashboardSettings { listen: address, ..settings() };
    let dashboard = Dashboard::start(again, house(&stage.system)).unwrap();
    assert_eq!(dashboard.address(), address);
    assert_eq!(stage.get("/api/snapshot")["stage"]["demo"], "circle");
}
