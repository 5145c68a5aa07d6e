//! The actor under test: writes down what happens to it and does what a message tells it to.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use event_listener::Event;
use palco_actors::{Actor, ActorRef, Context, ExitReason, Failure, Handler, Message, SpawnOptions};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::harness::{LIMIT, Stage};

/// What happened, in order; shared by a probe and its test, over all lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<(Mutex<Vec<String>>, Event)>);

impl Log {
    pub(crate) fn push(&self, entry: impl Into<String>) {
        self.0.0.lock().push(entry.into());
        self.0.1.notify(usize::MAX);
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.0.lock().clone()
    }

    /// How often `entry` was written.
    pub(crate) fn count(&self, entry: &str) -> usize {
        self.0.0.lock().iter().filter(|written| *written == entry).count()
    }

    /// Waits until `entry` has been written `times` times.
    pub(crate) async fn until(&self, entry: &str, times: usize) {
        loop {
            let listener = self.0.1.listen();
            if self.count(entry) >= times {
                return;
            }
            listener.await;
        }
    }
}

/// What goes wrong in a life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    PanicInMake,
    PanicInStart,
    FailInStart,
    HangInStart,
    PanicInStop,
    PanicInDrop,
}

/// See the module.
pub(crate) struct Probe {
    pub(crate) log: Log,
    name: &'static str,
    fault: Fault,
}

impl Probe {
    /// Makes one life after the other, with these faults; later lives have none. What hooks write bears `name`.
    pub(crate) fn lives(
        name: &'static str,
        log: &Log,
        faults: &'static [Fault],
    ) -> impl FnMut() -> Self + Send + 'static {
        let (log, mut faults) = (log.clone(), faults.iter().copied());
        move || {
            let fault = faults.next().unwrap_or_default();
            assert!(fault != Fault::PanicInMake, "deliberate, in make");
            Self { log: log.clone(), name, fault }
        }
    }
}

impl Actor for Probe {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Failure> {
        self.log.push(format!("{} started", self.name));
        assert!(self.fault != Fault::PanicInStart, "deliberate, in started");
        match self.fault {
            Fault::FailInStart => Err(Failure::new("no luck")),
            Fault::HangInStart => std::future::pending().await,
            _ => Ok(()),
        }
    }

    async fn stopped(&mut self, reason: &ExitReason, _: &mut Context<Self>) {
        self.log.push(format!("{} stopped: {reason}", self.name));
        assert!(self.fault != Fault::PanicInStop, "deliberate, in stopped");
    }

    fn state(&self) -> Value {
        json!({ "entries": self.log.entries().len() })
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.log.push(format!("{} dropped", self.name));
        assert!(self.fault != Fault::PanicInDrop, "deliberate, in drop");
    }
}

type Step<'a, R> = Pin<Box<dyn Future<Output = R> + 'a>>;
type Script<R> =
    Box<dyn for<'a> FnOnce(&'a mut Probe, &'a mut Context<Probe>) -> Step<'a, R> + Send>;

/// A message that brings along what its handler does.
pub(crate) struct Act<R>(Script<R>);

impl<R: Send + 'static> Message for Act<R> {
    type Reply = R;
}

impl<R: Send + 'static> Handler<Act<R>> for Probe {
    async fn handle(&mut self, act: Act<R>, cx: &mut Context<Self>) -> R {
        (act.0)(self, cx).await
    }
}

/// See [`Act`].
pub(crate) fn act<R: Send + 'static>(
    script: impl for<'a> AsyncFnOnce(&'a mut Probe, &'a mut Context<Probe>) -> R + Send + 'static,
) -> Act<R> {
    Act(Box::new(move |probe, cx| Box::pin(async move { script(probe, cx).await })))
}

/// Writes `entry`.
pub(crate) fn note(entry: impl Into<String>) -> Act<()> {
    let entry = entry.into();
    act(async move |probe, _| probe.log.push(entry))
}

pub(crate) fn deliberate_panic() -> Act<()> {
    act(async |_, _| panic!("deliberate, in a handler"))
}

/// The test's end of a handler that rests at an await.
pub(crate) struct Held(oneshot::Sender<u32>);

impl Held {
    /// Lets the handler go on; it replies with `number`.
    pub(crate) fn release(self, number: u32) {
        let _ = self.0.send(number);
    }
}

/// A message whose handler writes `entered`, rests until released, and writes `left`. It never ends if its [`Held`]
/// is dropped.
pub(crate) fn hold() -> (Held, Act<u32>) {
    let (sender, receiver) = oneshot::channel();
    let script = act(async move |probe, _| {
        probe.log.push("entered");
        let Ok(number) = receiver.await else { std::future::pending().await };
        probe.log.push("left");
        number
    });
    (Held(sender), script)
}

/// A probe and its log.
pub(crate) struct Subject {
    pub(crate) actor: ActorRef<Probe>,
    pub(crate) log: Log,
}

impl Stage {
    pub(crate) fn probe(&self) -> Subject {
        self.probe_with(self.options(), &[])
    }

    pub(crate) fn probe_with(&self, options: SpawnOptions, faults: &'static [Fault]) -> Subject {
        let log = Log::default();
        let actor = self.spawn(options, Probe::lives("probe", &log, faults)).unwrap();
        Subject { actor, log }
    }
}

impl Subject {
    /// Brings the actor into a handler that rests until released.
    pub(crate) async fn hold(&self) -> Held {
        let (held, message) = hold();
        let before = self.log.count("entered");
        self.actor.tell(message).await.unwrap();
        self.log.until("entered", before + 1).await;
        held
    }

    pub(crate) async fn ask<R: Send + 'static>(&self, message: Act<R>) -> R {
        self.actor.ask(message, LIMIT).await.unwrap()
    }

    /// Returns when everything that was queued before has been handled.
    pub(crate) async fn catch_up(&self) {
        self.ask(act(async |_, _| ())).await;
    }

    /// How many messages were dropped for this reason.
    pub(crate) fn dropped(&self, reason: &str) -> u64 {
        let dropped = self.actor.any().snapshot().dropped;
        dropped.into_iter().find(|(name, _)| name == reason).map_or(0, |(_, count)| count)
    }
}
