//! `palco tree`: who supervises whom.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_actors::{ActorId, ActorSnapshot};
use serde_json::{Value, json};

use super::ps::{doing, place};
use crate::control::{Reply, Request, ask};
use crate::output;

/// Of more siblings without a name only so many are drawn.
const NAMELESS_SHOWN_MAX: usize = 8;

type Children<'a> = BTreeMap<Option<ActorId>, Vec<&'a ActorSnapshot>>;

pub(crate) fn tree(control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let Reply::Actors { actors, .. } = ask(control, &Request::Actors)? else {
        bail!("the stage answered something else")
    };
    let known: Vec<_> = actors.iter().map(|actor| actor.id).collect();
    let mut children = Children::new();
    for actor in &actors {
        // The root supervisor is not in the list: its children stand at the top.
        let parent = actor.parent.filter(|parent| known.contains(parent));
        children.entry(parent).or_default().push(actor);
    }
    if json {
        output::json(&nested(&children, None))?;
    } else {
        output::line("stage")?;
        draw(&children, None, "")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn draw(children: &Children<'_>, parent: Option<ActorId>, indent: &str) -> Result<()> {
    let Some(siblings) = children.get(&parent) else { return Ok(()) };
    let nameless = |actor: &ActorSnapshot| actor.path.ends_with(&actor.id.to_string());
    let hidden =
        siblings.iter().filter(|actor| nameless(actor)).count().saturating_sub(NAMELESS_SHOWN_MAX);
    let mut nameless_left = NAMELESS_SHOWN_MAX;
    let mut shown: Vec<_> = Vec::new();
    for actor in siblings {
        if nameless(actor) {
            if nameless_left == 0 {
                continue;
            }
            nameless_left -= 1;
        }
        shown.push(actor);
    }
    for (index, actor) in shown.iter().enumerate() {
        let last = index + 1 == shown.len() && hidden == 0;
        let (branch, below) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let name = actor.path.rsplit('/').next().unwrap_or(&actor.path);
        let restarts = match actor.restarts {
            0 => String::new(),
            restarts => format!(", restarted {restarts} times"),
        };
        output::line(format!(
            "{indent}{branch}{name}  [{}] {} {}{restarts}",
            place(actor),
            actor.actor_type,
            doing(actor)
        ))?;
        draw(children, Some(actor.id), &format!("{indent}{below}"))?;
    }
    if hidden > 0 {
        output::line(format!("{indent}└── … and {hidden} more"))?;
    }
    Ok(())
}

fn nested(children: &Children<'_>, parent: Option<ActorId>) -> Value {
    let siblings = children.get(&parent).map(Vec::as_slice).unwrap_or_default();
    siblings
        .iter()
        .map(|actor| json!({ "actor": actor, "children": nested(children, Some(actor.id)) }))
        .collect()
}
