//! What leases cost by their term: messages by read, beside what theory says.
//!
//! Source: C. Gray and D. Cheriton 1989, section 3: one client that reads R times a second under leases of t seconds has
//! 2/(1 + R·t) messages by read: the first read after a term asks, and has an answer. Deviation: palco's client renews by the
//! clock at half of the term, so that no read waits; that is 4/(R·t), whether anything is read or not.

use std::thread;
use std::time::{Duration, Instant};

use palco_client::Caching;
use serde::{Deserialize, Serialize};

use super::READ_FILE;
use super::host::{Host, Site};
use super::side::Side;
use super::stale::client;

/// Between two reads: R is 50 by second.
const READ_EVERY: Duration = Duration::from_millis(20);

/// What one client has sent and got while it read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermRow {
    /// The term in seconds; 0 is a client that asks each time.
    pub term_seconds: f64,
    /// What was counted, unless the row was refused.
    pub figures: Option<TermFigures>,
    /// Why there are no figures.
    pub refused: Option<String>,
}

/// Messages are requests and answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermFigures {
    /// Reads.
    pub reads: u64,
    /// Of these by second: R.
    pub reads_per_second: f64,
    /// By second.
    pub messages_per_second: f64,
    /// By read.
    pub messages_per_read: f64,
    /// What they would be by read with a renewal for each term: 2/(1 + R·t).
    pub theory: f64,
    /// What they would be by read with a renewal for each half of a term by the clock, whether anything is read or not:
    /// 4/(R·t). Without leases as [`theory`](Self::theory).
    pub theory_by_clock: f64,
}

impl TermRow {
    /// One for each term, all at the same time, each with a server of its own. `root` is what they serve.
    pub(super) fn all(site: &Site, root: &std::path::Path, terms: &[Duration]) -> Vec<Self> {
        let longest = terms.iter().max().copied().unwrap_or_default();
        // Two whole terms of the longest.
        let lasts = 2 * longest;
        let all = [Duration::ZERO].into_iter().chain(terms.iter().copied());
        let rows: Vec<_> = all.enumerate().collect();
        thread::scope(|scope| {
            let watching: Vec<_> = rows
                .into_iter()
                .map(|(number, term)| {
                    let directory = site.directory.join(format!("term-{number}"));
                    // Who serves without leases never asks for them; a server needs some term.
                    let lease_term = if term.is_zero() { longest } else { term };
                    let site = Site { directory, lease_term, ..site.clone() };
                    let row = scope.spawn(move || watch(site, root, term, lasts));
                    (term, row)
                })
                .collect();
            let row = |(term, row): (Duration, thread::ScopedJoinHandle<'_, _>)| {
                let seen = row.join().unwrap_or_else(|_| Err("panicked".to_owned()));
                let term_seconds = term.as_secs_f64();
                match seen {
                    Ok(figures) => Self { term_seconds, figures: Some(figures), refused: None },
                    Err(why) => Self { term_seconds, figures: None, refused: Some(why) },
                }
            };
            watching.into_iter().map(row).collect()
        })
    }
}

fn watch(
    site: Site,
    root: &std::path::Path,
    term: Duration,
    lasts: Duration,
) -> Result<TermFigures, String> {
    let root = root.join(site.directory.file_name().unwrap_or_default());
    let failed = |error: std::io::Error| format!("failed: {error}");
    std::fs::create_dir_all(&root).map_err(failed)?;
    std::fs::write(root.join(READ_FILE), [b'r'; 4096]).map_err(failed)?;
    let host = Host::start(Side::Leases, &root, site).map_err(|refusal| refusal.to_string())?;
    let caching =
        if term.is_zero() { Caching::None } else { Caching::Leases { wanted: Duration::ZERO } };
    let failed = |error: palco_client::FileError| format!("failed: {error}");
    let mut client = client(&host, caching).map_err(|error| format!("failed: {error}"))?;
    let mut file = client.open(READ_FILE).map_err(failed)?;
    let mut buffer = [0; 4096];
    // The first read takes the lease and fills the cache.
    client.read_at(&mut file, &mut buffer, 0).map_err(failed)?;
    let (before, begun) = (client.counters(), Instant::now());
    let (mut reads, mut due) = (0_u64, begun);
    while begun.elapsed() < lasts {
        due += READ_EVERY;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        client.read_at(&mut file, &mut buffer, 0).map_err(failed)?;
        reads += 1;
    }
    let (after, seconds) = (client.counters(), begun.elapsed().as_secs_f64());
    client.close(file).map_err(failed)?;
    // Each request has one answer.
    let messages = 2.0 * (after.requests - before.requests) as f64;
    let rate = reads as f64 / seconds;
    let term = term.as_secs_f64();
    let theory = 2.0 / (1.0 + rate * term);
    Ok(TermFigures {
        reads,
        reads_per_second: rate,
        messages_per_second: messages / seconds,
        messages_per_read: messages / reads.max(1) as f64,
        theory,
        theory_by_clock: if term > 0.0 { 4.0 / (rate * term) } else { theory },
    })
}
