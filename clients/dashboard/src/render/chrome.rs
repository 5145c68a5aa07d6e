//! A capture as trace events, for `chrome://tracing`, Perfetto and the like.
//!
//! Source: "Trace Event Format", the JSON object format. A lane is a thread of it, so that what shares an event loop is
//! seen to share it.

use std::collections::HashMap;

use palco_actors::ActorId;
use palco_observe::model::{Capture, Lifeline};
use serde_json::{Value, json};

pub(crate) fn render(capture: &Capture) -> Value {
    let mut lanes: Vec<&str> = Vec::new();
    let mut places: HashMap<ActorId, (usize, &Lifeline)> = HashMap::new();
    for line in &capture.lifelines {
        let lane = lanes.iter().position(|lane| *lane == line.lane).unwrap_or_else(|| {
            lanes.push(&line.lane);
            lanes.len() - 1
        });
        places.insert(line.actor, (lane + 1, line));
    }
    // Lane 0 is everybody who is no actor.
    let lane = |actor: ActorId| places.get(&actor).map_or(0, |(lane, _)| *lane);
    let path = |actor: ActorId| {
        places.get(&actor).map_or_else(|| actor.to_string(), |(_, line)| line.path.clone())
    };
    let mut events = vec![name_of_lane(0, "outside")];
    events.extend(lanes.iter().enumerate().map(|(at, name)| name_of_lane(at + 1, name)));
    for message in &capture.messages {
        let ended = message.ended_us.unwrap_or(capture.until_us).max(message.begun_us);
        let tid = lane(message.to);
        events.push(json!({
            "ph": "X", "cat": "message", "name": message.message, "pid": 1, "tid": tid,
            "ts": message.begun_us, "dur": ended - message.begun_us,
            "args": {
                "to": path(message.to),
                "from": message.from.map(path),
                "trace": message.trace,
                "cause": message.cause,
                "waited_us": message.begun_us.saturating_sub(message.sent_us),
                "outcome": message.outcome,
            },
        }));
        let flow = |ph: &str, tid: usize, ts: u64| {
            json!({
                "ph": ph, "cat": "sent", "name": "sent", "id": message.id, "pid": 1, "tid": tid,
                "ts": ts, "bp": "e",
            })
        };
        events.push(flow("s", message.from.map_or(0, lane), message.sent_us));
        events.push(flow("f", tid, message.begun_us));
    }
    for step in &capture.steps {
        let until = step.until_us.unwrap_or(capture.until_us).max(step.at_us);
        events.push(json!({
            "ph": "X", "cat": "step", "name": step.what, "pid": 1, "tid": lane(step.actor),
            "ts": step.at_us, "dur": until - step.at_us,
            "args": { "actor": path(step.actor), "trace": step.trace },
        }));
    }
    json!({ "traceEvents": events, "displayTimeUnit": "ms", "otherData": { "lost": capture.lost } })
}

fn name_of_lane(tid: usize, name: &str) -> Value {
    json!({ "ph": "M", "name": "thread_name", "pid": 1, "tid": tid, "args": { "name": name } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_lasts_to_the_end_of_the_window_and_arrows_join_lanes() {
        let trace = render(&crate::render::mermaid::tests::capture());
        let events = trace["traceEvents"].as_array().unwrap();
        let of = |ph: &str| events.iter().filter(|event| event["ph"] == ph).collect::<Vec<_>>();
        assert_eq!(of("M").len(), 3);
        let lasting: Vec<_> = of("X").iter().map(|event| event["dur"].as_u64().unwrap()).collect();
        assert_eq!(lasting, [78, 78, 75]);
        let joined = |ph: &str| {
            of(ph).iter().map(|event| event["tid"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!((joined("s"), joined("f")), (vec![0, 1], vec![1, 2]));
    }
}
