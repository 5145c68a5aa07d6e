//! Drives one connection over one stream: the only loop between sockets and services, the same in every model.

use std::any::Any;
mod host;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use host::ActorHost;
use palco_actors::{Actor, Context};
use palco_service::{CallContext, Codec, Farewell, Peer, Service};

use crate::books::Record;
use crate::connection::{Connection, Step};
use crate::deadlines::{Deadlines, TimeLimit};
use crate::requests::Line;
use crate::scoreboard::{Count, Ending};
use crate::stream::{Expected, Heard, Stream, Written};
use crate::synch::Synch;
use crate::timing::Timing;

/// How long somebody who was accepted just before a successor did is waited for.
const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(1);

/// What all actors of one server share.
pub(crate) struct Shared<S, C> {
    pub(crate) service: Arc<S>,
    pub(crate) codec: C,
    /// How long clients and handlers may take.
    pub(crate) deadlines: Deadlines,
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
    let timing = Timing::new(&shared.deadlines, cx.system().clock());
    let host = ActorHost::new(cx, line, record, &timing);
    let call = CallContext::new(&host);
    let interrupts = |unread: &[u8]| shared.codec.interrupts(unread);
    let synch = Synch::new::<S, C>(line, stream, &interrupts);
    let mut counted = 0;
    let mut all_heard = false;
    let mut late = None;
    let ending = loop {
        cx.note(|| "serving");
        let advance = AssertUnwindSafe(connection.advance(&call, &synch)).catch_unwind();
        let advance = watching(line, stream, &timing, advance);
        let is_meant = || match line.take_urgent() {
            true => synch.ends_the_request(stream),
            false => line.is_meant(),
        };
        let is_watched = timing.is_watched();
        if is_watched {
            line.note_call();
        }
        let step = cx.catch_interrupt_if(advance, is_meant).await;
        if is_watched {
            line.note_call();
        }
        timing.end_call();
        let mut ends_as = Ending::Interrupted;
        let step = match step {
            Some(Some(Ok(step))) => step,
            Some(Some(Err(panic))) => {
                tracing::warn!(%peer, panic = panic_text(&*panic), "handler panicked");
                connection.bid_farewell(&Farewell::Failed);
                break Ending::Panicked;
            }
            Some(None) => {
                reached(cx, record, peer, TimeLimit::Handler);
                ends_as = Ending::TimedOut;
                Step::Interrupted
            }
            None if connection.is_calling() => Step::Interrupted,
            // Between two parts of its answer.
            None if connection.is_answering() && line.was_named() => Step::Interrupted,
            // Between two parts of the request.
            None if connection.is_receiving() && line.was_named() => Step::Interrupted,
            // It came between two requests: there was nothing to interrupt.
            None => Step::Paused,
        };
        record.count(Count::Requests, connection.requests() - counted);
        counted = connection.requests();
        timing.note_requests(counted);
        match step {
            Step::Interrupted if connection.interrupt() => {
                line.finish();
                synch.hand_over(&mut connection);
            }
            Step::Interrupted => break ends_as,
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
                    stream.write_all(cx, connection.output(), &timing).await
                };
                match cx.catch_interrupt_if(write, || line.is_cancelled()).await {
                    Some(Written::All) => {}
                    Some(Written::Gone) => break Ending::Broken,
                    Some(Written::Late) => {
                        reached(cx, record, peer, TimeLimit::Send);
                        late = Some(TimeLimit::Send);
                        break Ending::TimedOut;
                    }
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
                let wait = timing.for_body();
                let until = wait.map(|(until, _)| until);
                let read = stream.read(cx, connection.input(), Expected::Much, &timing, until);
                let heard = cx.catch_interrupt_if(read, || line.is_cancelled()).await;
                if let Some((_, since)) = wait {
                    timing.note_body(since, connection.input().len().saturating_sub(before));
                }
                match heard {
                    // Nothing has been promised yet.
                    Some(Heard::Stopped) => break Ending::Drained,
                    Some(Heard::End) => {
                        all_heard = true;
                        connection.end_of_input();
                    }
                    Some(Heard::Bytes(_)) => {}
                    Some(Heard::Gone) => break Ending::Broken,
                    Some(Heard::Late) => {
                        reached(cx, record, peer, TimeLimit::Body);
                        connection.bid_farewell(&Farewell::TooSlow);
                        break Ending::TimedOut;
                    }
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
                if record.is_last_of_its_worker(counted) {
                    cx.renew();
                }
                let until = timing.for_request(connection.input().len());
                let is_new = connection.requests() == 0;
                let input = connection.input();
                let mut heard = stream.read(cx, input, Expected::Anything, &timing, until).await;
                if matches!(heard, Heard::Stopped) && is_new && record.is_succeeded() {
                    heard = stream.read_through_stop(cx, input, FIRST_REQUEST_WITHIN).await;
                }
                match heard {
                    Heard::Stopped => break Ending::Drained,
                    Heard::End => {
                        all_heard = true;
                        connection.end_of_input();
                    }
                    Heard::Bytes(_) => synch.look(stream, &mut connection),
                    Heard::Gone => break Ending::Broken,
                    Heard::Late => {
                        let limit = until.map_or(TimeLimit::Idle, |until| until.limit);
                        reached(cx, record, peer, limit);
                        late = Some(limit);
                        let has_begun = !connection.input().is_empty();
                        let why = if has_begun { Farewell::TooSlow } else { Farewell::Idle };
                        connection.bid_farewell(&why);
                        break Ending::TimedOut;
                    }
                }
            }
            Step::Close if connection.malformed().is_some() => break Ending::Malformed,
            Step::Close => break Ending::Done,
        }
    };
    record.count(Count::Requests, connection.requests() - counted);
    record.ends(ending);
    if record.end_for_its_worker(connection.requests()) {
        cx.renew();
    }
    line.finish();
    cx.describe(None);
    if ending == Ending::Broken {
        return;
    }
    if late == Some(TimeLimit::Send) {
        let _ = stream.reset_on_close();
        return;
    }
    cx.note(|| "closing");
    let written = stream.write_all(cx, connection.output(), &timing).await;
    let may_be_talking = match ending {
        Ending::Malformed | Ending::Panicked | Ending::Interrupted => true,
        Ending::TimedOut if late != Some(TimeLimit::Idle) => true,
        Ending::Done => !all_heard,
        // Waiting for every idle client would make a drain slow.
        Ending::Drained | Ending::TimedOut => !connection.input().is_empty() || stream.has_input(),
        Ending::Broken | Ending::Abandoned => false,
    };
    match written {
        Written::All if may_be_talking => stream.linger(cx).await,
        Written::All => {}
        Written::Late => {
            reached(cx, record, peer, TimeLimit::Send);
            if matches!(ending, Ending::Done | Ending::Drained) {
                record.ends(Ending::TimedOut);
            }
            let _ = stream.reset_on_close();
        }
        // That a handler has failed is worth more than that nobody heard of it.
        Written::Gone if matches!(ending, Ending::Done | Ending::Drained) => {
            record.ends(Ending::Broken);
        }
        Written::Gone => {}
    }
}

/// A time limit has been reached: says so everywhere.
fn reached<A: Actor>(cx: &Context<A>, record: &Record, peer: &Peer, limit: TimeLimit) {
    record.count(limit.count(), 1);
    cx.note(limit.note());
    tracing::info!(%peer, limit = limit.name(), "a time limit was reached");
}

/// Runs a call, has urgent data heard as soon as it takes its time, and gives up when it takes too long.
async fn watching<T>(
    line: &Line,
    stream: &Stream,
    timing: &Timing<'_>,
    call: impl Future<Output = T>,
) -> Option<T> {
    let mut call = pin!(call);
    poll_fn(|task| {
        if let Poll::Ready(output) = call.as_mut().poll(task) {
            return Poll::Ready(Some(output));
        }
        line.watch_if_wanted(stream);
        match timing.for_call(|| line.number()) {
            Some(until) => timing.timer().poll(task, until).map(|()| None),
            None => Poll::Pending,
        }
    })
    .await
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}
