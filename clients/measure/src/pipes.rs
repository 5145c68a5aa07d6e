//! The four modes of a pipe, blocking and not, on both sides: what is delivered, lost, or read in vain.
//!
//! | file | what |
//! |---|---|
//! | `pipes/modes.rs` | the experiment: an eager side and a slow one, for each mode |
//! | `pipes/facts.rs` | one fact of pipe(7) after the other, looked up in the kernel |
//! | `pipes/textbook.rs` | what courses say of each, and why it is so or not |
//! | `pipes/beside.rs` | the eager side, on a thread or in a process |
//! | `pipes/watch.rs` | is it asleep, and did the kernel put it to sleep? |
//!
//! Nothing here depends on luck. The slow side is slow by rule, not by a timer: a slow reader reads only when the pipe is
//! full and its writer asleep or done, a slow writer writes only when its reader has found the pipe empty. So every
//! count is exact, and a table of two runs differs in nothing but the times.

mod beside;
mod facts;
mod modes;
mod textbook;
mod watch;

use std::io;

use serde::{Deserialize, Serialize};

pub use beside::Units;

/// What a call does that cannot be served at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calls {
    /// It waits.
    Blocking,
    /// It fails with `EAGAIN`: the end of the pipe has `O_NONBLOCK`.
    NonBlocking,
}

/// Which side takes its time; the other one is eager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slow {
    /// It writes only when the reader has found the pipe empty.
    Writer,
    /// It reads only when the pipe is full, or the writer is done.
    Reader,
}

/// One cell of the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mode {
    /// How it is written.
    pub writer: Calls,
    /// How it is read.
    pub reader: Calls,
    /// Who is slow.
    pub slow: Slow,
}

/// Calls that did not return before the kernel had put their thread to sleep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// How many: those over which the kernel's count of voluntary switches of the thread grew.
    pub calls: u64,
    /// The longest of them, in nanoseconds. A time: differs from run to run.
    pub longest_nanos: u64,
    /// All of them, in nanoseconds. A time, too.
    pub total_nanos: u64,
}

/// What became of the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Messages that the writer had, of 4 bytes.
    pub messages: u64,
    /// Messages that fit into the pipe.
    pub capacity: u64,
    /// Messages that the reader got.
    pub delivered: u64,
    /// Whether those were the first ones that the pipe took, in order and whole.
    pub in_order: bool,
    /// Messages that a full pipe refused (`EAGAIN`) and a careless writer forgot.
    pub lost: u64,
    /// Reads of an empty pipe (`EAGAIN`).
    pub in_vain: u64,
    /// Times that a careless reader, which handles its variable after every read, handled the previous message again.
    pub stale: u64,
    /// Times that it handled a variable that nothing had been read into yet.
    pub zeros: u64,
    /// Writes that waited.
    pub writes_blocked: Blocked,
    /// Reads that waited.
    pub reads_blocked: Blocked,
}

/// Whether what is taught is what this kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Textbook {
    /// It is.
    Right,
    /// It is not; the reason says why.
    Wrong,
}

/// A line about a mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeLine {
    /// Which.
    pub mode: Mode,
    /// What is taught.
    pub says: String,
    /// What happened.
    pub outcome: Outcome,
    /// What follows for what is taught.
    pub textbook: Textbook,
    /// Why it is so.
    pub reason: String,
    /// Whether every count is the one that the reason explains; false: this kernel does otherwise.
    pub as_explained: bool,
}

/// A line about a fact of pipes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactLine {
    /// What was tried.
    pub tried: String,
    /// What pipe(7) and POSIX say.
    pub says: String,
    /// What happened.
    pub observed: String,
    /// What follows for what is taught.
    pub textbook: Textbook,
    /// Why it is so.
    pub reason: String,
    /// Whether it is what the reason explains; false: this kernel does otherwise.
    pub as_explained: bool,
}

/// All that was found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipesReport {
    /// What the two sides were.
    pub units: Units,
    /// Bytes that the pipe of the modes was made to hold.
    pub pipe_bytes: u64,
    /// The modes.
    pub modes: Vec<ModeLine>,
    /// The facts.
    pub facts: Vec<FactLine>,
}

impl PipesReport {
    /// Whether this kernel does everything as explained here.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.modes.iter().all(|line| line.as_explained)
            && self.facts.iter().all(|line| line.as_explained)
    }
}

/// An experiment that could not be carried out.
#[derive(thiserror::Error, Debug)]
#[error("cannot try {tried}")]
pub struct PipesError {
    /// The mode or fact.
    tried: String,
    source: io::Error,
}

/// Messages of every mode: several pipes full.
pub const MESSAGES: u64 = 5000;

/// Tries every mode with [`MESSAGES`] messages, and every fact. Takes less than a second on an idle machine.
///
/// # Errors
/// When the kernel refuses a pipe, a thread or a process, or when the other side ends too early. [`Units::Processes`]
/// needs a process of one thread.
pub fn run(units: Units) -> Result<PipesReport, PipesError> {
    let line = |mode: Mode| {
        let outcome = modes::observe(mode, units, MESSAGES);
        let outcome = outcome.map_err(|source| PipesError { tried: mode.to_string(), source })?;
        Ok(textbook::judged(mode, outcome))
    };
    let modes = Mode::ALL.into_iter().map(line).collect::<Result<_, PipesError>>()?;
    Ok(PipesReport { units, pipe_bytes: modes::PIPE_BYTES, modes, facts: facts::all()? })
}

impl Mode {
    /// All, the reader slow first.
    pub const ALL: [Self; 8] = [
        Self::new(Slow::Reader, Calls::Blocking, Calls::Blocking),
        Self::new(Slow::Reader, Calls::Blocking, Calls::NonBlocking),
        Self::new(Slow::Reader, Calls::NonBlocking, Calls::Blocking),
        Self::new(Slow::Reader, Calls::NonBlocking, Calls::NonBlocking),
        Self::new(Slow::Writer, Calls::Blocking, Calls::Blocking),
        Self::new(Slow::Writer, Calls::Blocking, Calls::NonBlocking),
        Self::new(Slow::Writer, Calls::NonBlocking, Calls::Blocking),
        Self::new(Slow::Writer, Calls::NonBlocking, Calls::NonBlocking),
    ];

    const fn new(slow: Slow, writer: Calls, reader: Calls) -> Self {
        Self { writer, reader, slow }
    }
}

impl Calls {
    /// As in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::NonBlocking => "non-blocking",
        }
    }
}

impl Slow {
    /// As in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Writer => "writer",
            Self::Reader => "reader",
        }
    }
}

impl std::fmt::Display for Mode {
    /// `blocking writes, non-blocking reads, slow reader`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (writer, reader) = (self.writer.name(), self.reader.name());
        write!(f, "{writer} writes, {reader} reads, slow {}", self.slow.name())
    }
}
