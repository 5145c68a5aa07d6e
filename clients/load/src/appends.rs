//! Appends to a file over HTTP while the server is killed at random: what is lost, and what is there twice.
//!
//! One client appends lines with numbers, one after the other, and sends each again until it is answered. With an
//! idempotency key a repetition is answered with what the first attempt did; without, it is done again. Nothing else
//! differs.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use palco_measure::Chance;
use palco_processes::Launch;
use serde::Serialize;

use crate::actors::Refusal;
use crate::daemon::{LOOK_EVERY, Process, free_addresses, last_line};

/// A server that is not there by then will not come.
const START_WITHIN: Duration = Duration::from_secs(30);
/// How long a server lives at most, from when it listens.
const LIFE_MAX: Duration = Duration::from_millis(40);

/// What to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program `palco`.
    pub palco: PathBuf,
    /// How often the server is killed, with keys and without. 1000 by default.
    pub kills: u64,
    /// When it is killed.
    pub seed: u64,
}

/// What became of the appends.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Whether each append had an idempotency key.
    pub with_keys: bool,
    /// How often the server was killed.
    pub kills: u64,
    /// Appends that were answered in the end.
    pub appends: u64,
    /// Requests that were sent again because they were not answered.
    pub sent_again: u64,
    /// Lines that are not in the file.
    pub lost: u64,
    /// Lines that are in the file once more than they should be.
    pub doubled: u64,
    /// Seconds that it took.
    pub seconds: f64,
}

/// With keys and without.
///
/// # Errors
/// No directory, no server, or a file that has in it what nobody has sent; the text says which.
pub fn run(settings: &Settings, progress: impl Fn(u64, u64)) -> Result<[Outcome; 2], String> {
    let kills = settings.kills;
    let with = one(settings, true, |done| progress(done, 2 * kills)).map_err(told)?;
    let without = one(settings, false, |done| progress(kills + done, 2 * kills)).map_err(told)?;
    Ok([with, without])
}

fn told(refusal: Refusal) -> String {
    refusal.to_string()
}

/// What client and killer know of each other.
#[derive(Default)]
struct Shared {
    answered: AtomicU64,
    sent_again: AtomicU64,
    is_over: AtomicBool,
    /// There is no server any more that could answer the last append.
    is_hopeless: AtomicBool,
}

fn one(settings: &Settings, with_keys: bool, done: impl Fn(u64)) -> Result<Outcome, Refusal> {
    let directory = tempfile::tempdir().map_err(Refusal::failed)?;
    let root = directory.path().join("root");
    let log = root.join("log");
    fs::create_dir(&root).and_then(|()| fs::write(&log, "")).map_err(Refusal::failed)?;
    let address = free_addresses(1).map_err(Refusal::failed)?[0];
    let start = || start(settings, with_keys, &root, address, &directory.path().join("said"));
    let (shared, begun) = (Shared::default(), Instant::now());
    let mut chance = Chance::named(settings.seed, "kills");
    thread::scope(|scope| {
        let mut server = start()?;
        let client = scope.spawn(|| append(address, with_keys, &shared));
        let killed = (0..settings.kills).try_for_each(|kill| {
            let life = chance.below(usize::try_from(LIFE_MAX.as_micros()).unwrap_or(usize::MAX));
            thread::sleep(Duration::from_micros(life as u64));
            server.kill()?;
            server = start()?;
            done(kill + 1);
            Ok(())
        });
        shared.is_hopeless.store(killed.is_err(), Ordering::Release);
        // The last append has an answer as well.
        shared.is_over.store(true, Ordering::Release);
        let is_well = client.join().is_ok();
        killed.and(if is_well { Ok(()) } else { Err(Refusal::Panicked) })
    })?;
    let appends = shared.answered.load(Ordering::Acquire);
    let (lost, doubled) = count(&log, appends)?;
    let sent_again = shared.sent_again.load(Ordering::Acquire);
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Outcome { with_keys, kills: settings.kills, appends, sent_again, lost, doubled, seconds })
}

/// A server that answers.
fn start(
    settings: &Settings,
    with_keys: bool,
    root: &Path,
    address: SocketAddr,
    said: &Path,
) -> Result<Process, Refusal> {
    let control = said.with_file_name("control");
    let launch = Launch::new(&settings.palco).args(["serve", "files", "--control"]).arg(&control);
    let launch = launch.args(["--listen", &address.to_string(), "--root"]).arg(root);
    let launch = if with_keys { launch } else { launch.arg("--keys-optional") };
    let mut server = Process::start(launch, said)?;
    let since = Instant::now();
    while TcpStream::connect(address).is_err() {
        if server.ended()?.is_some() || since.elapsed() > START_WITHIN {
            return Err(Refusal::Failed(format!("no server: {}", last_line(said))));
        }
        thread::sleep(LOOK_EVERY / 5);
    }
    Ok(server)
}

/// Appends one line after the other until it is over; each until it is answered.
fn append(address: SocketAddr, with_keys: bool, shared: &Shared) {
    let mut number = 0;
    while !shared.is_over.load(Ordering::Acquire) {
        while !is_answered(address, with_keys, number) {
            if shared.is_hopeless.load(Ordering::Acquire) {
                return;
            }
            shared.sent_again.fetch_add(1, Ordering::Relaxed);
        }
        number += 1;
        shared.answered.store(number, Ordering::Release);
    }
}

/// One attempt, on a connection of its own.
fn is_answered(address: SocketAddr, with_keys: bool, number: u64) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        thread::sleep(LOOK_EVERY / 5);
        return false;
    };
    let line = format!("{number}\n");
    let key = if with_keys { format!("Idempotency-Key: \"{number}\"\r\n") } else { String::new() };
    let length = line.len();
    let request = format!(
        "POST /log HTTP/1.1\r\nHost: h\r\n{key}Content-Length: {length}\r\nConnection: close\r\n\r\n{line}"
    );
    let mut answer = Vec::new();
    let came = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
    came.is_ok() && answer.starts_with(b"HTTP/1.1 200 ")
}

/// Lines that are missing, and those that are too many.
fn count(log: &Path, appends: u64) -> Result<(u64, u64), Refusal> {
    let text = fs::read_to_string(log).map_err(Refusal::failed)?;
    let size = usize::try_from(appends).unwrap_or(usize::MAX);
    let mut found = vec![0_u64; size];
    for line in text.lines() {
        let number = line.parse::<usize>().ok().and_then(|number| found.get_mut(number));
        *number.ok_or_else(|| Refusal::Failed(format!("nobody has sent `{line}`")))? += 1;
    }
    let lost = found.iter().filter(|times| **times == 0).count() as u64;
    Ok((lost, found.iter().map(|times| times.saturating_sub(1)).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        fs::write(&log, "0\n1\n1\n1\n4\n").unwrap();
        assert_eq!(count(&log, 5).unwrap(), (2, 2));
        assert!(count(&log, 4).is_err(), "nobody has sent 4");
        fs::write(&log, "0\nx1\n").unwrap();
        assert!(count(&log, 5).is_err());
    }
}
