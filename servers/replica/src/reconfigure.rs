//! A reconfiguration of all shards through one node, in words for people and programs.

use std::time::Duration;

use palco_rambo::{
    Command, Configuration, Failure, Index, Member, Outcome, Quorums, Reconfigured, Target,
};
use serde::{Deserialize, Serialize};

use crate::{Domain, Registers};

/// What is wanted: any set of members, from any set, in one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The newest configuration of each shard as the asker knows it, by shard; whatever is there if it is empty. Somebody
    /// else's change in between is not undone by it then.
    pub expected: Vec<Index>,
    /// Who shall keep the registers.
    pub members: Vec<Member>,
    /// Which sets of them shall speak for all.
    pub quorums: Quorums,
}

/// What came of it, for one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Installed.
    Installed(Reconfigured),
    /// Another configuration than expected is the newest: look at it and ask again.
    Superseded(Configuration),
    /// Time ran out: it may have been installed, or be later.
    Unknown,
    /// It was not installed, and will not be.
    Failed(Failure),
}

/// Reconfigures all shards, one after the other, through this node; ends at the first that is not installed. Returns what
/// came of each shard that was tried.
pub async fn reconfigure(domain: &Domain, wanted: &Wanted, within: Duration) -> Vec<Change> {
    let mut changes = Vec::new();
    for standing in domain.look().await {
        let shard = usize::from(standing.shard);
        let newest = standing.map.as_ref().map_or(0, |map| map.top().index());
        let target = Target {
            expected: wanted.expected.get(shard).copied().unwrap_or(newest),
            members: wanted.members.clone(),
            quorums: wanted.quorums.clone(),
        };
        let command = vec![Command::Reconfigure(target)];
        let outcome = domain.run_on(standing.shard, command, within).await.into_iter().next();
        let change = match outcome {
            Some(Outcome::Reconfigured(done)) => Change::Installed(done),
            Some(Outcome::Superseded(newest)) => Change::Superseded(newest),
            Some(Outcome::Failed(why)) => Change::Failed(why),
            _ => Change::Unknown,
        };
        let is_installed = matches!(change, Change::Installed(_));
        changes.push(change);
        if !is_installed {
            break;
        }
    }
    changes
}
