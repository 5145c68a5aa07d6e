//! How to start an actor's process; every setting has a default.

use std::path::PathBuf;
use std::time::Duration;

use palco_processes::{Confinement, User};
use serde::{Deserialize, Serialize};

/// What the process is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// This program, executed afresh.
    #[default]
    Exec,
    /// A fork of a zygote: this program, executed once for each confinement and kept without threads for that purpose. Much
    /// cheaper. Allowed files are those that were at their paths when the zygote was started, and no exit handlers run.
    Zygote,
}

/// How messages reach the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A pair of sockets. A process to which messages keep coming looks for the next one for a moment before it sleeps.
    #[default]
    Socket,
    /// Rings in shared memory, of this many bytes in each direction (rounded up to a power of two), on which both
    /// sides spin for a moment before they sleep; urgent messages keep a socket.
    Ring {
        /// Bytes of each ring.
        bytes: usize,
    },
}

/// When a process is replaced by a fresh one although nothing is wrong, against what leaks. Does not count as a
/// failure. Each limit is spread by up to a tenth, so that processes started together are not replaced together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Recycle {
    /// After so many messages.
    pub messages: Option<u64>,
    /// When its memory in use exceeds so many bytes; looked at once a second.
    pub rss_bytes: Option<u64>,
    /// After so many seconds.
    pub age_s: Option<u64>,
}

/// How to start an actor's process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ProcessOptions {
    pub(crate) start: Start,
    pub(crate) transport: Transport,
    pub(crate) confinement: Confinement,
    pub(crate) recycle: Recycle,
    pub(crate) unresponsive_after: Option<Duration>,
    pub(crate) frame_bytes_max: usize,
    pub(crate) program: Option<PathBuf>,
    pub(crate) user: Option<User>,
    pub(crate) nice: Option<i32>,
    pub(crate) on_system_loop: bool,
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ProcessOptions {
    /// Executed afresh, over sockets, confined as [`Confinement::service`], frames of at most 1 MiB, never recycled.
    pub fn new() -> Self {
        Self {
            start: Start::Exec,
            transport: Transport::Socket,
            confinement: Confinement::service(),
            recycle: Recycle::default(),
            unresponsive_after: None,
            frame_bytes_max: 1 << 20,
            program: None,
            user: None,
            nice: None,
            on_system_loop: false,
        }
    }

    /// Made from this.
    pub fn start(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// With messages over this.
    pub fn transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// Confined like this.
    pub fn confinement(self, confinement: Confinement) -> Self {
        Self { confinement, ..self }
    }

    /// Replaced by a fresh process then.
    pub fn recycle(self, recycle: Recycle) -> Self {
        Self { recycle, ..self }
    }

    /// Killed when a handler has run for so long without an await point or checkpoint; never by default.
    pub fn unresponsive_after(self, limit: Duration) -> Self {
        Self { unresponsive_after: Some(limit), ..self }
    }

    /// With messages, replies and arguments of at most so many bytes.
    pub fn frame_bytes_max(self, bytes: usize) -> Self {
        Self { frame_bytes_max: bytes, ..self }
    }

    /// Another program than this one: it must be of the same build, or it is refused.
    pub fn program(self, program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), ..self }
    }

    /// As another user, with exactly these groups; only for root, and only executed afresh.
    pub fn user(self, user: User) -> Self {
        Self { user: Some(user), ..self }
    }

    /// With the system's own loop to carry its messages, instead of one of those for tasks: for who is spoken to by an actor
    /// that is [there](crate::Place::SystemLoop), which then need not wake another thread.
    pub fn on_system_loop(self) -> Self {
        Self { on_system_loop: true, ..self }
    }

    /// With this niceness, from -20 (only for root) to 19; only executed afresh.
    pub fn nice(self, nice: i32) -> Self {
        Self { nice: Some(nice), ..self }
    }
}
