//! A capture as a sequence diagram for Mermaid: <https://mermaid.js.org/syntax/sequenceDiagram.html>.

use std::collections::HashMap;
use std::fmt::Write;

use palco_actors::ActorId;
use palco_observe::model::Capture;

/// More arrows than this nobody reads, and Mermaid does not draw.
const ARROWS_MAX: usize = 400;

/// What stands for everybody who is no actor.
const OUTSIDE: &str = "outside";

pub(crate) fn render(capture: &Capture) -> String {
    let mut text = String::from("sequenceDiagram\n");
    let shown = &capture.messages[..capture.messages.len().min(ARROWS_MAX)];
    if shown.iter().any(|message| message.from.is_none()) {
        let _ = writeln!(text, "    actor {OUTSIDE}");
    }
    let mut names: HashMap<ActorId, String> = HashMap::new();
    for line in &capture.lifelines {
        let name = format!("a{}", line.actor.number());
        let _ = writeln!(
            text,
            "    participant {name} as {}<br/>{}",
            plain(&line.path),
            plain(&line.lane)
        );
        names.insert(line.actor, name);
    }
    let name = |id: ActorId| names.get(&id).cloned().unwrap_or_else(|| format!("a{}", id.number()));
    for message in shown {
        let from = message.from.map_or_else(|| OUTSIDE.to_owned(), name);
        let arrow = if message.ask { "->>" } else { "-)" };
        let urgent = if message.urgent { " (urgent)" } else { "" };
        let what = plain(&message.message);
        let _ = writeln!(text, "    {from}{arrow}{}: {what}{urgent}", name(message.to));
        if message.outcome != "handled" {
            let _ =
                writeln!(text, "    Note over {}: {}", name(message.to), plain(&message.outcome));
        }
    }
    let hidden = capture.messages.len() - shown.len();
    if hidden > 0 || capture.lost > 0 {
        let _ = writeln!(
            text,
            "    %% {hidden} more messages are not drawn, {} were not kept",
            capture.lost
        );
    }
    text
}

/// Without what means something to Mermaid: `#` and `;` begin and end its entities, `<` its markup.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '#' => plain.push_str("#35;"),
            ';' => plain.push_str("#59;"),
            '<' => plain.push_str("#lt;"),
            '>' => plain.push_str("#gt;"),
            '"' => plain.push_str("#quot;"),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
pub(super) mod tests {
    use palco_actors::PlaceKind;
    use palco_observe::model::{Lifeline, MessageRecord, StepRecord};

    use super::*;

    pub(in crate::render) fn capture() -> Capture {
        let (one, two) = (ActorId::new(1), ActorId::new(2));
        let line = |actor, path: &str, lane: &str| Lifeline {
            actor,
            path: path.into(),
            actor_type: "demo::Type<u8>".into(),
            place: PlaceKind::Task,
            lane: lane.into(),
        };
        let message = |id, from, to, ask, outcome: &str| MessageRecord {
            id,
            trace: 1,
            cause: (id > 1).then_some(1),
            from,
            to,
            message: "demo::Get<u8>".into(),
            urgent: false,
            ask,
            sent_us: 10 * id,
            begun_us: 10 * id + 2,
            ended_us: (id == 1).then_some(90),
            outcome: outcome.into(),
        };
        Capture {
            from_us: 0,
            until_us: 100,
            lifelines: vec![line(one, "kv/#1", "loop 0"), line(two, "kv/state", "thread 17")],
            messages: vec![
                message(1, None, one, false, "handled"),
                message(2, Some(one), two, true, "killed"),
            ],
            steps: vec![StepRecord {
                actor: two,
                trace: 1,
                what: "reading".into(),
                at_us: 25,
                until_us: None,
            }],
            lost: 3,
        }
    }

    #[test]
    fn a_diagram_has_lifelines_arrows_and_outcomes() {
        let expected = "sequenceDiagram\n    actor outside\n\
            \x20   participant a1 as kv/#35;1<br/>loop 0\n    participant a2 as kv/state<br/>thread 17\n\
            \x20   outside-)a1: demo::Get#lt;u8#gt;\n    a1->>a2: demo::Get#lt;u8#gt;\n\
            \x20   Note over a2: killed\n    %% 0 more messages are not drawn, 3 were not kept\n";
        assert_eq!(render(&capture()), expected);
    }
}
