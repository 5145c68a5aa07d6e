//! Load on a running server, for people who watch: a few connections, each with one request at a time.
//!
//! The [generator] asks, on a thread of its own, so it keeps asking while event loops are stuck. With a
//! rate it is an open loop: a server that stands still is seen to stand still. Without one the next request follows the
//! answer. `live/figures.rs` holds what has been counted so far, [`LiveFigures`].

mod figures;
#[cfg(test)]
pub(crate) mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};

pub use crate::generator::Protocol;
use crate::generator::{self, ANSWER_WITHIN_MAX, Connections, Plan, Schedule, Talk};
use figures::Books;
pub use figures::LiveFigures;

/// The most connections of one load.
pub const CONNECTIONS_MAX: usize = 256;
/// The highest rate, in requests a second.
pub const RATE_PER_S_MAX: u64 = 100_000;
/// The longest load.
pub const LASTS_MAX: Duration = Duration::from_secs(3600);

/// How long the last answers are waited for when the time is over.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// What to ask of whom, how often and for how long.
#[derive(Clone, Debug)]
pub struct LiveTarget {
    /// Where the server listens.
    pub address: SocketAddr,
    /// What it speaks.
    pub protocol: Protocol,
    /// One request, without its line end; for [`Protocol::Http`] a method and a path.
    pub request: String,
    /// How many connections; 1 to [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// Requests a second over all connections; 0 is as fast as answers come.
    pub rate_per_s: u64,
    /// For how long; at most [`LASTS_MAX`].
    pub lasts: Duration,
}

/// Why a load cannot be started.
#[derive(thiserror::Error, Debug)]
pub enum LiveError {
    /// A value is out of its bounds; the text says which and what they are.
    #[error("{0}")]
    Value(String),
    /// The kernel has no thread for it.
    #[error("cannot start a thread for the load")]
    Thread(#[source] io::Error),
}

/// A load that runs until its time is over, or until it is dropped.
#[derive(Debug)]
pub struct LiveLoad {
    target: LiveTarget,
    books: Arc<Books>,
    /// Set when it is dropped, which ends its thread.
    stop: Arc<AtomicBool>,
}

impl LiveLoad {
    /// Starts to ask.
    ///
    /// # Errors
    /// [`LiveError`]; nothing was started then. A server that cannot be reached is no error here, but counted.
    pub fn start(target: LiveTarget) -> Result<Self, LiveError> {
        target.check()?;
        let (plan, books) = (target.plan()?, Arc::new(Books::begun()));
        let stop = Arc::new(AtomicBool::new(false));
        let (counted, stopped) = (Arc::clone(&books), Arc::clone(&stop));
        let run = move || match generator::run(&plan, |seen| counted.note(seen), &stopped) {
            Ok(outcome) => counted.end(&outcome),
            Err(error) => counted.fail(&error.to_string()),
        };
        spawn_named("palco-load", STACK_BYTES_DEFAULT, run).map_err(LiveError::Thread)?;
        Ok(Self { target, books, stop })
    }

    /// What it was started with.
    #[must_use]
    pub fn target(&self) -> &LiveTarget {
        &self.target
    }

    /// What has been counted so far.
    #[must_use]
    pub fn figures(&self) -> LiveFigures {
        self.books.figures()
    }
}

impl LiveTarget {
    /// Whether all values are within their bounds.
    ///
    /// # Errors
    /// [`LiveError::Value`] says which is not.
    pub fn check(&self) -> Result<(), LiveError> {
        let value = |text: String| Err(LiveError::Value(text));
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            return value(format!("connections: 1 to {CONNECTIONS_MAX}, not {}", self.connections));
        }
        if self.rate_per_s > RATE_PER_S_MAX {
            return value(format!("rate_per_s: 0 to {RATE_PER_S_MAX}, not {}", self.rate_per_s));
        }
        if self.lasts.is_zero() || self.lasts > LASTS_MAX {
            let most = LASTS_MAX.as_secs();
            return value(format!("seconds: 1 to {most}, not {}", self.lasts.as_secs()));
        }
        if self.protocol == Protocol::Connect {
            return value("protocol: there is no live load that only connects".to_owned());
        }
        self.plan().map(drop)
    }

    fn plan(&self) -> Result<Plan, LiveError> {
        let value = |error: generator::Error| LiveError::Value(error.to_string());
        let talk = Talk::new(self.protocol, self.request.as_str()).map_err(value)?;
        let plan = Plan {
            address: self.address,
            talk,
            connections: match self.protocol.is_one_shot() {
                true => Connections::PerRequest(self.connections),
                false => Connections::Kept(self.connections),
            },
            schedule: match self.rate_per_s {
                0 => Schedule::Closed,
                rate => Schedule::Constant { per_s: rate as f64 },
            },
            crowd: Vec::new(),
            warm_up: Duration::ZERO,
            lasts: self.lasts,
            answer_within: ANSWER_WITHIN_MAX,
            linger: LAST_ANSWERS_WITHIN,
            core: None,
            seed: 0,
        };
        plan.check().map_err(value)?;
        Ok(plan)
    }
}

impl Drop for LiveLoad {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
