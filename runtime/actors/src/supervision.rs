//! How supervisors decide: words and numbers, no machinery. The terms are Erlang/OTP's.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use palco_core::Time;
use serde::{Deserialize, Serialize};

/// When a child whose life has ended is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Never (OTP: temporary).
    #[default]
    Never,
    /// After a failure, not after a stop or its own decision to finish (OTP: transient).
    OnFailure,
    /// After everything but a stop (OTP: permanent).
    Always,
}

/// Who is started again together with a failed child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// It alone.
    #[default]
    OneForOne,
    /// It and those started after it.
    RestForOne,
    /// All children.
    OneForAll,
}

/// How many restarts in how much time are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Intensity {
    /// Restarts allowed within the window; one more and the supervisor gives up.
    pub restarts_max: u32,
    /// The window, in seconds.
    pub within_s: u64,
}

impl Default for Intensity {
    /// Ten restarts in sixty seconds.
    fn default() -> Self {
        Self { restarts_max: 10, within_s: 60 }
    }
}

/// How long a supervisor waits before it starts a child again: doubling with every failure in the intensity window,
/// less a random part of up to half, so that children that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Backoff {
    /// The longest wait after the first failure, in milliseconds; 0 means none at all.
    pub first_ms: u64,
    /// The longest wait after any failure, in milliseconds.
    pub max_ms: u64,
}

impl Default for Backoff {
    /// From 10 ms to 5 s.
    fn default() -> Self {
        Self { first_ms: 10, max_ms: 5_000 }
    }
}

impl Backoff {
    /// Starts again at once.
    pub const NONE: Self = Self { first_ms: 0, max_ms: 0 };

    /// The wait after the `failures`-th failure (from 1); `random` is any number.
    #[must_use]
    pub fn delay(&self, failures: u32, random: u64) -> Duration {
        let doubled = self.first_ms.saturating_mul(1 << failures.saturating_sub(1).min(32));
        let longest = doubled.min(self.max_ms);
        let jitter = if longest < 2 { 0 } else { random % (longest / 2 + 1) };
        Duration::from_millis(longest - jitter)
    }
}

/// Everything that a supervisor decides by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Supervision {
    /// Who is started again together.
    pub strategy: Strategy,
    /// When to give up.
    pub intensity: Intensity,
    /// How long to wait.
    pub backoff: Backoff,
}

impl Supervision {
    /// With this strategy, and defaults otherwise.
    #[must_use]
    pub fn with_strategy(self, strategy: Strategy) -> Self {
        Self { strategy, ..self }
    }

    /// With this intensity.
    #[must_use]
    pub fn with_intensity(self, restarts_max: u32, within: Duration) -> Self {
        Self { intensity: Intensity { restarts_max, within_s: within.as_secs() }, ..self }
    }

    /// With this backoff.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }
}

/// The failures within the window.
#[derive(Debug, Default)]
pub(crate) struct Failures(VecDeque<Time>);

impl Failures {
    /// Notes one and returns how many there are, or `None` if they are too many.
    pub(crate) fn note(&mut self, now: Time, limit: Intensity) -> Option<u32> {
        let window = Duration::from_secs(limit.within_s);
        while self.0.front().is_some_and(|at| now - *at > window) {
            self.0.pop_front();
        }
        if self.0.len() >= limit.restarts_max as usize {
            return None;
        }
        self.0.push_back(now);
        u32::try_from(self.0.len()).ok()
    }
}

/// A number that differs from call to call; spreads restarts, nothing secret.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_failure_too_many_within_the_window_and_old_ones_are_forgotten() {
        let limit = Intensity { restarts_max: 2, within_s: 10 };
        let at = |seconds| Time::START + Duration::from_secs(seconds);
        let mut failures = Failures::default();
        assert_eq!(failures.note(at(0), limit), Some(1));
        assert_eq!(failures.note(at(1), limit), Some(2));
        assert_eq!(failures.note(at(2), limit), None);
        assert_eq!(failures.note(at(11), limit), Some(2), "the first has left the window");
    }

    proptest! {
        #[test]
        fn a_delay_is_between_half_and_all_of_the_doubled_first(failures in 1u32..80, random: u64) {
            let backoff = Backoff { first_ms: 10, max_ms: 1_000 };
            let longest = (10u64 << (failures - 1).min(20)).min(1_000);
            let delay = backoff.delay(failures, random).as_millis() as u64;
            prop_assert!(delay <= longest && delay >= longest / 2);
        }
    }

    #[test]
    fn no_backoff_means_no_wait() {
        assert_eq!(Backoff::NONE.delay(7, 12_345), Duration::ZERO);
    }
}
