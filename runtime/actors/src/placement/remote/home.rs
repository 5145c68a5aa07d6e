//! At the far end: the way of a life back to those it may talk to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use super::session::Session;
use super::wire::{CALLS_MAX, Frame};
use crate::grant::{CallError, Calling, Homeward, Outcome};
use crate::reply::{NoReply, Responder, reply_pair};

/// Calls of one life to granted actors.
pub(super) struct Home {
    session: Arc<Session>,
    channel: u64,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    last: u64,
    /// Those that have no answer yet; nobody waits for that of a tell.
    waiting: HashMap<u64, Option<Responder<Outcome>>>,
    is_lost: bool,
}

impl Home {
    pub(super) fn new(session: &Arc<Session>, channel: u64) -> Self {
        Self { session: Arc::clone(session), channel, calls: Mutex::default() }
    }

    fn send(
        &self,
        grant: u32,
        message: &[u8],
        within: Option<Duration>,
        responder: Option<Responder<Outcome>>,
    ) -> bool {
        let mut calls = self.calls.lock();
        if calls.is_lost || calls.waiting.len() >= CALLS_MAX {
            return false;
        }
        calls.last += 1;
        let call = calls.last;
        calls.waiting.insert(call, responder);
        let head = Frame::Call { channel: self.channel, call, grant, within };
        self.session.send(0, &head, message);
        true
    }

    /// The answer to a call has come. False if nobody has called.
    pub(super) fn answered(&self, call: u64, outcome: Result<(), CallError>, body: &Bytes) -> bool {
        let Some(waiting) = self.calls.lock().waiting.remove(&call) else { return false };
        match (waiting, outcome) {
            (Some(responder), outcome) => responder.answer(outcome.map(|()| body.to_vec())),
            (None, Err(error)) => {
                tracing::warn!(peer = %self.session.peer, ?error, "not delivered");
            }
            (None, Ok(())) => {}
        }
        true
    }

    /// Nobody will answer.
    pub(super) fn lose(&self) {
        let mut calls = self.calls.lock();
        calls.is_lost = true;
        let waiting = std::mem::take(&mut calls.waiting);
        drop(calls);
        for responder in waiting.into_values().flatten() {
            responder.answer(Err(CallError::No(NoReply::OutcomeUnknown)));
        }
    }
}

impl Homeward for Home {
    fn tell(&self, grant: u32, message: &[u8]) -> bool {
        self.send(grant, message, None, None)
    }

    fn call(&self, grant: u32, message: &[u8], within: Duration) -> Option<Calling> {
        let (responder, answer) = reply_pair::<Outcome>();
        if !self.send(grant, message, Some(within), Some(responder)) {
            return None;
        }
        Some(Box::pin(async move { answer.await.map_err(CallError::No)? }))
    }
}
