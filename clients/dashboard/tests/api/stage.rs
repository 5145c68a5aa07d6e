//! A stage with a dashboard, and actors that do what a test needs.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palco_actors::{Actor, ActorRef, Context, Handler, Message, PlaceKind, SpawnOptions, System};
use palco_dashboard::{Dashboard, DashboardSettings, House, Served, Services, Token};
use palco_models::{ModelKind, Server, ServerSettings, Urgent};
use palco_observe::Observer;
use palco_replica::Cluster;
use palco_service::services::echo::EchoService;
use palco_service::services::kv::{self, KvService};
use palco_service::services::work::WorkService;
use palco_threads::block_on;
use serde_json::Value;

use crate::client::Ask;

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A stage with three servers and a dashboard.
pub(crate) struct Stage {
    pub(crate) system: System,
    dashboard: Option<Dashboard>,
    address: SocketAddr,
}

impl Stage {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// With settings changed.
    pub(crate) fn with(change: impl FnOnce(&mut DashboardSettings)) -> Self {
        Self::of(change, |_, _| {})
    }

    /// With an urgent port.
    pub(crate) fn with_urgent(urgent: Arc<Urgent>) -> Self {
        Self::of(|_| {}, |_, house| house.urgent = Some(urgent))
    }

    /// With a superserver.
    pub(crate) fn with_services(services: impl FnOnce(&System) -> Services) -> Self {
        Self::of(|_| {}, |system, house| house.services = Some(services(system)))
    }

    /// With nodes that keep registers.
    pub(crate) fn with_registers(registers: impl FnOnce(&System) -> Arc<dyn Cluster>) -> Self {
        Self::of(|_| {}, |system, house| house.registers = Some(registers(system)))
    }

    /// With reports that are kept in this directory.
    pub(crate) fn with_reports(directory: &Path) -> Self {
        Self::of(|_| {}, |_, house| house.reports = Some(directory.to_owned()))
    }

    fn of(
        change: impl FnOnce(&mut DashboardSettings),
        furnish: impl FnOnce(&System, &mut House),
    ) -> Self {
        let system = System::builder().event_loops(2).build().unwrap();
        let of = |name: &str, model, place| ServerSettings::new(name, model, place);
        let (task, thread) = (PlaceKind::Task, PlaceKind::Thread);
        let echo = of("echo", ModelKind::Team, thread);
        let echo = ServerSettings { workers: Some(2), ..echo };
        let echo = Server::launch::<EchoService>(&system, echo, ()).unwrap();
        let kv = of("kv", ModelKind::PerConnection, task);
        let kv = Server::launch::<KvService>(&system, kv, kv::Limits::default()).unwrap();
        let work = of("work", ModelKind::PerConnection, thread);
        let work = Server::launch::<WorkService>(&system, work, ()).unwrap();
        let served = |name: &str, example: &str, server| Served {
            name: name.into(),
            service: name.into(),
            command: format!("palco call {name}"),
            example_request: example.into(),
            server: Arc::new(server),
        };
        let mut house = House {
            observer: Observer::attach(&system),
            servers: vec![
                served("echo", "hello", echo),
                served("kv", "INCR load", kv),
                served("work", "sleep 1", work),
            ],
            services: None,
            registers: None,
            urgent: None,
            reports: None,
            version: "0.0.1".into(),
            event_loops: 2,
            demo: None,
        };
        furnish(&system, &mut house);
        let mut settings = DashboardSettings::new(Token::parse(TOKEN).unwrap());
        settings.listen = ([127, 0, 0, 1], 0).into();
        change(&mut settings);
        let dashboard = Dashboard::start(settings, house).unwrap();
        let address = ([127, 0, 0, 1], dashboard.address().port()).into();
        Self { system, dashboard: Some(dashboard), address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn dashboard(&self) -> &Dashboard {
        self.dashboard.as_ref().unwrap()
    }

    pub(crate) fn end_dashboard(&mut self) {
        self.dashboard = None;
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(self.address, method, path)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask("GET", path).answer().good()
    }

    /// With the token.
    pub(crate) fn post(&self, path: &str) -> Ask {
        self.ask("POST", path).token(TOKEN).body("")
    }

    /// A server as the dashboard shows it.
    #[track_caller]
    pub(crate) fn server(&self, name: &str) -> Value {
        let servers = self.get("/api/servers")["servers"].take();
        let found = servers.as_array().unwrap().iter().find(|server| server["name"] == name);
        found.unwrap().clone()
    }

    /// An actor of its own thread.
    pub(crate) fn probe(&self, name: &str) -> ActorRef<Probe> {
        let options = SpawnOptions::new().name(name).place(PlaceKind::Thread);
        self.system.spawn(options, || Probe).unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.dashboard = None;
        block_on(self.system.shutdown());
    }
}

/// Does what it is told.
pub(crate) struct Probe;

impl Actor for Probe {
    fn state(&self) -> Value {
        serde_json::json!({ "kind": "probe" })
    }
}

/// Takes for ever, where signals reach.
#[derive(Debug)]
pub(crate) struct Hold;

impl Message for Hold {
    type Reply = ();
}

impl Handler<Hold> for Probe {
    async fn handle(&mut self, _: Hold, _: &mut Context<Self>) {
        std::future::pending().await
    }
}

/// Waits until this is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::yield_now();
    }
}
