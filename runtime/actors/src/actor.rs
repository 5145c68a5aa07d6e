//! What a user writes: an actor, its messages, its handlers.

use std::error::Error;
use std::fmt;
use std::future::{self, Future};

use palco_core::ExitReason;
use serde_json::Value;

use crate::Context;

/// State that only its own handlers touch, one message at a time.
///
/// An actor need not be [`Send`]: it is built by its factory in the place where it lives and never leaves it.
/// All hooks have empty defaults.
pub trait Actor: Sized + 'static {
    /// Runs before the first message, and again after every restart.
    ///
    /// # Errors
    /// A failure ends this life with [`ExitReason::StartFailed`]; the supervisor decides what follows.
    fn started(&mut self, cx: &mut Context<Self>) -> impl Future<Output = Result<(), Failure>> {
        let _ = cx;
        future::ready(Ok(()))
    }

    /// Runs after the last message of a life and after the children have ended; not after a kill.
    ///
    /// After a panic the state may be half changed. A panic in here is caught and reported.
    fn stopped(&mut self, reason: &ExitReason, cx: &mut Context<Self>) -> impl Future<Output = ()> {
        let _ = (reason, cx);
        future::ready(())
    }

    /// The state as an observer may see it; asked between messages, so it must be quick. Null by default.
    fn state(&self) -> Value {
        Value::Null
    }
}

/// Something an actor can be sent.
pub trait Message: Send + 'static {
    /// What an ask gets back; `()` where nothing is to be said.
    type Reply: Send + 'static;
}

/// How an actor handles one type of message.
pub trait Handler<M: Message>: Actor {
    /// Handles one message. No other message of this actor, urgent or not, is handled before this has returned.
    ///
    /// The future may be dropped at any await point by `Interrupt` and `Kill`, and rests there under `Suspend`.
    fn handle(&mut self, message: M, cx: &mut Context<Self>) -> impl Future<Output = M::Reply>;
}

/// Why an actor failed, as text. Made from any error with `?`.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(Box<str>);

impl Failure {
    /// A failure in one's own words.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    pub(crate) fn into_text(self) -> Box<str> {
        self.0
    }
}

impl<E: Error> From<E> for Failure {
    /// The error's text followed by the texts of its causes.
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({})", self.0)
    }
}
