//! Attached to a system: what is seen now, and what has changed since.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{ActorId, AnyRef, Closeness, Effect, Observing, System};
use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::capture;
use crate::flow;
use crate::model::{ActorPage, Capture, Flow, LogEntry, StageSnapshot, Update, Waits};
use crate::page;
use crate::picture::Picture;
use crate::ticker::Ticker;
use crate::waits;

/// How many updates an observer may be behind.
const UPDATES_BEHIND_MAX: usize = 64;

/// Watches a system. Cheap to clone; clones are the same observer.
#[derive(Clone)]
pub struct Observer {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) system: System,
    /// As long as there is an observer.
    _attached: Observing,
    pub(crate) picture: Mutex<Picture>,
    pub(crate) updates: broadcast::Sender<Update>,
    ticker: Ticker,
    capturing: tokio::sync::Mutex<()>,
}

/// What has changed, as it changes. The system is observed more closely while there is one.
pub struct Subscription {
    updates: broadcast::Receiver<Update>,
    _sampled: Observing,
}

impl Observer {
    /// Observes `system` from now on.
    #[must_use]
    pub fn attach(system: &System) -> Self {
        let (updates, _) = broadcast::channel(UPDATES_BEHIND_MAX);
        let inner = Arc::new_cyclic(|inner| Inner {
            system: system.clone(),
            _attached: system.observe(Closeness::Attached),
            picture: Mutex::default(),
            updates,
            ticker: Ticker::new(inner.clone()),
            capturing: tokio::sync::Mutex::default(),
        });
        Self { inner }
    }

    /// The system.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.inner.system
    }

    /// Everything that the overview shows, now.
    #[must_use]
    pub fn snapshot(&self) -> StageSnapshot {
        let mut picture = self.inner.picture.lock();
        for update in picture.look(&self.inner.system) {
            // Nobody may listen.
            let _ = self.inner.updates.send(update);
        }
        picture.snapshot()
    }

    /// What changes from now on. Subscribe first and take the snapshot then: nothing is missed between the two.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        let sampled = self.inner.system.observe(Closeness::Sampled);
        let updates = self.inner.updates.subscribe();
        self.inner.ticker.start();
        Subscription { updates, _sampled: sampled }
    }

    /// One actor with its state, for which it is given so much time; none if there is no such actor, alive or lately
    /// ended. While somebody looks at it, all its messages are observed.
    pub async fn inspect(&self, actor: ActorId, within: Duration) -> Option<ActorPage> {
        let any = self.find(actor)?;
        let look = any.look();
        let inspection = any.inspect(within).await;
        drop(look);
        self.inner.ticker.keep_looking(&any);
        Some(page::of(&self.inner, &any, inspection))
    }

    /// Finds an actor, alive or lately ended.
    #[must_use]
    pub fn find(&self, actor: ActorId) -> Option<AnyRef> {
        let known = self.inner.picture.lock().find(actor);
        known.or_else(|| self.inner.system.find(&actor.to_string()))
    }

    /// Notes down everything for `window`. Only one at a time: another waits.
    pub async fn capture(&self, window: Duration) -> Capture {
        let _only = self.inner.capturing.lock().await;
        capture::take(&self.inner.system, window).await
    }

    /// Who talks to whom, of late.
    #[must_use]
    pub fn flow(&self) -> Flow {
        flow::of(&self.inner.system)
    }

    /// Who waits for whom, now.
    #[must_use]
    pub fn waits(&self) -> Waits {
        waits::of(&self.inner.system, |actor| self.find(actor).map(|any| any.path()))
    }

    /// Notes in the log that somebody did something to an actor.
    pub fn note_action(
        &self,
        who: &str,
        action: &str,
        actor: ActorId,
        path: &str,
        effect: &Effect,
    ) {
        let mut picture = self.inner.picture.lock();
        let update = picture.note_action(&self.inner.system, who, action, actor, path, effect);
        let _ = self.inner.updates.send(update);
    }

    /// Log entries after the one with this number, oldest first, as far as they are kept.
    #[must_use]
    pub fn log_since(&self, seq: u64) -> Vec<LogEntry> {
        let mut picture = self.inner.picture.lock();
        for update in picture.look_at_events(&self.inner.system) {
            let _ = self.inner.updates.send(update);
        }
        picture.log_since(seq)
    }
}

impl Subscription {
    /// The next update. Cancel-safe.
    pub async fn next(&mut self) -> Update {
        match self.updates.recv().await {
            Ok(update) => update,
            Err(broadcast::error::RecvError::Lagged(lost)) => Update::Lost(lost),
            // The observer has gone: nothing will come any more.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}
