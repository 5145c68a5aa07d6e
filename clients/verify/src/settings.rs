//! What is wanted of a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::{Faults, VerifyError};

/// Nodes of one run, at most: each is a process.
pub(crate) const NODES_MAX: u16 = 32;

/// What is asked and broken, for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program `palco`, which nodes and commands are.
    pub program: PathBuf,
    /// The command that shows the same again, but for its seed, for the report.
    pub command: String,
    /// Whom clients ask.
    pub target: Target,
    /// How long they ask.
    pub time: Duration,
    /// How many there are.
    pub clients: u16,
    /// How many keys they ask about at a time.
    pub keys: u16,
    /// What everything by chance follows from.
    pub seed: u64,
    /// A directory that is kept: what nodes say and store, and histories that were objected to. Otherwise a temporary one.
    pub keep: Option<PathBuf>,
    /// Set when the run is to end early.
    pub stop: Arc<AtomicBool>,
}

/// Whom clients ask.
#[derive(Clone, Debug)]
pub enum Target {
    /// Nodes that are started for it.
    Own {
        /// Members at the beginning, at least one.
        nodes: u16,
        /// Nodes that may become members.
        spares: u16,
        /// What goes wrong.
        faults: Faults,
        /// From the beginning of one fault to that of the next, if the first is over by then.
        period: Duration,
    },
    /// Gateways that run already. Nothing is done to them.
    Running {
        /// As `HOST:PORT`.
        gateways: Vec<String>,
        /// What they want to hear first.
        password: Option<String>,
    },
}

impl Settings {
    /// Whether it can be meant.
    ///
    /// # Errors
    /// [`VerifyError::Settings`], with what to do.
    pub fn check(&self) -> Result<(), VerifyError> {
        let refuse = |text: String| Err(VerifyError::Settings(text));
        if self.clients == 0 || self.keys == 0 {
            return refuse(
                "without clients and keys nothing is asked: give at least one of each".to_owned(),
            );
        }
        match &self.target {
            Target::Running { gateways, .. } if gateways.is_empty() => {
                refuse("no gateway is named: give at least one HOST:PORT".to_owned())
            }
            Target::Running { .. } => Ok(()),
            Target::Own { nodes: 0, .. } => refuse("a cluster has at least one node".to_owned()),
            Target::Own { nodes, spares, .. } if nodes.saturating_add(*spares) > NODES_MAX => {
                refuse(format!(
                    "{nodes} nodes and {spares} spares are more than {NODES_MAX}, each of them a process: give fewer"
                ))
            }
            Target::Own { period, .. } if period.is_zero() => {
                refuse("faults need time between them: give a longer period".to_owned())
            }
            Target::Own { .. } => Ok(()),
        }
    }
}
