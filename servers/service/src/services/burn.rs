//! A fixed amount of computation per microsecond asked for.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Duration;

use crate::CallContext;

/// Steps per batch: about 1.5 µs, so that reading the clock after each costs little.
const BATCH_STEPS: u32 = 1024;
/// Batches timed by the calibration: together well under a millisecond.
const CALIBRATION_BATCHES: u32 = 200;
/// How much time passes between two checkpoints.
const CHECKPOINT_INTERVAL: Duration = Duration::from_micros(100);

/// Whether a computation can be interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checkpoints {
    Regular,
    None,
}

/// Computes for as long as an idle core would need.
#[derive(Debug, Default)]
pub(super) struct Burner {
    /// What one batch takes where nothing else runs; unset until the first call.
    batch: OnceLock<Duration>,
}

impl Burner {
    /// Finds out how long a batch takes, once. The fastest of many is the one that was not disturbed.
    pub(super) fn calibrate(&self, cx: &CallContext<'_>) {
        self.batch.get_or_init(|| {
            let mut fastest = Duration::MAX;
            let mut state = 1;
            for _ in 0..CALIBRATION_BATCHES {
                let start = cx.elapsed();
                state = batch(state);
                fastest = fastest.min(cx.elapsed().saturating_sub(start));
            }
            // A clock that stands still would make the work endless.
            fastest.max(Duration::from_nanos(100))
        });
    }

    /// Computes what takes `amount` on an idle core. Calibrates if nobody has.
    pub(super) async fn burn(
        &self,
        amount: Duration,
        checkpoints: Checkpoints,
        cx: &CallContext<'_>,
    ) {
        self.calibrate(cx);
        let batch_nanos = self.batch.get().map_or(1, Duration::as_nanos);
        let batches = amount.as_nanos().div_ceil(batch_nanos);
        let mut state = 1;
        let mut last = cx.elapsed();
        for _ in 0..batches {
            state = batch(state);
            let now = cx.elapsed();
            if checkpoints == Checkpoints::Regular
                && now.saturating_sub(last) >= CHECKPOINT_INTERVAL
            {
                cx.checkpoint().await;
                last = cx.elapsed();
            }
        }
        black_box(state);
    }
}

/// Steps of the MMIX linear congruential generator (Knuth, TAOCP 2, 3.3.4): each needs the one before.
fn batch(state: u64) -> u64 {
    let mut state = black_box(state);
    for _ in 0..BATCH_STEPS {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    }
    black_box(state)
}
