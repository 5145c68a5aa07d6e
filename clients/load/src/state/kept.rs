//! What a server keeps of its clients: how much it is, and what it is good for.

use bytes::Bytes;
use palco_files::sftp::wire::Remembered;
use palco_measure::Chance;
use serde::{Deserialize, Serialize};

use super::closed::LENGTH;
use super::host::Host;
use super::http::Http;
use super::sftp::{READ, Sftp};
use super::side::Side;
use super::{BLOCK, BLOCKS, READ_FILE, check_block};
use crate::actors::Refusal;

/// Reads of one row about reading ahead.
const READS: u64 = 2000;

/// Clients whose memory is looked at.
const CLIENTS: usize = 20;

/// Blocks that are read in sequence by each handle before its memory is looked at.
const READ_BEFORE: u64 = 32;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readers {
    /// One, in sequence.
    Sequential,
    /// One, by chance.
    Random,
    /// Two by turns, each in sequence with a handle of its own.
    TwoHandles,
    /// Two by turns, each in sequence, with the same handle.
    OneHandle,
}

impl Readers {
    /// All, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Sequential, Self::Random, Self::TwoHandles, Self::OneHandle];

    /// As the report shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sequential => "one, in sequence",
            Self::Random => "one, by chance",
            Self::TwoHandles => "two by turns, a handle each",
            Self::OneHandle => "two by turns, one handle",
        }
    }
}

/// How many reads were answered from what was read ahead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AheadRow {
    /// Who was asked.
    pub side: Side,
    /// Who has read.
    pub readers: Readers,
    /// Reads, as the server has counted them.
    pub reads: u64,
    /// Those that were answered from what had been read ahead.
    pub reads_ahead: u64,
    /// Why there are no figures.
    pub refused: Option<String>,
}

/// What a client costs its server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryRow {
    /// Who was asked.
    pub side: Side,
    /// Handles of each client, by each of which 32 blocks were read in sequence.
    pub handles: u64,
    /// What the server says it remembers of a client, in bytes; 0 over HTTP, where a session has no fields; nothing if it
    /// does not say.
    pub state_bytes: Option<f64>,
    /// By how much the memory of all its processes has grown, by connection, in bytes; nothing if it cannot be seen.
    pub memory_bytes: Option<f64>,
    /// Why there are no figures.
    pub refused: Option<String>,
}

impl AheadRow {
    /// All rows of a server.
    pub(super) fn all(side: Side, host: Result<&Host, &Refusal>) -> Vec<Self> {
        let row = |readers| {
            let host = host.map_err(Refusal::to_string);
            let seen = host.and_then(|host| {
                read_ahead(host, readers).map_err(|failure| format!("failed: {failure}"))
            });
            let (seen, refused) = match seen {
                Ok(seen) => (seen, None),
                Err(why) => (Remembered::default(), Some(why)),
            };
            let Remembered { reads, reads_ahead, .. } = seen;
            Self { side, readers, reads, reads_ahead, refused }
        };
        Readers::ALL.into_iter().map(row).collect()
    }

    /// Of all reads.
    #[must_use]
    pub fn hits(&self) -> Option<f64> {
        (self.reads > 0).then(|| self.reads_ahead as f64 / self.reads as f64)
    }
}

fn read_ahead(host: &Host, readers: Readers) -> Result<Remembered, String> {
    let mut client = Sftp::connect(host.address)?;
    let first = client.open(READ_FILE, READ)?;
    let second = client.open(READ_FILE, READ)?;
    let mut chance = Chance::named(1, "ahead");
    for number in 0..READS {
        let half = BLOCK * (BLOCKS / 2 + number / 2);
        let (handle, offset) = match readers {
            Readers::Sequential => (&first, BLOCK * number),
            Readers::Random => {
                let block = chance.below(usize::try_from(BLOCKS).expect("few"));
                (&first, BLOCK * block as u64)
            }
            Readers::TwoHandles if number % 2 == 1 => (&second, half),
            Readers::OneHandle if number % 2 == 1 => (&first, half),
            Readers::TwoHandles | Readers::OneHandle => (&first, BLOCK * (number / 2)),
        };
        check_block(&client.read(handle, offset, LENGTH)?, offset)?;
    }
    client.remembered()
}

impl MemoryRow {
    /// How many handles each client of this server has, row by row.
    pub(super) const fn handles(side: Side) -> &'static [u64] {
        if side.is_http() { &[0] } else { &[0, 1, 100] }
    }

    /// Of a server that has served nobody else.
    pub(super) fn of(side: Side, host: Result<Host, Refusal>, handles: u64) -> Self {
        let host = host.map_err(|refusal| refusal.to_string());
        let seen = host.and_then(|host| {
            remembered(&host, handles).map_err(|failure| format!("failed: {failure}"))
        });
        match seen {
            Ok((state_bytes, memory_bytes)) => {
                Self { side, handles, state_bytes, memory_bytes, refused: None }
            }
            Err(why) => {
                Self { side, handles, state_bytes: None, memory_bytes: None, refused: Some(why) }
            }
        }
    }
}

/// Both by client.
fn remembered(host: &Host, handles: u64) -> Result<(Option<f64>, Option<f64>), String> {
    let by_client = |bytes: u64| bytes as f64 / CLIENTS as f64;
    // What only the first client costs.
    let first = Guests::invite(host, 1, handles)?;
    let before = host.memory_bytes();
    let mut guests = Guests::invite(host, CLIENTS, handles)?;
    let after = host.memory_bytes();
    let memory = before.zip(after).map(|(before, after)| by_client(after.saturating_sub(before)));
    drop(first);
    let state = if host.side.is_http() {
        Some(0.0)
    } else if host.side.tells_its_state() {
        let mut all = 0;
        for client in &mut guests.sftp {
            let remembered = client.remembered()?;
            if remembered.handles != handles {
                return Err(format!("{} handles are open, not {handles}", remembered.handles));
            }
            all += remembered.bytes;
        }
        Some(by_client(all))
    } else {
        None
    };
    Ok((state, memory))
}

/// Clients that have read, and stay.
struct Guests {
    sftp: Vec<Sftp>,
    http: Vec<Http>,
}

impl Guests {
    fn invite(host: &Host, clients: usize, handles: u64) -> Result<Self, String> {
        let mut guests = Self { sftp: Vec::new(), http: Vec::new() };
        for _ in 0..clients {
            if host.side.is_http() {
                let mut client = Http::new(host.address);
                check_block(&client.read(READ_FILE, 0)?, 0)?;
                guests.http.push(client);
                continue;
            }
            let mut client = Sftp::connect(host.address)?;
            for _ in 0..handles {
                let handle: Bytes = client.open(READ_FILE, READ)?;
                for offset in (0..READ_BEFORE).map(|block| block * BLOCK) {
                    check_block(&client.read(&handle, offset, LENGTH)?, offset)?;
                }
            }
            guests.sftp.push(client);
        }
        Ok(guests)
    }
}
