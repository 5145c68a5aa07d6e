//! What is compared, and how it is asked.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A server of files, and what it keeps of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// palco over HTTP: nothing.
    Http,
    /// palco over SFTP: open files, what was read ahead, what is to be written.
    Volatile,
    /// The same, and handles outlive the server; nothing is written behind.
    Journalled,
    /// The same as volatile, and leases.
    Leases,
    /// nginx: nothing.
    Nginx,
    /// OpenSSH's server, one process for each connection.
    SftpServer,
}

impl Side {
    /// All, in the order of the report.
    pub const ALL: [Self; 6] =
        [Self::Http, Self::Nginx, Self::Volatile, Self::Journalled, Self::Leases, Self::SftpServer];

    /// As the report shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "palco http",
            Self::Volatile => "palco sftp, volatile",
            Self::Journalled => "palco sftp, journalled",
            Self::Leases => "palco sftp, leases",
            Self::Nginx => "nginx",
            Self::SftpServer => "OpenSSH sftp-server",
        }
    }

    /// How it was started.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Http => "palco serve files --protocol http",
            Self::Volatile => "palco serve files --protocol sftp --lease-term 0s",
            Self::Journalled => {
                "palco serve files --protocol sftp --handles journalled --lease-term 0s"
            }
            Self::Leases => "palco serve files --protocol sftp --lease-term 10s",
            Self::Nginx => "one worker, sendfile, no log, connections without end; it only reads",
            Self::SftpServer => "socat starts one for each connection, which it has itself",
        }
    }

    /// Which peer it needs; none for palco itself.
    #[must_use]
    pub const fn peer(self) -> Option<Peer> {
        match self {
            Self::Nginx => Some(Peer::Nginx),
            Self::SftpServer => Some(Peer::SftpServer),
            Self::Http | Self::Volatile | Self::Journalled | Self::Leases => None,
        }
    }

    /// A name for files.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Http => "palco-http",
            Self::Volatile => "palco-volatile",
            Self::Journalled => "palco-journalled",
            Self::Leases => "palco-leases",
            Self::Nginx => "nginx",
            Self::SftpServer => "sftp-server",
        }
    }

    pub(super) const fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Nginx)
    }

    /// Whether it answers what it remembers.
    pub(super) const fn tells_its_state(self) -> bool {
        matches!(self, Self::Volatile | Self::Journalled | Self::Leases)
    }
}

/// Who palco is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// nginx of the distribution.
    Nginx,
    /// OpenSSH's sftp-server, behind socat.
    SftpServer,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Nginx, Self::SftpServer];

    /// The name used on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::SftpServer => "sftp-server",
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

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What a block of 4 KiB costs to be read.
    Reads,
    /// How many reads are answered from what was read ahead.
    Ahead,
    /// What a server remembers of its clients.
    Memory,
    /// What a block of 4 KiB costs to be written.
    Writes,
    /// What a killed server costs a client.
    Recovery,
    /// How old what is read from a cache is, and what leases cost.
    Staleness,
}

impl Part {
    /// All, in the order of the report.
    pub const ALL: [Self; 6] =
        [Self::Reads, Self::Ahead, Self::Memory, Self::Writes, Self::Recovery, Self::Staleness];

    /// The name used on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Ahead => "ahead",
            Self::Memory => "memory",
            Self::Writes => "writes",
            Self::Recovery => "recovery",
            Self::Staleness => "staleness",
        }
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|part| part.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no table `{name}`; tables are: {names}")
        })
    }
}

/// What is done with blocks of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Blocks are read one after the other.
    Sequential,
    /// Blocks are read by chance.
    Random,
    /// Blocks are written one after the other.
    Write,
}

impl Task {
    /// All, in the order of the report.
    pub const ALL: [Self; 3] = [Self::Sequential, Self::Random, Self::Write];

    /// As the report shows it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Sequential => "A block of 4 KiB read, of 64 MiB, in sequence",
            Self::Random => "A block of 4 KiB read, of 64 MiB, by chance",
            Self::Write => "A block of 4 KiB written, in sequence",
        }
    }

    /// The part of the report that it belongs to.
    pub(super) const fn part(self) -> Part {
        match self {
            Self::Sequential | Self::Random => Part::Reads,
            Self::Write => Part::Writes,
        }
    }
}

/// How a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A request for each block, all on one connection.
    Request,
    /// A connection for each block.
    Connection,
    /// Open, read, close for each block.
    OpenReadClose,
    /// One handle for all blocks.
    Handle,
    /// One handle, 16 blocks under way.
    Pipelined,
    /// An append with a key for each block.
    Append,
    /// One handle; answered when the server has the block.
    Write,
    /// The same, and flushed to the disk, for each block.
    WriteSync,
}

impl Way {
    /// As the report shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "a request each",
            Self::Connection => "a connection each",
            Self::OpenReadClose => "open, read, close",
            Self::Handle => "handle kept",
            Self::Pipelined => "handle kept, 16 at once",
            Self::Append => "append with key",
            Self::Write => "write",
            Self::WriteSync => "write, fsync",
        }
    }

    /// How many blocks are under way.
    pub(super) const fn at_once(self) -> usize {
        if matches!(self, Self::Pipelined) { 16 } else { 1 }
    }

    /// In which ways this server does this.
    pub(super) const fn of(side: Side, task: Task) -> &'static [Self] {
        match (task, side) {
            (Task::Sequential | Task::Random, Side::Http | Side::Nginx) => {
                &[Self::Request, Self::Connection]
            }
            (Task::Sequential | Task::Random, _) => {
                &[Self::OpenReadClose, Self::Handle, Self::Pipelined]
            }
            (Task::Write, Side::Http) => &[Self::Append],
            (Task::Write, Side::Nginx) => &[],
            (Task::Write, _) => &[Self::Write, Self::WriteSync],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_read_back() {
        for peer in Peer::ALL {
            assert_eq!(peer.name().parse(), Ok(peer));
        }
        for part in Part::ALL {
            assert_eq!(part.name().parse(), Ok(part));
        }
        assert!("apache".parse::<Peer>().unwrap_err().contains("nginx, sftp-server"));
        assert!("writing".parse::<Part>().unwrap_err().contains("reads, ahead"));
    }

    #[test]
    fn names_and_folders_are_different() {
        let names: BTreeSet<_> = Side::ALL.map(Side::name).into();
        let folders: BTreeSet<_> = Side::ALL.map(Side::folder).into();
        assert_eq!((names.len(), folders.len()), (Side::ALL.len(), Side::ALL.len()));
    }
}
