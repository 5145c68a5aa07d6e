//! Load on any server, asked at intended moments: an open loop on one thread.
//!
//! | file | what |
//! |---|---|
//! | `generator/schedule.rs` | [`Schedule`]: when each request is due |
//! | `generator/trace.rs` | moments that were written down |
//! | `generator/protocol.rs`, `generator/talk.rs` | [`Protocol`], [`Talk`]: what is asked, and whether an answer is one |
//! | `generator/sftp.rs` | a protocol in which one question leads to the next |
//! | `generator/engine.rs` | the thread that asks |
//! | `generator/connection.rs`, `generator/events.rs` | one connection, never waiting; what the kernel says about all |
//! | `generator/crowd.rs` | [`Crowd`]: clients that only disturb |
//! | `generator/distribution.rs`, `generator/outcome.rs` | [`Distribution`], [`Outcome`]: what came of it |
//!
//! A generator that waits for an answer before it asks again stops asking while the server stands still, and so misses
//! just the requests that would have been slow (coordinated omission). This one asks when a request is due, whether or
//! not the server keeps up, and counts latency from the moment it was due. Where all connections are busy at that moment
//! the request waits, and its wait counts.

mod connection;
mod crowd;
mod distribution;
mod engine;
mod events;
mod outcome;
mod page;
pub(crate) mod protocol;
mod schedule;
mod sftp;
mod talk;
#[cfg(test)]
mod tests;
mod trace;

use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

pub use crowd::{Crowd, CrowdCounts};
pub use distribution::Distribution;
#[cfg(test)]
pub(crate) use distribution::SHARES;
pub use outcome::{Failures, Figures, Outcome};
pub use protocol::Protocol;
pub use schedule::Schedule;
pub use talk::Talk;
pub use trace::{TraceError, read as read_trace};

/// The most connections at once, of the requests and of the crowd together.
pub const CONNECTIONS_MAX: usize = 20_000;
/// The longest request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 4096;
/// The highest rate, in requests a second.
pub const RATE_PER_S_MAX: f64 = 1_000_000.0;
/// The most requests in one burst.
pub const BURST_MAX: u32 = 100_000;
/// The most moments in one trace.
pub const TRACE_MAX: usize = 10_000_000;
/// The longest load, and the longest warm-up.
pub const LASTS_MAX: Duration = Duration::from_secs(3600);
/// The longest that an answer may be waited for.
pub const ANSWER_WITHIN_MAX: Duration = Duration::from_secs(600);
/// Descriptors beside those of connections: files, the poller, what the program has open already.
const DESCRIPTORS_BESIDE: u64 = 256;

/// What to ask of whom, when, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the server listens.
    pub address: SocketAddr,
    /// What is asked.
    pub talk: Talk,
    /// On which connections.
    pub connections: Connections,
    /// When.
    pub schedule: Schedule,
    /// Clients that only disturb, from the beginning to the end.
    pub crowd: Vec<Crowd>,
    /// How long is asked before anything counts; at most [`LASTS_MAX`].
    pub warm_up: Duration,
    /// How long requests that count are due; above zero, at most [`LASTS_MAX`].
    pub lasts: Duration,
    /// How long an answer may take from when its request was sent; above zero, at most [`ANSWER_WITHIN_MAX`].
    pub answer_within: Duration,
    /// How long after the end answers are waited for, if that is less.
    pub linger: Duration,
    /// The core that the generator's thread is confined to, counted among those this process may use.
    pub core: Option<usize>,
    /// What chance is made of: the same seed gives the same moments.
    pub seed: u64,
}

/// On which connections requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// Each on one of its own, which is reset after the answer; at most so many at once, 1 to [`CONNECTIONS_MAX`]. A closed
    /// loop has as many all the time.
    PerRequest(usize),
    /// So many, kept open, each with one request at a time; 1 to [`CONNECTIONS_MAX`].
    Kept(usize),
}

/// Why nothing was asked.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// A value is out of its bounds; the text says which and what they are.
    #[error("{0}")]
    Value(String),
    /// This process may not have so many files open.
    #[error(
        "{wanted} open files are needed for {connections} connections, and this process may have {limit}: raise the \
         limit (ulimit -Hn), or ask for fewer connections"
    )]
    Descriptors {
        /// Connections that were asked for.
        connections: usize,
        /// Open files that they need.
        wanted: u64,
        /// Open files that there may be.
        limit: u64,
    },
    /// The kernel refused what the thread needs.
    #[error("cannot prepare the load generator")]
    Kernel(#[source] io::Error),
}

