//! What people see of a cluster and say of it: nodes by their names, and wishes for other members.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::str::FromStr;

use palco_actors::AnyRef;
use palco_rambo::{Configuration, Index, Member, NodeId, Quorums};
use palco_transport::Peer;
use serde::{Deserialize, Serialize};

use crate::{Domain, EnsembleError, Standing};

/// What is known of the nodes.
pub type Viewing = Pin<Box<dyn Future<Output = ClusterView> + Send>>;

/// Nodes that keep registers together, as one of them, or who has started them, sees them.
pub trait Cluster: Send + Sync + fmt::Debug {
    /// Through which requests go.
    fn domain(&self) -> Domain;

    /// All nodes that are known.
    fn view(&self) -> Viewing;

    /// Lets a node in, and those that it lets in.
    ///
    /// # Errors
    /// Why not, in words.
    fn allow(&self, peer: Peer) -> Result<(), String>;

    /// The nodes of this program that can answer now, in the order of their names: not those that have ended or rest.
    fn answering(&self) -> Vec<(NodeId, Domain)>;

    /// What can be done to the nodes, if all of them are of this program.
    fn host(&self) -> Option<&dyn NodeHost> {
        None
    }
}

/// Has nodes side by side in one program, and can do to them what happens to nodes: to see what comes of it.
pub trait NodeHost {
    /// The actors of a node, one for each shard; none of a node that is not here.
    fn replicas(&self, node: NodeId) -> Vec<AnyRef>;

    /// Loses all letters between two nodes from now on, or no longer.
    fn cut(&self, one: NodeId, other: NodeId, is_cut: bool);

    /// The pairs that are cut, the smaller number first.
    fn cuts(&self) -> Vec<(NodeId, NodeId)>;

    /// One more node, which is no member yet.
    ///
    /// # Errors
    /// See [`EnsembleError`].
    fn add(&self) -> Result<NodeId, EnsembleError>;
}

/// The nodes of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterView {
    /// In the order of their names.
    pub nodes: Vec<NodeView>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// What people call it.
    pub name: String,
    /// Its number in configurations.
    pub node: NodeId,
    /// Who it is to other machines; nothing on one stage.
    pub peer: Option<Peer>,
    /// Where other nodes reach it.
    pub addresses: Vec<String>,
    /// Where clients reach it in the Redis protocol.
    pub resp: Option<SocketAddr>,
    /// Where clients reach it over HTTP.
    pub http: Option<SocketAddr>,
    /// Whether letters can go there now.
    pub is_connected: bool,
    /// How its shards stand, as far as they could be asked.
    pub standings: Vec<Standing>,
}

/// Another configuration, in people's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// All members, as `NAME` or `NAME:WEIGHT`; those of now if empty.
    pub members: Vec<String>,
    /// Who takes whose place.
    pub replace: Vec<Replacement>,
    /// Which sets speak for all; the kind of now, or majorities if that does not fit any more.
    pub quorum: Option<QuorumWish>,
}

/// One for another, written `old=new`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// Who goes.
    pub old: String,
    /// Who comes.
    pub new: String,
}

/// A kind of quorums: `majority`, `thresholds:READ,WRITE`, `weighted:READ,WRITE` or `grid:ROWSxCOLUMNS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuorumWish {
    /// More than half.
    Majority,
    /// So many of them.
    Thresholds(u32, u32),
    /// Those that weigh so much.
    Weighted(u64, u64),
    /// A column to read, a row to write: so many rows, so many columns.
    Grid(u32, u32),
}

/// Why a wish cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// Nobody is called so.
    #[error("there is no node `{name}`; nodes are: {known}")]
    Nobody {
        /// What was said.
        name: String,
        /// Who is there.
        known: String,
    },
    /// Two are.
    #[error("several nodes are called `{0}`: name them by their numbers (palco register status)")]
    Several(String),
    /// Who is to go is not there.
    #[error("`{0}` is no member now, so nobody can take its place")]
    NoMember(String),
    /// Who is to come is who is to go: a new node of the same name is not known yet.
    #[error(
        "only one node called `{0}` is known, and it cannot take its own place: wait until the new one is connected"
    )]
    Itself(String),
    /// A weight that is none.
    #[error("`{0}` has no weight: write NAME:WEIGHT, the weight a number of at least 1")]
    Weight(String),
    /// Rows times columns are others than the members.
    #[error("a grid of {rows}x{columns} is for {} nodes, and {members} are wanted", rows * columns)]
    Grid {
        /// Rows of the grid.
        rows: u32,
        /// Columns of the grid.
        columns: u32,
        /// Members wanted.
        members: usize,
    },
    /// No node has said which configuration there is.
    #[error("no node here knows the configuration: is this node connected to any other?")]
    NoConfiguration,
}

impl ClusterView {
    /// The newest configuration that any node knows of shard 0.
    #[must_use]
    pub fn newest(&self) -> Option<&Configuration> {
        let standings = self.nodes.iter().flat_map(|node| &node.standings);
        let maps =
            standings.filter(|standing| standing.shard == 0).filter_map(|of| of.map.as_ref());
        maps.map(|map| &**map.top()).max_by_key(|top| top.index())
    }

    /// The newest configuration of each shard that any node knows.
    #[must_use]
    pub fn newest_indices(&self) -> Vec<Index> {
        let mut newest = BTreeMap::<u16, Index>::new();
        for standing in self.nodes.iter().flat_map(|node| &node.standings) {
            let index = standing.map.as_ref().map_or(0, |map| map.top().index());
            let known = newest.entry(standing.shard).or_default();
            *known = index.max(*known);
        }
        newest.into_values().collect()
    }

