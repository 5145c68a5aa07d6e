//! Load on a running server, for people who watch: a few connections, each with one request at a time.
//!
//! | file | what |
//! |---|---|
//! | `live/drive.rs` | the connections: when a request is due, and when it counts as begun |
//! | `live/figures.rs` | [`LiveFigures`]: what has been counted so far |
//!
//! With a rate, requests are due at fixed moments, whether or not the server keeps up, and latency counts from the moment
//! a request was due: a server that stands still is seen to stand still. Without a rate the next request follows the
//! answer.
//!
//! All connections live on one thread of their own, so they keep asking while event loops are stuck, and what asking
//! costs is known.

mod drive;
mod figures;
#[cfg(test)]
pub(crate) mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};
use tokio::sync::watch;

pub use crate::generator::Protocol;
use figures::Books;
pub use figures::LiveFigures;

/// The most connections of one load.
pub const CONNECTIONS_MAX: usize = 256;
/// The highest rate, in requests a second.
pub const RATE_PER_S_MAX: u64 = 100_000;
/// The longest load.
pub const LASTS_MAX: Duration = Duration::from_secs(3600);
/// The longest request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 4096;

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
    /// Dropped with the load, which ends its thread.
    _stop: watch::Sender<()>,
}

impl LiveLoad {
    /// Starts to ask.
    ///
    /// # Errors
    /// [`LiveError`]; nothing was started then. A server that cannot be reached is no error here, but counted.
    pub fn start(target: LiveTarget) -> Result<Self, LiveError> {
        target.check()?;
        let books = Arc::new(Books::default());
        let (stop, stopped) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(LiveError::Thread)?;
        let (driven, counted) = (target.clone(), Arc::clone(&books));
        let run = move || runtime.block_on(drive::run(driven, counted, stopped));
        spawn_named("palco-load", STACK_BYTES_DEFAULT, run).map_err(LiveError::Thread)?;
        Ok(Self { target, books, _stop: stop })
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
        self.protocol.check(&self.request).map_err(LiveError::Value)
    }
}
