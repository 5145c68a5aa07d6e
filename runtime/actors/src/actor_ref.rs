//! Addresses: how everybody but the actor itself sees an actor.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use palco_core::{ActorId, ExitReason};

use crate::any_ref::AnyRef;
use crate::envelope::{Ask, Envelope, Tell};
use crate::mailbox::LaneKind;
use crate::observation::Stamped;
use crate::reply::{Answer, Responder, reply_pair};
use crate::signal::{self, STOP};
use crate::vitals::{AnyCell, Cell};
use crate::{Actor, AskError, Handler, Message, PlaceKind, SendError};

/// The address of an actor. Cheap to clone; says nothing about where the actor lives; stays valid over restarts.
pub struct ActorRef<A: Actor> {
    cell: Arc<Cell<A>>,
}

/// The right to send an actor urgent messages, which overtake everything queued in its normal lane.
///
/// Only the actor itself makes one ([`Context::urgent_ref`](crate::Context::urgent_ref)), or its parent
/// ([`Context::urgent_ref_of`](crate::Context::urgent_ref_of)), and hands it to whom it trusts (after Erlang's EEP 76). Urgent messages keep their order among themselves.
pub struct UrgentRef<A: Actor> {
    cell: Arc<Cell<A>>,
}

/// An address reduced to one type of message: who holds it does not know the actor's type.
pub struct Recipient<M: Message> {
    target: Arc<dyn Deliver<M>>,
}

pub(crate) type Asking<M> =
    Pin<Box<dyn Future<Output = Result<<M as Message>::Reply, AskError<M>>> + Send>>;

pub(crate) trait Deliver<M: Message>: Send + Sync {
    fn try_tell(&self, message: M) -> Result<(), SendError<M>>;
    fn force_urgent(&self, message: M) -> Result<(), SendError<M>>;
    fn ask(self: Arc<Self>, message: M, within: Duration) -> Asking<M>;
}

impl<A: Actor> ActorRef<A> {
    pub(crate) fn new(cell: Arc<Cell<A>>) -> Self {
        Self { cell }
    }

    /// The actor's id; a restart keeps it.
    #[must_use]
    pub fn id(&self) -> ActorId {
        self.cell.vitals.id
    }

    /// The actor's path, for people.
    #[must_use]
    pub fn path(&self) -> String {
        self.cell.vitals.path()
    }

    /// Where the actor lives.
    #[must_use]
    pub fn place(&self) -> PlaceKind {
        self.cell.vitals.place
    }

    /// Queues `message`; waits while the lane is full. Cancel-safe: dropped early, nothing was sent.
    ///
    /// # Errors
    /// [`SendError::Closed`] with the message when the actor has ended; never [`SendError::Full`].
    pub async fn tell<M: Message>(&self, message: M) -> Result<(), SendError<M>>
    where
        A: Handler<M>,
    {
        tell(&self.cell, LaneKind::Normal, message).await
    }

    /// Queues `message` if there is room at once.
    ///
    /// # Errors
    /// [`SendError`] with the message.
    pub fn try_tell<M: Message>(&self, message: M) -> Result<(), SendError<M>>
    where
        A: Handler<M>,
    {
        try_tell(&self.cell, LaneKind::Normal, message)
    }

    /// Queues `message` (waiting for room) and waits for the reply, both within `within`.
    ///
    /// Dropped before the handler began, the message is taken back; dropped later, only the reply is lost.
    ///
    /// # Errors
    /// [`AskError`]; each variant says what is known of the message's effect.
    pub async fn ask<M: Message>(
        &self,
        message: M,
        within: Duration,
    ) -> Result<M::Reply, AskError<M>>
    where
        A: Handler<M>,
    {
        ask(&self.cell, LaneKind::Normal, message, within).await
    }

    /// This address for one type of message.
    #[must_use]
    pub fn recipient<M: Message>(&self) -> Recipient<M>
    where
        A: Handler<M>,
    {
        Recipient { target: Arc::clone(&self.cell) as Arc<dyn Deliver<M>> }
    }

    /// This address without its type: for signals, snapshots and waiting for the end.
    #[must_use]
    pub fn any(&self) -> AnyRef {
        AnyRef::new(Arc::clone(&self.cell) as Arc<dyn AnyCell>)
    }

    /// Asks the actor to end after the running handler. What is queued becomes dead letters.
    pub fn stop(&self) {
        signal::send(&(Arc::clone(&self.cell) as Arc<dyn AnyCell>), STOP);
    }

