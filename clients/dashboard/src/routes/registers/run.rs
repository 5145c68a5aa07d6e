//! One operation on a register, with the nodes that answered in each of its rounds.

use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse, rt, web};
use bytes::Bytes;
use palco_rambo::{
    Change, Class, Command, Configuration, Key, NodeId, Outcome, Round, Step, Trail, Versioned,
};
use palco_replica::Domain;
use palco_replica::http::Lent;
use serde::{Deserialize, Serialize};

use super::{keys, named, note};
use crate::body;
use crate::guards::token::who;
use crate::refusal::Refusal;
use crate::registers::Registers;
use crate::shared::Shared;

/// How long an operation may take; without a quorum it takes so long.
const WITHIN: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    key: String,
    act: Act,
    /// The node through which it goes; the first that can answer if not given.
    through: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    Get,
    Set(String),
    Delete,
}

#[derive(Serialize)]
struct Done {
    key: String,
    class: Class,
    through: NodeId,
    took_us: u64,
    outcome: Shown,
    /// None if the operation could not be followed.
    rounds: Option<Vec<RoundRow>>,
}

/// An outcome in words.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Shown {
    is_done: bool,
    text: String,
    tag: Option<String>,
    version: Option<u64>,
    /// Of what was read, as far as it is text, and not more of it than [`SHOWN_BYTES`].
    value: Option<String>,
}

/// Bytes of a value that are shown.
const SHOWN_BYTES: usize = 1024;

#[derive(Serialize)]
struct RoundRow {
    step: Step,
    answered: Vec<NodeId>,
    refused_by: Option<NodeId>,
    configurations: Vec<Asked>,
}

/// Who was asked, and whether enough have answered.
#[derive(Serialize)]
struct Asked {
    configuration: Configuration,
    /// Which quorums it needs.
    kind: palco_rambo::Kind,
    has_quorum: bool,
}

pub(in crate::routes) async fn post(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let order: Option<Order> = body::json(&request, payload).await?;
    let order = order.ok_or_else(|| {
        let hint = r#"send {"key": "NAME", "act": "get"}, or {"set": "VALUE"} or "delete" as act"#;
        Refusal::bad_value("the body is empty", hint)
    })?;
    let registers = shared.registers()?;
    shared.not_ending()?;
    let key = keys::checked(&order.key)?;
    let (through, domain) = domain(registers, order.through.as_deref()).await?;
    let who = who(&request).unwrap_or_default();
    // In a task: what was begun is finished and noted, also when the client does not wait for it.
    let task = rt::spawn(async move {
        let registers = shared.registers()?;
        let begun = Instant::now();
        let (command, lent) = command(registers, &key, order.act.clone())?;
        let (outcome, trail) = domain.follow(command, WITHIN).await;
        drop(lent);
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        if let Some(action) = action(&order) {
            note(&shared, &who, &action, domain.actors().first());
        }
        let rounds = trail.map(rounds);
        let (key, class, outcome) = (order.key, key.class, shown(outcome));
        Ok::<_, Refusal>(Done { key, class, through, took_us, outcome, rounds })
    });
    let lost = |_| Refusal::not_now("this did not come to its end", "look at the key");
    Ok(HttpResponse::Ok().json(task.await.map_err(lost)??))
}

/// The node that somebody names, or any that can answer.
async fn domain(registers: &Registers, name: Option<&str>) -> Result<(NodeId, Domain), Refusal> {
    let wanted = match name {
        Some(name) => Some(named(name, &registers.look().await)?),
        None => None,
    };
    let mut nodes = registers.cluster.answering().into_iter();
    let found = nodes.find(|(node, _)| wanted.is_none_or(|wanted| *node == wanted));
    found.ok_or_else(|| {
        let what = name.map_or_else(
            || "no node of this stage can answer now".to_owned(),
            |name| format!("`{name}` cannot answer: it has ended, rests, or is not of this stage"),
        );
        Refusal::not_now(what, "GET /api/registers shows which nodes run here")
    })
}

