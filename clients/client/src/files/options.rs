//! What a client of files is to do, and its limits.

use std::time::Duration;

use crate::Limits;

/// How files are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileProtocol {
    /// Stateless: every request is complete in itself. `palco serve files --protocol http`.
    Http,
    /// Stateful: the server keeps what is open. `palco serve files --protocol sftp`.
    Sftp,
}

impl FileProtocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Http, Self::Sftp];

    /// As it is written on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Sftp => "sftp",
        }
    }
}

/// How long what was read is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Caching {
    /// Not at all: every read asks the server.
    #[default]
    None,
    /// What is known of a file is believed for this long (`actimeo` of NFS), and then asked for again; blocks stay as long
    /// as its version does. A read may be older than a write by this long.
    Ttl(Duration),
    /// As long as the server has promised to ask before anybody changes the file. SFTP only. No read is older than a write
    /// that is done.
    Leases {
        /// The term to ask for; zero leaves it to the server.
        wanted: Duration,
    },
}

/// What a [`FileClient`](super::FileClient) does, and its limits.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// How files are asked for. Default: HTTP.
    pub protocol: FileProtocol,
    /// How long what was read is believed. Default: not at all.
    pub caching: Caching,
    /// Bytes of one block of the cache, from [`BLOCK_BYTES_MIN`] to [`BLOCK_BYTES_MAX`]. Default: 32 KiB.
    pub block_bytes: usize,
    /// Bytes of all blocks that are kept. Default: 64 MiB.
    pub cache_bytes_max: usize,
    /// Blocks that are asked for at once when reads are in a row, from 1 (none is read ahead) to
    /// [`READ_AHEAD_BLOCKS_MAX`]. Default: 8.
    pub read_ahead_blocks_max: usize,
    /// A file whose handle the server does not know any more is opened again by its path, instead of
    /// [`FileError::HandleLost`](super::FileError::HandleLost). It may be another file by then. SFTP only. Default: false.
    pub reopen: bool,
    /// The largest file that is read as a whole. Default: 64 MiB.
    pub file_bytes_max: usize,
    /// No attempt begins later than this after the first. Default: 30 s.
    pub within: Duration,
    /// One attempt to connect. Default: 2 s.
    pub connect_within: Duration,
    /// One attempt to get an answer. Default: 15 s.
    pub answer_within: Duration,
    /// The first pause between two attempts. Default: 10 ms.
    pub pause_min: Duration,
    /// The longest. Default: 1 s.
    pub pause_max: Duration,
}

/// The smallest block of a cache: 512 bytes.
pub const BLOCK_BYTES_MIN: usize = 512;
/// The largest block of a cache: 128 KiB, which every SFTP server gives with one read.
pub const BLOCK_BYTES_MAX: usize = 128 << 10;
/// The most blocks that are asked for at once: 64.
pub const READ_AHEAD_BLOCKS_MAX: usize = 64;

/// Bytes of an answer beside the content of a file: heads, lengths, and the listing of a directory.
const FRAMING_BYTES_MAX: usize = 16 << 20;

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            protocol: FileProtocol::Http,
            caching: Caching::None,
            block_bytes: 32 << 10,
            cache_bytes_max: 64 << 20,
            read_ahead_blocks_max: 8,
            reopen: false,
            file_bytes_max: 64 << 20,
            within: Duration::from_secs(30),
            connect_within: Duration::from_secs(2),
            answer_within: Duration::from_secs(15),
            pause_min: Duration::from_millis(10),
            pause_max: Duration::from_secs(1),
        }
    }
}

impl FileOptions {
    /// For this protocol, and otherwise as by default.
    #[must_use]
    pub fn new(protocol: FileProtocol) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// With this caching.
    #[must_use]
    pub fn caching(mut self, caching: Caching) -> Self {
        self.caching = caching;
        self
    }

    /// What each connection waits for and takes.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            connect_within: self.connect_within,
            answer_within: self.answer_within,
            answer_bytes_max: self.file_bytes_max.saturating_add(FRAMING_BYTES_MAX),
        }
    }

    /// Why they cannot be used.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !(BLOCK_BYTES_MIN..=BLOCK_BYTES_MAX).contains(&self.block_bytes) {
            return Err("a block has from 512 bytes to 128 KiB");
        }
        if !(1..=READ_AHEAD_BLOCKS_MAX).contains(&self.read_ahead_blocks_max) {
            return Err("from 1 to 64 blocks are asked for at once");
        }
        if matches!(self.caching, Caching::Leases { .. }) && self.protocol != FileProtocol::Sftp {
            return Err("leases are state of the server, so they need SFTP; over HTTP take a TTL");
        }
        Ok(())
    }
}
