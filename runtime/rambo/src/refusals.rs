//! What was received and not used, by reason.

use serde::Serialize;

/// Counts since the participant began. Some of each is normal where messages are late or come twice, but for those that
/// say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Refusals {
    /// Answers to a phase that is over, or of an earlier life.
    pub stale: u64,
    /// Answers from who was not asked.
    pub stranger: u64,
    /// Messages about configurations that are not known here yet; their map was asked for.
    pub future: u64,
    /// Messages about configurations that were decided or removed long ago.
    pub past: u64,
    /// Messages that only make sense in another mode or for keys of the other class. Not normal: somebody is set up
    /// differently.
    pub foreign: u64,
    /// Maps that contradict what is known here. Never normal: consensus was broken, or somebody lies.
    pub disagreement: u64,
    /// Requests that came before the configurations were known.
    pub unready: u64,
}
