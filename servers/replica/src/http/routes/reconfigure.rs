//! Another configuration: who keeps the registers, for all shards, one after the other.

use actix_web::{HttpRequest, HttpResponse, web};
use palco_rambo::{Command, Index, Member, NodeId, Outcome, Quorums, Target};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::kind::Kind;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::{body, guards};
use crate::{Change, Wanted, reconfigure};

const NO_REPLICA: &str = "no replica of this node answers";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    expected: Expected,
    members: Vec<AskedMember>,
    #[serde(default = "majority")]
    quorums: Quorums,
}

/// The newest configuration as the asker knows it: a change of that one, and of no other.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    /// Of the one shard.
    One(Index),
    /// By shard.
    Each(Vec<Index>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedMember {
    node: NodeId,
    #[serde(default = "one")]
    weight: u32,
}

fn majority() -> Quorums {
    Quorums::Majority
}

fn one() -> u32 {
    1
}

pub(super) async fn post(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    guards::authorize(request.headers(), &shared.settings)?;
    let asked: Asked = body::json(&request, payload, shared.settings.body_within).await?;
    let shards = shared.registers.look().await.len();
    if shards == 0 {
        return Err(Problem::new(Kind::Unavailable, NO_REPLICA));
    }
    let expected = match asked.expected {
        Expected::One(index) => vec![index],
        Expected::Each(indices) => indices,
    };
    if expected.len() != shards {
        let detail = format!(
            "expected: {} given for {shards} shards; give the index of each one's newest configuration",
            expected.len()
        );
        return Err(Problem::new(Kind::BadBody, detail));
    }
    let members =
        asked.members.iter().map(|member| Member { node: member.node, weight: member.weight });
    let wanted = Wanted { expected, members: members.collect(), quorums: asked.quorums };
    let changes = carry_out(&shared, wanted).await?;
    answer(changes)
}

async fn carry_out(shared: &Shared, wanted: Wanted) -> Result<Vec<Change>, Problem> {
    let within = shared.settings.reconfigure_within;
    if let Some(domain) = &shared.settings.domain {
        return Ok(reconfigure(domain, &wanted, within).await);
    }
    let [expected] = wanted.expected[..] else {
        let detail = "these registers have several shards, and this gateway was not told through what to reach all of them";
        return Err(Problem::new(Kind::NotOffered, detail));
    };
    let target = Target { expected, members: wanted.members, quorums: wanted.quorums };
    let outcome = shared.run(Command::Reconfigure(target), within).await;
    Ok(vec![match outcome {
        Outcome::Reconfigured(done) => Change::Installed(done),
        Outcome::Superseded(newest) => Change::Superseded(newest),
        Outcome::Failed(why) => Change::Failed(why),
        Outcome::Unknown { .. } => Change::Unknown,
        other => return Err(Problem::of_change(other)),
    }])
}

/// All were installed, or the last one says why not.
fn answer(mut changes: Vec<Change>) -> Result<HttpResponse, Problem> {
    let problem = match changes.pop() {
        Some(last @ Change::Installed(_)) => {
            changes.push(last);
            return Ok(super::json(&json!({ "shards": installed(&changes) })));
        }
        Some(Change::Superseded(newest)) => {
            let detail = format!("the newest configuration is {newest}");
            Problem::new(Kind::Superseded, detail).with("newest", json!(newest))
        }
        Some(Change::Failed(why)) => why.into(),
        Some(Change::Unknown) => Problem::of_change(Outcome::Unknown { tag: None }),
        None => Problem::new(Kind::Unavailable, NO_REPLICA),
    };
    // What was done before it stays done.
    Err(problem.with("shard", json!(changes.len())).with("installed", json!(installed(&changes))))
}

fn installed(changes: &[Change]) -> Vec<Value> {
    let done = changes.iter().enumerate().filter_map(|(shard, change)| match change {
        Change::Installed(done) => Some(json!({
            "shard": shard,
            "configuration": done.configuration,
            "phases": done.phases,
            "decided_seconds": done.decided.as_secs_f64(),
            "installed_seconds": done.installed.as_secs_f64(),
        })),
        Change::Superseded(_) | Change::Unknown | Change::Failed(_) => None,
    });
    done.collect()
}
