//! What the actors do while they are looked at, and one turn of it.

use std::thread;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Settings;
use super::looking::{Looking, Mode, Seen};
use super::players::Phase;
use super::stage::{Drive, Stage};
use crate::actors::{Refusal, Round};
use crate::cpu;

/// Actors of the ring on one loop.
const RING: usize = 16;

/// Tokens on each loop of the saturated stage.
const TOKENS: usize = 64;

/// What the actors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// A ring on one event loop passes one token on.
    Tells,
    /// One actor asks another one on the same loop.
    Asks,
    /// Many actors on all loops, so many messages a second and no more.
    Paced,
    /// The same, as fast as they can.
    Saturated,
}

impl Workload {
    /// In the order of the report.
    pub const ALL: [Self; 4] = [Self::Tells, Self::Asks, Self::Paced, Self::Saturated];

    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tells => "tells",
            Self::Asks => "asks",
            Self::Paced => "paced",
            Self::Saturated => "saturated",
        }
    }

    /// In a sentence.
    pub(super) fn title(self, settings: &Settings) -> String {
        let actors = settings.actors;
        match self {
            Self::Tells => format!("Tells: a token in a ring of {RING} actors on one event loop"),
            Self::Asks => "Asks: one actor asks another one on the same event loop".to_owned(),
            Self::Paced => format!(
                "Paced: {actors} actors on all event loops, {} messages/s",
                settings.paced_messages
            ),
            Self::Saturated => format!(
                "Saturated: the same {actors} actors, {TOKENS} tokens on each loop, as fast as they can"
            ),
        }
    }

    fn stage(self, settings: &Settings) -> Result<Stage, Refusal> {
        let loops = thread::available_parallelism().map_or(1, usize::from);
        match self {
            Self::Tells => Stage::build(RING, 1, Drive::Circulating(1)),
            Self::Asks => Stage::build(1, 1, Drive::Asking),
            Self::Paced => {
                Stage::build(settings.actors, loops, Drive::Paced(settings.paced_messages))
            }
            Self::Saturated => Stage::build(settings.actors, loops, Drive::Circulating(TOKENS)),
        }
    }
}

/// One turn of one mode.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn {
    /// The messages or asks handled in the window; the samples are the asks that were timed.
    pub(super) round: Round,
    /// Processor time of those who look; part of the round's.
    pub(super) looking_nanos: u64,
    /// During the whole turn.
    pub(super) seen: Seen,
}

/// From nothing to nothing.
pub(super) fn take_turn(
    workload: Workload,
    mode: Mode,
    settings: &Settings,
) -> Result<Turn, Refusal> {
    let mut stage = workload.stage(settings)?;
    let looking = Looking::begin(mode, &stage.system, settings.window)?;
    stage.begin()?;
    thread::sleep(settings.warm_up);
    let before = Reading::take(&stage, &looking);
    stage.book.set_phase(Phase::Measured);
    thread::sleep(settings.window);
    let after = Reading::take(&stage, &looking);
    let samples = stage.end()?;
    let seen = looking.end(stage.actors())?;
    let must_have_samples = matches!(workload, Workload::Asks | Workload::Paced);
    if must_have_samples && samples.is_empty() {
        return Err(Refusal::failed("no ask was answered as it must be"));
    }
    let wall = after.at.duration_since(before.at).as_nanos();
    let round = Round {
        samples,
        ops: after.ops - before.ops,
        ops_per_sample: 1,
        wall_nanos: u64::try_from(wall).unwrap_or(u64::MAX),
        cpu_nanos: after.cpu.saturating_sub(before.cpu),
    };
    Ok(Turn { round, looking_nanos: after.looking.saturating_sub(before.looking), seen })
}

/// All clocks and counters at one moment.
struct Reading {
    at: Instant,
    ops: u64,
    cpu: u64,
    looking: u64,
}

impl Reading {
    fn take(stage: &Stage, looking: &Looking) -> Self {
        let looking = looking.cpu_nanos();
        Self { at: Instant::now(), ops: stage.ops(), cpu: cpu::process_nanos(), looking }
    }
}
