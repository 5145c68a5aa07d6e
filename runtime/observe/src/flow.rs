//! Who talks to whom.

use std::collections::BTreeMap;

use palco_actors::{ActorId, System, Time};

use crate::model::{Flow, FlowEdge};
use crate::picture::short;

/// How far back the notes are looked at, in nanoseconds.
const WINDOW_NS: u64 = 10_000_000_000;

/// Types of an edge that are named.
const TYPES_MAX: usize = 5;

#[derive(Default)]
struct Edge {
    waits_us: Vec<f64>,
    types: BTreeMap<&'static str, usize>,
    per_s: f64,
    backpressured: bool,
}

pub(crate) fn of(system: &System) -> Flow {
    let now = system.clock().now();
    let begin = Time::from_nanos(now.as_nanos().saturating_sub(WINDOW_NS));
    let mut edges: BTreeMap<(Option<ActorId>, ActorId), Edge> = BTreeMap::new();
    for (any, actor) in system.survey().0 {
        let notes = any.notes().messages;
        let recent: Vec<_> = notes.iter().filter(|note| note.sent >= begin).collect();
        // What a full notebook holds may be younger than the window.
        let Some(first) = recent.first() else { continue };
        let seconds = (now - first.sent).as_secs_f64().max(0.25);
        for note in &recent {
            let edge = edges.entry((note.from, note.to)).or_default();
            edge.waits_us.push((note.begun - note.sent).as_secs_f64() * 1e6);
            *edge.types.entry(note.message).or_default() += 1;
            edge.per_s += f64::from(note.stands_for) / seconds;
            edge.backpressured = actor.queued * 2 > actor.capacity;
        }
    }
    let mut edges: Vec<FlowEdge> =
        edges.into_iter().map(|((from, to), edge)| edge.finish(from, to)).collect();
    edges.sort_by(|one, other| other.per_s.total_cmp(&one.per_s));
    Flow { window_ms: WINDOW_NS / 1_000_000, edges }
}

impl Edge {
    fn finish(mut self, from: Option<ActorId>, to: ActorId) -> FlowEdge {
        self.waits_us.sort_by(f64::total_cmp);
        let mut types: Vec<_> = self.types.into_iter().collect();
        types.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        FlowEdge {
            from,
            to,
            per_s: self.per_s,
            wait_p50_us: self.waits_us[self.waits_us.len() / 2],
            types: types.into_iter().take(TYPES_MAX).map(|(name, _)| short(name)).collect(),
            backpressured: self.backpressured,
        }
    }
}