    /// Completes when the actor has ended for good. Cancel-safe.
    pub async fn exited(&self) -> ExitReason {
        self.cell.vitals.until(crate::vitals::Vitals::exit).await
    }

    pub(crate) fn force<M: Message>(&self, message: M) -> Result<(), SendError<()>>
    where
        A: Handler<M>,
    {
        let sent =
            self.cell.mailbox.force(LaneKind::Normal, Box::new(Tell(message)), |tell| tell as _);
        sent.map_err(|error| error.map(drop))
    }

    /// The right to urgent messages, for the parent.
    pub(crate) fn urgent_for(&self, parent: &Arc<dyn AnyCell>) -> Option<UrgentRef<A>> {
        let own = self.cell.vitals.parent.as_ref()?;
        (own.vitals().id == parent.vitals().id).then(|| UrgentRef::new(Arc::clone(&self.cell)))
    }

    pub(crate) fn shared(&self) -> Arc<Cell<A>> {
        Arc::clone(&self.cell)
    }

    pub(crate) fn downgrade(&self) -> Weak<Cell<A>> {
        Arc::downgrade(&self.cell)
    }

    pub(crate) fn cell(&self) -> Arc<dyn AnyCell> {
        Arc::clone(&self.cell) as Arc<dyn AnyCell>
    }
}

impl<A: Actor> UrgentRef<A> {
    pub(crate) fn new(cell: Arc<Cell<A>>) -> Self {
        Self { cell }
    }

    pub(crate) fn shared(&self) -> Arc<Cell<A>> {
        Arc::clone(&self.cell)
    }

    /// As [`ActorRef::tell`], in the urgent lane.
    ///
    /// # Errors
    /// As [`ActorRef::tell`].
    pub async fn tell<M: Message>(&self, message: M) -> Result<(), SendError<M>>
    where
        A: Handler<M>,
    {
        tell(&self.cell, LaneKind::Urgent, message).await
    }

    /// As [`ActorRef::try_tell`], in the urgent lane.
    ///
    /// # Errors
    /// As [`ActorRef::try_tell`].
    pub fn try_tell<M: Message>(&self, message: M) -> Result<(), SendError<M>>
    where
        A: Handler<M>,
    {
        try_tell(&self.cell, LaneKind::Urgent, message)
    }

    /// As [`ActorRef::ask`], in the urgent lane.
    ///
    /// # Errors
    /// As [`ActorRef::ask`].
    pub async fn ask<M: Message>(
        &self,
        message: M,
        within: Duration,
    ) -> Result<M::Reply, AskError<M>>
    where
        A: Handler<M>,
    {
        ask(&self.cell, LaneKind::Urgent, message, within).await
    }
}

impl<M: Message> Recipient<M> {
    pub(crate) fn over(target: Arc<dyn Deliver<M>>) -> Self {
        Self { target }
    }

    /// As [`ActorRef::try_tell`].
    ///
    /// # Errors
    /// [`SendError`] with the message.
    pub fn try_tell(&self, message: M) -> Result<(), SendError<M>> {
        self.target.try_tell(message)
    }

    /// As [`ActorRef::ask`].
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn ask(&self, message: M, within: Duration) -> Result<M::Reply, AskError<M>> {
        Arc::clone(&self.target).ask(message, within).await
    }

    /// Urgent and whatever the capacity: for the system's own reports, bounded by the number of actors.
    pub(crate) fn force_urgent(&self, message: M) -> Result<(), SendError<M>> {
        self.target.force_urgent(message)
    }
}

impl<A: Handler<M>, M: Message> Deliver<M> for Cell<A> {
    fn try_tell(&self, message: M) -> Result<(), SendError<M>> {
        try_tell(self, LaneKind::Normal, message)
    }

    fn force_urgent(&self, message: M) -> Result<(), SendError<M>> {
        let stamp = self.stamp(LaneKind::Urgent);
        let tell = Box::new(Tell(message));
        let sent = self.mailbox.force(LaneKind::Urgent, tell, |tell| Stamped::wrap(tell, stamp));
        sent.map_err(|error| error.map(|tell| tell.0))
    }

    fn ask(self: Arc<Self>, message: M, within: Duration) -> Asking<M> {
        Box::pin(async move { ask(&self, LaneKind::Normal, message, within).await })
    }
}

