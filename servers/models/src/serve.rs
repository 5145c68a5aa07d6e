//! Drives one connection over one stream: the only loop between sockets and services, the same in every model.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::process;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use nix::sys::signal::{Signal, raise};
use palco_actors::{Actor, Context, PlaceKind, Time};
use palco_service::{CallContext, Codec, Crash, Farewell, Host, LocalFuture, Peer, Service};

use crate::books::Record;
use crate::connection::{Connection, Step};
use crate::scoreboard::Ending;
use crate::stream::Stream;

/// A process that is to run out of memory asks for so much at a time, and touches nothing of it.
const HOARD_STEP_BYTES: usize = 16 << 20;

/// What all actors of one server share.
pub(crate) struct Shared<S, C> {
    pub(crate) service: Arc<S>,
    pub(crate) codec: C,
}

/// An admitted connection. The fields are dropped in this order: it is closed before it is counted.
pub(crate) struct Accepted {
    pub(crate) stream: Stream,
    pub(crate) peer: Peer,
    pub(crate) record: Record,
}

/// Serves one connection to its end.
///
/// The handler's panic ends only this connection; an interrupt ends the running request and with it the connection;
/// a stop ends it when no answer is owed. Dropped early, the connection is abandoned and counted so.
pub(crate) async fn serve<A: Actor, S: Service, C: Codec<S>>(
    cx: &Context<A>,
    shared: &Shared<S, C>,
    mut accepted: Accepted,
) {
    let Accepted { stream, peer, record } = &mut accepted;
    let mut connection = Connection::new(Arc::clone(&shared.service), shared.codec.clone(), peer);
    let host = ActorHost(cx);
    let call = CallContext::new(&host);
    let mut counted = 0;
    let mut all_heard = false;
    let ending = loop {
        cx.note(|| "serving");
        let advance = AssertUnwindSafe(connection.advance(&call)).catch_unwind();
        let step = match cx.catch_interrupt(advance).await {
            Some(Ok(step)) => step,
            Some(Err(panic)) => {
                tracing::warn!(%peer, panic = panic_text(&*panic), "handler panicked");
                connection.bid_farewell(&Farewell::Failed);
                break Ending::Panicked;
            }
            // It came between two requests: there was nothing to interrupt.
            None if !connection.is_calling() => continue,
            None => {
                connection.bid_farewell(&Farewell::Interrupted);
                break Ending::Interrupted;
            }
        };
        record.count_requests(connection.requests() - counted);
        counted = connection.requests();
        match step {
            Step::Write => {
                cx.note(|| "writing");
                if stream.write_all(cx, connection.output()).await.is_err() {
                    break Ending::Broken;
                }
            }
            Step::Read => {
                cx.note(|| "reading");
                match stream.read(cx, connection.input()).await {
                    None => break Ending::Drained,
                    Some(Ok(0)) => {
                        all_heard = true;
                        connection.end_of_input();
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) => break Ending::Broken,
                }
            }
            Step::Close if connection.malformed().is_some() => break Ending::Malformed,
            Step::Close => break Ending::Done,
        }
    };
    record.count_requests(connection.requests() - counted);
    record.ends(ending);
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

/// An actor's context as the services see it.
struct ActorHost<'a, A: Actor>(&'a Context<A>);

impl<A: Actor> Host for ActorHost<'_, A> {
    fn elapsed(&self) -> Duration {
        self.0.system().clock().now() - Time::START
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        Box::pin(self.0.sleep(duration))
    }

    fn checkpoint(&self) -> LocalFuture<'_, ()> {
        Box::pin(self.0.checkpoint())
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) -> LocalFuture<'_, ()> {
        Box::pin(self.0.block(work).map(drop))
    }

    fn crash(&self, how: Crash) {
        if self.0.place() == PlaceKind::Process {
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
