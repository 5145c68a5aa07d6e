//! What is done to nodes: ended, suspended, cut off from each other, added.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, rt, web};
use futures_util::future::join_all;
use palco_actors::{Effect, Signal};
use palco_rambo::NodeId;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{named, note};
use crate::body;
use crate::guards::token::who;
use crate::refusal::Refusal;
use crate::routes::lost;
use crate::shared::Shared;

/// Nodes of one stage, at most, those that have ended among them.
const NODES_MAX: usize = 16;

/// A replica that has not obeyed by then will, perhaps.
const WITHIN: Duration = Duration::from_secs(1);

/// What is done to all replicas of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Kill,
    Suspend,
    Resume,
}

impl Action {
    const ALL: [Self; 3] = [Self::Kill, Self::Suspend, Self::Resume];

    const fn signal(self) -> Signal {
        match self {
            Self::Kill => Signal::Kill,
            Self::Suspend => Signal::Suspend,
            Self::Resume => Signal::Resume,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
        })
    }
}

impl FromStr for Action {
    type Err = Refusal;

    fn from_str(name: &str) -> Result<Self, Refusal> {
        Self::ALL.into_iter().find(|action| action.to_string() == name).ok_or_else(|| {
            Refusal::bad_value(
                format!("nothing called `{name}` can be done to a node"),
                "actions are: kill, suspend, resume",
            )
        })
    }
}

/// What is said when nothing more has to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    one: String,
    other: String,
    /// No longer, if false.
    cut: bool,
}

#[derive(Serialize)]
struct Acted {
    node: NodeId,
    action: Action,
    /// For each of its replicas.
    effects: Vec<Effect>,
}

pub(in crate::routes) async fn act(
    request: HttpRequest,
    way: web::Path<(String, String)>,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let _: Option<Nothing> = body::json(&request, payload).await?;
    let action: Action = way.1.parse()?;
    let registers = shared.registers()?;
    shared.not_ending()?;
    registers.host()?;
    let node = named(&way.0, &registers.look().await)?;
    let who = who(&request).unwrap_or_default();
    // In a task: what was begun is finished and noted, also when the client does not wait for it.
    let done = rt::spawn(signal(shared, node, action, who)).await;
    let lost = |_| Refusal::not_now("the action did not come to its end", "look at the node");
    Ok(HttpResponse::Ok().json(done.map_err(lost)??))
}

async fn signal(
    shared: web::Data<Shared>,
    node: NodeId,
    action: Action,
    who: String,
) -> Result<Acted, Refusal> {
    let replicas = shared.registers()?.host()?.replicas(node);
    let signals = replicas.iter().map(|replica| replica.signal_within(action.signal(), WITHIN));
    let effects = join_all(signals).await;
    for (replica, effect) in replicas.iter().zip(&effects) {
        let (id, path) = (replica.id(), replica.path());
        tracing::info!(%who, %action, actor = %id, path, ?effect, "action");
        shared.house.observer.note_action(&who, &action.to_string(), id, &path, effect);
    }
    Ok(Acted { node, action, effects })
}

pub(in crate::routes) async fn add(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let _: Option<Nothing> = body::json(&request, payload).await?;
    let registers = shared.registers()?;
    shared.not_ending()?;
    registers.host()?;
    if registers.look().await.nodes.len() >= NODES_MAX {
        return Err(Refusal::not_now(
            format!("this stage has {NODES_MAX} nodes, those that have ended among them"),
            format!("{NODES_MAX} are the most: use one of them"),
        ));
    }
    let who = who(&request).unwrap_or_default();
    let adding = shared.clone();
    // On a thread: it may have to start processes.
    let added = web::block(move || {
        let added = adding.registers()?.host()?.add();
        added.map_err(|error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            Refusal::not_now(format!("no node was added: {error}{why}"), "look at the log")
        })
    });
    let node = added.await.map_err(lost)??;
    let registers = shared.registers()?;
    note(&shared, &who, "add of a node", registers.host()?.replicas(node).first());
    let view = registers.look().await;
    Ok(HttpResponse::Ok().json(json!({ "node": node, "name": view.name(node) })))
}

pub(in crate::routes) async fn cut(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let cut: Option<Cut> = body::json(&request, payload).await?;
    let cut = cut.ok_or_else(|| {
        let hint = r#"send {"one": "NODE", "other": "NODE", "cut": true}"#;
        Refusal::bad_value("the body is empty", hint)
    })?;
    let registers = shared.registers()?;
    shared.not_ending()?;
    let host = registers.host()?;
    let view = registers.look().await;
    let (one, other) = (named(&cut.one, &view)?, named(&cut.other, &view)?);
    if one == other {
        return Err(Refusal::bad_value(
            format!("`{}` cannot be cut off from itself", cut.one),
            "name two nodes",
        ));
    }
    host.cut(one, other, cut.cut);
    let who = who(&request).unwrap_or_default();
    let action = if cut.cut { "cut from" } else { "healing with" };
    note(&shared, &who, &format!("{action} {}", cut.other), host.replicas(one).first());
    Ok(HttpResponse::Ok().json(json!({ "cuts": host.cuts() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_found_by_their_names_and_written_so() {
        for action in Action::ALL {
            assert_eq!(action.to_string().parse::<Action>().unwrap(), action);
            assert_eq!(serde_json::to_value(action).unwrap(), action.to_string());
        }
        assert!("stop".parse::<Action>().is_err());
    }
}
