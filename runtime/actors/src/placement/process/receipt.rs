//! In the process: what the sender of a message is owed, while it waits and while it is handled.

use std::sync::Arc;

use serde::Serialize;

use super::post::Post;
use super::wire::{FromChild, WireError};
use crate::portable::to_bytes;
use crate::reply::NoReply;
use crate::{Abandoned, DropReason};

/// What the sender of a message is owed.
pub(crate) struct Receipt {
    pub(crate) post: Arc<Post>,
    pub(crate) lane: u8,
    pub(crate) is_ask: bool,
}

/// A message in its handler. Dropped before the end, it says why.
pub(crate) struct Running {
    receipt: Receipt,
    is_over: bool,
}

impl Receipt {
    pub(crate) fn begin(self) -> Running {
        self.post.page.begin(self.lane.into());
        Running { receipt: self, is_over: false }
    }
}

impl Running {
    pub(crate) fn finish<R: Serialize>(mut self, reply: &R) {
        if self.receipt.is_ask {
            let refused = match self.reply(Ok(()), |out| to_bytes(reply, out)) {
                Ok(()) => None,
                Err(WireError::TooLarge { .. }) => Some(DropReason::TooLarge),
                Err(_) => Some(DropReason::NotPortable),
            };
            if let Some(reason) = refused {
                let _ = self.reply(Err(NoReply::Dropped(reason)), |_| Ok(()));
            }
        }
        self.is_over = true;
        let (post, lane) = (&self.receipt.post, usize::from(self.receipt.lane));
        post.page.finish(lane);
        if self.receipt.is_ask {
            post.has_replied(lane);
        }
    }

    fn index(&self) -> u64 {
        self.receipt.post.page.standing().done[usize::from(self.receipt.lane)]
    }

    fn reply(
        &self,
        outcome: Result<(), NoReply>,
        body: impl FnOnce(&mut Vec<u8>) -> Result<(), postcard::Error>,
    ) -> Result<(), WireError> {
        let head = FromChild::Reply { lane: self.receipt.lane, index: self.index(), outcome };
        self.receipt.post.send_with(&head, body)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let why = crate::reply::why_abandoned();
        let reason = match why {
            Abandoned::Interrupted => DropReason::Interrupted,
            Abandoned::Killed | Abandoned::ProcessEnded => DropReason::Killed,
            Abandoned::Panicked => DropReason::Panicked,
        };
        let head = FromChild::Dropped { lane: self.receipt.lane, index: self.index(), reason };
        let _ = self.receipt.post.send(&head, &[]);
        self.receipt.post.page.finish(self.receipt.lane.into());
    }
}
