//! When each request is due: pure functions of a schedule and a seed.

use std::time::Duration;

use super::{BURST_MAX, RATE_PER_S_MAX, TRACE_MAX};

/// When requests are due.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// At equal distances.
    Constant {
        /// Requests a second, above 0, at most [`RATE_PER_S_MAX`].
        per_s: f64,
    },
    /// As independent clients come: distances are exponentially distributed.
    Poisson {
        /// Requests a second on average, above 0, at most [`RATE_PER_S_MAX`].
        per_s: f64,
    },
    /// Some at once, then none for a while.
    Bursts {
        /// Requests a second on average, above 0, at most [`RATE_PER_S_MAX`].
        per_s: f64,
        /// How many at once, 1 to [`BURST_MAX`].
        size: u32,
    },
    /// At these moments after the beginning, in ascending order; at most [`TRACE_MAX`].
    Trace(Vec<Duration>),
    /// The next follows the answer, on every connection. Only for contrast: it hides what a server that stands still
    /// does to its clients.
    Closed,
}

impl Schedule {
    /// Whether the server sets the pace.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether all values are within their bounds; else which is not.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::Constant { per_s } | Self::Poisson { per_s } | Self::Bursts { per_s, .. }
                if !(*per_s > 0.0 && *per_s <= RATE_PER_S_MAX) =>
            {
                Err(format!(
                    "rate: above 0, at most {RATE_PER_S_MAX} requests a second, not {per_s}"
                ))
            }
            Self::Bursts { size, .. } if !(1..=BURST_MAX).contains(size) => {
                Err(format!("bursts: 1 to {BURST_MAX} requests at once, not {size}"))
            }
            Self::Trace(moments) if moments.is_empty() || moments.len() > TRACE_MAX => {
                Err(format!("trace: 1 to {TRACE_MAX} moments, not {}", moments.len()))
            }
            Self::Trace(moments) if !moments.is_sorted() => {
                Err("trace: moments must be in ascending order".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The moments before `end`, in nanoseconds after the beginning; none of a closed loop.
    pub(super) fn moments(&self, seed: u64, end: u64) -> Moments<'_> {
        Moments { schedule: self, end, number: 0, at: 0.0, chance: seed }
    }
}

/// Moments that are due, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Moments<'a> {
    schedule: &'a Schedule,
    end: u64,
    number: u64,
    /// Where a Poisson process has come to, in nanoseconds.
    at: f64,
    chance: u64,
}

impl Iterator for Moments<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let number = self.number;
        self.number += 1;
        let moment = match self.schedule {
            // From the number, not from the last moment: rounding does not add up.
            Schedule::Constant { per_s } => number as f64 * 1e9 / per_s,
            Schedule::Bursts { per_s, size } => {
                let burst = number / u64::from(*size);
                burst as f64 * f64::from(*size) * 1e9 / per_s
            }
            Schedule::Poisson { per_s } => {
                self.at += exponential(&mut self.chance) * 1e9 / per_s;
                self.at
            }
            Schedule::Trace(moments) => {
                let index = usize::try_from(number).ok()?;
                let nanos = u64::try_from(moments.get(index)?.as_nanos()).ok()?;
                return (nanos < self.end).then_some(nanos);
            }
            Schedule::Closed => return None,
        };
        let moment = nanos(moment);
        (moment < self.end).then_some(moment)
    }
}

/// Nanoseconds, cut off; all that occur are far below 2^53.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and bounded by hours"
)]
fn nanos(moment: f64) -> u64 {
    moment as u64
}

/// A distance with mean 1.
fn exponential(chance: &mut u64) -> f64 {
    // 53 bits, and never 0: the logarithm is finite.
    let uniform = ((next(chance) >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
    -uniform.ln()
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(super) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn all(schedule: &Schedule, seed: u64, end: u64) -> Vec<u64> {
        schedule.moments(seed, end).collect()
    }

    #[test]
    fn constant_moments_have_equal_distances_and_end_in_time() {
        let moments = all(&Schedule::Constant { per_s: 4.0 }, 1, SECOND);
        assert_eq!(moments, [0, SECOND / 4, SECOND / 2, SECOND / 4 * 3]);
    }

    #[test]
    fn bursts_come_together_and_keep_the_rate() {
        let moments = all(&Schedule::Bursts { per_s: 6.0, size: 3 }, 1, SECOND);
        assert_eq!(moments, [0, 0, 0, SECOND / 2, SECOND / 2, SECOND / 2]);
    }

    #[test]
    fn poisson_distances_have_the_mean_and_the_variance_of_an_exponential() {
        let moments = all(&Schedule::Poisson { per_s: 1000.0 }, 7, 200 * SECOND);
        assert!(moments.is_sorted());
        let distances: Vec<f64> =
            moments.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
        let count = distances.len() as f64;
        let mean = distances.iter().sum::<f64>() / count;
        let variance = distances.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / count;
        // 200,000 draws: the mean's standard error is 0.0022, the variance's 0.0063.
        assert!((mean - 1.0).abs() < 0.015, "mean {mean} ms");
        assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
    }

    #[test]
    fn the_seed_decides() {
        let poisson = Schedule::Poisson { per_s: 100.0 };
        assert_eq!(all(&poisson, 5, SECOND), all(&poisson, 5, SECOND));
        assert_ne!(all(&poisson, 5, SECOND), all(&poisson, 6, SECOND));
    }

    #[test]
    fn a_trace_is_followed_up_to_the_end() {
        let trace = Schedule::Trace([0, 3, 3, 900, 1000].map(Duration::from_millis).to_vec());
        assert_eq!(all(&trace, 1, SECOND), [0, 3_000_000, 3_000_000, 900_000_000]);
    }

    #[test]
    fn values_out_of_bounds_are_refused() {
        let bad = [
            Schedule::Constant { per_s: 0.0 },
            Schedule::Poisson { per_s: f64::NAN },
            Schedule::Poisson { per_s: RATE_PER_S_MAX * 2.0 },
            Schedule::Bursts { per_s: 1.0, size: 0 },
            Schedule::Bursts { per_s: 1.0, size: BURST_MAX + 1 },
            Schedule::Trace(Vec::new()),
            Schedule::Trace(vec![Duration::from_secs(2), Duration::from_secs(1)]),
        ];
        for schedule in bad {
            assert!(schedule.check().is_err(), "{schedule:?}");
        }
        assert!(Schedule::Closed.check().is_ok());
    }
}
