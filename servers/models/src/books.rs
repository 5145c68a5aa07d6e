//! Who is let in, and who keeps count: the server's own memory, or a process's seat in memory that is shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use palco_actors::{Actor, Context};
use parking_lot::Mutex;

use crate::admission::{Action, Admission, Limits, Permit};
use crate::crew::Stint;
use crate::scoreboard::{Count, Ending, Scoreboard, Scores, Tally};
use crate::seats::Seats;

/// How often a process looks for room again: nobody wakes it when another process gives some back.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What a door needs: limits and counts.
#[derive(Clone, Debug)]
pub(crate) enum Books {
    /// For acceptors of this process.
    Own(Arc<Own>),
    /// For the one acceptor of a process.
    Seat(Seat, Action),
}

/// The books of acceptors that share their memory.
#[derive(Debug)]
pub(crate) struct Own {
    admission: Arc<Admission>,
    scoreboard: Scoreboard,
    /// Whether the server has a successor.
    succeeded: AtomicBool,
}

/// One process's place in the shared books.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) seats: Arc<Seats>,
    pub(crate) index: usize,
}

impl Own {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let (admission, scoreboard) = (Arc::new(Admission::new(limits)), Scoreboard::default());
        Arc::new(Self { admission, scoreboard, succeeded: AtomicBool::new(false) })
    }
}

impl Books {
    pub(crate) fn action(&self) -> Action {
        match self {
            Self::Own(own) => own.admission.action(),
            Self::Seat(_, action) => *action,
        }
    }

