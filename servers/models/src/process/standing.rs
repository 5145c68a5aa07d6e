//! Standing workers to which a dispatcher passes open sockets (UNP §30.9), and the desk at which it keeps them.
//!
//! Each worker has at most one connection. So admission is the number of workers: who comes when all are taken waits in
//! the backlog, or is refused, as the server's limits say. A worker that dies loses the connection it was serving; one
//! that was passed and not begun is served by its next life.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::net::{SocketAddr, TcpStream};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, select};
use futures_util::stream::FuturesUnordered;
use palco_actors::{
    Actor, ActorRef, AnyRef, Context, Descriptor, Failure, Handler, Luggage, Message, MessageTable,
    Parcel, Portable, Signal, SpawnOptions, Supervisor,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{Common, Kin, unpack};
use crate::books::{Held, LOOK_EVERY, Pool, Record, Seat};
use crate::crew::{Duties, Duty, DutyArgs};
use crate::deadlines::Deadlines;
use crate::requests::{Issue, IssueArgs, Line, Lines, Serving};
use crate::seats::{Layout, Seats};
use crate::serve::{Admitted, Shared, serve};
use crate::stream::Stream;

/// A connection lasts as long as its client likes: about a century.
const FOR_EVER: Duration = Duration::from_secs(1 << 32);

/// Serves one connection after the other, as they are passed.
pub(super) struct Worker<K: Kin> {
    shared: Shared<K::Service, K::Codec>,
    seats: Arc<Seats>,
    issue: Option<Arc<Issue>>,
    duty: Duty,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StandingArgs<C> {
    config: C,
    deadlines: Deadlines,
    layout: Layout,
    issue: Option<IssueArgs>,
    duty: DutyArgs,
}

/// A connection, to be served to its end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Serve {
    socket: Descriptor,
    peer: SocketAddr,
    seat: usize,
}

impl Message for Serve {
    type Reply = ();
}

impl<K: Kin> Actor for Worker<K> {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts(); // an interrupt is for the request being served
        Ok(())
    }
}

impl<K: Kin> Handler<Serve> for Worker<K> {
    async fn handle(&mut self, passed: Serve, cx: &mut Context<Self>) {
        let socket = match passed.socket.into_owned() {
            Ok(socket) => socket,
            Err(error) => return cx.fail(error),
        };
        let lines = Lines::Seats(Arc::clone(&self.seats));
        let line = Line::of_seat(lines, passed.seat, self.issue.clone());
        let seat = Seat { seats: Arc::clone(&self.seats), index: passed.seat };
        let stream = Stream::Blocking(TcpStream::from(socket));
        let mut record = Record::begin(seat);
        let _serves = self.duty.begin(&mut record);
        let admitted = Admitted { stream, address: passed.peer, record };
        serve(cx, &self.shared, admitted.with_line(line)).await;
    }
}

impl<K: Kin> Portable for Worker<K> {
    type Args = StandingArgs<K::Config>;

    fn kind() -> Cow<'static, str> {
        K::kind("worker")
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Serve>();
    }

    fn make(args: Self::Args, mut luggage: Luggage) -> Result<Self, Failure> {
        // First: what is made from here on lies in the memory near its cores.
        let mut duty = Duty::from(args.duty);
        duty.take_place()?;
        let seats = Seats::open(luggage.take_descriptor()?, args.layout)?;
        let issue = unpack(args.issue, &mut luggage)?;
        let (service, codec) = K::make(&args.config, &mut luggage)?;
        let shared = Shared { service: Arc::new(service), codec, deadlines: args.deadlines };
        Ok(Self { shared, seats, issue, duty })
    }
}

/// Where a dispatcher finds the workers that are free. It outlives the dispatcher's lives.
pub(crate) struct Desk {
    workers: Vec<Standing>,
    pool: Arc<Pool>,
    /// Who serves which seat.
    serving: Arc<Serving>,
    state: Mutex<State>,
}

/// Passes a connection to one worker; done when it has been served, or lost with the worker.
type Pass = Box<dyn Fn(Serve) -> BoxFuture<'static, ()> + Send + Sync>;

struct State {
    /// The lowest numbers go first: who has just served has warm caches.
    free: BTreeSet<usize>,
    serving: FuturesUnordered<Service>,
}

/// A standing worker, as the desk knows it.
struct Standing {
    any: AnyRef,
    pass: Pass,
}

/// A connection with a worker. Ready when that is over.
struct Service {
    worker: usize,
    served: BoxFuture<'static, ()>,
    held: Option<Held>,
}

impl Future for Service {
    type Output = (usize, Option<Held>);

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        ready!(self.served.as_mut().poll(task));
        Poll::Ready((self.worker, self.held.take()))
    }
}

