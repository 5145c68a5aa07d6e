//! A reconfiguration of all shards through one node, in words for people and programs.

use std::error::Error;
use std::fmt;
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

impl Change {
    /// Whether it was installed.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        matches!(self, Self::Installed(_))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed(done) => write!(
                f,
                "configuration {} is installed: decided after {:.1?}, alone after {:.1?}, {} round trips",
                done.configuration.index(),
                done.decided,
                done.installed,
                done.phases
            ),
            Self::Superseded(newest) => write!(
                f,
                "not installed: configuration {} came in between; look at it and ask again",
                newest.index()
            ),
            Self::Unknown => {
                f.write_str("nobody knows: time ran out, and it may be installed yet; look again")
            }
            Self::Failed(why) => {
                write!(f, "not installed: {why}")?;
                let mut source = why.source();
                while let Some(cause) = source {
                    write!(f, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
        }
    }
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
        let is_installed = change.is_installed();
        changes.push(change);
        if !is_installed {
            break;
        }
    }
    changes
}
