//! The right to talk to an actor of another process or node: packed by who starts a life there, used inside it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::actor_ref::{Asking, Deliver};
use crate::portable::{PortableMessage, to_bytes};
use crate::reply::NoReply;
use crate::{AskError, DropReason, Failure, Recipient, SendError};

/// One address that an actor in another process or on another node may use, for one type of message. A capability: it
/// knows what it was granted and nothing else.
#[derive(Clone)]
pub struct Grant(Arc<dyn Granted>);

/// What came of a call from another process. The bytes are those of the reply.
pub(crate) type Outcome = Result<Vec<u8>, CallError>;

pub(crate) type Calling = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Why a call from another process has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CallError {
    Full,
    Closed,
    /// The bytes are no such message, or the reply does not fit.
    Malformed,
    No(NoReply),
}

/// The way from an actor elsewhere back to where its grants are: out of its process, or off its node.
pub(crate) trait Homeward: Send + Sync {
    /// Tells a granted actor; false if too much is waiting already.
    fn tell(&self, grant: u32, message: &[u8]) -> bool;
    /// Asks a granted actor; none if too much is waiting already.
    fn call(&self, grant: u32, message: &[u8], within: Duration) -> Option<Calling>;
}

trait Granted: Send + Sync {
    fn call(&self, message: &[u8], within: Duration) -> Calling;
    fn tell(&self, message: &[u8]) -> Result<(), CallError>;
    /// The [`Recipient`] inside, by its type.
    fn recipient(&self) -> Option<Box<dyn Any>>;
    /// The recipient for who only has its number.
    fn number(&self) -> Option<(Arc<dyn Homeward>, u32)>;
}

impl Grant {
    /// Grants the use of `recipient`.
    #[must_use]
    pub fn of<M: PortableMessage>(recipient: Recipient<M>) -> Self {
        Self(Arc::new(Here(recipient)))
    }

    /// In the process, or on the node, that it was granted to.
    pub(crate) fn there(home: Arc<dyn Homeward>, number: u32) -> Self {
        Self(Arc::new(There(home, number)))
    }

    /// The address, for messages of type `M`: the type that was granted.
    ///
    /// # Errors
    /// A failure in the granting process if the type is another one. In the other process that shows with the first
    /// message, which becomes [`DropReason::NotPortable`].
    pub fn recipient<M: PortableMessage>(&self) -> Result<Recipient<M>, Failure> {
        if let Some((home, number)) = self.0.number() {
            return Ok(Recipient::over(Arc::new(Distant { home, number })));
        }
        let recipient = self.0.recipient().and_then(|any| any.downcast::<Recipient<M>>().ok());
        recipient.map(|found| *found).ok_or_else(|| Failure::new("the grant is for other messages"))
    }

    pub(crate) fn call(&self, message: &[u8], within: Duration) -> Calling {
        self.0.call(message, within)
    }

    pub(crate) fn tell(&self, message: &[u8]) -> Result<(), CallError> {
        self.0.tell(message)
    }
}

/// In the process of the granted actor.
struct Here<M: PortableMessage>(Recipient<M>);

impl<M: PortableMessage> Granted for Here<M> {
    fn call(&self, message: &[u8], within: Duration) -> Calling {
        let message = postcard::from_bytes::<M>(message);
        let recipient = self.0.clone();
        Box::pin(async move {
            let message = message.map_err(|_| CallError::Malformed)?;
            let reply = recipient.ask(message, within).await.map_err(CallError::of)?;
            let mut bytes = Vec::new();
            to_bytes(&reply, &mut bytes).map_err(|_| CallError::Malformed)?;
            Ok(bytes)
        })
    }

    fn tell(&self, message: &[u8]) -> Result<(), CallError> {
        let message = postcard::from_bytes::<M>(message).map_err(|_| CallError::Malformed)?;
        self.0.try_tell(message).map_err(|error| match error {
            SendError::Full(_) => CallError::Full,
            SendError::Closed(_) => CallError::Closed,
        })
    }

    fn recipient(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.0.clone()))
    }

    fn number(&self) -> Option<(Arc<dyn Homeward>, u32)> {
        None
    }
}

/// In the process, or on the node, that it was granted to.
struct There(Arc<dyn Homeward>, u32);

impl Granted for There {
    fn call(&self, _: &[u8], _: Duration) -> Calling {
        Box::pin(std::future::ready(Err(CallError::Closed)))
    }

    fn tell(&self, _: &[u8]) -> Result<(), CallError> {
        Err(CallError::Closed)
    }

    fn recipient(&self) -> Option<Box<dyn Any>> {
        None
    }

    fn number(&self) -> Option<(Arc<dyn Homeward>, u32)> {
        Some((Arc::clone(&self.0), self.1))
    }
}

impl CallError {
    fn of<M>(error: AskError<M>) -> Self {
        match error {
            AskError::Full(_) => Self::Full,
            AskError::Closed(_) => Self::Closed,
            AskError::Expired => Self::No(NoReply::Expired),
            AskError::OutcomeUnknown => Self::No(NoReply::OutcomeUnknown),
            AskError::Dropped(reason) => Self::No(NoReply::Dropped(reason)),
            AskError::Abandoned(why) => Self::No(NoReply::Abandoned(why)),
        }
    }
}

/// A granted address as the other side sees it.
struct Distant {
    home: Arc<dyn Homeward>,
    number: u32,
}

impl<M: PortableMessage> Deliver<M> for Distant {
    fn try_tell(&self, message: M) -> Result<(), SendError<M>> {
        let mut body = Vec::new();
        let sent = to_bytes(&message, &mut body).is_ok() && self.home.tell(self.number, &body);
        if sent { Ok(()) } else { Err(SendError::Full(message)) }
    }

    fn force_urgent(&self, message: M) -> Result<(), SendError<M>> {
        self.try_tell(message)
    }

    fn ask(self: Arc<Self>, message: M, within: Duration) -> Asking<M> {
        let mut body = Vec::new();
        let is_written = to_bytes(&message, &mut body).is_ok();
        let call = if is_written { self.home.call(self.number, &body, within) } else { None };
        Box::pin(async move {
            if !is_written {
                return Err(AskError::Dropped(DropReason::NotPortable));
            }
            let Some(call) = call else { return Err(AskError::Full(message)) };
            match call.await {
                Ok(bytes) => postcard::from_bytes(&bytes).map_err(|_| AskError::OutcomeUnknown),
                Err(CallError::Full) => Err(AskError::Full(message)),
                Err(CallError::Closed) => Err(AskError::Closed(message)),
                Err(CallError::Malformed) => Err(AskError::Dropped(DropReason::NotPortable)),
                Err(CallError::No(why)) => Err(why.into()),
            }
        })
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").finish_non_exhaustive()
    }
}
