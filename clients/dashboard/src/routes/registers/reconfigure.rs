//! Other members, or other quorums.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, rt, web};
use palco_replica::{Change, QuorumWish, Replacement, Wanted, Wish, reconfigure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::note;
use crate::body;
use crate::guards::token::who;
use crate::refusal::Refusal;
use crate::shared::Shared;

/// How long it may take, for each shard.
const WITHIN: Duration = Duration::from_secs(30);

/// What is wanted; what is left out stays as it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Order {
    /// All members, as `NAME` or `NAME:WEIGHT`.
    members: Vec<String>,
    /// Who takes whose place.
    replace: Vec<Replacement>,
    /// As `majority`, `thresholds:READ,WRITE`, `weighted:READ,WRITE` or `grid:ROWSxCOLUMNS`.
    quorum: Option<String>,
}

pub(in crate::routes) async fn post(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let order: Order = body::json(&request, payload).await?.unwrap_or_default();
    let wish = wish(order)?;
    shared.registers()?;
    shared.not_ending()?;
    let who = who(&request).unwrap_or_default();
    // In a task: what was begun is finished and noted, also when the client does not wait for it.
    let done = rt::spawn(carry_out(shared, wish, who)).await;
    let lost = |_| Refusal::not_now("this did not come to its end", "look at the configurations");
    Ok(HttpResponse::Ok().json(json!({ "changes": done.map_err(lost)?? })))
}

fn wish(order: Order) -> Result<Wish, Refusal> {
    let Order { members, replace, quorum } = order;
    if members.is_empty() && replace.is_empty() && quorum.is_none() {
        return Err(Refusal::bad_value(
            "nothing is wanted",
            r#"send {"members": ["n1", "n2"]}, {"replace": [{"old": "n1", "new": "n4"}]} or {"quorum": "majority"}"#,
        ));
    }
    let quorum = quorum.map(|text| text.parse::<QuorumWish>()).transpose();
    let quorum = quorum.map_err(|error| Refusal::bad_value(error, "see /api/openapi.json"))?;
    Ok(Wish { members, replace, quorum })
}

/// What came of each shard. All were installed, or the last one says why not.
async fn carry_out(
    shared: web::Data<Shared>,
    wish: Wish,
    who: String,
) -> Result<Vec<Value>, Refusal> {
    let registers = shared.registers()?;
    let view = registers.look().await;
    let (members, quorums) = wish.resolve(&view).map_err(|error| {
        Refusal::bad_value(error.to_string(), "GET /api/registers shows nodes and configurations")
    })?;
    let wanted = Wanted { expected: view.newest_indices(), members, quorums };
    let domain = registers.cluster.domain();
    let changes = reconfigure(&domain, &wanted, WITHIN).await;
    let mut rows = Vec::new();
    for (shard, change) in (0..).zip(&changes) {
        if let Change::Installed(done) = change {
            let action = format!("installation of {}", done.configuration);
            note(&shared, &who, &action, domain.actors().get(usize::from(shard)));
            registers.hear(shard, done);
            rows.push(json!({ "shard": shard, "text": change.to_string(), "done": done }));
        }
    }
    match changes.last() {
        Some(Change::Installed(_)) => {
            registers.look().await;
            Ok(rows)
        }
        Some(why) => {
            let hint = match rows.len() {
                0 => "look at the nodes, and ask again".to_owned(),
                done => format!("{done} shards before it were changed; ask again for the others"),
            };
            Err(Refusal::not_now(why.to_string(), hint))
        }
        None => Err(Refusal::not_now("no replica of this stage answers", "resume or add a node")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_something_and_its_quorums_are_a_kind() {
        assert!(wish(Order::default()).unwrap_err().to_string().contains("nothing is wanted"));
        let order = |quorum: &str| Order { quorum: Some(quorum.to_owned()), ..Order::default() };
        assert_eq!(wish(order("grid:2x3")).unwrap().quorum, Some(QuorumWish::Grid(2, 3)));
        assert!(wish(order("half")).unwrap_err().to_string().contains("no kind of quorums"));
    }
}
