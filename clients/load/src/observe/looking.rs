//! Who looks, how closely, and what they have seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use palco_actors::System;
use palco_observe::Observer;
use palco_observe::model::Update;
use palco_threads::block_on;
use serde::{Deserialize, Serialize};

use crate::actors::Refusal;
use crate::cpu;

/// How long a capture lasts at most; then it is written out, and the next one begins.
const CAPTURE: Duration = Duration::from_millis(250);

/// How long who listens for updates does not look up.
const LISTEN: Duration = Duration::from_millis(100);

/// The threads that look: the observer's own, and those of this bench that do what a dashboard does.
const THREADS: [&str; 3] = ["palco-observer", WATCHER, CAPTURER];
const WATCHER: &str = "palco-watcher";
const CAPTURER: &str = "palco-capturer";

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nobody, and there is no observer: what the others are compared with.
    Off,
    /// There is an observer, and nobody who looks.
    Attached,
    /// A subscriber writes every update out as JSON, and a whole snapshot now and then.
    Watched,
    /// That, and one capture after the other.
    Captured,
}

impl Mode {
    /// In the order of the closeness.
    pub const ALL: [Self; 4] = [Self::Off, Self::Attached, Self::Watched, Self::Captured];

    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Attached => "attached",
            Self::Watched => "watched",
            Self::Captured => "captured",
        }
    }
}

/// What was seen, in one turn or in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Updates that said what had changed.
    pub deltas: u64,
    /// Actors in them.
    pub changed: u64,
    /// Updates that were missed.
    pub lost: u64,
    /// Whole snapshots.
    pub snapshots: u64,
    /// Captures.
    pub captures: u64,
    /// Messages in them.
    pub captured: u64,
    /// Messages that they had no room for.
    pub not_captured: u64,
    /// Bytes of JSON.
    pub json_bytes: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.deltas += other.deltas;
        self.changed += other.changed;
        self.lost += other.lost;
        self.snapshots += other.snapshots;
        self.captures += other.captures;
        self.captured += other.captured;
        self.not_captured += other.not_captured;
        self.json_bytes += other.json_bytes;
    }

    /// As a dashboard would send it.
    fn write_out(&mut self, shown: &impl Serialize) {
        let json = serde_json::to_vec(shown).expect("numbers and text alone");
        self.json_bytes += json.len() as u64;
    }
}

/// Looks from its begin to its end.
pub(super) struct Looking {
    mode: Mode,
    /// Kept until the end.
    _observer: Option<Observer>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Seen>>,
    /// Left behind by turns before; they end by themselves.
    others: Vec<i32>,
}

impl Looking {
    pub(super) fn begin(
        mode: Mode,
        system: &System,
        snapshot_every: Duration,
    ) -> Result<Self, Refusal> {
        let others = threads();
        let is_over = Arc::new(AtomicBool::new(false));
        let observer = (mode != Mode::Off).then(|| Observer::attach(system));
        let mut looking =
            Self { mode, _observer: observer.clone(), is_over, threads: Vec::new(), others };
        if let Some(observer) = observer {
            if mode >= Mode::Watched {
                let observer = observer.clone();
                looking.start(WATCHER, move |is_over| watch(&observer, snapshot_every, is_over))?;
            }
            if mode >= Mode::Captured {
                let window = CAPTURE.min(snapshot_every / 2);
                looking.start(CAPTURER, move |is_over| capture(&observer, window, is_over))?;
            }
        }
        Ok(looking)
    }

    fn start(
        &mut self,
        name: &str,
        look: impl FnOnce(&AtomicBool) -> Seen + Send + 'static,
    ) -> Result<(), Refusal> {
        let is_over = Arc::clone(&self.is_over);
        let named = thread::Builder::new().name(name.to_owned());
        self.threads.push(named.spawn(move || look(&is_over)).map_err(Refusal::failed)?);
        Ok(())
    }

    /// Processor time of those who look, so far.
    pub(super) fn cpu_nanos(&self) -> u64 {
        let own = threads().into_iter().filter(|thread| !self.others.contains(thread));
        own.map(cpu::thread_nanos_of).sum()
    }

    /// What was seen; it is checked that something was.
    pub(super) fn end(mut self, actors: usize) -> Result<Seen, Refusal> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut seen = Seen::default();
        for thread in std::mem::take(&mut self.threads) {
            seen.add(&thread.join().map_err(|_| Refusal::Panicked)?);
        }
        let watched = seen.deltas > 0
            && seen.changed >= actors as u64
            && seen.snapshots > 0
            && seen.json_bytes > 0;
        let captured = seen.captures > 0 && seen.captured > 0;
        let expected = match self.mode {
            Mode::Off | Mode::Attached => seen == Seen::default(),
            Mode::Watched => watched && !captured,
            Mode::Captured => watched && captured,
        };
        if expected {
            Ok(seen)
        } else {
            Err(Refusal::failed(format_args!("who looks did not see what there was: {seen:?}")))
        }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn threads() -> Vec<i32> {
    THREADS.iter().flat_map(|name| cpu::threads_named(name)).collect()
}

fn watch(observer: &Observer, snapshot_every: Duration, is_over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut subscription = observer.subscribe();
    let mut next_snapshot = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        if Instant::now() >= next_snapshot {
            next_snapshot += snapshot_every;
            seen.snapshots += 1;
            seen.write_out(&observer.snapshot());
        }
        let due = next_snapshot.saturating_duration_since(Instant::now()).min(LISTEN);
        match block_on(observer.system().within(due, subscription.next())) {
            Some(Update::Delta(delta)) => {
                seen.deltas += 1;
                seen.changed += delta.changed.len() as u64;
                seen.write_out(&*delta);
            }
            Some(Update::Log(entry)) => seen.write_out(&*entry),
            Some(Update::Lost(lost)) => seen.lost += lost,
            None => {}
        }
    }
    seen
}

fn capture(observer: &Observer, window: Duration, is_over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !is_over.load(Ordering::Relaxed) {
        let capture = block_on(observer.capture(window));
        seen.captures += 1;
        seen.captured += capture.messages.len() as u64;
        seen.not_captured += capture.lost;
        seen.write_out(&capture);
    }
    seen
}
