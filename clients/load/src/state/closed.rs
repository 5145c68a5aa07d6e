//! One client that asks again as soon as it has its answer: what a block costs.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use palco_files::sftp::wire::{Extension, Request};
use palco_measure::Chance;

use super::host::Host;
use super::http::Http;
use super::sftp::{READ, Sftp, Tally, WRITE, data};
use super::side::{Task, Way};
use super::{BLOCK, BLOCKS, READ_FILE, check_block};

/// The longest answer that is told from longer ones: a minute.
const NANOS_MAX: u64 = 60_000_000_000;

/// Blocks of a file that is written before it is written from its beginning again: 16 MiB.
const WRITTEN_BLOCKS: u64 = 4096;

/// What one round of one cell has found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// Blocks in the measured time.
    pub(super) ops: u64,
    pub(super) seconds: f64,
    /// Of all server processes.
    pub(super) cpu_seconds: f64,
    /// Until an answer, or until all answers of what was asked at once.
    pub(super) p50_nanos: u64,
    pub(super) p99_nanos: u64,
    pub(super) tally: Tally,
}

/// Who asks: a client in one of its ways.
struct Asker<'a> {
    host: &'a Host,
    task: Task,
    way: Way,
    chance: Chance,
    /// The next block in sequence.
    next: u64,
    /// What was written, and how often.
    block: Vec<u8>,
    appended: String,
    client: Client,
    handle: Bytes,
}

enum Client {
    Http(Http),
    Sftp(Sftp),
}

