//! How old what a client reads is, by why it believes what it has kept, while another client writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use palco_client::files::FileCounters;
use palco_client::{Caching, FileClient, FileOptions, FileProtocol};
use palco_files::sftp::wire::Request;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::host::Host;
use super::http::Http;
use super::sftp::{Sftp, WRITE};
use super::side::Side;

/// Between two writes.
const WRITE_EVERY: Duration = Duration::from_millis(10);

/// Between two reads.
const READ_EVERY: Duration = Duration::from_micros(500);

/// What is written and read.
const FILE: &str = "counter";

/// Why a client believes what it has read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Belief {
    /// It does not: it asks each time.
    None,
    /// Because it is not older than 100 ms.
    Ttl100ms,
    /// Because it is not older than 1 s.
    Ttl1s,
    /// Because the server has promised.
    Leases,
}

impl Belief {
    /// As the report shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "asks each time",
            Self::Ttl100ms => "TTL 100 ms",
            Self::Ttl1s => "TTL 1 s",
            Self::Leases => "leases",
        }
    }

    const fn caching(self) -> Caching {
        match self {
            Self::None => Caching::None,
            Self::Ttl100ms => Caching::Ttl(Duration::from_millis(100)),
            Self::Ttl1s => Caching::Ttl(Duration::from_secs(1)),
            Self::Leases => Caching::Leases { wanted: Duration::ZERO },
        }
    }

    /// Those that there are with this server.
    pub(super) const fn of(side: Side) -> &'static [Self] {
        match side {
            Side::Http => &[Self::None, Self::Ttl100ms, Self::Ttl1s],
            Side::Leases => &[Self::None, Self::Ttl100ms, Self::Ttl1s, Self::Leases],
            Side::Volatile | Side::Journalled | Side::Nginx | Side::SftpServer => &[],
        }
    }
}

/// What one client has read while another one wrote every 10 ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StaleRow {
    /// The server of both.
    pub side: Side,
    /// Why the reader believes what it has kept.
    pub belief: Belief,
    /// What was seen, unless the row was refused.
    pub figures: Option<StaleFigures>,
    /// Why there are no figures.
    pub refused: Option<String>,
}

/// How old it was. A read is old if a newer write had been confirmed before the read began; its age is how long before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StaleFigures {
    /// Reads.
    pub reads: u64,
    /// Old ones.
    pub old: u64,
    /// Age of all reads, in milliseconds, those that are not old with 0: half had less.
    pub p50_ms: f64,
    /// 99 of 100 had less.
    pub p99_ms: f64,
    /// The oldest.
    pub max_ms: f64,
    /// Requests of the reader by read, those for its leases among them.
    pub requests: f64,
    /// Writes.
    pub writes: u64,
    /// Half of the writes took less, in milliseconds.
    pub write_p50_ms: f64,
    /// 99 of 100 took less.
    pub write_p99_ms: f64,
}

/// A write: what was written, and when it was confirmed. Times from the beginning, in nanoseconds.
struct Written {
    stamp: u64,
    confirmed: u64,
    took: u64,
}

impl StaleRow {
    /// Watches for so long.
    pub(super) fn of(host: &Host, belief: Belief, lasts: Duration) -> Self {
        let (figures, refused) = match watch(host, belief, lasts) {
            Ok(figures) => (Some(figures), None),
            Err(failure) => (None, Some(format!("failed: {failure}"))),
        };
        Self { side: host.side, belief, figures, refused }
    }

    /// A row without figures.
    pub(super) fn refused(side: Side, belief: Belief, refused: String) -> Self {
        Self { side, belief, figures: None, refused: Some(refused) }
    }
}

/// A client as people would use it.
pub(super) fn client(host: &Host, caching: Caching) -> Result<FileClient, String> {
    let protocol = if host.side.is_http() { FileProtocol::Http } else { FileProtocol::Sftp };
    let options = FileOptions { block_bytes: 4096, ..FileOptions::new(protocol) };
    FileClient::new(host.address.to_string(), options.caching(caching))
        .map_err(|error| error.to_string())
}

