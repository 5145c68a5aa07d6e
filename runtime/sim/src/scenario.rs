//! What is tried: how many take part, what they do, and what goes wrong. Together with a seed this is a whole run.

use std::time::Duration;

use palco_rambo::Flaws;
use serde::Serialize;

mod command;

/// One experiment; the defaults are a small busy cluster to which nothing happens.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Nodes that can be members, 1 to 1 000. Default: 5.
    pub nodes: u32,
    /// Members of the first configuration, the first so many nodes. Default: 3 (at most `nodes`).
    pub members: u32,
    /// Clients, each asking one thing at a time of a node it picks for each. Default: 8.
    pub clients: u32,
    /// What they ask in all. Default: 10 000.
    pub operations: u64,
    /// Registers they ask about; one in [`ModeKind::Rambo3`]. Default: 16.
    pub keys: u32,
    /// Of the keys, those of class cas, in percent. Default: 25; 0 in [`ModeKind::Rambo3`].
    pub cas_percent: u32,
    /// Of what is asked, reads, in percent. Default: 60.
    pub read_percent: u32,
    /// Bytes of a value; its first ones make it unlike any other. Default: 16.
    pub value_bytes: u32,
    /// How old configurations are removed. Default: [`ModeKind::Rambo2`].
    pub mode: ModeKind,
    /// How quorums are formed. Default: [`QuorumKind::Majority`].
    pub quorums: QuorumKind,
    /// What goes wrong. Default: nothing.
    pub faults: Faults,
    /// Time a message takes, from and to (uniform). Default: 100 µs to 1 ms.
    pub delay: (Duration, Duration),
    /// Time a flush of the disk takes, from and to (uniform). Default: 50 to 500 µs.
    pub flush: (Duration, Duration),
    /// Bytes per second of a link, that bulk transfers share with all else. Default: 125 000 000.
    pub bandwidth: u64,
    /// Pause between reconfigurations, if any are wanted. Default: none.
    pub reconfigure_every: Option<Duration>,
    /// How long queries wait for the few that they ask first. Default: none, they ask all at once.
    pub patience: Option<Duration>,
    /// Configurations that may be active when another is proposed, 2 to 8. Default: 2.
    pub active_max: usize,
    /// Rules that the participants leave out. Default: none.
    pub flaws: Flaws,
    /// Whether the run is recorded for drawing. Default: no.
    pub trace: TraceWish,
}

/// Whether a run is recorded for drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TraceWish {
    /// No: it would not fit into memory for long runs.
    #[default]
    None,
    /// The last so many events before the end or the first violation.
    Last(usize),
}

/// [`palco_rambo::Mode`] without its key, which the scenario chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as the modes of the same names")]
pub enum ModeKind {
    Rambo1,
    Rambo2,
    Rambo3,
}

/// [`palco_rambo::Quorums`] for any number of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuorumKind {
    /// More than half.
    Majority,
    /// Read one, write all.
    ReadOne,
    /// Read all, write one.
    WriteOne,
    /// One node weighs as much as two.
    Weighted,
    /// Rows and columns, as square as the number of members allows.
    Grid,
    /// A third each: they miss each other, for a test in which the checkers must object.
    Broken,
    /// A different one of the sound ones for each configuration.
    Mixed,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Messages are lost.
    Loss,
    /// Messages come twice.
    Duplicate,
    /// Messages overtake each other by far.
    Reorder,
    /// Some cannot reach the others, either way.
    Partition,
    /// Some are heard and do not hear, or the reverse.
    Asymmetric,
    /// Each reaches its neighbours in a ring only.
    Ring,
    /// A node stops in the middle and comes back with what was flushed, and a torn part of what was not.
    Crash,
    /// A node loses its disk and comes back as somebody else.
    DiskLoss,
    /// A node stands still for longer than every timeout, and then goes on as if nothing had been.
    Pause,
    /// A node takes a hundred times as long for everything.
    Slow,
    /// Two drivers reconfigure at once, to any members and any quorums, again and again.
    Storm,
}

impl ModeKind {
    /// All, with the names that the command line takes.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Rambo1, "rambo1"), (Self::Rambo2, "rambo2"), (Self::Rambo3, "rambo3")];
}

impl QuorumKind {
    /// All, with the names that the command line takes.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Majority, "majority"),
        (Self::ReadOne, "read-one"),
        (Self::WriteOne, "write-one"),
        (Self::Weighted, "weighted"),
        (Self::Grid, "grid"),
        (Self::Mixed, "mixed"),
        (Self::Broken, "broken"),
    ];
}

impl Fault {
    /// All, with the names that the command line takes.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Loss, "loss"),
        (Self::Duplicate, "duplicate"),
        (Self::Reorder, "reorder"),
        (Self::Partition, "partition"),
        (Self::Asymmetric, "asymmetric"),
        (Self::Ring, "ring"),
        (Self::Crash, "crash"),
        (Self::DiskLoss, "disk-loss"),
        (Self::Pause, "pause"),
        (Self::Slow, "slow"),
        (Self::Storm, "storm"),
    ];
}

/// A set of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults(u16);

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << fault as u16)
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u16 != 0
    }

    /// The faults, in the order of [`Fault::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.into_iter().map(|(fault, _)| fault).filter(move |&fault| self.has(fault))
    }

    /// Everything at once.
    #[must_use]
    pub fn all() -> Self {
        Fault::ALL.into_iter().fold(Self::NONE, |faults, (fault, _)| faults.with(fault))
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            nodes: 5,
            members: 3,
            clients: 8,
            operations: 10_000,
            keys: 16,
            cas_percent: 25,
            read_percent: 60,
            value_bytes: 16,
            mode: ModeKind::Rambo2,
            quorums: QuorumKind::Majority,
            faults: Faults::NONE,
            delay: (Duration::from_micros(100), Duration::from_millis(1)),
            flush: (Duration::from_micros(50), Duration::from_micros(500)),
            bandwidth: 125_000_000,
            reconfigure_every: None,
            patience: None,
            active_max: 2,
            flaws: Flaws::NONE,
            trace: TraceWish::None,
        }
    }
}