/// Runs one round; an operation that fails ends it. `seed` must be another one for each round.
pub(super) fn run(
    host: &Host,
    task: Task,
    way: Way,
    lasts: Duration,
    seed: u64,
) -> Result<Sample, String> {
    let mut asker = Asker::new(host, task, way, seed)?;
    let warm = Instant::now();
    while warm.elapsed() < lasts / 10 {
        asker.step()?;
    }
    let mut nanos = Histogram::<u64>::new_with_bounds(1, NANOS_MAX, 3).expect("bounds far apart");
    let (before, cpu, begun) = (asker.tally(), host.cpu_nanos(), Instant::now());
    let mut ops = 0;
    while begun.elapsed() < lasts {
        let asked = Instant::now();
        ops += asker.step()?;
        nanos.saturating_record(u64::try_from(asked.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    let (seconds, cpu) = (begun.elapsed(), host.cpu_nanos().saturating_sub(cpu));
    let tally = asker.tally().since(before);
    asker.finish()?;
    Ok(Sample {
        ops,
        seconds: seconds.as_secs_f64(),
        cpu_seconds: cpu as f64 / 1e9,
        p50_nanos: nanos.value_at_quantile(0.5),
        p99_nanos: nanos.value_at_quantile(0.99),
        tally,
    })
}

impl Tally {
    fn since(self, before: Self) -> Self {
        Self {
            round_trips: self.round_trips - before.round_trips,
            sent: self.sent - before.sent,
            received: self.received - before.received,
        }
    }
}

impl<'a> Asker<'a> {
    fn new(host: &'a Host, task: Task, way: Way, seed: u64) -> Result<Self, String> {
        let client = if host.side.is_http() {
            Client::Http(Http::new(host.address))
        } else {
            Client::Sftp(Sftp::connect(host.address)?)
        };
        let mut asker = Self {
            host,
            task,
            way,
            chance: Chance::named(seed, "blocks"),
            next: 0,
            block: vec![b'w'; usize::try_from(BLOCK).expect("4 KiB")],
            appended: format!("appended-{}-{seed}", host.side.folder()),
            client,
            handle: Bytes::new(),
        };
        let written = asker.written();
        if let (Client::Http(http), Way::Append) = (&mut asker.client, way) {
            http.put(&asker.appended, &[])?;
        }
        if let Client::Sftp(sftp) = &mut asker.client {
            asker.handle = match way {
                Way::Handle | Way::Pipelined => sftp.open(READ_FILE, READ)?,
                Way::Write | Way::WriteSync => sftp.open(&written, WRITE)?,
                Way::OpenReadClose | Way::Request | Way::Connection | Way::Append => Bytes::new(),
            };
        }
        Ok(asker)
    }

    /// The file that is written over SFTP.
    fn written(&self) -> String {
        format!("written-{}", self.host.side.folder())
    }

    fn tally(&self) -> Tally {
        match &self.client {
            Client::Http(http) => http.tally,
            Client::Sftp(sftp) => sftp.tally,
        }
    }

    /// Where the next block begins.
    fn offset(&mut self) -> u64 {
        let blocks = if self.task == Task::Write { WRITTEN_BLOCKS } else { BLOCKS };
        if self.task == Task::Random {
            return BLOCK * self.chance.below(usize::try_from(blocks).expect("few")) as u64;
        }
        self.next += 1;
        BLOCK * ((self.next - 1) % blocks)
    }

    /// What is asked at once; how many blocks these are.
    fn step(&mut self) -> Result<u64, String> {
        let offsets: Vec<u64> = (0..self.way.at_once()).map(|_| self.offset()).collect();
        let offset = offsets[0];
        self.block[..8].copy_from_slice(&self.next.to_le_bytes());
        match &mut self.client {
            Client::Http(http) if self.way == Way::Append => {
                let key = format!("{}-{}", self.appended, self.next);
                http.append(&self.appended, &key, &self.block)?;
            }
            Client::Http(http) => {
                if self.way == Way::Connection {
                    http.disconnect();
                }
                check_block(&http.read(READ_FILE, offset)?, offset)?;
            }
            Client::Sftp(sftp) => match self.way {
                Way::OpenReadClose => {
                    let handle = sftp.open(READ_FILE, READ)?;
                    check_block(&sftp.read(&handle, offset, LENGTH)?, offset)?;
                    sftp.close(&handle)?;
                }
                Way::Write | Way::WriteSync => {
                    let (handle, data) = (self.handle.clone(), Bytes::copy_from_slice(&self.block));
                    sftp.done("write", Request::Write { handle: handle.clone(), offset, data })?;
                    if self.way == Way::WriteSync {
                        sftp.done("fsync", Extension::Sync { handle }.request())?;
                    }
                }
                _ => {
                    let read = |&offset: &u64| Request::Read {
                        handle: self.handle.clone(),
                        offset,
                        length: LENGTH,
                    };
                    let requests: Vec<_> = offsets.iter().map(read).collect();
                    let replies = sftp.ask_all(&requests)?;
                    for (reply, offset) in replies.into_iter().zip(&offsets) {
                        check_block(&data(reply)?, *offset)?;
                    }
                }
            },
        }
        Ok(offsets.len() as u64)
    }

    /// Closes, and looks whether what was written is there.
    fn finish(mut self) -> Result<(), String> {
        let name = match self.task {
            Task::Sequential | Task::Random => None,
            Task::Write if self.host.side.is_http() => Some(self.appended.clone()),
            Task::Write => Some(self.written()),
        };
        if let Client::Sftp(sftp) = &mut self.client
            && !self.handle.is_empty()
        {
            sftp.close(&self.handle)?;
        }
        let Some(name) = name else { return Ok(()) };
        let contents = std::fs::read(self.host.root.join(&name)).map_err(|e| e.to_string())?;
        let blocks = contents.len() as u64 / BLOCK;
        let last = if self.host.side.is_http() {
            if blocks != self.next {
                return Err(format!("{blocks} blocks are there of {} appended", self.next));
            }
            self.next - 1
        } else {
            (self.next - 1) % WRITTEN_BLOCKS
        };
        let at = usize::try_from(last * BLOCK).expect("a small file");
        let is_there = contents.get(at..at + 8) == Some(&self.next.to_le_bytes()[..]);
        if is_there { Ok(()) } else { Err("what was written last is not there".to_owned()) }
    }
}

/// Bytes of a read.
pub(super) const LENGTH: u32 = 4096;