fn watch(host: &Host, belief: Belief, lasts: Duration) -> Result<StaleFigures, String> {
    let begun = Instant::now();
    let (log, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let mut writer = Writer::new(host)?;
    writer.write(begun, &log)?;
    let mut reader = client(host, belief.caching())?;
    let (reads, counters) = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut due = Instant::now();
            while !is_over.load(Ordering::Relaxed) {
                due += WRITE_EVERY;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                writer.write(begun, &log)?;
            }
            Ok::<_, String>(())
        });
        let reads = read(&mut reader, begun, lasts);
        is_over.store(true, Ordering::Relaxed);
        writing.join().map_err(|_| "the writer panicked".to_owned())??;
        reads
    })?;
    let log = log.into_inner();
    let mut ages = reads.iter().map(|read| age(*read, &log)).collect::<Result<Vec<_>, _>>()?;
    let mut took: Vec<u64> = log.iter().map(|written| written.took).collect();
    ages.sort_unstable();
    took.sort_unstable();
    Ok(StaleFigures {
        reads: ages.len() as u64,
        old: ages.iter().filter(|age| **age > 0).count() as u64,
        p50_ms: quantile(&ages, 50),
        p99_ms: quantile(&ages, 99),
        max_ms: quantile(&ages, 100),
        requests: counters.requests as f64 / ages.len().max(1) as f64,
        writes: took.len() as u64,
        write_p50_ms: quantile(&took, 50),
        write_p99_ms: quantile(&took, 99),
    })
}

/// When a read began, and what it saw.
type Seen = (u64, u64);

fn read(
    reader: &mut FileClient,
    begun: Instant,
    lasts: Duration,
) -> Result<(Vec<Seen>, FileCounters), String> {
    let mut file = reader.open(FILE).map_err(|error| error.to_string())?;
    let (mut seen, from) = (Vec::new(), Instant::now());
    let before = reader.counters();
    while from.elapsed() < lasts {
        let (at, mut buffer) = (nanos(begun), [0; 8]);
        let count = reader.read_at(&mut file, &mut buffer, 0).map_err(|error| error.to_string())?;
        if count != buffer.len() {
            return Err(format!("{count} bytes were read of 8"));
        }
        seen.push((at, u64::from_le_bytes(buffer)));
        thread::sleep(READ_EVERY);
    }
    let mut counters = reader.counters();
    counters.requests -= before.requests;
    reader.close(file).map_err(|error| error.to_string())?;
    Ok((seen, counters))
}

/// How long before a read the write was confirmed that followed the one that it saw; 0 if it was not.
fn age((at, stamp): Seen, log: &[Written]) -> Result<u64, String> {
    let seen = log.binary_search_by_key(&stamp, |written| written.stamp);
    let seen = seen.map_err(|_| format!("{stamp} was read, which nobody has written"))?;
    Ok(log.get(seen + 1).map_or(0, |next| at.saturating_sub(next.confirmed)))
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// In milliseconds; 0 of nothing.
fn quantile(ascending: &[u64], hundredths: usize) -> f64 {
    let last = ascending.len().saturating_sub(1);
    ascending.get(last.min(ascending.len() * hundredths / 100)).map_or(0.0, |n| *n as f64 / 1e6)
}

/// Writes the time into the file.
enum Writer {
    Http(Http),
    Sftp(Sftp, Bytes),
}

impl Writer {
    fn new(host: &Host) -> Result<Self, String> {
        if host.side.is_http() {
            return Ok(Self::Http(Http::new(host.address)));
        }
        let mut sftp = Sftp::connect(host.address)?;
        let handle = sftp.open(FILE, WRITE)?;
        Ok(Self::Sftp(sftp, handle))
    }

    fn write(&mut self, begun: Instant, log: &Mutex<Vec<Written>>) -> Result<(), String> {
        let stamp = nanos(begun);
        let data = stamp.to_le_bytes();
        match self {
            Self::Http(http) => http.put(FILE, &data)?,
            Self::Sftp(sftp, handle) => {
                let (handle, data) = (handle.clone(), Bytes::copy_from_slice(&data));
                sftp.done("write", Request::Write { handle, offset: 0, data })?;
            }
        }
        let confirmed = nanos(begun);
        log.lock().push(Written { stamp, confirmed, took: confirmed - stamp });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_old_only_if_a_newer_write_was_confirmed_before_it_began() {
        let written = |stamp, confirmed| Written { stamp, confirmed, took: confirmed - stamp };
        let log = [written(0, 10), written(100, 130), written(200, 230)];
        assert_eq!(age((120, 0), &log), Ok(0), "the next was not confirmed yet");
        assert_eq!(age((150, 0), &log), Ok(20));
        assert_eq!(age((250, 0), &log), Ok(120), "from the first that it has missed");
        assert_eq!(age((900, 200), &log), Ok(0));
        assert!(age((900, 7), &log).is_err());
    }

    #[test]
    fn quantiles_are_those_of_the_ascending() {
        let ascending: Vec<u64> = (1..=100).map(|n| n * 1_000_000).collect();
        assert_eq!((quantile(&ascending, 100), quantile(&ascending, 50)), (100.0, 51.0));
        assert_eq!(quantile(&[], 99), 0.0);
    }
}
