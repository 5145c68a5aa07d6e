//! At the far end: a message that came over a wire, and what its sender is owed.

use std::any::type_name;

use serde::Serialize;

use super::{process, remote};
use crate::envelope::{Envelope, TypeName, Unpacked, Work};
use crate::portable::PortableMessage;
use crate::reply::AnyResponder;
use crate::{Context, DropReason, Handler};

/// A message that came from the address.
pub(crate) struct Delivered<M> {
    pub(crate) message: M,
    pub(crate) receipt: Receipt,
}

/// What the sender of a message is owed, while it waits.
pub(crate) enum Receipt {
    /// In an actor's process.
    Process(process::Receipt),
    /// On an actor's node.
    Remote(remote::Owed),
}

/// The same while it is handled. Dropped before the end, it says why.
enum Running {
    Process(process::Running),
    Remote(remote::Owed),
}

impl Receipt {
    fn begin(self) -> Running {
        match self {
            Self::Process(receipt) => Running::Process(receipt.begin()),
            Self::Remote(mut owed) => {
                owed.begin();
                Running::Remote(owed)
            }
        }
    }

    fn is_ask(&self) -> bool {
        match self {
            Self::Process(receipt) => receipt.is_ask,
            Self::Remote(owed) => owed.is_ask(),
        }
    }
}

impl Running {
    fn finish<R: Serialize>(self, reply: &R) {
        match self {
            Self::Process(running) => running.finish(reply),
            Self::Remote(owed) => owed.finish(reply),
        }
    }
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

    fn discard(self: Box<Self>, reason: DropReason) {
        match self.receipt {
            // Nothing to be said: the address knows which messages were not begun.
            Receipt::Process(_) => {}
            Receipt::Remote(owed) => owed.discard(reason),
        }
    }

    fn is_ask(&self) -> bool {
        self.receipt.is_ask()
    }

    fn unpack(self: Box<Self>) -> Option<Unpacked> {
        let responder = match self.receipt {
            Receipt::Process(_) => None,
            Receipt::Remote(mut owed) => {
                owed.begin();
                Some(Box::new(owed) as Box<dyn AnyResponder>)
            }
        };
        Some(Unpacked { message: Box::new(self.message), responder })
    }
}
