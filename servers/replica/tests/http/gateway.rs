//! A gateway for a test: over a domain of one, or over registers that say what the test wants.

use std::future::ready;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{PlaceKind, System};
use palco_rambo::{Command, Outcome};
use palco_replica::http::{self, Settings, Token, serve};
use palco_replica::{
    Alone, Ensemble, EnsembleOptions, Looking, Page, Registers, Running, Scanning,
};
use palco_threads::block_on;

use crate::client::Ask;

pub(crate) const TOKEN: &str = "0123456789abcdef";

pub(crate) struct Gateway {
    pub(crate) running: http::Running,
}

/// Registers that answer as a test says.
pub(crate) struct Scripted<F>(pub(crate) F);

impl<F> Registers for Scripted<F>
where
    F: Fn(Command) -> Option<Outcome> + Send + Sync + 'static,
{
    /// No outcome is one that never comes.
    fn run(&self, commands: Vec<Command>, _: Duration) -> Running {
        match commands.into_iter().map(&self.0).collect() {
            Some(outcomes) => Box::pin(ready(outcomes)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn scan(&self, _: u64, _: usize) -> Scanning {
        Box::pin(ready(Page::default()))
    }

    fn look(&self) -> Looking {
        Alone::new().look()
    }
}

impl Gateway {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// Over a domain of one, with these settings.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::over(Arc::new(Alone::new()), change)
    }

    /// Over registers that answer so.
    pub(crate) fn scripted(
        answer: impl Fn(Command) -> Option<Outcome> + Send + Sync + 'static,
    ) -> Self {
        Self::over(Arc::new(Scripted(answer)), |_| {})
    }

    pub(crate) fn over(registers: Arc<dyn Registers>, change: impl FnOnce(&mut Settings)) -> Self {
        let token = Token::parse(TOKEN).expect("a token");
        let mut settings = Settings { token: Some(token), ..Settings::default() };
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self { running: serve(listener, registers, settings).expect("a gateway starts") }
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(self.running.address(), method, path)
    }

    /// Of the register with this name, which needs no encoding.
    pub(crate) fn get(&self, key: &str) -> Ask {
        self.ask("GET", &format!("/v1/registers/{key}"))
    }

    pub(crate) fn put(&self, key: &str, value: &str) -> Ask {
        self.ask("PUT", &format!("/v1/registers/{key}")).body(value)
    }

    pub(crate) fn delete(&self, key: &str) -> Ask {
        self.ask("DELETE", &format!("/v1/registers/{key}"))
    }
}

/// Calls `with` with a gateway over the first of three nodes in threads, and all three.
pub(crate) fn over_three(
    shards: u16,
    change: impl FnOnce(&mut Settings),
    with: impl FnOnce(&Gateway, &Ensemble),
) {
    let system = System::new().expect("a system starts");
    let place = PlaceKind::Thread;
    let options = EnsembleOptions { shards, place, ..EnsembleOptions::default() };
    let ensemble = Ensemble::start(&system, options).expect("an ensemble starts");
    let domain = ensemble.nodes()[0].domain.clone();
    let gateway = Gateway::over(Arc::new(domain.clone()), |settings| {
        settings.domain = Some(domain);
        change(settings);
    });
    with(&gateway, &ensemble);
    gateway.running.stop();
    block_on(system.shutdown());
}
