//! A message on its way: what the mailbox holds, whatever the type inside.

use std::any::{Any, type_name};
use std::future::Future;
use std::pin::Pin;

use crate::guard::contained;
use crate::observation::Stamp;
use crate::reply::{AnyResponder, Responder};
use crate::{Actor, Context, DropReason, Handler, Message};

/// The work of one message, borrowed from its actor.
pub(crate) type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Names a type; a function because the name of a type is not yet a constant in Rust.
pub(crate) type TypeName = fn() -> &'static str;

pub(crate) trait Envelope<A: Actor>: Send {
    /// The type of the message inside.
    fn message_type(&self) -> TypeName;

    /// The handler's future, or nothing if the asker has gone and the message must not be handled.
    fn open<'a>(self: Box<Self>, actor: &'a mut A, cx: &'a mut Context<A>) -> Option<Work<'a>>;

    /// Whether somebody waits for the reply.
    fn is_ask(&self) -> bool;

    /// What is inside, on its way to another process; nothing if the asker has gone.
    fn unpack(self: Box<Self>) -> Option<Unpacked>;

    /// Tells the asker, if there is one, that the message will not be handled.
    fn discard(self: Box<Self>, reason: DropReason);

    /// What was noted when it was sent, if it is observed.
    fn stamp(&self) -> Option<&Stamp> {
        None
    }
}

/// An opened message that is not handled here.
pub(crate) struct Unpacked {
    pub(crate) message: Box<dyn Any + Send>,
    pub(crate) responder: Option<Box<dyn AnyResponder>>,
}

/// A message that nobody waits for.
pub(crate) struct Tell<M>(pub(crate) M);

/// A message whose sender waits for the reply.
pub(crate) struct Ask<M: Message> {
    pub(crate) message: M,
    pub(crate) responder: Responder<M::Reply>,
}

impl<A: Handler<M>, M: Message> Envelope<A> for Tell<M> {
    fn message_type(&self) -> TypeName {
        type_name::<M>
    }

    fn open<'a>(self: Box<Self>, actor: &'a mut A, cx: &'a mut Context<A>) -> Option<Work<'a>> {
        let message = self.0;
        Some(Box::pin(async move {
            actor.handle(message, cx).await;
        }))
    }

    fn is_ask(&self) -> bool {
        false
    }

    fn unpack(self: Box<Self>) -> Option<Unpacked> {
        Some(Unpacked { message: Box::new(self.0), responder: None })
    }

    fn discard(self: Box<Self>, _reason: DropReason) {}
}

impl<A: Handler<M>, M: Message> Envelope<A> for Ask<M> {
    fn message_type(&self) -> TypeName {
        type_name::<M>
    }

    fn open<'a>(self: Box<Self>, actor: &'a mut A, cx: &'a mut Context<A>) -> Option<Work<'a>> {
        let Self { message, responder } = *self;
        if !responder.begin() {
            // A message's own Drop may panic; that is not this actor's failure.
            let _ = contained(|| drop(message));
            return None;
        }
        Some(Box::pin(async move {
            let reply = actor.handle(message, cx).await;
            responder.answer(reply);
        }))
    }

    fn is_ask(&self) -> bool {
        true
    }

    fn unpack(self: Box<Self>) -> Option<Unpacked> {
        let Self { message, responder } = *self;
        if !responder.begin() {
            let _ = contained(|| drop(message));
            return None;
        }
        Some(Unpacked { message: Box::new(message), responder: Some(Box::new(responder)) })
    }

    fn discard(self: Box<Self>, reason: DropReason) {
        self.responder.discard(reason);
    }
}
