//! At the far end: what the sender of one message is owed.

use std::any::Any;
use std::sync::Arc;

use serde::Serialize;

use super::inlet::{Inlet, Outcome, Serves};
use super::wire::{FRAME_BYTES_MAX, Frame, encode};
use crate::DropReason;
use crate::portable::to_bytes;
use crate::reply::{AnyResponder, NoReply, why_abandoned};

/// What the sender of one message is owed: paid once, at the latest when this is dropped.
pub(crate) struct Owed {
    inlet: Arc<Inlet>,
    lane: usize,
    index: u64,
    bytes: usize,
    is_ask: bool,
    is_running: bool,
    is_paid: bool,
}

impl Owed {
    pub(super) fn new(
        inlet: Arc<Inlet>,
        lane: usize,
        index: u64,
        bytes: usize,
        is_ask: bool,
    ) -> Self {
        Self { inlet, lane, index, bytes, is_ask, is_running: false, is_paid: false }
    }

    pub(crate) fn is_ask(&self) -> bool {
        self.is_ask
    }

    /// The handler begins.
    pub(crate) fn begin(&mut self) {
        self.is_running = true;
        self.inlet.begin();
    }

    /// The handler has ended.
    pub(crate) fn finish<R: Serialize>(mut self, reply: &R) {
        if !self.is_ask {
            return self.pay(Outcome::Done);
        }
        let mut body = Vec::new();
        let outcome = match to_bytes(reply, &mut body) {
            Ok(()) => self.reply(Ok(()), &body),
            Err(_) => self.reply(Err(NoReply::Dropped(DropReason::NotPortable)), &[]),
        };
        self.pay(outcome);
    }

    /// It will not be handled. Nothing is said of a life's messages: the address knows which were not begun, and the next
    /// life handles them.
    pub(crate) fn discard(mut self, reason: DropReason) {
        match self.inlet.serves {
            Serves::Exported => self.pay(Outcome::Dropped(reason)),
            Serves::Life(_) => self.is_paid = true,
        }
    }

    fn reply(&self, outcome: Result<(), NoReply>, body: &[u8]) -> Outcome {
        /// What a frame needs beside its body.
        const HEAD_BYTES_MAX: usize = 64;
        let (channel, index) = (self.inlet.channel, self.index);
        if body.len() > FRAME_BYTES_MAX - HEAD_BYTES_MAX {
            let outcome = Err(NoReply::Dropped(DropReason::TooLarge));
            return Outcome::Replied(encode(&Frame::Reply { channel, index, outcome }, &[]));
        }
        Outcome::Replied(encode(&Frame::Reply { channel, index, outcome }, body))
    }

    fn pay(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.is_paid, true) {
            if self.is_running {
                self.inlet.end();
            }
            self.inlet.settle(self.lane, self.index, self.bytes, outcome);
        }
    }
}

/// On its way through an actor that lives elsewhere itself, in a process or on another node.
impl AnyResponder for Owed {
    fn pass_on(mut self: Box<Self>, reply: &[u8]) -> Result<(), Box<dyn AnyResponder>> {
        let outcome = if self.is_ask { self.reply(Ok(()), reply) } else { Outcome::Done };
        self.pay(outcome);
        Ok(())
    }

    fn fail(mut self: Box<Self>, why: NoReply) {
        self.pay(Outcome::Dropped(why.drop_reason()));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if self.is_paid || (!self.is_running && matches!(self.inlet.serves, Serves::Life(_))) {
            return;
        }
        self.pay(Outcome::Dropped(NoReply::Abandoned(why_abandoned()).drop_reason()));
    }
}
