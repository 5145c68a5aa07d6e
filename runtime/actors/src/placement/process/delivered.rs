//! In the process: a message that came over the wire.

use std::any::type_name;

use super::receipt::Receipt;
use crate::envelope::{Envelope, TypeName, Unpacked, Work};
use crate::portable::PortableMessage;
use crate::{Context, DropReason, Handler};

/// A message that came from the address.
pub(crate) struct Delivered<M> {
    pub(crate) message: M,
    pub(crate) receipt: Receipt,
}

impl<A: Handler<M>, M: PortableMessage> Envelope<A> for Delivered<M> {
    fn message_type(&self) -> TypeName {
        type_name::<M>
    }

    fn open<'a>(self: Box<Self>, actor: &'a mut A, cx: &'a mut Context<A>) -> Option<Work<'a>> {
        let Self { message, receipt } = *self;
        Some(Box::pin(async move {
            let running = receipt.begin();
            let reply = actor.handle(message, cx).await;
            running.finish(&reply);
        }))
    }

    /// Nothing to be said: the address knows which messages were not begun.
    fn discard(self: Box<Self>, _reason: DropReason) {}

    fn is_ask(&self) -> bool {
        self.receipt.is_ask
    }

    fn unpack(self: Box<Self>) -> Option<Unpacked> {
        Some(Unpacked { message: Box::new(self.message), responder: None })
    }
}
