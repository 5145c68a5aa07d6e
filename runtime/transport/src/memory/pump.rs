//! One direction of a connection: from the outbox of one node to the ears of another.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use bytes::Bytes;
use tokio::task::yield_now;

use crate::{Drain, Event, Hear, Lane, Peer, Session};

/// Where frames go, and as whose.
pub(super) struct Pump {
    pub(super) from: Peer,
    pub(super) session: Session,
    pub(super) to: Arc<dyn Hear>,
    /// Set when the session has ended: nothing is delivered afterwards.
    pub(super) is_over: Arc<AtomicBool>,
    pub(super) frame_bytes_max: usize,
}

/// What waits in each lane.
type Taken = [Option<Vec<Bytes>>; 3];

impl Pump {
    /// Delivers until the outbox is closed or a frame is too large, and says which.
    pub(super) async fn run(self, mut drains: [Drain; 3]) -> String {
        loop {
            // One turn of every lane, so that none waits for more than a turn of the others.
            let Some(taken) = take(&mut drains).await else {
                return "one of the two nodes ended it".to_owned();
            };
            for (lane, frames) in Lane::ALL.into_iter().zip(taken) {
                let Some(frames) = frames else { continue };
                if let Some(why) = crate::too_large(&frames, self.frame_bytes_max) {
                    return why;
                }
                if self.is_over.load(Ordering::Relaxed) {
                    return String::new();
                }
                let (peer, session) = (self.from, self.session);
                self.to.hear(Event::Frames { peer, session, lane, frames });
            }
            yield_now().await;
        }
    }
}

/// What waits, once something does; nothing when the outbox is closed and empty.
async fn take(drains: &mut [Drain; 3]) -> Option<Taken> {
    poll_fn(|task| {
        let mut taken = Taken::default();
        let mut is_closed = false;
        for (drain, taken) in drains.iter_mut().zip(&mut taken) {
            match drain.poll_next(task) {
                Poll::Ready(Some(frames)) => *taken = Some(frames),
                Poll::Ready(None) => is_closed = true,
                Poll::Pending => {}
            }
        }
        if taken.iter().any(Option::is_some) {
            Poll::Ready(Some(taken))
        } else if is_closed {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    })
    .await
}