    /// What people call a node.
    #[must_use]
    pub fn name(&self, node: NodeId) -> String {
        let known = self.nodes.iter().find(|view| view.node == node);
        known.map_or_else(|| node.to_string(), |view| view.name.clone())
    }

    /// Whom somebody means: by name, or by number as configurations show it. Among several of one name, the one that is
    /// `preferred`, as when a node came back under its name and as somebody else.
    ///
    /// # Errors
    /// [`WishError::Nobody`], [`WishError::Several`].
    pub fn who(
        &self,
        said: &str,
        preferred: impl Fn(&NodeView) -> bool,
    ) -> Result<NodeId, WishError> {
        let named: Vec<_> = self.nodes.iter().filter(|view| view.name == said).collect();
        let preferred: Vec<_> = named.iter().copied().filter(|view| preferred(view)).collect();
        match (&named[..], &preferred[..]) {
            ([view], _) | (_, [view]) => return Ok(view.node),
            ([], _) => {}
            _ => return Err(WishError::Several(said.to_owned())),
        }
        let numbered = self.nodes.iter().find(|view| view.node.to_string() == said);
        numbered.map(|view| view.node).ok_or_else(|| {
            let known: Vec<_> = self.nodes.iter().map(|view| &*view.name).collect();
            WishError::Nobody { name: said.to_owned(), known: known.join(", ") }
        })
    }
}

impl Wish {
    /// What this means in this cluster.
    ///
    /// # Errors
    /// [`WishError`].
    pub fn resolve(&self, view: &ClusterView) -> Result<(Vec<Member>, Quorums), WishError> {
        let now = view.newest().ok_or(WishError::NoConfiguration)?;
        let mut members = match &self.members[..] {
            [] => now.members().to_vec(),
            named => named.iter().map(|said| member(said, view)).collect::<Result<_, _>>()?,
        };
        for Replacement { old, new } in &self.replace {
            let gone = view.who(old, |view| now.contains(view.node))?;
            let come = view.who(new, |view| view.is_connected && view.node != gone)?;
            if come == gone {
                return Err(WishError::Itself(new.clone()));
            }
            let member = members.iter_mut().find(|member| member.node == gone);
            member.ok_or_else(|| WishError::NoMember(old.clone()))?.node = come;
        }
        let quorums = match self.quorum {
            Some(wish) => wish.resolve(members.len())?,
            None if members.len() == now.members().len() => now.quorums().clone(),
            None => Quorums::Majority,
        };
        // Listed quorums name the members of then.
        let names_others = matches!(quorums, Quorums::Explicit { .. }) && self.quorum.is_none();
        Ok((members, if names_others { Quorums::Majority } else { quorums }))
    }
}

fn member(said: &str, view: &ClusterView) -> Result<Member, WishError> {
    let is_connected = |view: &NodeView| view.is_connected;
    let Some((name, weight)) = said.rsplit_once(':') else {
        return Ok(Member { node: view.who(said, is_connected)?, weight: 1 });
    };
    let weight = weight.parse().ok().filter(|weight| *weight > 0);
    let weight = weight.ok_or_else(|| WishError::Weight(said.to_owned()))?;
    Ok(Member { node: view.who(name, is_connected)?, weight })
}

impl QuorumWish {
    fn resolve(self, members: usize) -> Result<Quorums, WishError> {
        Ok(match self {
            Self::Majority => Quorums::Majority,
            Self::Thresholds(read, write) => Quorums::Thresholds { read, write },
            Self::Weighted(read, write) => Quorums::Weighted { read, write },
            Self::Grid(rows, columns) => {
                if u64::from(rows) * u64::from(columns) != members as u64 {
                    return Err(WishError::Grid { rows, columns, members });
                }
                Quorums::Grid { columns }
            }
        })
    }
}

impl FromStr for QuorumWish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let two = |rest: &str, between: char| -> Option<(u64, u64)> {
            let (one, other) = rest.split_once(between)?;
            Some((one.parse().ok()?, other.parse().ok()?))
        };
        let small = |(one, other): (u64, u64)| -> Option<(u32, u32)> {
            Some((one.try_into().ok()?, other.try_into().ok()?))
        };
        let found = match text.split_once(':') {
            None => (text == "majority").then_some(Self::Majority),
            Some(("thresholds", rest)) => {
                two(rest, ',').and_then(small).map(|(read, write)| Self::Thresholds(read, write))
            }
            Some(("weighted", rest)) => {
                two(rest, ',').map(|(read, write)| Self::Weighted(read, write))
            }
            Some(("grid", rest)) => {
                two(rest, 'x').and_then(small).map(|(rows, columns)| Self::Grid(rows, columns))
            }
            Some(_) => None,
        };
        found.ok_or_else(|| {
            format!(
                "`{text}` is no kind of quorums: majority, thresholds:READ,WRITE, weighted:READ,WRITE, grid:ROWSxCOLUMNS"
            )
        })
    }
}

impl FromStr for Replacement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((old, new)) if !old.is_empty() && !new.is_empty() => {
                Ok(Self { old: old.to_owned(), new: new.to_owned() })
            }
            _ => Err(format!("`{text}` is no replacement: write OLD=NEW")),
        }
    }
}

#[cfg(test)]
mod tests;
