//! Placement `task`: on an event loop, an actix arbiter, inside an actix context of our own.
//!
//! Every task is an actix actor ([`Host`]) whose context holds one future: the actor's life. So tasks of ours and
//! actix actors share loops, timers and addresses; [`actix_recipient`] lets actix code send to any actor of ours.
//! actix is a driver here, not the model: mailbox, supervision and signals are our own (see docs/decisions).

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use actix::dev::{AsyncContextParts, ContextFut, ContextParts, Mailbox};
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{ActorContext, ActorState, Addr, AsyncContext, SpawnHandle};
use actix_rt::ArbiterHandle;
use parking_lot::Mutex;

use crate::{Actor, ActorRef, Handler, Message, SendError, SpawnError};

/// The life of one actor on this loop.
type Life = Pin<Box<dyn Future<Output = ()>>>;

/// The actix actor around one life.
struct Host(Option<Life>);

impl actix::Actor for Host {
    type Context = LoopContext;

    fn started(&mut self, cx: &mut LoopContext) {
        if let Some(life) = self.0.take() {
            cx.spawn(
                wrap_future::<_, Self>(life).map(|(), _, cx: &mut LoopContext| cx.terminate()),
            );
        }
    }
}

/// The actix context of a [`Host`]: futures and addresses, without actix's mailbox policy.
struct LoopContext(ContextParts<Host>);

impl ActorContext for LoopContext {
    fn stop(&mut self) {
        self.0.stop();
    }

    fn terminate(&mut self) {
        self.0.terminate();
    }

    fn state(&self) -> ActorState {
        self.0.state()
    }
}

impl AsyncContext<Host> for LoopContext {
    fn address(&self) -> Addr<Host> {
        self.0.address()
    }

    fn spawn<F: actix::ActorFuture<Host, Output = ()> + 'static>(
        &mut self,
        future: F,
    ) -> SpawnHandle {
        self.0.spawn(future)
    }

    fn wait<F: actix::ActorFuture<Host, Output = ()> + 'static>(&mut self, future: F) {
        self.0.wait(future);
    }

    fn waiting(&self) -> bool {
        self.0.waiting()
    }

    fn cancel_future(&mut self, handle: SpawnHandle) -> bool {
        self.0.cancel_future(handle)
    }
}

impl AsyncContextParts<Host> for LoopContext {
    fn parts(&mut self) -> &mut ContextParts<Host> {
        &mut self.0
    }
}

/// Starts a life on the loop of the calling thread.
fn start_here(life: Life) {
    let mailbox = Mailbox::default();
    let context = LoopContext(ContextParts::new(mailbox.sender_producer()));
    actix_rt::spawn(ContextFut::new(context, Host(Some(life)), mailbox));
}

