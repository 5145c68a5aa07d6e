//! Where a service listens: an actor that accepts clients, or waits until there is something to start a program for.

mod connections;
mod datagrams;
mod presence;
mod single;
mod way;

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use palco_actors::{Actor, Context, Failure, Handler, Message};
use serde_json::{Value, json};

pub(crate) use presence::{Presence, Starting};
pub(crate) use way::Doorway;

use crate::bind;
use crate::gate::Excess;
use crate::journal;
use crate::service::{Definition, Service, Shut};
use crate::spec::{Descriptors, Run, Style};

/// After a failed accept (too many open files, say) the next try comes this much later.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a door does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Accepts, and has each client served by an instance of its own.
    Connections,
    /// Answers datagrams itself.
    Datagrams,
    /// Gives the sockets to one program as soon as one is ready.
    Single,
}

/// Why a door stopped doing what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Something about the service has changed: look again.
    Again,
    /// A stop.
    Stop,
}

/// The actor.
pub(crate) struct Door {
    pub(crate) service: Arc<Service>,
    pub(crate) way: Arc<Doorway>,
    /// How often the service had changed when it was looked at last.
    seen: Cell<u64>,
}

/// Begin.
struct Open;

impl Message for Open {
    type Reply = ();
}

impl Kind {
    /// What the door of these endpoints does for a service.
    fn of(definition: &Definition, way: &Doorway) -> Self {
        let for_connections = way.endpoints().all(|endpoint| endpoint.address.has_connections());
        match (&definition.spec.run, definition.spec.style) {
            (Run::Builtin(_), _) if for_connections => Self::Connections,
            (Run::Builtin(_), _) => Self::Datagrams,
            (Run::Program(_), Style::PerConnection) if for_connections => Self::Connections,
            // Without connections there is nothing to accept: the program gets the socket either way.
            (Run::Program(_), Style::PerConnection | Style::Single) => Self::Single,
        }
    }
}

/// Whether one program gets all sockets of a service: only then are they waited for together.
pub(crate) fn shares_a_door(definition: &Definition) -> bool {
    match &definition.spec.run {
        Run::Program(program) => {
            definition.spec.style == Style::Single
                && matches!(program.descriptors, Descriptors::Listen { .. })
        }
        Run::Builtin(_) => false,
    }
}

impl Actor for Door {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts();
        cx.tell_after(Duration::ZERO, Open);
        Ok(())
    }

    fn state(&self) -> Value {
        let status = crate::status::ServiceStatus::of(&self.service, &[]);
        json!({ "listens": self.way.addresses(), "service": status })
    }
}

impl Handler<Open> for Door {
    async fn handle(&mut self, _: Open, cx: &mut Context<Self>) {
        let served = self.serve(cx).await;
        if self.way.is_closed() {
            self.way.release();
        }
        if let Err(error) = served {
            return cx.fail(error);
        }
        if self.way.is_closed() {
            // Its instances are its children: they may finish.
            cx.note(|| "closed; instances are still running");
            if cx.unless_stopped(self.way.present.nobody()).await.is_some() {
                cx.finish();
            }
        }
    }
}

impl Door {
    pub(crate) fn new(service: Arc<Service>, way: Arc<Doorway>) -> Self {
        Self { service, way, seen: Cell::new(0) }
    }

    /// Until a stop, or until the door is closed.
    async fn serve(&self, cx: &Context<Self>) -> std::io::Result<()> {
        while !self.way.is_closed() {
            self.seen.set(self.service.changes());
            match self.service.shut() {
                Shut::Open => {}
                Shut::Until(until, why) => match self.stay_shut(cx, Some(until), &why).await {
                    Turn::Again => continue,
                    Turn::Stop => return Ok(()),
                },
                Shut::Off(why) => match self.stay_shut(cx, None, &why).await {
                    Turn::Again => continue,
                    Turn::Stop => return Ok(()),
                },
            }
            let definition = self.service.definition();
            let turn = match Kind::of(&definition, &self.way) {
                Kind::Connections => self.take_connections(cx).await?,
                Kind::Datagrams => self.answer_datagrams(cx, &definition).await?,
                Kind::Single => self.wait_for_work(cx).await?,
            };
            if turn == Turn::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Listens no more until then, or until something changes.
    async fn stay_shut(&self, cx: &Context<Self>, until: Option<Instant>, why: &str) -> Turn {
        self.way.each(|endpoint, socket| {
            bind::stop_listening(socket, &endpoint.address);
        });
        let why = format!("{}: {why}", self.way.addresses());
        self.service.house.journal.note(&self.service.id, journal::Event::Close { why });
        let turn = loop {
            let changed = self.change();
            let shut = self.service.shut();
            if shut == Shut::Open || self.way.is_closed() {
                break Turn::Again;
            }
            let wait = async {
                match until {
                    Some(until) => {
                        let time = until.saturating_duration_since(Instant::now());
                        crate::within::within(cx, time, changed).await;
                    }
                    None => changed.await,
                }
            };
            match until {
                Some(_) => cx.note(|| "closed for a while: a limit was exceeded"),
                None => cx.note(|| "off: a limit was exceeded"),
            }
            if cx.unless_stopped(wait).await.is_none() {
                break Turn::Stop;
            }
        };
        if turn == Turn::Again && !self.way.is_closed() {
            self.way.each(|endpoint, socket| {
                if endpoint.address.has_connections()
                    && let Err(error) = bind::listen(socket, &endpoint.listening)
                {
                    tracing::error!(service = %self.service.id, %error, "cannot listen again");
                }
            });
            self.note_listening();
        }
        turn
    }

    fn note_listening(&self) {
        let address = self.way.addresses();
        self.service.house.journal.note(&self.service.id, journal::Event::Listen { address });
    }

    /// Resolves when the service or the door is not what it was; to be asked for before looking at them.
    fn change(&self) -> impl Future<Output = ()> + use<> {
        let (service, way) = (self.service.changed(), self.way.changed());
        async {
            select(service, way).await;
        }
    }

    /// Whether a look at the service is needed.
    fn is_changed(&self) -> bool {
        self.way.is_closed() || self.service.changes() != self.seen.get()
    }

    /// Waits until a limit that lets wait may allow one more, or something changes. `None` is a stop.
    async fn wait_for_room(&self, cx: &Context<Self>, excess: Excess) -> Option<()> {
        cx.note(|| "waiting: a limit is reached");
        let begin = Instant::now();
        let room = self.service.gate.room();
        let changed = self.change();
        // What was there before somebody listened.
        if self.is_changed() || self.service.gate.obstacle(begin).is_none() {
            return Some(());
        }
        let until = async {
            match excess.until {
                Some(until) => {
                    cx.sleep(until.saturating_duration_since(begin)).await;
                }
                None => std::future::pending().await,
            }
        };
        let wait = async {
            let (changed, until) = (pin!(changed), pin!(until));
            select(select(room, changed), until).await;
        };
        cx.unless_stopped(wait).await
    }

    /// The outcome of `future` unless something changes first. The outer `None` is a stop, the inner one a change.
    async fn unless_changed<T>(
        &self,
        cx: &Context<Self>,
        future: impl Future<Output = T>,
    ) -> Option<Option<T>> {
        let changed = self.change();
        if self.is_changed() {
            return Some(None);
        }
        let (future, changed) = (pin!(future), pin!(changed));
        match cx.unless_stopped(select(future, changed)).await? {
            Either::Left((output, _)) => Some(Some(output)),
            Either::Right(((), _)) => Some(None),
        }
    }
}
