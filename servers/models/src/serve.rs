//! Drives one connection over one stream: the only loop between sockets and services, the same in every model.

use std::any::Any;
use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::process;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use nix::sys::signal::{Signal, raise};
use palco_actors::{Actor, Context, PlaceKind, Time};
use palco_core::Ticket;
use palco_service::{CallContext, Codec, Crash, Farewell, Host, LocalFuture, Peer, Service};

use crate::books::Record;
use crate::connection::{Connection, Step};
use crate::requests::{Line, turns};
use crate::scoreboard::Ending;
use crate::stream::{Expected, Stream};
use crate::synch::Synch;

/// A process that is to run out of memory asks for so much at a time, and touches nothing of it.
const HOARD_STEP_BYTES: usize = 16 << 20;

/// What all actors of one server share.
pub(crate) struct Shared<S, C> {
    pub(crate) service: Arc<S>,
    pub(crate) codec: C,
}

/// A connection that has been let in.
pub(crate) struct Admitted {
    pub(crate) stream: Stream,
    pub(crate) address: SocketAddr,
    pub(crate) record: Record,
}

impl Admitted {
    /// To be served in this process.
    pub(crate) fn with_line(self, line: Line) -> Accepted {
        let Self { stream, address, record } = self;
        let peer = Peer::new(address.to_string());
        Accepted { line, stream, address: Some(address), peer, record }
    }
}

/// An admitted connection. The fields are dropped in this order: nobody finds it any more, it is closed, it is counted.
pub(crate) struct Accepted {
    pub(crate) line: Line,
    pub(crate) stream: Stream,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) peer: Peer,
    pub(crate) record: Record,
}

/// Serves one connection to its end.
///
/// The handler's panic ends only this connection; an interrupt ends the running request, and with it the connection
/// unless the protocol has words for it; a stop ends it when no answer is owed. Dropped early, the connection is
/// abandoned and counted so.
pub(crate) async fn serve<A: Actor, S: Service, C: Codec<S>>(
    cx: &Context<A>,
    shared: &Shared<S, C>,
    mut accepted: Accepted,
) {
    let Accepted { line, stream, address, peer, record } = &mut accepted;
    line.open(cx, stream, *address, C::USES_URGENT_DATA);
    let line = &*line;
    let mut connection = Connection::new(Arc::clone(&shared.service), shared.codec.clone(), peer);
    cx.describe(connection.remembers());
    let host = ActorHost { cx, line, record, credit: Cell::new(0) };
    let call = CallContext::new(&host);
    let interrupts = |unread: &[u8]| shared.codec.interrupts(unread);
    let synch = Synch::new::<S, C>(line, stream, &interrupts);
    let mut counted = 0;
    let mut all_heard = false;
    let ending = loop {
        cx.note(|| "serving");
        let advance = AssertUnwindSafe(connection.advance(&call, &synch)).catch_unwind();
        let advance = watching(line, stream, advance);
        let is_meant = || match line.take_urgent() {
            true => synch.ends_the_request(stream),
            false => line.is_meant(),
        };
        let step = match cx.catch_interrupt_if(advance, is_meant).await {
            Some(Ok(step)) => step,
            Some(Err(panic)) => {
                tracing::warn!(%peer, panic = panic_text(&*panic), "handler panicked");
                connection.bid_farewell(&Farewell::Failed);
                break Ending::Panicked;
            }
            None if connection.is_calling() => Step::Interrupted,
            // Between two parts of its answer.
            None if connection.is_answering() && line.was_named() => Step::Interrupted,
            // Between two parts of the request.
            None if connection.is_receiving() && line.was_named() => Step::Interrupted,
            // It came between two requests: there was nothing to interrupt.
            None => Step::Paused,
        };
        record.count_requests(connection.requests() - counted);
        counted = connection.requests();
        match step {
            Step::Interrupted if connection.interrupt() => {
                line.finish();
                synch.hand_over(&mut connection);
            }
            Step::Interrupted => break Ending::Interrupted,
            Step::Paused => synch.hand_over(&mut connection),
            Step::Write => {
                cx.note(|| "writing");
                if connection.is_answering() {
                    line.watch(stream);
                }
                let before = connection.output().len();
                let write = async {
                    // A hold that came during the call takes hold before its answer is out.
                    cx.heed_signals().await;
                    stream.write_all(cx, connection.output()).await
                };
                match cx.catch_interrupt_if(write, || line.is_cancelled()).await {
                    Some(Ok(())) => {}
                    Some(Err(_)) => break Ending::Broken,
                    None => {
                        let is_untouched = connection.output().len() == before;
                        connection.output().clear();
                        // Behind half an answer the protocol has no words.
                        if is_untouched {
                            connection.bid_farewell(&Farewell::Interrupted);
                        }
                        break Ending::Interrupted;
                    }
                }
            }
            // What ended nothing is still for the codec.
            Step::Read if synch.is_waiting() => synch.hand_over(&mut connection),
            Step::Read if connection.is_receiving() => {
                cx.note(|| "receiving");
                line.watch(stream);
                let before = connection.input().len();
                let read = stream.read(cx, connection.input(), Expected::Much);
                match cx.catch_interrupt_if(read, || line.is_cancelled()).await {
                    // Nothing has been promised yet.
                    Some(None) => break Ending::Drained,
                    Some(Some(Ok(0))) => {
                        all_heard = true;
                        connection.end_of_input();
                    }
                    Some(Some(Ok(_))) => {}
                    Some(Some(Err(_))) => break Ending::Broken,
                    None => {
                        connection.input().truncate(before);
                        if !connection.interrupt() {
                            break Ending::Interrupted;
                        }
                        line.finish();
                    }
                }
            }
            Step::Read => {
                line.finish();
                line.unwatch(stream);
                cx.note(|| "reading");
                match stream.read(cx, connection.input(), Expected::Anything).await {
                    None => break Ending::Drained,
                    Some(Ok(0)) => {
                        all_heard = true;
                        connection.end_of_input();
                    }
                    Some(Ok(_)) => synch.look(stream, &mut connection),
                    Some(Err(_)) => break Ending::Broken,
                }
            }
            Step::Close if connection.malformed().is_some() => break Ending::Malformed,
            Step::Close => break Ending::Done,
        }
    };
    record.count_requests(connection.requests() - counted);
    record.ends(ending);
    line.finish();
    cx.describe(None);
    if ending == Ending::Broken {
        return;
    }
    cx.note(|| "closing");
    let written = stream.write_all(cx, connection.output()).await;
    let may_be_talking = match ending {
        Ending::Malformed | Ending::Panicked | Ending::Interrupted => true,
        Ending::Done => !all_heard,
        // Waiting for every idle client would make a drain slow.
        Ending::Drained => !connection.input().is_empty() || stream.has_input(),
        Ending::Broken | Ending::Abandoned => false,
    };
    match written {
        Ok(()) if may_be_talking => stream.linger(cx).await,
        Ok(()) => {}
        // That a handler has failed is worth more than that nobody heard of it.
        Err(_) if matches!(ending, Ending::Done | Ending::Drained) => record.ends(Ending::Broken),
        Err(_) => {}
    }
}

