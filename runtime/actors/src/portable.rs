//! Actors that a fresh process can make, and the table of what they can be sent there.
//!
//! Nothing but data crosses to another process: the actor's kind (a stable name), its arguments, its messages and
//! their replies, all through serde. What an actor is made from is therefore a [`Parcel`] and not a closure, and the
//! other process finds the code by the kind in its [`Repertoire`](crate::Repertoire), which one plain function fills.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::descriptor::{handing_out, noting};
use crate::envelope::{Envelope, TypeName};
use crate::grant::Grant;
use crate::placement::delivered::{Delivered, Receipt};
use crate::reply::{AnyResponder, NoReply, Responder};
use crate::{Actor, Failure, Handler, Message};

/// An actor that can be made from data, in any process that knows its kind.
pub trait Portable: Actor {
    /// What it is made from; sent to its process at every start.
    type Args: Serialize + DeserializeOwned + Send + 'static;

    /// The stable name under which every process of this program knows this actor.
    fn kind() -> Cow<'static, str>;

    /// Enters the messages that it can be sent in another process. A message that is not entered reaches it only
    /// inside its own process; elsewhere it becomes a dead letter.
    fn messages(table: &mut MessageTable<Self>);

    /// Makes the actor, in the process where it will live.
    ///
    /// # Errors
    /// A failure ends the life with [`ExitReason::StartFailed`](crate::ExitReason::StartFailed).
    fn make(args: Self::Args, luggage: Luggage) -> Result<Self, Failure>;
}

/// A message that can cross to another process.
pub trait PortableMessage:
    Message<Reply: Serialize + DeserializeOwned> + Serialize + DeserializeOwned
{
}

impl<M> PortableMessage for M where
    M: Message<Reply: Serialize + DeserializeOwned> + Serialize + DeserializeOwned
{
}

/// Everything one life of a portable actor is made from.
#[derive(Debug)]
pub struct Parcel<A: Portable> {
    pub(crate) args: A::Args,
    pub(crate) luggage: Luggage,
}

/// What an actor brings along beside its arguments.
#[derive(Debug, Default)]
pub struct Luggage {
    /// Open files and sockets, in the order in which they were packed.
    pub descriptors: Vec<OwnedFd>,
    /// Actors of the parent's process that it may talk to, in the order in which they were packed.
    pub grants: Vec<Grant>,
}

impl<A: Portable> Parcel<A> {
    /// Arguments alone.
    #[must_use]
    pub fn new(args: A::Args) -> Self {
        Self { args, luggage: Luggage::default() }
    }

    /// With an open file or socket.
    #[must_use]
    pub fn with_descriptor(mut self, descriptor: impl Into<OwnedFd>) -> Self {
        self.luggage.descriptors.push(descriptor.into());
        self
    }

    /// With the right to talk to an actor.
    #[must_use]
    pub fn with_grant(mut self, grant: Grant) -> Self {
        self.luggage.grants.push(grant);
        self
    }

    pub(crate) fn unpack(self) -> Result<A, Failure> {
        A::make(self.args, self.luggage)
    }
}

impl Luggage {
    /// Takes the descriptor that was packed first.
    ///
    /// # Errors
    /// A failure when there is none left.
    pub fn take_descriptor(&mut self) -> Result<OwnedFd, Failure> {
        if self.descriptors.is_empty() {
            return Err(Failure::new("a descriptor is missing in the luggage"));
        }
        Ok(self.descriptors.remove(0))
    }

    /// Takes the grant that was packed first.
    ///
    /// # Errors
    /// A failure when there is none left.
    pub fn take_grant(&mut self) -> Result<Grant, Failure> {
        if self.grants.is_empty() {
            return Err(Failure::new("a grant is missing in the luggage"));
        }
        Ok(self.grants.remove(0))
    }
}

/// The messages that an actor can be sent from another process. A message's number is its place in the table, which
/// is the same in every process of the same program.
pub struct MessageTable<A> {
    pub(crate) entries: Vec<Entry<A>>,
}

/// How one type of message is sent, received and answered.
pub(crate) struct Entry<A> {
    pub(crate) message: TypeId,
    pub(crate) name: TypeName,
    /// In the sender: appends the message's bytes, and returns what it holds open.
    pub(crate) pack: Pack,
    /// In the receiver: makes an envelope of the bytes.
    pub(crate) receive: Receive<A>,
    /// In the sender: hands the reply's bytes to who asked; false if they are no reply.
    pub(crate) settle: Settle,
}

type Pack = fn(Box<dyn Any + Send>, &mut Vec<u8>) -> Result<Passed, postcard::Error>;
type Settle = fn(Box<dyn AnyResponder>, Result<&[u8], NoReply>) -> bool;
type Receive<A> =
    fn(&[u8], VecDeque<OwnedFd>, Receipt) -> Result<Box<dyn Envelope<A>>, postcard::Error>;

/// Descriptors on their way to another process.
pub(crate) type Passed = Vec<Arc<OwnedFd>>;

impl<A: Actor> MessageTable<A> {
    pub(crate) fn of() -> Self
    where
        A: Portable,
    {
        let mut table = Self { entries: Vec::new() };
        A::messages(&mut table);
        table
    }

    /// Enters a message.
    pub fn handles<M: PortableMessage>(&mut self) -> &mut Self
    where
        A: Handler<M>,
    {
        self.entries.push(Entry {
            message: TypeId::of::<M>(),
            name: std::any::type_name::<M>,
            pack: |message, bytes| {
                let message =
                    message.downcast::<M>().map_err(|_| postcard::Error::WontImplement)?;
                noting(|| to_bytes(&*message, bytes))
            },
            receive: |bytes, descriptors, receipt| {
                let message = handing_out(descriptors, || postcard::from_bytes::<M>(bytes))?;
                Ok(Box::new(Delivered { message, receipt }))
            },
            settle: |responder, outcome| {
                let bytes = match outcome {
                    Ok(bytes) => bytes,
                    Err(why) => {
                        responder.fail(why);
                        return true;
                    }
                };
                let responder = match responder.pass_on(bytes) {
                    Ok(()) => return true,
                    Err(responder) => responder,
                };
                let responder = responder.into_any().downcast::<Responder<M::Reply>>();
                let reply = postcard::from_bytes::<M::Reply>(bytes);
                let (Ok(responder), Ok(reply)) = (responder, reply) else { return false };
                responder.answer(reply);
                true
            },
        });
        self
    }

    /// The number of a message's type.
    pub(crate) fn number(&self, message: TypeId) -> Option<u16> {
        let place = self.entries.iter().position(|entry| entry.message == message)?;
        u16::try_from(place).ok()
    }
}

/// Appends `value` in the form in which it crosses to other processes.
pub(crate) fn to_bytes<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), postcard::Error> {
    postcard::to_io(value, bytes).map(drop)
}

impl<A> fmt::Debug for MessageTable<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|entry| (entry.name)())).finish()
    }
}
