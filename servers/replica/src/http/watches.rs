//! Keys that are watched: each is read again and again while anybody waits, once for all of them.

mod poll;
mod stream;

pub(crate) use stream::events;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{rt, web::Data};
use palco_rambo::{Key, Outcome};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::kind::Kind;
use super::problem::Problem;
use super::shared::{Found, Shared};

/// All that is watched.
#[derive(Debug, Default)]
pub(crate) struct Watches(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    keys: HashMap<Key, Arc<Sight>>,
    watchers: usize,
}

/// One key that is watched.
#[derive(Debug)]
struct Sight {
    seen: watch::Sender<Seen>,
    /// Reads that were begun.
    begun: AtomicU64,
    /// Somebody has come who knows nothing yet.
    hurry: Notify,
}

/// What the last read has shown.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Which read it was.
    read: u64,
    what: Option<Result<Found, Box<Outcome>>>,
}

/// Somebody who watches a key.
#[derive(Debug)]
pub(crate) struct Watcher {
    shared: Data<Shared>,
    seen: watch::Receiver<Seen>,
    /// Reads begun before this watcher came may have seen what is older than what it knows.
    reads_before: u64,
}

impl Watcher {
    /// Watches a key from now on.
    ///
    /// # Errors
    /// As many as can be do so already.
    pub(crate) fn of(shared: &Data<Shared>, key: &Key) -> Result<Self, Problem> {
        let settings = &shared.settings;
        let mut watched = shared.watches.0.lock();
        if watched.watchers >= settings.watchers_max {
            let detail = format!("{} watch already", settings.watchers_max);
            return Err(Problem::new(Kind::TooManyWatchers, detail));
        }
        let known = watched.keys.get(key).cloned();
        let sight = match known {
            Some(sight) => sight,
            None if watched.keys.len() >= settings.watched_keys_max => {
                let detail = format!("{} keys are watched already", settings.watched_keys_max);
                return Err(Problem::new(Kind::TooManyWatchers, detail));
            }
            None => {
                let sight = Arc::new(Sight::new());
                watched.keys.insert(key.clone(), Arc::clone(&sight));
                rt::spawn(poll::run(shared.clone(), key.clone(), Arc::clone(&sight)));
                sight
            }
        };
        watched.watchers += 1;
        let seen = sight.seen.subscribe();
        let reads_before = sight.begun.load(Ordering::Acquire);
        sight.hurry.notify_one();
        Ok(Self { shared: shared.clone(), seen, reads_before })
    }

    /// What the next read shows that was begun after this watcher came. Dropped early, nothing is lost.
    pub(crate) async fn next(&mut self) -> Result<Found, Box<Outcome>> {
        loop {
            // The sender is kept by the loop that reads, which ends when no watcher is left.
            if self.seen.changed().await.is_err() {
                return Err(Box::new(Outcome::Unknown { tag: None }));
            }
            let seen = self.seen.borrow_and_update();
            if seen.read > self.reads_before
                && let Some(what) = &seen.what
            {
                return what.clone();
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.watches.0.lock().watchers -= 1;
    }
}

impl Sight {
    fn new() -> Self {
        Self {
            seen: watch::Sender::new(Seen::default()),
            begun: AtomicU64::new(0),
            hurry: Notify::new(),
        }
    }
}

impl Watches {
    /// Forgets a key that nobody watches any more; whether it is forgotten.
    fn retire(&self, key: &Key, sight: &Sight) -> bool {
        let mut watched = self.0.lock();
        let is_alone = sight.seen.receiver_count() == 0;
        if is_alone {
            watched.keys.remove(key);
        }
        is_alone
    }
}