/// Asks as planned until the time is over or `stop` is set; blocks until then. A thread of its own asks, and `progress` is
/// called on the calling thread about four times a second.
///
/// # Errors
/// [`Error`]; nothing was asked then. A server that cannot be reached is no error here, but counted.
pub fn run(
    plan: &Plan,
    mut progress: impl FnMut(&Figures),
    stop: &AtomicBool,
) -> Result<Outcome, Error> {
    plan.check()?;
    plan.allow_descriptors()?;
    std::thread::scope(|scope| {
        let over = Arc::new(AtomicBool::new(false));
        let crowd = if plan.crowd.is_empty() {
            None
        } else {
            let (ready, is_ready) = mpsc::sync_channel(1);
            let over = Arc::clone(&over);
            let thread = std::thread::Builder::new().name("palco-crowd".to_owned());
            let crowd = thread
                .spawn_scoped(scope, move || crowd::run(plan, &over, &ready))
                .map_err(Error::Kernel)?;
            // Only ever an error if it has ended already, and then joining tells why.
            let _ = is_ready.recv();
            Some(crowd)
        };
        let (figures, seen) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("palco-generator".to_owned());
        let asking = thread.spawn_scoped(scope, move || engine::run(plan, &figures, stop));
        for figures in seen {
            progress(&figures);
        }
        let outcome = asking.map(ScopedJoinHandle::join);
        over.store(true, Ordering::Release);
        let counts = crowd.map(|crowd| {
            crowd.thread().unpark();
            crowd.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        let mut outcome =
            outcome.map_err(Error::Kernel)?.unwrap_or_else(|panic| resume_unwind(panic))?;
        outcome.crowd = counts.unwrap_or_default();
        Ok(outcome)
    })
}

impl Plan {
    /// Whether all values are within their bounds.
    ///
    /// # Errors
    /// [`Error::Value`] says which is not.
    pub fn check(&self) -> Result<(), Error> {
        let value = |text: String| Err(Error::Value(text));
        let (Connections::Kept(count) | Connections::PerRequest(count)) = self.connections;
        if !(1..=CONNECTIONS_MAX).contains(&count) {
            return value(format!("connections: 1 to {CONNECTIONS_MAX}, not {count}"));
        }
        if self.kept() > 0 && self.talk.protocol().is_one_shot() {
            let protocol = self.talk.protocol();
            return value(format!(
                "connections: `{protocol}` needs one for each request: choose per-request"
            ));
        }
        if self.lasts.is_zero() || self.lasts > LASTS_MAX {
            return value(format!("for: above zero, at most {} s", LASTS_MAX.as_secs()));
        }
        if self.warm_up > LASTS_MAX {
            return value(format!("warm-up: at most {} s", LASTS_MAX.as_secs()));
        }
        if self.answer_within.is_zero() || self.answer_within > ANSWER_WITHIN_MAX {
            let most = ANSWER_WITHIN_MAX.as_secs();
            return value(format!("answer within: above zero, at most {most} s"));
        }
        let crowd: usize = self.crowd.iter().map(Crowd::connections).sum();
        if self.kept() + crowd > CONNECTIONS_MAX {
            let all = self.kept() + crowd;
            return value(format!("crowd: {CONNECTIONS_MAX} connections in all, not {all}"));
        }
        self.schedule.check().map_err(Error::Value)?;
        self.crowd.iter().try_for_each(|crowd| crowd.check(&self.talk)).map_err(Error::Value)
    }

    /// Connections that are kept open.
    fn kept(&self) -> usize {
        match self.connections {
            Connections::PerRequest(_) => 0,
            Connections::Kept(count) => count,
        }
    }

    /// Raises the soft limit of open files as far as is needed.
    fn allow_descriptors(&self) -> Result<(), Error> {
        let crowd: usize = self.crowd.iter().map(Crowd::connections).sum();
        let connections = self.kept() + crowd;
        let wanted = connections as u64 + DESCRIPTORS_BESIDE;
        let kernel = |error: nix::Error| Error::Kernel(error.into());
        let (soft, limit) = getrlimit(Resource::RLIMIT_NOFILE).map_err(kernel)?;
        if limit < wanted {
            return Err(Error::Descriptors { connections, wanted, limit });
        }
        // Requests with connections of their own may need many at once, when the server stands still.
        let most = CONNECTIONS_MAX as u64 + DESCRIPTORS_BESIDE;
        let raised = most.min(limit);
        if soft < raised {
            setrlimit(Resource::RLIMIT_NOFILE, raised, limit).map_err(kernel)?;
        }
        Ok(())
    }
}
