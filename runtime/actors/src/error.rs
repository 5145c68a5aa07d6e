//! What can go wrong between an actor and who talks to it; whatever was not delivered is given back.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use crate::DropReason;

/// A message was not put into the mailbox; it is given back.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum SendError<M> {
    /// The lane is full. Waiting with `tell` is the alternative to trying.
    #[error("mailbox is full")]
    Full(M),
    /// The actor has ended for good.
    #[error("actor has ended")]
    Closed(M),
}

impl<M> SendError<M> {
    /// The message that was not delivered.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message) | Self::Closed(message) => message,
        }
    }

    pub(crate) fn map<N>(self, change: impl FnOnce(M) -> N) -> SendError<N> {
        match self {
            Self::Full(message) => SendError::Full(change(message)),
            Self::Closed(message) => SendError::Closed(change(message)),
        }
    }
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Closed(_) => "Closed",
        })
    }
}

/// Why an ask has no reply. The variants differ in what is known of the message's effect.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskError<M> {
    /// No effect: there was no room before the deadline; the message is given back.
    #[error("mailbox stayed full until the deadline")]
    Full(M),
    /// No effect: the actor has ended for good; the message is given back.
    #[error("actor has ended")]
    Closed(M),
    /// No effect: the deadline passed while the message was queued; it will never be handled.
    #[error("deadline passed before the message was handled")]
    Expired,
    /// No effect: the actor ended while the message was queued.
    #[error("message was dropped: {0}")]
    Dropped(DropReason),
    /// Partial effect: the handler began and did not finish.
    #[error("handler did not finish: {0}")]
    Abandoned(Abandoned),
    /// Unknown effect: the deadline passed while the handler was running, or the actor's node was lost after the message
    /// had been handed over.
    #[error("nobody knows what became of the message: it may have taken effect, or may still")]
    OutcomeUnknown,
}

impl<M> fmt::Debug for AskError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("Full"),
            Self::Closed(_) => f.write_str("Closed"),
            Self::Expired => f.write_str("Expired"),
            Self::Dropped(reason) => f.debug_tuple("Dropped").field(reason).finish(),
            Self::Abandoned(why) => f.debug_tuple("Abandoned").field(why).finish(),
            Self::OutcomeUnknown => f.write_str("OutcomeUnknown"),
        }
    }
}

/// Why a handler began and did not finish.
#[derive(thiserror::Error, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Abandoned {
    /// It panicked.
    #[error("it panicked")]
    Panicked,
    /// It was interrupted; the actor goes on.
    #[error("it was interrupted")]
    Interrupted,
    /// Its actor was killed.
    #[error("its actor was killed")]
    Killed,
    /// The process that it ran in has ended.
    #[error("its process ended")]
    ProcessEnded,
}

/// Why an actor could not be started.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// A living actor has this path.
    #[error("the name `{0}` is taken")]
    NameTaken(Box<str>),
    /// A name must not be empty and must not hold `/`, `#`, spaces or control characters.
    #[error("`{0}` is not a name: no `/`, `#`, spaces or control characters, 1 to 64 bytes")]
    NameInvalid(Box<str>),
    /// The parent has ended or is about to.
    #[error("the parent `{0}` is stopping")]
    ParentStopping(Box<str>),
    /// Only a supervisor's children can be started again.
    #[error("`{0}` is no supervisor, its children cannot be restarted")]
    NotSupervised(Box<str>),
    /// There is no such event loop.
    #[error("there is no event loop {asked}; this system has {available}, numbered from 0")]
    NoSuchLoop {
        /// The loop asked for.
        asked: usize,
        /// How many there are.
        available: usize,
    },
    /// A fiber was asked for on an LWP that does not exist.
    #[error("there is no LWP {asked}; LWPs are 0 to {}", available.saturating_sub(1))]
    NoSuchLwp {
        /// The LWP asked for.
        asked: usize,
        /// How many there are.
        available: usize,
    },
    /// A fresh process or another node cannot make this actor: only one that is [`Portable`](crate::Portable) can live
    /// there.
    #[error(
        "`{0}` cannot live in a process or on another node: it is not started from data (see `spawn_portable`)"
    )]
    NotPortable(&'static str),
    /// The program has not said what its processes can play.
    #[error(
        "no actor can live in a process or on another node: this program's `main` does not call `palco_actors::enter`"
    )]
    NotEntered,
    /// The actor is not in the program's repertoire.
    #[error(
        "no process or node of this program knows actors of kind `{0}`: enter it in the repertoire"
    )]
    UnknownKind(Box<str>),
    /// Processes and other nodes have their machine's clock.
    #[error("a process or another node cannot live in virtual time")]
    VirtualTime,
    /// There is no other node for it; the text says what is missing.
    #[error("no other node: {0}")]
    NoNode(Box<str>),
    /// The place could not be had: no more threads, no more memory.
    #[error("the place cannot be had")]
    Place(#[source] io::Error),
}