fn try_tell<A: Handler<M>, M: Message>(
    cell: &Cell<A>,
    lane: LaneKind,
    message: M,
) -> Result<(), SendError<M>> {
    // Boxed before the mailbox's lock is taken, and unboxed in the rare case that it is given back.
    let sent = try_send(cell, lane, Box::new(Tell(message)), |tell| tell as _);
    sent.map_err(|error| error.map(|tell| tell.0))
}

/// Queues a message, with a stamp if it is observed.
fn try_send<A: Actor, E>(
    cell: &Cell<A>,
    lane: LaneKind,
    message: Box<E>,
    wrap: impl FnOnce(Box<E>) -> Box<dyn Envelope<A>>,
) -> Result<(), SendError<Box<E>>> {
    match cell.stamp(lane) {
        None => cell.mailbox.try_send(lane, message, wrap),
        stamp => cell.mailbox.try_send(lane, message, |it| Stamped::wrap(wrap(it), stamp)),
    }
}

async fn tell<A: Handler<M>, M: Message>(
    cell: &Cell<A>,
    lane: LaneKind,
    mut message: M,
) -> Result<(), SendError<M>> {
    loop {
        match try_tell(cell, lane, message) {
            Err(SendError::Full(back)) => message = back,
            done => return done,
        }
        let room = cell.mailbox.lane(lane).listen_for_room();
        match try_tell(cell, lane, message) {
            Err(SendError::Full(back)) => message = back,
            done => return done,
        }
        room.await;
    }
}

async fn ask<A: Handler<M>, M: Message>(
    cell: &Cell<A>,
    lane: LaneKind,
    message: M,
    within: Duration,
) -> Result<M::Reply, AskError<M>> {
    let clock = cell.vitals.system.clock();
    let _wait = cell.vitals.system.observation().wait::<M>(&cell.vitals);
    let (responder, answer) = reply_pair::<M::Reply>();
    clock.expire_after(within, answer.expiry());
    match try_ask(cell, lane, message, responder) {
        Ok(()) => answer.await.map_err(AskError::from),
        Err(SendError::Closed((message, _))) => Err(AskError::Closed(message)),
        Err(SendError::Full(back)) => ask_when_room(cell, lane, back, answer).await,
    }
}

/// A question that was not queued.
type Unasked<M> = (M, Responder<<M as Message>::Reply>);

/// The slow way: waits for room and, at the same time, for the deadline, which settles the answer.
async fn ask_when_room<A: Handler<M>, M: Message>(
    cell: &Cell<A>,
    lane: LaneKind,
    mut back: Unasked<M>,
    mut answer: Answer<M::Reply>,
) -> Result<M::Reply, AskError<M>> {
    loop {
        let room = cell.mailbox.lane(lane).listen_for_room();
        match try_ask(cell, lane, back.0, back.1) {
            Ok(()) => return answer.await.map_err(AskError::from),
            Err(SendError::Closed((message, _))) => return Err(AskError::Closed(message)),
            Err(SendError::Full(again)) => back = again,
        }
        let expired = futures_util::future::select(room, &mut answer).await;
        if let futures_util::future::Either::Right(_) = expired {
            return Err(AskError::Full(back.0));
        }
    }
}

fn try_ask<A: Handler<M>, M: Message>(
    cell: &Cell<A>,
    lane: LaneKind,
    message: M,
    responder: Responder<M::Reply>,
) -> Result<(), SendError<Unasked<M>>> {
    let ask = Box::new(Ask { message, responder });
    let sent = try_send(cell, lane, ask, |ask| ask as _);
    sent.map_err(|error| error.map(|ask| (ask.message, ask.responder)))
}

impl<A: Actor> Clone for ActorRef<A> {
    fn clone(&self) -> Self {
        Self { cell: Arc::clone(&self.cell) }
    }
}

impl<A: Actor> Clone for UrgentRef<A> {
    fn clone(&self) -> Self {
        Self { cell: Arc::clone(&self.cell) }
    }
}

impl<M: Message> Clone for Recipient<M> {
    fn clone(&self) -> Self {
        Self { target: Arc::clone(&self.target) }
    }
}

impl<A: Actor> fmt::Debug for ActorRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorRef({})", self.path())
    }
}

impl<A: Actor> fmt::Debug for UrgentRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UrgentRef({})", self.cell.vitals.path())
    }
}

impl<M: Message> fmt::Debug for Recipient<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").finish_non_exhaustive()
    }
}