impl Desk {
    /// Starts workers under these names.
    pub(crate) fn open<K: Kin>(
        cx: &Context<Supervisor>,
        common: &Arc<Common<K>>,
        pool: &Arc<Pool>,
        duties: &Duties,
        workers: impl Iterator<Item = SpawnOptions>,
    ) -> Result<Arc<Self>, Failure> {
        let workers: Vec<_> = workers
            .enumerate()
            .map(|(number, options)| {
                let (duties, mut lives) = (duties.clone(), 0..);
                let duty = move || duties.args(number, lives.next().unwrap_or_default());
                stand_by(cx, common, pool, duty, options)
            })
            .collect::<Result<_, Failure>>()?;
        let free = (0..workers.len()).collect();
        let state = Mutex::new(State { free, serving: FuturesUnordered::new() });
        let (pool, serving) = (Arc::clone(pool), Arc::clone(&common.serving));
        Ok(Arc::new(Self { workers, pool, serving, state }))
    }

    /// Passes an admitted connection to a free worker.
    ///
    /// # Errors
    /// A failure when nobody is free, which admission should have known, or the socket cannot be passed.
    pub(crate) fn pass(&self, admitted: Admitted) -> Result<(), Failure> {
        let Admitted { stream, address, record } = admitted;
        let state = &mut *self.state.lock();
        let nobody = || Failure::new("all workers are taken");
        let held = self.pool.seat(record).ok_or_else(nobody)?;
        let socket = Descriptor::new(stream.into_descriptor()?);
        let worker = state.free.pop_first().ok_or_else(nobody)?;
        self.serving.set(held.index, self.workers[worker].any.clone());
        let serve = Serve { socket, peer: address, seat: held.index };
        let served = (self.workers[worker].pass)(serve);
        state.serving.push(Service { worker, served, held: Some(held) });
        Ok(())
    }

    /// Follows what the workers do as long as `accepting` runs. If that has ended by a stop, it stops them: each finishes what
    /// it serves.
    pub(crate) async fn follow_during<A: Actor, T>(
        &self,
        cx: &Context<A>,
        accepting: impl Future<Output = T>,
    ) -> T {
        let mut accepting = pin!(accepting);
        let output = poll_fn(|task| {
            // First, because what it passes is on its way only once it has been polled.
            let accepting = accepting.as_mut().poll(task);
            let _who_serves = self.poll_served(task);
            accepting
        });
        let output = output.await;
        // Who fails is started again, and needs them.
        if !cx.is_stopping() {
            return output;
        }
        // A stop would reach a worker before the connection that is on its way to it.
        while self.is_passing() {
            let all_served = poll_fn(|task| self.poll_served(task));
            let _either = select(all_served, cx.sleep(LOOK_EVERY)).await;
        }
        for worker in &self.workers {
            worker.any.signal(Signal::Stop);
        }
        poll_fn(|task| self.poll_served(task)).await;
        output
    }

    /// Whether a connection has been passed that its worker has not begun to serve.
    fn is_passing(&self) -> bool {
        self.state
            .lock()
            .serving
            .iter()
            .any(|service| service.held.as_ref().is_some_and(|held| !held.has_begun()))
    }

    /// Frees who has served. Ready when nobody serves.
    fn poll_served(&self, task: &mut Task<'_>) -> Poll<()> {
        loop {
            let mut state = self.state.lock();
            match state.serving.poll_next_unpin(task) {
                Poll::Ready(Some((worker, held))) => {
                    state.free.insert(worker);
                    drop(state);
                    drop(held); // lets the next one in, who finds the worker free
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Starts one worker.
fn stand_by<K: Kin>(
    cx: &Context<Supervisor>,
    common: &Arc<Common<K>>,
    pool: &Arc<Pool>,
    mut duty: impl FnMut() -> DutyArgs + Send + 'static,
    options: SpawnOptions,
) -> Result<Standing, Failure> {
    let (common, pool) = (Arc::clone(common), Arc::clone(pool));
    // Where the dispatcher is.
    let options = options.process(common.options().on_system_loop());
    let pack = move || {
        let seats = pool.seats();
        let config = common.config.clone();
        let (deadlines, layout) = (common.deadlines, seats.layout());
        let (issue, duty) = (common.issue(), duty());
        let args = StandingArgs { config, deadlines, layout, issue, duty };
        common.equip(Parcel::new(args).with_descriptor(seats.file()?))
    };
    let worker: ActorRef<Worker<K>> = cx.supervise_portable(options, pack)?;
    let any = worker.any();
    let pass: Pass = Box::new(move |serve| {
        let worker = worker.clone();
        Box::pin(async move {
            if let Err(error) = worker.ask(serve, FOR_EVER).await {
                tracing::warn!(worker = %worker.path(), %error, "a connection was lost");
            }
        })
    });
    Ok(Standing { any, pass })
}
