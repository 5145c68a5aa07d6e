//! What is compared, and what is asked of it.

use std::str::FromStr;

/// A store of registers, and how it keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// Three nodes of palco, each on disk before it promises.
    Palco,
    /// Three nodes of palco that keep everything in memory.
    PalcoMemory,
    /// Three members of etcd, as they come.
    Etcd,
    /// One redis that flushes its log before it answers.
    RedisAlways,
    /// One redis without a log: nothing is replicated and nothing kept.
    RedisMemory,
}

impl Store {
    /// All, in the order of the report.
    pub const ALL: [Self; 5] =
        [Self::Palco, Self::PalcoMemory, Self::Etcd, Self::RedisAlways, Self::RedisMemory];

    /// As the report shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Palco => "palco × 3, durable",
            Self::PalcoMemory => "palco × 3, memory",
            Self::Etcd => "etcd × 3, durable",
            Self::RedisAlways => "redis × 1, fsync always",
            Self::RedisMemory => "redis × 1, memory",
        }
    }

    /// How it was started and asked.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Palco => "palco node, Redis protocol, noise between nodes; its log is compacted",
            Self::PalcoMemory => "palco node --memory, Redis protocol, noise between nodes",
            Self::Etcd => {
                "gRPC, plain between members, quota 8 GiB; nothing compacted; gets are linearizable"
            }
            Self::RedisAlways => "appendonly yes, appendfsync always, no rewrites; NOT replicated",
            Self::RedisMemory => "no log, no snapshots; NOT replicated, NOT durable",
        }
    }

    /// Which peer it needs; none for palco itself.
    #[must_use]
    pub const fn peer(self) -> Option<Peer> {
        match self {
            Self::Palco | Self::PalcoMemory => None,
            Self::Etcd => Some(Peer::Etcd),
            Self::RedisAlways | Self::RedisMemory => Some(Peer::Redis),
        }
    }

    /// A name for a directory.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Palco => "palco",
            Self::PalcoMemory => "palco-memory",
            Self::Etcd => "etcd",
            Self::RedisAlways => "redis-always",
            Self::RedisMemory => "redis-memory",
        }
    }

    /// Whether what it has confirmed is on disk.
    pub(super) const fn is_durable(self) -> bool {
        matches!(self, Self::Palco | Self::Etcd | Self::RedisAlways)
    }
}

/// Who palco is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// etcd of the distribution.
    Etcd,
    /// redis of the distribution.
    Redis,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Etcd, Self::Redis];

    /// The name used on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Redis => "redis",
        }
    }

    /// The program, and the package of Debian that it is in.
    pub(super) const fn program(self) -> (&'static str, &'static str) {
        match self {
            Self::Etcd => ("etcd", "etcd-server"),
            Self::Redis => ("redis-server", "redis-server"),
        }
    }
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|peer| peer.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no peer `{name}`; peers are: {names}, or `none` alone")
        })
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Read a register, linearizable.
    Get,
    /// Write a register.
    Set,
    /// Reads, several under way at once for each client.
    PipelinedGet,
    /// Writes, several under way at once for each client.
    PipelinedSet,
}

impl Operation {
    /// All, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Get, Self::Set, Self::PipelinedGet, Self::PipelinedSet];

    /// As the report shows it; `pipeline` operations are under way at once where there are several.
    #[must_use]
    pub fn title(self, pipeline: usize) -> String {
        match self {
            Self::Get => "get".to_owned(),
            Self::Set => "set".to_owned(),
            Self::PipelinedGet => format!("get, {pipeline} at once per client"),
            Self::PipelinedSet => format!("set, {pipeline} at once per client"),
        }
    }

    pub(super) const fn is_set(self) -> bool {
        matches!(self, Self::Set | Self::PipelinedSet)
    }

    pub(super) const fn at_once(self, pipeline: usize) -> usize {
        match self {
            Self::Get | Self::Set => 1,
            Self::PipelinedGet | Self::PipelinedSet => pipeline,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_of_peers_are_read_back() {
        for peer in Peer::ALL {
            assert_eq!(peer.name().parse(), Ok(peer));
        }
        assert!("consul".parse::<Peer>().unwrap_err().contains("etcd, redis"));
    }

    #[test]
    fn names_and_folders_are_different() {
        let names: BTreeSet<_> = Store::ALL.map(Store::name).into();
        let folders: BTreeSet<_> = Store::ALL.map(Store::folder).into();
        assert_eq!((names.len(), folders.len()), (Store::ALL.len(), Store::ALL.len()));
    }
}
