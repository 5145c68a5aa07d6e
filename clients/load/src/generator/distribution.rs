//! How long something took, all times of it.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// The longest time that is told apart.
const LONGEST: Duration = Duration::from_secs(600);
/// Decimal digits that are kept.
const DIGITS: u8 = 3;
/// Shares of all times that a curve goes through.
pub(crate) const SHARES: [f64; 12] =
    [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 1.0];
/// From one bucket of the picture to the next: ten a decade.
const BUCKET_RATIO: f64 = 1.258_925_411_794_167_2;

/// Times from 1 ns to 10 min, to three digits. Serialized: `count`; `mean_ns`, `p50_ns`, `p90_ns`, `p99_ns`, `p99_9_ns`,
/// `max_ns`; and `buckets_ns`, pairs of an upper bound and a count, ten a decade, without empty ones.
#[derive(Clone)]
pub struct Distribution(Histogram<u64>);

impl Distribution {
    pub(crate) fn new() -> Self {
        let longest = u64::try_from(LONGEST.as_nanos()).unwrap_or(u64::MAX);
        let histogram = Histogram::new_with_bounds(1, longest, DIGITS);
        Self(histogram.expect("bounds and digits that the library allows"))
    }

    pub(super) fn record(&mut self, nanos: u64) {
        self.0.saturating_record(nanos);
    }

    /// Takes in all of another.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that this share of all does not exceed, from 0 to 1; zero if there are none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(share))
    }

    /// The median.
    #[must_use]
    pub fn p50(&self) -> Duration {
        self.quantile(0.5)
    }

    /// What nine of ten do not exceed.
    #[must_use]
    pub fn p90(&self) -> Duration {
        self.quantile(0.9)
    }

    /// What 99 of 100 do not exceed.
    #[must_use]
    pub fn p99(&self) -> Duration {
        self.quantile(0.99)
    }

    /// What 999 of 1000 do not exceed.
    #[must_use]
    pub fn p999(&self) -> Duration {
        self.quantile(0.999)
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.0.max())
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> Duration {
        Duration::from_secs_f64(self.0.mean() / 1e9)
    }

    /// Times in microseconds, each behind the share of all that does not exceed it, up to the longest; none if there are
    /// none.
    pub(crate) fn curve_us(&self) -> Vec<(f64, f64)> {
        if self.count() == 0 {
            return Vec::new();
        }
        SHARES.map(|share| (share, self.quantile(share).as_secs_f64() * 1e6)).to_vec()
    }

    /// Upper bounds and counts, ten a decade, without empty ones.
    #[must_use]
    pub fn buckets(&self) -> Vec<(Duration, u64)> {
        let buckets = self.0.iter_log(1000, BUCKET_RATIO);
        let counted = buckets.filter(|bucket| bucket.count_since_last_iteration() > 0);
        let counted = counted.map(|bucket| {
            (Duration::from_nanos(bucket.value_iterated_to()), bucket.count_since_last_iteration())
        });
        counted.collect()
    }

    /// Counts in powers of two: the one with number `i` is of those below `2^i` microseconds and not below `2^(i-1)`; empty
    /// ones at the end are left out.
    #[must_use]
    pub fn powers_of_two(&self) -> Vec<u64> {
        let mut counts = Vec::new();
        for step in self.0.iter_recorded() {
            let micros = step.value_iterated_to() / 1000;
            let number = (u64::BITS - micros.leading_zeros()) as usize;
            if counts.len() <= number {
                counts.resize(number + 1, 0);
            }
            counts[number] += step.count_at_value();
        }
        counts
    }

    /// The text that HdrHistogram's plotters read (`.hgrm`), in microseconds.
    #[must_use]
    pub fn hgrm(&self) -> String {
        let mut text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n".to_owned();
        for step in self.0.iter_quantiles(5) {
            let (value, share) =
                (step.value_iterated_to() as f64 / 1e3, step.quantile_iterated_to());
            let total = self.0.count_between(0, step.value_iterated_to());
            text.push_str(&format!("{value:12.3} {share:14.12} {total:10}"));
            if share < 1.0 {
                text.push_str(&format!(" {:14.2}", 1.0 / (1.0 - share)));
            }
            text.push('\n');
        }
        let (mean, deviation) = (self.0.mean() / 1e3, self.0.stdev() / 1e3);
        let (max, count) = (self.0.max() as f64 / 1e3, self.0.len());
        text.push_str(&format!("#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]\n"));
        text.push_str(&format!("#[Max     = {max:12.3}, Total count    = {count:12}]\n"));
        text
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distribution")
            .field("count", &self.count())
            .field("p50", &self.p50())
            .field("p99", &self.p99())
            .field("max", &self.max())
            .finish()
    }
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let mut fields = serializer.serialize_struct("Distribution", 8)?;
        fields.serialize_field("count", &self.count())?;
        fields.serialize_field("mean_ns", &nanos(self.mean()))?;
        fields.serialize_field("p50_ns", &nanos(self.p50()))?;
        fields.serialize_field("p90_ns", &nanos(self.p90()))?;
        fields.serialize_field("p99_ns", &nanos(self.p99()))?;
        fields.serialize_field("p99_9_ns", &nanos(self.p999()))?;
        fields.serialize_field("max_ns", &nanos(self.max()))?;
        let buckets = self.buckets().into_iter().map(|(bound, count)| (nanos(bound), count));
        fields.serialize_field("buckets_ns", &buckets.collect::<Vec<_>>())?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_buckets_hold_every_time() {
        let mut times = Distribution::new();
        (1..=1000).for_each(|micros| times.record(micros * 1000));
        let p50 = times.p50().as_micros();
        assert!((499..=502).contains(&p50), "{p50}");
        assert!(times.max() >= Duration::from_millis(1));
        assert_eq!(times.buckets().iter().map(|(_, count)| count).sum::<u64>(), 1000);
        assert!(times.buckets().is_sorted());
        let json = serde_json::to_value(&times).unwrap();
        assert_eq!(json["count"], 1000);
        assert!(times.hgrm().contains("Total count    =         1000"), "{}", times.hgrm());
    }

    #[test]
    fn what_is_longer_than_all_bounds_is_kept_as_the_longest() {
        let mut times = Distribution::new();
        times.record(u64::MAX);
        assert!(times.count() == 1 && times.max() >= LONGEST);
    }
}