thread_local! {
    /// Which loop of which system this thread runs.
    static HERE: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// The event loops of one system: one for the system's own actors, the others for everybody's tasks.
pub(crate) struct Loops {
    /// Tells the loops of one system from those of another.
    serial: usize,
    arbiters: Vec<ArbiterHandle>,
    system: actix_rt::System,
    next: AtomicUsize,
    stopped: Mutex<bool>,
}

impl Loops {
    /// Starts `count` loops and the system's own, each a thread.
    pub(crate) fn new(count: usize) -> Result<Self, SpawnError> {
        static SERIAL: AtomicUsize = AtomicUsize::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel();
        // actix ties arbiters to a system of its own, which needs a thread to wait on.
        let body = move || {
            let runner = actix_rt::System::new();
            let arbiters: Vec<_> = (0..=count).map(|_| actix_rt::Arbiter::new().handle()).collect();
            let _ = sender.send((actix_rt::System::current(), arbiters));
            let _ = runner.run();
        };
        palco_threads::spawn_named("palco-loops", palco_threads::STACK_BYTES_DEFAULT, body)
            .map_err(SpawnError::Place)?;
        let (system, arbiters) = receiver
            .recv()
            .map_err(|_| SpawnError::Place(io::Error::other("the event loops did not start")))?;
        for (index, arbiter) in arbiters.iter().enumerate() {
            arbiter.spawn_fn(move || HERE.set(Some((serial, index))));
        }
        Ok(Self { serial, arbiters, system, next: AtomicUsize::new(0), stopped: Mutex::new(false) })
    }

    /// How many loops tasks can choose from; the last arbiter is the system's own.
    fn count(&self) -> usize {
        self.arbiters.len() - 1
    }

    /// On the calling thread's loop if it is one for tasks, else on the next in turn.
    pub(crate) fn start_near<F: Future<Output = ()> + 'static>(
        &self,
        life: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), SpawnError> {
        match HERE.get() {
            Some((serial, index)) if serial == self.serial && index < self.count() => {
                start_here(Box::pin(life()));
                Ok(())
            }
            _ => {
                let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.count();
                self.start_at(turn, life)
            }
        }
    }

    /// On the first loop for tasks.
    pub(crate) fn take_in(&self, guest: palco_transport::Guest) -> io::Result<()> {
        if self.arbiters[0].spawn_fn(move || drop(actix_rt::spawn(guest()))) {
            Ok(())
        } else {
            Err(io::Error::other("the event loop has stopped"))
        }
    }

    pub(crate) fn start_on<F: Future<Output = ()> + 'static>(
        &self,
        index: usize,
        life: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), SpawnError> {
        if index >= self.count() {
            return Err(SpawnError::NoSuchLoop { asked: index, available: self.count() });
        }
        self.start_at(index, life)
    }

    pub(crate) fn start_on_system<F: Future<Output = ()> + 'static>(
        &self,
        life: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), SpawnError> {
        self.start_at(self.count(), life)
    }

    fn start_at<F: Future<Output = ()> + 'static>(
        &self,
        index: usize,
        life: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), SpawnError> {
        if self.arbiters[index].spawn_fn(move || start_here(Box::pin(life()))) {
            Ok(())
        } else {
            Err(SpawnError::Place(io::Error::other("the event loop has stopped")))
        }
    }

    pub(crate) fn stop(&self) {
        let mut stopped = self.stopped.lock();
        if !*stopped {
            *stopped = true;
            self.system.stop();
        }
    }
}

impl Drop for Loops {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs blocking work on a helper thread of this loop; `None` if it panicked.
pub(crate) async fn block<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// One of our messages as an actix message.
#[derive(Clone, Debug)]
pub struct ActixMessage<M>(pub M);

impl<M: Message> actix::Message for ActixMessage<M> {
    type Result = Result<(), SendError<M>>;
}

/// The actix actor that passes messages on to an actor of ours.
struct Gate<A: Actor>(ActorRef<A>);

impl<A: Actor> actix::Actor for Gate<A> {
    type Context = actix::Context<Self>;
}

impl<A: Handler<M>, M: Message> actix::Handler<ActixMessage<M>> for Gate<A> {
    type Result = actix::MessageResult<ActixMessage<M>>;

    fn handle(&mut self, message: ActixMessage<M>, _: &mut Self::Context) -> Self::Result {
        actix::MessageResult(self.0.try_tell(message.0))
    }
}

/// An address that actix code can send to: puts each message into the mailbox of `actor`, wherever that lives.
///
/// Call it on an actix arbiter, for example inside a task; the gate between the two worlds lives on that arbiter. Its
/// answer is that of [`ActorRef::try_tell`].
#[must_use]
pub fn actix_recipient<A: Handler<M>, M: Message>(
    actor: &ActorRef<A>,
) -> actix::Recipient<ActixMessage<M>> {
    actix::Actor::start(Gate(actor.clone())).recipient()
}

impl fmt::Debug for Loops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loops").field("count", &self.count()).finish_non_exhaustive()
    }
}