    pub(crate) fn count(&self, what: Count) {
        match self {
            Self::Own(own) => own.scoreboard.count(what, 1),
            Self::Seat(seat, _) => seat.seats.count(seat.index, what, 1),
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        match self {
            Self::Own(own) => own.admission.has_room(),
            Self::Seat(seat, _) => seat.seats.has_room(),
        }
    }

    /// Waits until there is room, without taking it. Cancel-safe.
    pub(crate) async fn room<A: Actor>(&self, cx: &Context<A>) {
        match self {
            Self::Own(own) => own.admission.room().await,
            Self::Seat(seat, _) => {
                while !seat.seats.has_room() {
                    cx.sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    /// Enters a connection, if the limit allows one more.
    pub(crate) fn try_admit(&self) -> Option<Record> {
        match self {
            Self::Own(own) => own.admission.try_admit().map(|permit| own.enter(permit)),
            Self::Seat(seat, _) => {
                seat.seats.try_admit(seat.index).then(|| Record::begin(seat.clone()))
            }
        }
    }

    /// Enters a connection as soon as the limit allows one more. Cancel-safe.
    pub(crate) async fn admit<A: Actor>(&self, cx: &Context<A>) -> Record {
        match self {
            Self::Own(own) => own.enter(own.admission.admit().await),
            Self::Seat(..) => loop {
                if let Some(record) = self.try_admit() {
                    return record;
                }
                cx.sleep(LOOK_EVERY).await;
            },
        }
    }
}

impl Own {
    fn enter(self: &Arc<Self>, permit: Permit) -> Record {
        self.scoreboard.count(Count::Accepted, 1);
        let (books, ending) = (Arc::clone(self), Ending::Abandoned);
        Record::of(Entry::Own { books, ending, permit })
    }
}

/// One admitted connection in the books: accepted when made, and with one ending when dropped, whoever drops it. Then
/// its room is given back.
#[derive(Debug)]
pub(crate) struct Record {
    entry: Entry,
    /// The life of the worker that it counts for, if that ends after so many requests.
    stint: Option<Arc<Stint>>,
}

#[derive(Debug)]
enum Entry {
    Own { books: Arc<Own>, ending: Ending, permit: Permit },
    Seat(Seat),
}

impl Record {
    fn of(entry: Entry) -> Self {
        Self { entry, stint: None }
    }

    /// Its requests count for the life of a worker.
    pub(crate) fn counts_for(&mut self, stint: Arc<Stint>) {
        self.stint = Some(stint);
    }

    /// Whether with so many requests of this connection the worker's life is over.
    pub(crate) fn is_last_of_its_worker(&self, requests: u64) -> bool {
        self.stint.as_ref().is_some_and(|stint| stint.is_over(requests))
    }

    /// The connection ends after so many requests; true if the worker's life is over.
    pub(crate) fn end_for_its_worker(&mut self, requests: u64) -> bool {
        self.stint.take().is_some_and(|stint| stint.add(requests))
    }

    /// The connection of a process that is admitted to have it.
    pub(crate) fn begin(seat: Seat) -> Self {
        seat.seats.begin(seat.index);
        Self::of(Entry::Seat(seat))
    }

    /// The connection takes up room at least as long as this lives, also when it has ended by then. A process has
    /// nothing that outlives its connections.
    pub(crate) fn stay(&self) -> Option<Permit> {
        match &self.entry {
            Entry::Own { permit, .. } => Some(permit.clone()),
            Entry::Seat(_) => None,
        }
    }

    /// Whether the server has a successor: who has been accepted by then and has not asked yet may still do so.
    pub(crate) fn is_succeeded(&self) -> bool {
        match &self.entry {
            Entry::Own { books, .. } => books.succeeded.load(Ordering::Acquire),
            Entry::Seat(seat) => seat.seats.is_succeeded(seat.index),
        }
    }

    pub(crate) fn count(&self, what: Count, more: u64) {
        match &self.entry {
            Entry::Own { books, .. } => books.scoreboard.count(what, more),
            Entry::Seat(seat) => seat.seats.count(seat.index, what, more),
        }
    }

    /// Without this the connection counts as abandoned.
    pub(crate) fn ends(&mut self, how: Ending) {
        match &mut self.entry {
            Entry::Own { ending, .. } => *ending = how,
            Entry::Seat(seat) => seat.seats.announce(seat.index, how),
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        match &self.entry {
            // The permit is given back after this.
            Entry::Own { books, ending, .. } => books.scoreboard.count_ending(*ending),
            Entry::Seat(seat) => seat.seats.finish(seat.index),
        }
    }
}

/// The books of a whole server, for who reads them.
#[derive(Debug)]
pub(crate) enum Ledger {
    /// One process.
    Own(Arc<Own>),
    /// Processes that accept: each has its seat.
    Workers(Arc<Seats>),
    /// A process for each connection: the server accepts, each process has a seat for its only connection.
    Connections(Arc<Own>, Arc<Pool>),
}

impl Ledger {
    /// The server has a successor.
    pub(crate) fn mark_succeeded(&self) {
        match self {
            Self::Own(own) => own.succeeded.store(true, Ordering::Release),
            Self::Workers(seats) => seats.mark_succeeded(),
            Self::Connections(own, pool) => {
                own.succeeded.store(true, Ordering::Release);
                pool.seats.mark_succeeded();
            }
        }
    }

    pub(crate) fn scores(&self) -> Scores {
        let mut tally = Tally::default();
        match self {
            Self::Own(own) => {
                let active = own.admission.active() as u64;
                tally.add(own.scoreboard.words());
                tally.scores(active)
            }
            Self::Workers(seats) => {
                let active = seats.active();
                seats.add_to(&mut tally);
                tally.scores(active)
            }
            Self::Connections(own, pool) => {
                // Else counts could be seen twice, or not at all, while a seat is cleared.
                let _still = pool.free.lock();
                let active = own.admission.active() as u64;
                tally.add(own.scoreboard.words());
                for what in Count::SERVED {
                    tally.add_count(what, pool.seats.total(what));
                }
                tally.scores(active)
            }
        }
    }
}

/// Seats that are taken for one connection each.
#[derive(Debug)]
pub(crate) struct Pool {
    seats: Arc<Seats>,
    free: Mutex<Vec<usize>>,
}

/// A connection that a process serves, as the server holds it: entered in its own books, and with a seat. Dropped when
/// the process has ended.
#[derive(Debug)]
pub(crate) struct Held {
    pool: Arc<Pool>,
    pub(crate) index: usize,
    record: Record,
}

impl Pool {
    /// As many seats as there can be connections.
    pub(crate) fn new(seats: Arc<Seats>) -> Arc<Self> {
        let free = (0..seats.layout().seats).rev().collect();
        Arc::new(Self { seats, free: Mutex::new(free) })
    }

    pub(crate) fn seats(&self) -> &Seats {
        &self.seats
    }

    /// A seat for a connection; there are as many as connections can be admitted.
    pub(crate) fn seat(self: &Arc<Self>, record: Record) -> Option<Held> {
        let index = self.free.lock().pop()?;
        Some(Held { pool: Arc::clone(self), index, record })
    }
}

impl Held {
    pub(crate) fn seats(&self) -> &Seats {
        &self.pool.seats
    }

    /// Whether its process has it.
    pub(crate) fn has_begun(&self) -> bool {
        self.pool.seats.has_begun(self.index)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock();
        let (counts, ending) = self.pool.seats.clear(self.index);
        for (what, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            self.record.count(what, count);
        }
        if let Some(ending) = ending {
            self.record.ends(ending);
        }
        free.push(self.index);
    }
}
