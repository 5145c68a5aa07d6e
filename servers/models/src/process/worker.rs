//! An acceptor in a process of its own: it accepts from the socket that it shares with the others, and serves inline.

use std::borrow::Cow;
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use palco_actors::{
    Actor, ActorRef, Context, Failure, Handler, Luggage, MessageTable, Parcel, Portable,
    SpawnOptions, Supervisor,
};
use serde::{Deserialize, Serialize};

use super::{Common, Kin, unpack};
use crate::acceptor::Run;
use crate::admission::Action;
use crate::books::{Books, Seat};
use crate::crew::{Duties, Duty, DutyArgs, Roster};
use crate::deadlines::Deadlines;
use crate::door::Door;
use crate::requests::{Issue, IssueArgs, Line, Lines};
use crate::seats::{Layout, Seats};
use crate::serve::{Admitted, Shared, serve};
use crate::shedding::Shedding;

/// As in one process: who accepts.
pub(super) struct Acceptor<K: Kin> {
    door: Door<K::Service, K::Codec>,
    lines: Lines,
    seat: usize,
    issue: Option<Arc<Issue>>,
    duty: Duty,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WorkerArgs<C> {
    config: C,
    action: Action,
    /// How long who waits to be accepted may wait before load is shed.
    shed_above: Option<Duration>,
    deadlines: Deadlines,
    layout: Layout,
    seat: usize,
    issue: Option<IssueArgs>,
    duty: DutyArgs,
}

impl<K: Kin> Actor for Acceptor<K> {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts(); // an interrupt is for the request being served
        Ok(())
    }
}

impl<K: Kin> Handler<Run> for Acceptor<K> {
    /// Accepts until a stop.
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        let (door, context) = (&self.door, &*cx);
        let lead = async |mut admitted: Admitted| {
            let _serves = self.duty.begin(&mut admitted.record);
            let line = Line::of_seat(self.lines.clone(), self.seat, self.issue.clone());
            serve(context, &door.shared, admitted.with_line(line)).await;
        };
        if let Err(error) = door.open(context, lead).await {
            cx.fail(error);
        }
    }
}

impl<K: Kin> Portable for Acceptor<K> {
    type Args = WorkerArgs<K::Config>;

    fn kind() -> Cow<'static, str> {
        K::kind("acceptor")
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Run>();
    }

    fn make(args: Self::Args, mut luggage: Luggage) -> Result<Self, Failure> {
        // First: what is made from here on lies in the memory near its cores.
        let mut duty = Duty::from(args.duty);
        duty.take_place()?;
        let socket = Arc::new(TcpListener::from(luggage.take_descriptor()?));
        let seats = Seats::open(luggage.take_descriptor()?, args.layout)?;
        let issue = unpack(args.issue, &mut luggage)?;
        let (service, codec) = K::make(&args.config, &mut luggage)?;
        let shared =
            Arc::new(Shared { service: Arc::new(service), codec, deadlines: args.deadlines });
        let shedding = args.shed_above.map(|above| Shedding { above });
        let (lines, seat) = (Lines::Seats(Arc::clone(&seats)), args.seat);
        let books = Books::Seat(Seat { seats, index: seat }, args.action);
        Ok(Self { door: Door { shared, socket, books, shedding }, lines, seat, issue, duty })
    }
}

/// What the workers of one server have in common.
pub(crate) struct Workers<K: Kin> {
    pub(crate) common: Arc<Common<K>>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) seats: Arc<Seats>,
    pub(crate) action: Action,
    pub(crate) shedding: Option<Shedding>,
    pub(crate) duties: Duties,
}

/// The books of one worker, as the server holds them: settled after each of its lives.
struct Settlement(Arc<Seats>, usize);

impl Drop for Settlement {
    fn drop(&mut self) {
        self.0.settle(self.1);
    }
}

/// Starts a worker.
pub(crate) fn work<K: Kin>(
    supervisor: &ActorRef<Supervisor>,
    workers: &Workers<K>,
    options: SpawnOptions,
    seat: usize,
) -> Result<(), Failure> {
    let Workers { common, roster, seats, action, shedding, duties } = workers;
    let Some(socket) = roster.socket(seat) else { return Ok(()) };
    let serving = Arc::clone(&common.serving);
    let (common, duties, mut lives) = (Arc::clone(common), duties.clone(), 0..);
    let (layout, action, deadlines) = (seats.layout(), *action, common.deadlines);
    let shed_above = shedding.map(|shedding| shedding.above);
    let books = Settlement(Arc::clone(seats), seat);
    let worker = Arc::new(OnceLock::<ActorRef<Acceptor<K>>>::new());
    let options = options.process(common.options());
    // Dropped when the last process has ended, before the actor's end is known.
    let own = Arc::clone(&worker);
    let pack = move || {
        books.0.settle(seat);
        // What begins the first life is told below. A life that has not begun leaves the message to the next one.
        if let Some(worker) = own.get()
            && worker.any().snapshot().queued == 0
        {
            worker.try_tell(Run).map_err(|_| Failure::new("a worker cannot be told to begin"))?;
        }
        let (config, issue) = (common.config.clone(), common.issue());
        let duty = duties.args(seat, lives.next().unwrap_or_default());
        let args = WorkerArgs { config, action, shed_above, deadlines, layout, seat, issue, duty };
        let parcel = Parcel::new(args);
        let parcel = parcel.with_descriptor(socket.try_clone()?).with_descriptor(books.0.file()?);
        common.equip(parcel)
    };
    let started = supervisor.supervise_portable::<Acceptor<K>>(options, pack)?;
    serving.set(seat, started.any());
    let _ = started.try_tell(Run);
    let _ = worker.set(started);
    Ok(())
}