/// Runs a call, and has urgent data heard as soon as it takes its time.
async fn watching<T>(line: &Line, stream: &Stream, call: impl Future<Output = T>) -> T {
    let mut call = pin!(call);
    poll_fn(|task| {
        let poll = call.as_mut().poll(task);
        if poll.is_pending() {
            line.watch_if_wanted(stream);
        }
        poll
    })
    .await
}

/// An actor's context as the services see it.
struct ActorHost<'a, A: Actor> {
    cx: &'a Context<A>,
    line: &'a Line,
    record: &'a Record,
    /// Turns that a request of higher priority has left on its event loop.
    credit: Cell<u32>,
}

impl<A: Actor> ActorHost<'_, A> {
    /// The call takes its time. The first time the server gets its turn: it has something to prepare.
    async fn takes_time(&self) {
        let mut is_news = self.line.takes_time();
        poll_fn(|task| {
            if !std::mem::take(&mut is_news) {
                return Poll::Ready(());
            }
            task.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// A checkpoint on an event loop, where who is nice lets others have more turns, and who is not takes more.
    async fn take_turns(&self) {
        match self.line.nice() {
            0 => self.cx.checkpoint().await,
            nice @ 1.. => {
                for _ in 0..turns(nice) {
                    self.cx.checkpoint().await;
                }
            }
            nice => match self.credit.get().checked_sub(1) {
                Some(left) => {
                    self.credit.set(left);
                    self.cx.heed_signals().await;
                }
                None => {
                    self.credit.set(turns(nice) - 1);
                    self.cx.checkpoint().await;
                }
            },
        }
    }
}

impl<A: Actor> Host for ActorHost<'_, A> {
    fn elapsed(&self) -> Duration {
        self.cx.system().clock().now() - Time::START
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        Box::pin(async move {
            self.takes_time().await;
            self.cx.sleep(duration).await;
        })
    }

    fn checkpoint(&self) -> LocalFuture<'_, ()> {
        Box::pin(async {
            self.takes_time().await;
            match self.cx.place() {
                PlaceKind::Task | PlaceKind::Fiber => self.take_turns().await,
                PlaceKind::Thread | PlaceKind::Process | PlaceKind::Remote => {
                    self.cx.checkpoint().await;
                }
            }
        })
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) -> LocalFuture<'_, ()> {
        // Given up, the call is gone, and the work goes on: as long as it does, its connection takes up room.
        let stay = self.record.stay();
        let work = move || {
            work();
            drop(stay);
        };
        Box::pin(async move {
            self.takes_time().await;
            self.cx.block(work).await;
        })
    }

    fn ticket(&self) -> Option<Ticket> {
        self.line.ticket()
    }

    fn crash(&self, how: Crash) {
        if self.cx.place() == PlaceKind::Process {
            crash(how);
        }
    }
}

/// Ends this process.
fn crash(how: Crash) -> ! {
    match how {
        Crash::Exit(status) => process::exit(status),
        Crash::Abort => process::abort(),
        Crash::Memory => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(Vec::with_capacity(HOARD_STEP_BYTES));
            }
        }
        Crash::Fault => loop {
            // Rust's own handler may let the first one pass.
            let _ = raise(Signal::SIGSEGV);
        },
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}
