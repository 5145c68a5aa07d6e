//! Servers that are killed while a client reads: what the client must do, and how long it takes.

use std::time::Instant;

use bytes::Bytes;
use palco_files::sftp::wire::{Request, Secret};
use palco_measure::Chance;
use serde::{Deserialize, Serialize};

use super::closed::LENGTH;
use super::host::Host;
use super::http::{Http, get, of_range};
use super::sftp::{READ, Sftp, data};
use super::side::Side;
use super::{BLOCK, BLOCKS, READ_FILE, check_block};
use crate::stats::Spread;

/// The most reads between two kills.
const READS_MAX: usize = 100;

/// The client whose leases are claimed again.
const CLIENT: Secret = *b"palco bench stat";

/// What a kill costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryRow {
    /// Who was killed.
    pub side: Side,
    /// How often.
    pub kills: usize,
    /// What the client had to do.
    pub client: String,
    /// From the kill until the server takes connections again, in milliseconds.
    pub restart_ms: Option<Spread>,
    /// From then to the first right bytes, in milliseconds.
    pub first_ms: Option<Spread>,
    /// Round trips from then to the first right bytes.
    pub round_trips: Option<Spread>,
    /// Reads that failed, all kills together.
    pub failed: usize,
    /// Why there are no figures.
    pub refused: Option<String>,
}

/// What one kill has cost.
struct Loss {
    restart_ms: f64,
    first_ms: f64,
    round_trips: f64,
    failed: usize,
}

impl RecoveryRow {
    /// Kills this server so often.
    pub(super) fn of(host: &mut Host, kills: usize, seed: u64) -> Self {
        let side = host.side;
        match lose(host, kills, seed) {
            Ok(losses) => {
                let spread = |of: fn(&Loss) -> f64| Spread::of(losses.iter().map(of));
                Self {
                    restart_ms: spread(|loss| loss.restart_ms),
                    first_ms: spread(|loss| loss.first_ms),
                    round_trips: spread(|loss| loss.round_trips),
                    failed: losses.iter().map(|loss| loss.failed).sum(),
                    kills: losses.len(),
                    ..Self::refused(side, None)
                }
            }
            Err(failure) => Self::refused(side, Some(format!("failed: {failure}"))),
        }
    }

    /// A row without figures.
    pub(super) fn refused(side: Side, refused: Option<String>) -> Self {
        Self {
            side,
            kills: 0,
            client: what_it_takes(side).to_owned(),
            restart_ms: None,
            first_ms: None,
            round_trips: None,
            failed: 0,
            refused,
        }
    }
}

const fn what_it_takes(side: Side) -> &'static str {
    match side {
        Side::Http | Side::Nginx => "new connection, same request",
        Side::Volatile | Side::SftpServer => "new connection, open by path",
        Side::Journalled => "new connection, same handle",
        Side::Leases => "new connection, lease claimed again, open by path",
    }
}

fn lose(host: &mut Host, kills: usize, seed: u64) -> Result<Vec<Loss>, String> {
    let mut chance = Chance::named(seed, "kills");
    let mut offset = || BLOCK * chance.below(usize::try_from(BLOCKS).expect("few")) as u64;
    let mut reader = Reader::new(host)?;
    let mut losses = Vec::new();
    for _ in 0..kills {
        for _ in 0..1 + usize::try_from(offset() / BLOCK).unwrap_or(0) % READS_MAX {
            let at = offset();
            check_block(&reader.read(at)?, at)?;
        }
        let at = offset();
        let under_way = reader.ask(at);
        let killed = Instant::now();
        host.kill().map_err(|refusal| refusal.to_string())?;
        // Its answer may have come before.
        let answered = under_way.and_then(|()| reader.answer());
        let failed = match &answered {
            Ok(block) => check_block(block, at).map(|()| 0)?,
            Err(_) => 1,
        };
        host.again().map_err(|refusal| refusal.to_string())?;
        let restart_ms = killed.elapsed().as_secs_f64() * 1e3;
        let accepts = Instant::now();
        let before = reader.round_trips_kept();
        reader.recover(host)?;
        check_block(&reader.read(at)?, at)?;
        losses.push(Loss {
            restart_ms,
            first_ms: accepts.elapsed().as_secs_f64() * 1e3,
            round_trips: (reader.round_trips() - before) as f64,
            failed,
        });
    }
    Ok(losses)
}

/// A client, and what it knows from before the kill.
struct Reader {
    side: Side,
    client: Client,
    handle: Bytes,
    version: u64,
}

enum Client {
    Http(Http),
    Sftp(Box<Sftp>),
}

impl Reader {
    fn new(host: &Host) -> Result<Self, String> {
        let side = host.side;
        if side.is_http() {
            let client = Client::Http(Http::new(host.address));
            return Ok(Self { side, client, handle: Bytes::new(), version: 0 });
        }
        let mut sftp = Sftp::connect(host.address)?;
        let handle = sftp.open(READ_FILE, READ)?;
        let mut version = 0;
        if side == Side::Leases {
            sftp.introduce(CLIENT)?;
            version = sftp.lease(&handle)?.ok_or("no lease was given")?;
        }
        let client = Client::Sftp(Box::new(sftp));
        Ok(Self { side, client, handle, version })
    }

    fn round_trips(&self) -> u64 {
        match &self.client {
            Client::Http(http) => http.tally.round_trips,
            Client::Sftp(sftp) => sftp.tally.round_trips,
        }
    }

    /// Those that are still counted when the connection is another one.
    fn round_trips_kept(&self) -> u64 {
        match &self.client {
            Client::Http(http) => http.tally.round_trips,
            Client::Sftp(_) => 0,
        }
    }

    fn ask(&mut self, offset: u64) -> Result<(), String> {
        match &mut self.client {
            Client::Http(http) => http.send(&get(READ_FILE, offset), &[]),
            Client::Sftp(sftp) => {
                let handle = self.handle.clone();
                sftp.send(&[Request::Read { handle, offset, length: LENGTH }])
            }
        }
    }

    fn answer(&mut self) -> Result<Vec<u8>, String> {
        match &mut self.client {
            Client::Http(http) => of_range(http.receive()?),
            Client::Sftp(sftp) => data(sftp.receive()?.1).map(Vec::from),
        }
    }

    fn read(&mut self, offset: u64) -> Result<Vec<u8>, String> {
        self.ask(offset)?;
        self.answer()
    }

    /// Everything that is to be done before a read is right again; the connection is gone.
    fn recover(&mut self, host: &Host) -> Result<(), String> {
        match &mut self.client {
            Client::Http(http) => http.disconnect(),
            Client::Sftp(sftp) => {
                **sftp = Sftp::connect(host.address)?;
                if self.side == Side::Leases {
                    sftp.introduce(CLIENT)?;
                    if !sftp.reclaim(READ_FILE, self.version)? {
                        return Err("the lease was not given again".to_owned());
                    }
                }
                if self.side != Side::Journalled {
                    self.handle = sftp.open(READ_FILE, READ)?;
                }
            }
        }
        Ok(())
    }
}
