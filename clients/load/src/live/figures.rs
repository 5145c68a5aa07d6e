//! What a load has counted so far: written by its thread, read by whoever looks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Buckets of the histogram: the last one holds everything from 2^30 µs, eighteen minutes.
const BUCKETS: usize = 32;

/// The longest text of an error that is kept, in characters.
const ERROR_CHARS_MAX: usize = 200;

/// What a load has counted so far. Every request that was sent was answered, has failed or is in flight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveFigures {
    /// Whether it goes on.
    pub is_running: bool,
    /// For how long it has been, or had been, going on.
    pub elapsed: Duration,
    /// Requests begun.
    pub sent: u64,
    /// Good answers.
    pub answered: u64,
    /// Requests without a good answer: refused, broken, not connected.
    pub failed: u64,
    /// Requests that wait for their answer.
    pub in_flight: u64,
    /// Good answers a second, over the last second.
    pub per_s: f64,
    /// Latencies of good answers in powers of two: bucket `i` counts those below `2^i` microseconds and not below
    /// `2^(i-1)`; empty buckets at the end are left out.
    pub histogram: Vec<u64>,
    /// Processor time of the load's own thread.
    pub cpu: Duration,
    /// What went wrong last, if anything did.
    pub error: Option<String>,
}

/// The counters. Relaxed: each has one writer, and who reads wants no order between them.
#[derive(Debug, Default)]
pub(super) struct Books {
    sent: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
    per_s_bits: AtomicU64,
    elapsed_us: AtomicU64,
    cpu_nanos: AtomicU64,
    ended: AtomicBool,
    error: Mutex<Option<String>>,
}

impl Books {
    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self, latency: Duration) {
        self.buckets[bucket(latency)].fetch_add(1, Ordering::Relaxed);
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, why: &str) {
        *self.error.lock() = Some(why.chars().take(ERROR_CHARS_MAX).collect());
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answers(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// What is looked at from time to time.
    pub(super) fn note(&self, elapsed: Duration, per_s: f64, cpu_nanos: u64) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.elapsed_us.store(micros, Ordering::Relaxed);
        self.per_s_bits.store(per_s.to_bits(), Ordering::Relaxed);
        self.cpu_nanos.store(cpu_nanos, Ordering::Relaxed);
    }

    /// Nobody asks any more; what is still in flight has failed.
    pub(super) fn end(&self) {
        let unanswered = self.figures().in_flight;
        if unanswered > 0 {
            *self.error.lock() = Some("no answer before the end".to_owned());
            self.failed.fetch_add(unanswered, Ordering::Relaxed);
        }
        self.ended.store(true, Ordering::Release);
    }

    pub(super) fn figures(&self) -> LiveFigures {
        let is_running = !self.ended.load(Ordering::Acquire);
        let mut histogram: Vec<u64> =
            self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        histogram.truncate(histogram.iter().rposition(|count| *count > 0).map_or(0, |at| at + 1));
        // What is over is read first, so that it is never more than what was begun.
        let answered = self.answered.load(Ordering::Relaxed);
        let failed = self.failed.load(Ordering::Relaxed);
        let sent = self.sent.load(Ordering::Relaxed);
        LiveFigures {
            is_running,
            elapsed: Duration::from_micros(self.elapsed_us.load(Ordering::Relaxed)),
            sent,
            answered,
            failed,
            in_flight: sent.saturating_sub(answered + failed),
            per_s: f64::from_bits(self.per_s_bits.load(Ordering::Relaxed)),
            histogram,
            cpu: Duration::from_nanos(self.cpu_nanos.load(Ordering::Relaxed)),
            error: self.error.lock().clone(),
        }
    }
}

/// The smallest `i` with `latency < 2^i` microseconds.
fn bucket(latency: Duration) -> usize {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    let bits = usize::try_from(u64::BITS - micros.leading_zeros()).unwrap_or(BUCKETS);
    bits.min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_end_below_powers_of_two() {
        let of = |micros| bucket(Duration::from_micros(micros));
        assert_eq!([of(0), of(1), of(2), of(3), of(4)], [0, 1, 2, 2, 3]);
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn what_is_in_flight_at_the_end_has_failed() {
        let books = Books::default();
        books.sent();
        books.sent();
        books.answered(Duration::from_micros(3));
        assert_eq!(books.figures().in_flight, 1);
        books.end();
        let figures = books.figures();
        assert_eq!(
            (figures.sent, figures.answered, figures.failed, figures.in_flight),
            (2, 1, 1, 0)
        );
        assert_eq!((figures.histogram, figures.is_running), (vec![0, 0, 1], false));
    }
}
