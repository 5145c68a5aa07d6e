//! Operations per second and processor time per operation through the domains of an ensemble: no gateway, no network, so
//! this is what the protocol, its actors and their places cost.
//!
//! `cargo bench -p palco-replica --bench domain`

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use palco_actors::{PlaceKind, Repertoire, System};
use palco_rambo::{Command, Key, Outcome};
use palco_replica::{Domain, Ensemble, EnsembleOptions, Registers, Replica};
use palco_threads::block_on;

const ROUND: Duration = Duration::from_millis(700);
const WITHIN: Duration = Duration::from_secs(10);
const KEYS: u64 = 1000;

fn command(number: u64, is_write: bool) -> Command {
    let key = Key::register((number % KEYS).to_string());
    if is_write { Command::Write(key, Some(vec![b'x'; 256].into())) } else { Command::Read(key) }
}

/// User and system time of this process and its children that have ended, in seconds.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|f| f.parse().unwrap_or(0.0))
        .collect();
    fields.get(11..15).unwrap_or_default().iter().sum::<f64>() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn round(domain: &Domain, at_once: usize, batch: u64, is_write: bool) {
    let (begin, used) = (Instant::now(), processor_seconds());
    let (mut done, mut next) = (0_u64, 0_u64);
    let mut latencies = Vec::new();
    block_on(async {
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < at_once && begin.elapsed() < ROUND {
                let commands = (next..next + batch).map(|n| command(n, is_write)).collect();
                next += batch;
                let asked = Instant::now();
                let run = domain.run(commands, WITHIN);
                running.push(async move { (asked, run.await) });
            }
            let Some((asked, outcomes)) = running.next().await else { break };
            latencies.push(asked.elapsed());
            let ok = |outcome: &&Outcome| matches!(outcome, Outcome::Read(_) | Outcome::Written(_));
            done += outcomes.iter().filter(ok).count() as u64;
        }
    });
    let seconds = begin.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |part: f64| {
        latencies.get((latencies.len() as f64 * part) as usize).copied().unwrap_or_default()
    };
    say(format!(
        "  {} {at_once:>4} × {batch:<3} {:>9.0} ops/s  {:>6.2} µs CPU  p50 {:>8.1?}  p99 {:>8.1?}  failed {}",
        if is_write { "write" } else { "read " },
        done as f64 / seconds,
        (processor_seconds() - used) * 1e6 / done.max(1) as f64,
        at(0.5),
        at(0.99),
        next - done,
    ));
}

fn say(line: String) {
    // Who reads may have gone.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn main() -> ExitCode {
    if let Err(error) = palco_actors::enter(|| Repertoire::new().with::<Replica>()) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let directory = std::env::var_os("PALCO_BENCH_DIRECTORY").map(std::path::PathBuf::from);
    for place in [PlaceKind::Task, PlaceKind::Thread, PlaceKind::Process] {
        let Ok(system) = System::builder().event_loops(1).build() else { return ExitCode::FAILURE };
        let options =
            EnsembleOptions { place, directory: directory.clone(), ..EnsembleOptions::default() };
        let Ok(ensemble) = Ensemble::start(&system, options) else { return ExitCode::FAILURE };
        say(place.to_string());
        let domain = ensemble.nodes()[0].domain.clone();
        block_on(domain.run((0..KEYS).map(|n| command(n, true)).collect(), WITHIN));
        for is_write in [false, true] {
            for (at_once, batch) in [(1, 1), (64, 1), (256, 1), (64, 16)] {
                round(&domain, at_once, batch, is_write);
            }
        }
        block_on(system.shutdown());
    }
    ExitCode::SUCCESS
}
