//! What was noted.

use std::borrow::Cow;

use palco_core::{ActorId, Time};

use super::stamp::{SAMPLE_EVERY, Stamp};
use crate::DropReason;

/// A message that was observed.
#[derive(Clone, Debug)]
pub struct MessageNote {
    /// Its number in its system, from 1.
    pub id: u64,
    /// The number of the message that began it all.
    pub trace: u64,
    /// The number of the message whose handler sent this one.
    pub cause: Option<u64>,
    /// Who sent it, if an actor did.
    pub from: Option<ActorId>,
    /// To whom.
    pub to: ActorId,
    /// Its type.
    pub message: &'static str,
    /// Whether it is urgent.
    pub urgent: bool,
    /// Whether somebody waited for the answer.
    pub ask: bool,
    /// When it was sent.
    pub sent: Time,
    /// When its handler began.
    pub begun: Time,
    /// When its handler ended; none while it runs.
    pub ended: Option<Time>,
    /// How many messages it stands for: those of its kind that were not observed, and itself.
    pub stands_for: u32,
    /// Why it was not handled to its end.
    pub dropped: Option<DropReason>,
}

/// What a handler said it was doing.
#[derive(Clone, Debug)]
pub struct StepNote {
    /// Who.
    pub actor: ActorId,
    /// The number of the message that began it all; 0 if it was not observed.
    pub trace: u64,
    /// What; nothing at the end of the handler.
    pub what: Option<Cow<'static, str>>,
    /// From when, until the actor's next note.
    pub at: Time,
}

/// A message in a mailbox.
#[derive(Clone, Debug)]
pub struct Peeked {
    /// Its type.
    pub message: &'static str,
    /// Whether it is urgent.
    pub urgent: bool,
    /// Whether somebody waits for the answer.
    pub ask: bool,
    /// Who sent it, if it is observed and an actor did.
    pub from: Option<ActorId>,
    /// When it was sent, if it is observed.
    pub sent: Option<Time>,
}

impl MessageNote {
    pub(super) fn begin(
        stamp: &Stamp,
        to: ActorId,
        message: &'static str,
        ask: bool,
        begun: Time,
    ) -> Self {
        let Stamp { id, trace, cause, from, sent, urgent, sampled } = *stamp;
        let stands_for = if sampled { SAMPLE_EVERY } else { 1 };
        Self {
            id,
            trace,
            cause,
            from,
            to,
            message,
            urgent,
            ask,
            sent,
            begun,
            ended: None,
            stands_for,
            dropped: None,
        }
    }
}
