//! One actor.

use palco_actors::{ActorId, ActorSnapshot, ExitReason, StateMark};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::trace::{MessageRecord, StepRecord, WaitEdge};

/// An actor in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorView {
    /// What can be seen from outside.
    #[serde(flatten)]
    pub actor: ActorSnapshot,
    /// How long messages waited; of those observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Quantiles>,
    /// How long handlers ran; of those observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<Quantiles>,
}

/// Some points of a distribution, in microseconds, each the upper edge of its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many were observed.
    pub count: u64,
    /// Half were as fast.
    pub p50_us: f64,
    /// 99 of 100 were as fast.
    pub p99_us: f64,
}

/// A distribution in powers of two: bucket `i` counts durations below `2^i` microseconds and not below `2^(i-1)`; the
/// last bucket counts all longer ones as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Counts; trailing empty buckets are left out.
    pub buckets: Vec<u64>,
}

/// Everything that is known of one actor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ActorPage {
    /// As in the list.
    #[serde(flatten)]
    pub view: ActorView,
    /// The state, as the actor itself gives it.
    pub state: Value,
    /// How fresh the state is.
    pub freshness: StateMark,
    /// The first messages of its mailbox, urgent ones first.
    pub queue: Vec<Queued>,
    /// How long messages waited; of those observed.
    pub wait_histogram: Histogram,
    /// How long handlers ran; of those observed.
    pub handle_histogram: Histogram,
    /// Messages by type, since observation began; most frequent first.
    pub types: Vec<TypeCount>,
    /// The latest ends of its lives, oldest first.
    pub exits: Vec<ExitEntry>,
    /// The latest messages observed, oldest first.
    pub messages: Vec<MessageRecord>,
    /// What its handlers said they were doing, oldest first.
    pub steps: Vec<StepRecord>,
    /// Its living children.
    pub children: Vec<ActorId>,
    /// Whom it waits for.
    pub waits_for: Vec<WaitEdge>,
    /// Who waits for it.
    pub waited_for_by: Vec<WaitEdge>,
}

/// A message in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Its type.
    pub message: String,
    /// Whether it is urgent.
    pub urgent: bool,
    /// Whether somebody waits for the answer.
    pub ask: bool,
    /// Who sent it, if it was observed and an actor did.
    pub from: Option<ActorId>,
    /// For how long it has been waiting, if it was observed.
    pub waiting_us: Option<u64>,
}

/// How many messages of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeCount {
    /// The type; `other` for all beyond the first 32.
    pub message: String,
    /// Handled to their end.
    pub handled: u64,
}

/// The end of a life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitEntry {
    /// When.
    pub at_ms: u64,
    /// Why.
    pub reason: ExitReason,
    /// The reason for people.
    pub text: String,
    /// Whether another life followed.
    pub restarted: bool,
}

impl Histogram {
    /// Some of its points; none if it is empty.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        let count: u64 = self.buckets.iter().sum();
        if count == 0 {
            return None;
        }
        Some(Quantiles { count, p50_us: self.at(count, 0.50), p99_us: self.at(count, 0.99) })
    }

    /// The upper edge of the bucket in which this share of all has come together.
    fn at(&self, count: u64, share: f64) -> f64 {
        let wanted = (count as f64 * share).ceil() as u64;
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= wanted
        });
        2f64.powi(i32::try_from(bucket.unwrap_or(0)).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_upper_edges() {
        assert_eq!(Histogram::default().quantiles(), None);
        let histogram = Histogram { buckets: vec![0, 98, 0, 0, 2] };
        let quantiles = histogram.quantiles().unwrap();
        assert_eq!((quantiles.count, quantiles.p50_us, quantiles.p99_us), (100, 2.0, 16.0));
    }
}
