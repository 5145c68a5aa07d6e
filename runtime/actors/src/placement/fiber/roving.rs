//! An actor that may go on on another LWP whenever nothing of it runs.
//!
//! Between two turns an actor is its own state, its context and its mailbox, no stack and no future: if all that is
//! [`Send`], any LWP may have it next. A turn lasts from a message (or the start) until the mailbox is empty or the
//! budget is used up, and stays where it began, also while a handler waits.

use std::mem;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Wake, Waker};

use parking_lot::Mutex;

use crate::context::Context;
use crate::life::{self, EndGuard};
use crate::stir::{Ticket, counted};
use crate::vitals::Cell;
use crate::{Actor, Failure, SpawnError, System};

/// What makes an actor before each life.
type Make<A> = Box<dyn FnMut() -> Result<A, Failure> + Send>;

/// All there is of an actor between two turns.
struct Settled<A: Actor> {
    cell: Arc<Cell<A>>,
    actor: Option<A>,
    make: Make<A>,
    cx: Context<A>,
    /// Dropped without an end, it ends the actor.
    end: EndGuard<A>,
}

/// Where an actor is.
enum Whereabouts<A: Actor> {
    /// Between two turns, until it is woken.
    Resting(Box<Settled<A>>),
    /// On its way to an LWP, or in a turn there.
    Away {
        /// Woken meanwhile: another turn follows.
        woken: bool,
    },
    Ended,
}

struct Rover<A: Actor>(Mutex<Whereabouts<A>>);

/// Starts the lives of an actor on whichever LWP has time first, turn by turn.
pub(crate) fn start<A: Actor + Send>(
    system: &System,
    cell: Arc<Cell<A>>,
    make: impl FnMut() -> Result<A, Failure> + Send + 'static,
) -> Result<(), SpawnError> {
    let end = EndGuard::new(Arc::clone(&cell));
    system.fibers()?;
    let settled = Box::new(Settled {
        cx: Context::new(Arc::clone(&cell)),
        cell,
        actor: None,
        make: Box::new(make),
        end,
    });
    let rover = Arc::new(Rover(Mutex::new(Whereabouts::Away { woken: false })));
    rover.send_off(settled)
}

impl<A: Actor + Send> Rover<A> {
    /// To whichever LWP has time first. Refused, the actor ends.
    fn send_off(self: Arc<Self>, settled: Box<Settled<A>>) -> Result<(), SpawnError> {
        let system = settled.cell.vitals.system.clone();
        let name = settled.cell.vitals.path().into();
        let ticket = system.clock().is_virtual().then(|| Ticket::new(system.stir()));
        let turns = move || counted(ticket, self.turns(settled));
        super::run(&system, name, None, turns)
    }

    /// Turns, as many as follow one another.
    async fn turns(self: Arc<Self>, mut settled: Box<Settled<A>>) {
        let waker = Waker::from(Arc::clone(&self));
        let reason = loop {
            let Settled { cell, actor, make, cx, .. } = &mut *settled;
            let ended = match actor {
                None => match life::begin(cell, cx, make).await {
                    Ok((begun, failed)) => {
                        *actor = Some(begun);
                        failed.or_else(|| cx.take_end())
                    }
                    Err(reason) => Some(reason),
                },
                Some(living) => match cx.poll_next(&mut Task::from_waker(&waker)) {
                    Poll::Ready(next) => {
                        let ended = life::turn(cell, living, cx, next).await;
                        ended.or_else(|| cx.take_end())
                    }
                    Poll::Pending => return self.rest(settled),
                },
            };
            let Some(reason) = ended else { continue };
            let reason = match actor.take() {
                Some(actor) => life::end(cell, actor, cx, reason).await,
                None => reason,
            };
            if let Some(reason) = life::follow(cell, cx, reason).await {
                break reason;
            }
        };
        *self.0.lock() = Whereabouts::Ended;
        let Settled { make, cx, end, .. } = *settled;
        drop(make); // what it holds is free when the end is known
        life::conclude(end, cx, reason);
    }

    /// Until it is woken, or not at all if it has been.
    fn rest(self: Arc<Self>, settled: Box<Settled<A>>) {
        let mut whereabouts = self.0.lock();
        if !matches!(*whereabouts, Whereabouts::Away { woken: true }) {
            *whereabouts = Whereabouts::Resting(settled);
            return;
        }
        *whereabouts = Whereabouts::Away { woken: false };
        drop(whereabouts);
        // A pool that stops refuses; then the actor has ended with what it was given.
        let _ = self.send_off(settled);
    }
}

impl<A: Actor + Send> Wake for Rover<A> {
    fn wake(self: Arc<Self>) {
        let mut whereabouts = self.0.lock();
        match mem::replace(&mut *whereabouts, Whereabouts::Away { woken: true }) {
            Whereabouts::Resting(settled) => {
                *whereabouts = Whereabouts::Away { woken: false };
                drop(whereabouts);
                let _ = self.send_off(settled);
            }
            Whereabouts::Away { .. } => {}
            Whereabouts::Ended => *whereabouts = Whereabouts::Ended,
        }
    }
}