/// With the name of a change of class cas, which is in use until it is through.
fn command<'a>(
    registers: &'a Registers,
    key: &Key,
    act: Act,
) -> Result<(Command, Option<Lent<'a>>), Refusal> {
    let value = match act {
        Act::Get => return Ok((Command::Read(key.clone()), None)),
        Act::Set(value) => Some(Bytes::from(value)),
        Act::Delete => None,
    };
    if key.class == Class::Register {
        return Ok((Command::Write(key.clone(), value), None));
    }
    let lent = registers.identities.lend().map_err(|error| {
        Refusal::not_now(format!("the change cannot be given a name: {error}"), "ask again")
    })?;
    Ok((Command::Change(key.clone(), Change::Set(value), lent.id()), Some(lent)))
}

/// In the words of the log; nothing for reads, which change nothing.
fn action(order: &Order) -> Option<String> {
    match order.act {
        Act::Get => None,
        Act::Set(_) => Some(format!("set of key {}", order.key)),
        Act::Delete => Some(format!("delete of key {}", order.key)),
    }
}

fn rounds(trail: Trail) -> Vec<RoundRow> {
    let row = |round: Round| RoundRow {
        step: round.step,
        configurations: round
            .configurations
            .iter()
            .map(|configuration| Asked {
                configuration: (**configuration).clone(),
                kind: round.step.kind(),
                has_quorum: round.has_quorum(configuration),
            })
            .collect(),
        answered: round.answered,
        refused_by: round.refused_by,
    };
    trail.rounds.into_iter().map(row).collect()
}

fn shown(outcome: Outcome) -> Shown {
    let done = |text: &str| Shown {
        is_done: true,
        text: text.to_owned(),
        tag: None,
        version: None,
        value: None,
    };
    let versioned = |text: &str, found: Versioned| Shown {
        version: Some(found.version),
        value: found.value.map(|value| text_of(&value)),
        ..done(text)
    };
    match outcome {
        Outcome::Read(found) => Shown {
            tag: Some(found.tag.to_string()),
            value: found.value.as_ref().map(text_of),
            ..done(if found.value.is_some() { "read" } else { "read: nothing is there" })
        },
        Outcome::Written(tag) => Shown { tag: Some(tag.to_string()), ..done("written") },
        Outcome::Cas(found) => versioned("agreed", found),
        Outcome::Repeated { version, .. } => {
            Shown { version: Some(version), ..done("it had been done before") }
        }
        Outcome::Mismatch(found) => Shown { is_done: false, ..versioned("another version", found) },
        Outcome::Inapplicable(found) => {
            Shown { is_done: false, ..versioned("not possible with what is there", found) }
        }
        Outcome::Unknown { .. } => Shown {
            is_done: false,
            ..done("nobody knows: no quorum answered in time, and it may be done yet")
        },
        Outcome::Failed(why) => Shown { is_done: false, ..done(&why.to_string()) },
        Outcome::Superseded(_) | Outcome::Reconfigured(_) | Outcome::Left => {
            Shown { is_done: false, ..done("an answer to something else") }
        }
    }
}

fn text_of(value: &Bytes) -> String {
    let shown = &value[..value.len().min(SHOWN_BYTES)];
    let rest = if value.len() > SHOWN_BYTES { "…" } else { "" };
    format!("{}{rest}", String::from_utf8_lossy(shown))
}

#[cfg(test)]
mod tests {
    use palco_rambo::{Failure, Tag, Tagged};

    use super::*;

    #[test]
    fn an_outcome_is_done_or_says_why_not() {
        let tagged = Tagged { tag: Tag::ZERO, value: None };
        assert_eq!(shown(Outcome::Read(tagged)).text, "read: nothing is there");
        let unknown = shown(Outcome::Unknown { tag: None });
        assert!(!unknown.is_done && unknown.text.contains("may be done yet"));
        let failed = shown(Outcome::Failed(Failure::Timeout));
        assert!(!failed.is_done && failed.text.contains("nothing was changed"));
    }

    #[test]
    fn long_values_are_cut() {
        let value = Bytes::from("x".repeat(SHOWN_BYTES + 1));
        assert_eq!(text_of(&value).chars().count(), SHOWN_BYTES + 1);
        assert!(text_of(&value).ends_with('…'));
    }
}
