//! From the outbox that was given out to that of the decorated carrier.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use super::{Delays, Plan};
use crate::lots::Lots;
use crate::{Drain, Outbox, PushError};

/// What one session sends.
pub(super) struct Relay {
    drains: [Drain; 3],
    inner: Outbox,
    left: Arc<AtomicU64>,
    delays: Option<Delays>,
    seed: u64,
}

/// What one session sends in one lane.
struct Lane {
    drain: Drain,
    inner: Outbox,
    /// Frames that the session still sends; shared by its lanes.
    left: Arc<AtomicU64>,
    delays: Option<Delays>,
    lots: Lots,
}

impl Relay {
    pub(super) fn new(plan: &Plan, lots: &mut Lots, drains: [Drain; 3], inner: Outbox) -> Self {
        let left = plan.cut_after.as_ref().map_or(u64::MAX, |frames| {
            let range = frames.end().saturating_sub(*frames.start()).saturating_add(1);
            frames.start().saturating_add(lots.below(range))
        });
        let left = Arc::new(AtomicU64::new(left));
        Self { drains, inner, left, delays: plan.delays.clone(), seed: lots.draw() }
    }

    /// Gives what is to run for each lane.
    pub(super) fn begin(self, run: impl Fn(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>)) {
        for drain in self.drains {
            let lane = drain.lane();
            let delays = self.delays.clone().filter(|delays| delays.lanes.contains(&lane));
            let lots = Lots::new(self.seed ^ lane as u64);
            let (inner, left) = (self.inner.clone(), Arc::clone(&self.left));
            run(Box::pin(Lane { drain, inner, left, delays, lots }.run()));
        }
    }
}

impl Lane {
    /// Passes frames on until the session is cut, or one of the two outboxes is closed.
    async fn run(mut self) {
        while let Some(frames) = self.drain.next().await {
            for frame in frames {
                if let Some(delay) = self.delay() {
                    sleep(delay).await;
                }
                let counted = |left: u64| left.checked_sub(1);
                let is_cut =
                    self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted).is_err();
                if is_cut || self.pass_on(frame).await.is_err() {
                    return self.inner.close();
                }
            }
        }
        self.inner.close();
    }

    fn delay(&mut self) -> Option<Duration> {
        let delays = self.delays.as_ref()?;
        let is_chosen = self.lots.below(delays.one_in.into()) == 0;
        is_chosen.then(|| {
            let thousandths = u32::try_from(self.lots.below(1001)).expect("less than 1001");
            delays.longest / 1000 * thousandths
        })
    }

    async fn pass_on(&self, mut frame: Bytes) -> Result<(), Bytes> {
        loop {
            let room = self.inner.room();
            match self.inner.try_push(self.drain.lane(), frame) {
                Ok(()) => return Ok(()),
                Err(PushError::Closed(lost)) => return Err(lost),
                Err(PushError::Full(back)) => {
                    frame = back;
                    room.await;
                }
            }
        }
    }
}
