//! How late short sleeps end: a small relative of cyclictest (rt-tests), and as good a sign of others at work.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::prctl;

use crate::statistics::quantile;

/// As cyclictest is usually run.
const SLEEP: Duration = Duration::from_micros(200);

/// How late sleeps ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Jitter {
    pub(super) p50_nanos: u64,
    pub(super) p99_nanos: u64,
    pub(super) max_nanos: u64,
}

impl Jitter {
    /// Sleeps again and again for about `length`, in a thread of its own; nothing where none can be started.
    pub(super) fn probe(length: Duration) -> Option<Self> {
        let probe = thread::Builder::new().name("jitter".to_owned());
        let sleeper = probe.spawn(move || {
            // Else the kernel may end a usual thread's sleeps 50 µs late to save wake-ups (prctl(2)).
            let _ = prctl::set_timerslack(1);
            let begin = Instant::now();
            let mut late = Vec::new();
            while begin.elapsed() < length || late.is_empty() {
                let before = Instant::now();
                thread::sleep(SLEEP);
                late.push(before.elapsed().saturating_sub(SLEEP));
            }
            Self::of(&late)
        });
        sleeper.ok()?.join().ok()
    }

    fn of(late: &[Duration]) -> Self {
        let mut nanos: Vec<f64> = late.iter().map(|late| late.as_nanos() as f64).collect();
        nanos.sort_by(f64::total_cmp);
        let at = |q| quantile(&nanos, q) as u64;
        Self { p50_nanos: at(0.5), p99_nanos: at(0.99), max_nanos: at(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_told_by_its_quantiles() {
        let late: Vec<Duration> = (0..=100).map(Duration::from_micros).collect();
        let found = Jitter::of(&late);
        assert_eq!(found, Jitter { p50_nanos: 50_000, p99_nanos: 99_000, max_nanos: 100_000 });
        assert_eq!(Jitter::of(&[]), Jitter::default());
    }

    #[test]
    fn a_probe_sleeps_at_least_once() {
        let found = Jitter::probe(Duration::ZERO).unwrap();
        assert!(found.p50_nanos <= found.p99_nanos && found.p99_nanos <= found.max_nanos);
    }
}
