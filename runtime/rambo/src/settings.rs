//! What a participant is told when it begins.

use std::time::Duration;

use crate::{Flaws, Key, NodeId};

/// How a participant behaves. All of a domain must have the same [`Mode`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who it is.
    pub node: NodeId,
    /// How old configurations are removed. Default: [`Mode::Rambo2`].
    pub mode: Mode,
    /// Where it keeps what it promises. Default: [`Storage::Disk`].
    pub storage: Storage,
    /// Whom to ask for the configurations when it knows none, or when nobody it knows answers.
    pub seeds: Vec<NodeId>,
    /// What is not answered is asked again after this, then after twice this and so on up to 16 times. Default: 50 ms.
    pub resend: Duration,
    /// Queries ask no more members than they need, and all others when one of these has not answered after this; `None`:
    /// all at once, as the slides have it. Default: `None`.
    pub patience: Option<Duration>,
    /// A member that sees an upgrade standing still takes it over after this. Default: 1 s.
    pub takeover: Duration,
    /// How long the members of a new configuration have to answer before it is refused. Default: 10 s.
    pub preflight: Duration,
    /// Operations at once, at most. Default: 65 536.
    pub operations_max: usize,
    /// Nothing is proposed while this many configurations are active, 2 to 8 (pitfall 10). Default: 2.
    pub active_max: usize,
    /// What its hashes and its backoffs begin with. Any number; others than the other participants' are better.
    pub seed: u64,
    /// Rules that are left out, for tests: none unless built with feature `lab`.
    pub flaws: Flaws,
}

impl Settings {
    /// The defaults.
    #[must_use]
    pub fn new(node: NodeId) -> Self {
        Self {
            node,
            mode: Mode::Rambo2,
            storage: Storage::Disk,
            seeds: Vec::new(),
            resend: Duration::from_millis(50),
            patience: None,
            takeover: Duration::from_secs(1),
            preflight: Duration::from_secs(10),
            operations_max: 1 << 16,
            active_max: 2,
            seed: node.0,
            flaws: Flaws::NONE,
        }
    }
}

/// How configurations that are no longer wanted are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One at a time, oldest first (RAMBO I, slide 17).
    Rambo1,
    /// All before the newest at once (RAMBO II, slide 20).
    Rambo2,
    /// c_k goes when c_k+2 is decided, in the round that votes for it (RAMBO III, slides 26 to 28). Safe only where the
    /// register's value travels with every map, so there is one register, and this is it.
    Rambo3(Key),
}

/// Where a participant keeps what it promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// On disk before it answers.
    Disk,
    /// In memory: who ends is gone, and must come back under another identity.
    Memory,
}
