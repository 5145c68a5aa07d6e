//! Which cell of the matrix: what runs, how it is woken, where, and with how much memory.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a row is about; rows of one section are shown together and may be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// Two units pass a turn to and fro: nanoseconds a hop, half a round trip.
    Switch,
    /// As [`Section::Switch`], and each touches private memory at every hop.
    WorkingSet,
    /// Some units in a ring on one core: nanoseconds a hop.
    Ring,
    /// A unit made, finished and reaped: nanoseconds.
    Create,
    /// Resident memory of an idle unit: bytes.
    Memory,
    /// As [`Section::Switch`], with a message of some bytes: nanoseconds a hop.
    IpcLatency,
    /// Messages one way: messages a second.
    IpcThroughput,
    /// What is measured beside, to see the parts of a hop: a call, a system call, a clock.
    Floor,
}

/// What is switched between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A function called through a pointer: no unit at all.
    Inline,
    /// A user-level thread.
    Fiber,
    /// A task on an event loop, or an actor on one.
    Task,
    /// A kernel thread.
    Thread,
    /// A process with an address space of its own.
    Process,
}

/// Where the two sides run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cores {
    /// Both on one processor.
    Same,
    /// On two hardware threads of one core.
    Sibling,
    /// On two cores.
    Other,
}

/// In which order a working set is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// One cache line after the other: the processor fetches ahead.
    Sequential,
    /// Each line says which is next, in random order: nothing can be fetched ahead.
    Chase,
}

/// Size of the pages of a working set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Pages {
    /// The base size.
    #[serde(rename = "4K")]
    Small,
    /// Huge pages, as far as the kernel gives them (`MADV_HUGEPAGE`).
    #[serde(rename = "2M")]
    Huge,
}

/// How the sides are scheduled while they are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// In real time, first in first out: nothing usual runs in between.
    Fifo,
    /// As every other thread.
    Other,
}

/// One cell of the matrix. Its text form is stable: reports are compared by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What the row is about.
    pub section: Section,
    /// What is switched between, created or counted.
    pub unit: Unit,
    /// How: `futex-private`, `pipe`, `yield`, `tokio-notify`, `fork`, …
    pub mechanism: String,
    /// Where.
    pub cores: Cores,
    /// How it is scheduled.
    pub policy: Policy,
    /// Bytes that each side touches at every hop.
    pub working_set: u64,
    /// In which order; only where there is a working set.
    pub pattern: Option<Pattern>,
    /// On which pages; only where there is a working set.
    pub pages: Option<Pages>,
    /// Units in the ring; 2 is a ping-pong.
    pub units: u32,
    /// Bytes of a message, where there are messages; else 0.
    pub message: u64,
    /// Bytes of heap that the maker of units has touched before, where it makes units; else 0.
    pub heap: u64,
}

impl Key {
    /// A ping-pong on one core in real time, without working set or message.
    #[must_use]
    pub fn new(section: Section, unit: Unit, mechanism: impl Into<String>) -> Self {
        Self {
            section,
            unit,
            mechanism: mechanism.into(),
            cores: Cores::Same,
            policy: Policy::Fifo,
            working_set: 0,
            pattern: None,
            pages: None,
            units: 2,
            message: 0,
            heap: 0,
        }
    }
}

impl Section {
    /// All, in the order in which a report shows them.
    pub const ALL: [Self; 8] = [
        Self::Floor,
        Self::Switch,
        Self::WorkingSet,
        Self::Ring,
        Self::Create,
        Self::Memory,
        Self::IpcLatency,
        Self::IpcThroughput,
    ];

    /// As in files and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::WorkingSet => "working-set",
            Self::Ring => "ring",
            Self::Create => "create",
            Self::Memory => "memory",
            Self::IpcLatency => "ipc-latency",
            Self::IpcThroughput => "ipc-throughput",
            Self::Floor => "floor",
        }
    }

    /// What its figures count.
    #[must_use]
    pub const fn measure(self) -> &'static str {
        match self {
            Self::Switch | Self::WorkingSet | Self::Ring | Self::IpcLatency => "ns a hop",
            Self::Create => "ns a unit",
            Self::Memory => "bytes a unit",
            Self::IpcThroughput => "messages a second",
            Self::Floor => "ns a call",
        }
    }
}

impl Unit {
    /// All.
    pub const ALL: [Self; 5] = [Self::Inline, Self::Fiber, Self::Task, Self::Thread, Self::Process];

    /// As in files and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Fiber => "fiber",
            Self::Task => "task",
            Self::Thread => "thread",
            Self::Process => "process",
        }
    }
}

impl Cores {
    /// All.
    pub const ALL: [Self; 3] = [Self::Same, Self::Sibling, Self::Other];

    /// As in files and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Sibling => "sibling",
            Self::Other => "other",
        }
    }
}

impl Pattern {
    /// All.
    pub const ALL: [Self; 2] = [Self::Sequential, Self::Chase];

    /// As in files and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Chase => "chase",
        }
    }
}

impl Pages {
    /// All.
    pub const ALL: [Self; 2] = [Self::Small, Self::Huge];

    /// As in files and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "4K",
            Self::Huge => "2M",
        }
    }
}

impl Policy {
    /// All.
    pub const ALL: [Self; 2] = [Self::Fifo, Self::Other];

    /// As in files and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Other => "other",
        }
    }
}

/// Reads one of the names of a type that lists them.
macro_rules! by_name {
    ($($type:ident: $what:literal),* $(,)?) => {
        $(impl FromStr for $type {
            type Err = String;

            fn from_str(name: &str) -> Result<Self, String> {
                Self::ALL.into_iter().find(|it| it.name() == name).ok_or_else(|| {
                    let names = Self::ALL.map(Self::name).join(", ");
                    format!(concat!("there is no ", $what, " `{}`; there are: {}"), name, names)
                })
            }
        })*
    };
}

by_name!(Unit: "unit", Cores: "way to share cores", Pattern: "order", Pages: "page size", Policy: "policy");

impl fmt::Display for Key {
    /// `switch/thread/futex-private@same`, followed by what differs from a plain ping-pong in real time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (section, unit, cores) = (self.section.name(), self.unit.name(), self.cores.name());
        write!(f, "{section}/{unit}/{}@{cores}", self.mechanism)?;
        if self.policy == Policy::Other {
            f.write_str("/usual")?;
        }
        if self.working_set > 0 || self.section == Section::WorkingSet {
            write!(f, "/ws={}", self.working_set)?;
        }
        if let Some(pattern) = self.pattern {
            write!(f, "/{}", pattern.name())?;
        }
        if let Some(pages) = self.pages {
            write!(f, "/{}", pages.name())?;
        }
        if self.units != 2 || self.section == Section::Ring {
            write!(f, "/n={}", self.units)?;
        }
        if self.message > 0 {
            write!(f, "/message={}", self.message)?;
        }
        if self.heap > 0 {
            write!(f, "/heap={}", self.heap)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_only_what_differs_from_a_plain_ping_pong() {
        let plain = Key::new(Section::Switch, Unit::Thread, "pipe");
        assert_eq!(plain.to_string(), "switch/thread/pipe@same");
        let ring = Key {
            units: 8,
            working_set: 1 << 18,
            ..Key::new(Section::Ring, Unit::Process, "futex")
        };
        assert_eq!(ring.to_string(), "ring/process/futex@same/ws=262144/n=8");
    }
}
