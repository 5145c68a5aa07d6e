//! One instance: an actor that serves one client, or stands for a program that accepts its clients itself.

mod attend;
mod beside;
mod client;
mod family;
mod idle;
mod mux;
mod program;

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palco_actors::{Actor, Context, ExitReason, Failure, Handler, Message, SpawnOptions};
use serde_json::{Value, json};
use socket2::Socket;

pub(crate) use beside::Beside;
pub(crate) use client::Client;
pub(crate) use family::Family;

use crate::door::{Presence, Starting};
use crate::gate::Permit;
use crate::service::Service;

/// Whom or what an instance serves.
pub(crate) enum Task {
    /// A client that has been accepted; without a permit it has to wait for one first.
    Client(Client, Option<Permit>),
    /// A program is given these sockets.
    Sockets(Vec<Socket>, Permit),
}

/// An instance of a service.
pub(crate) struct Instance {
    service: Arc<Service>,
    task: Option<Task>,
    /// The client's address, for those who look.
    from: Option<String>,
    source: Option<IpAddr>,
    /// It stands for a program that accepts its clients itself.
    is_single: bool,
    since: Instant,
    /// Tells the door that it has ended.
    presence: Presence,
    /// Tells the door that it has started its program.
    starting: Cell<Option<Starting>>,
}

/// Begin.
struct Serve;

impl Message for Serve {
    type Reply = ();
}

impl Instance {
    pub(crate) fn new(service: Arc<Service>, task: Task, presence: Presence) -> Self {
        let (from, source) = match &task {
            Task::Client(client, _) => (client.name(), client.source()),
            Task::Sockets(..) => (None, None),
        };
        let is_single = matches!(task, Task::Sockets(..));
        Self {
            service,
            task: Some(task),
            from,
            source,
            is_single,
            since: Instant::now(),
            presence,
            starting: Cell::new(None),
        }
    }

    /// It is to say when it has started its program, or will start none.
    pub(crate) fn starting(self, starting: Starting) -> Self {
        self.starting.set(Some(starting));
        self
    }

    /// How it is started by its door.
    pub(crate) fn options(end_within: Duration) -> SpawnOptions {
        // A little more than the program may take: then it is killed as a program, not as an actor.
        SpawnOptions::new()
            .mailbox_messages_max(4)
            .stop_within(end_within.saturating_add(Duration::from_secs(2)))
    }

    /// It has started its program, or will not start one soon.
    fn has_started(&self) {
        drop(self.starting.take());
    }

    async fn serve(&mut self, cx: &Context<Self>) {
        match self.task.take() {
            Some(Task::Client(client, permit)) => self.serve_client(cx, client, permit).await,
            Some(Task::Sockets(sockets, permit)) => self.stand(cx, &sockets, permit).await,
            None => {}
        }
    }
}

impl Actor for Instance {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts(); // an interrupt is for the program
        cx.tell_after(Duration::ZERO, Serve);
        Ok(())
    }

    /// A stop that comes before it has begun: a client that has been accepted is served nevertheless, and told to end.
    async fn stopped(&mut self, _: &ExitReason, cx: &mut Context<Self>) {
        if self.task.is_some() {
            Box::pin(self.serve(cx)).await;
        }
    }

    fn state(&self) -> Value {
        json!({
            "service": self.service.id,
            "from": self.from,
            "age_ms": u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl Handler<Serve> for Instance {
    async fn handle(&mut self, _: Serve, cx: &mut Context<Self>) {
        cx.finish();
        self.serve(cx).await;
    }
}
