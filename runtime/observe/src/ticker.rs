//! Looks four times a second, as long as somebody wants to know.

use std::collections::HashMap;
use std::sync::Weak;
use std::thread;
use std::time::{Duration, Instant};

use palco_actors::{ActorId, AnyRef, Look};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;

use crate::observer::Inner;

/// Between two looks.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// Who has looked at an actor is taken to look still for so long; pages ask again and again.
const LOOK_LASTS: Duration = Duration::from_secs(5);

pub(crate) struct Ticker {
    observer: Weak<Inner>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wanted: Condvar,
}

#[derive(Default)]
struct State {
    /// The thread that looks has been started.
    runs: bool,
    looks: HashMap<ActorId, (Look, Instant)>,
    /// There is no observer any more.
    has_ended: bool,
}

impl Ticker {
    pub(crate) fn new(observer: Weak<Inner>) -> Self {
        Self { observer, shared: Arc::default() }
    }

    /// Looks from now on, until nobody subscribes any more.
    pub(crate) fn start(&self) {
        let mut state = self.shared.state.lock();
        if !state.runs {
            let (observer, shared) = (self.observer.clone(), Arc::clone(&self.shared));
            let named = thread::Builder::new().name("palco-observer".into());
            match named.spawn(move || run(&observer, &shared)) {
                Ok(_) => state.runs = true,
                Err(error) => tracing::error!(%error, "nobody looks: no thread for it"),
            }
        }
        self.shared.wanted.notify_all();
    }

    /// Has all messages of an actor observed for a while.
    pub(crate) fn keep_looking(&self, actor: &AnyRef) {
        self.start();
        let until = Instant::now() + LOOK_LASTS;
        let mut state = self.shared.state.lock();
        match state.looks.get_mut(&actor.id()) {
            Some((_, end)) => *end = until,
            None => _ = state.looks.insert(actor.id(), (actor.look(), until)),
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state.lock().has_ended = true;
        self.shared.wanted.notify_all();
    }
}

fn run(observer: &Weak<Inner>, shared: &Shared) {
    loop {
        let begun = Instant::now();
        let Some(observer) = observer.upgrade() else { return };
        let is_wanted = observer.updates.receiver_count() > 0;
        if is_wanted {
            let updates = observer.picture.lock().look(&observer.system);
            for update in updates {
                // Who has just gone does not listen.
                let _ = observer.updates.send(update);
            }
        }
        drop(observer);
        let mut state = shared.state.lock();
        let now = Instant::now();
        let over: Vec<_> = state.looks.extract_if(|_, (_, until)| *until <= now).collect();
        if state.has_ended {
            return;
        }
        if is_wanted || !state.looks.is_empty() {
            let _timed_out = shared.wanted.wait_until(&mut state, begun + TICK);
        } else {
            shared.wanted.wait(&mut state);
        }
        drop(state);
        drop(over); // not under the lock: the end of a look wakes its actor
        // Woken before the time by who subscribes: the next look is due when it is due.
        thread::sleep((begun + TICK).saturating_duration_since(Instant::now()));
    }
}
