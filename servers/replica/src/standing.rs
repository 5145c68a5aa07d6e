//! How a replica stands, for those who watch.

use palco_core::Time;
use palco_rambo::{Boot, ConfigurationMap, NodeId, Participant, Stage};
use serde::{Deserialize, Serialize};

/// How one shard of a node stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Which shard, from 0.
    pub shard: u16,
    /// Who it is.
    pub node: NodeId,
    /// Which life this is.
    pub boot: Boot,
    /// What it knows of the configurations; nothing before it has joined.
    pub map: Option<ConfigurationMap>,
    /// Keys it holds something for, tombstones among them.
    pub registers: u64,
    /// Operations under way.
    pub operations: u64,
    /// What it is doing about a reconfiguration.
    pub driving: Option<Stage>,
    /// On its own clock.
    pub at: Time,
}

impl Standing {
    /// Of this participant.
    #[must_use]
    pub fn of(shard: u16, participant: &Participant, at: Time) -> Self {
        Self {
            shard,
            node: participant.node(),
            boot: participant.boot(),
            map: participant.map().cloned(),
            registers: participant.registers().len() as u64,
            operations: participant.operations() as u64,
            driving: participant.driving(),
            at,
        }
    }
}
