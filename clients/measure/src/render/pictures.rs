//! Which pictures a report has. Each is made of the rows alone; without rows there is no picture.

mod amounts;
mod curves;
mod distribution;
mod ladder;
mod placement;
mod strips;

pub(crate) use amounts::{creation, memory, message_latency, throughput};
pub(crate) use curves::{ring, working_set};
pub(crate) use distribution::distribution;
pub(crate) use ladder::ladder;
pub(crate) use placement::{Placement, placement};
pub(crate) use strips::strips;

use super::chart::Scale;
use super::units::Measure;

/// Ticks of a scale with their words.
fn ticks(scale: &Scale, measure: Measure) -> Vec<(f64, String)> {
    scale.ticks().into_iter().map(|tick| (tick, super::chart::short(measure, tick))).collect()
}
