//! `cargo bench -p palco-sys`: round trips of 64-byte frames between two threads that each have a mapping of their own.
//!
//! Argument: the number of round trips of a row, 200000 if none.

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use palco_sys::{RingEnd, RingError, spin_budget};

type Failure = Box<dyn Error + Send + Sync>;

const FRAME: [u8; 64] = [7; 64];

/// How an end waits for input.
#[derive(Clone, Copy)]
struct Wait {
    name: &'static str,
    /// How often to look before sleeping; `None` never sleeps.
    spins: Option<u32>,
}

/// Counts of round trips by nanoseconds: exact up to [`Histogram::LEN`] slots of [`Histogram::SLOT`], then all in the last.
struct Histogram {
    counts: Vec<u64>,
    longest: Duration,
}

impl Histogram {
    const SLOT: u64 = 5;
    const LEN: usize = 200_000;

    fn new() -> Self {
        Self { counts: vec![0; Self::LEN], longest: Duration::ZERO }
    }

    fn record(&mut self, time: Duration) {
        let slot = usize::try_from(time.as_nanos() / u128::from(Self::SLOT)).unwrap_or(Self::LEN);
        self.counts[slot.min(Self::LEN - 1)] += 1;
        self.longest = self.longest.max(time);
    }

    /// Nanoseconds that a share of the round trips did not exceed.
    fn quantile(&self, share: f64) -> u64 {
        let total: u64 = self.counts.iter().sum();
        let mut left = (total as f64 * share) as u64;
        let slot = self.counts.iter().position(|count| {
            let is_here = left < *count;
            left = left.saturating_sub(*count);
            is_here
        });
        slot.unwrap_or(Self::LEN) as u64 * Self::SLOT
    }
}

fn main() -> Result<(), Failure> {
    let mut rounds = 200_000;
    for argument in env::args().skip(1).filter(|argument| argument != "--bench") {
        rounds = argument.parse()?;
    }
    let waits = [
        Wait { name: "spin only", spins: None },
        Wait { name: "spin, then futex", spins: Some(spin_budget()) },
        Wait { name: "futex only", spins: Some(0) },
    ];
    let mut out = io::stdout();
    let spins = spin_budget();
    writeln!(out, "64-byte round trips between two threads, {rounds} each; {spins} spins")?;
    writeln!(
        out,
        "{:<18}{:>10}{:>10}{:>12}{:>12}",
        "waiting", "p50 ns", "p99 ns", "p99.9 ns", "max ns"
    )?;
    for wait in waits {
        if wait.spins.is_none() && spins == 0 {
            writeln!(out, "{:<18}{:>10}", wait.name, "one core")?;
            continue;
        }
        let histogram = measure(wait, rounds)?;
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| histogram.quantile(share));
        let longest = histogram.longest.as_nanos();
        writeln!(out, "{:<18}{p50:>10}{p99:>10}{p999:>12}{longest:>12}", wait.name)?;
    }
    Ok(())
}

fn measure(wait: Wait, rounds: u32) -> Result<Histogram, Failure> {
    let mut here = RingEnd::create(1 << 16)?;
    let mut there = RingEnd::open(here.as_fd().try_clone_to_owned()?)?;
    thread::scope(|scope| {
        let echo = scope.spawn(move || -> Result<(), Failure> {
            let mut frame = Vec::new();
            while receive(&mut there, wait, &mut frame)? > 0 {
                send(&mut there, &frame)?;
            }
            Ok(())
        });
        let (mut histogram, mut frame) = (Histogram::new(), Vec::new());
        for round in 0..rounds + rounds / 10 {
            let start = Instant::now();
            send(&mut here, &FRAME)?;
            receive(&mut here, wait, &mut frame)?;
            if round >= rounds / 10 {
                histogram.record(start.elapsed());
            }
        }
        send(&mut here, &[])?;
        echo.join().map_err(|_| "the echoing thread panicked")??;
        Ok(histogram)
    })
}

/// Both ends wait alike, so that a peer which never sleeps finds no sleeper.
fn send(end: &mut RingEnd, frame: &[u8]) -> Result<(), RingError> {
    while !end.try_send(&[frame])? {}
    end.wake();
    Ok(())
}

fn receive(end: &mut RingEnd, wait: Wait, into: &mut Vec<u8>) -> Result<usize, Failure> {
    into.clear();
    loop {
        if let Some(bytes) = end.try_receive(into)? {
            return Ok(bytes);
        }
        match wait.spins {
            None => _ = end.spin(u32::MAX),
            Some(spins) if end.spin(spins) => {}
            Some(_) => end.sleep(None)?,
        }
    }
}
