//! Actors: all of them, one of them, and what is done to them.

mod action;

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, rt, web};
use palco_actors::{ActorId, AnyRef, Effect, PlaceKind, Signal, Status};
use palco_core::RequestId;
use palco_models::DrainReport;
use palco_observe::model::ActorPage;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::action::Action;
use super::{millis, query, requests};
use crate::body;
use crate::guards::token::who;
use crate::house::Served;
use crate::refusal::Refusal;
use crate::shared::{Shared, unknown_actor};
use crate::views::ServerView;

/// The longest wait for an actor, in milliseconds.
const WITHIN_MS_MAX: u64 = 60_000;

/// Which actors are listed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    name: String,
    status: Option<Status>,
    place: Option<PlaceKind>,
    #[serde(default = "all")]
    limit: usize,
}

fn all() -> usize {
    usize::MAX
}

/// How long an actor may take for its state.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patience {
    #[serde(default = "half_a_second")]
    within_ms: u64,
}

fn half_a_second() -> u64 {
    500
}

/// How long a signal may take to take hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    #[serde(default = "a_second")]
    within_ms: u64,
}

fn a_second() -> u64 {
    1000
}

impl Default for Order {
    fn default() -> Self {
        Self { within_ms: a_second() }
    }
}

/// Everything about one actor, with the server that it belongs to.
#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    page: ActorPage,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<ServerView>,
    /// The request that it is serving.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<RequestId>,
}

/// What an action has come to.
#[derive(Serialize)]
struct Done {
    actor: ActorId,
    path: String,
    action: Action,
    effect: Effect,
    #[serde(skip_serializing_if = "Option::is_none")]
    drained: Option<DrainReport>,
}

pub(super) async fn list(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let wanted: Wanted = query(&request)?;
    let mut actors = shared.house.observer.snapshot().actors;
    actors.retain(|view| {
        view.actor.path.contains(&wanted.name)
            && wanted.status.is_none_or(|status| status == view.actor.status)
            && wanted.place.is_none_or(|place| place == view.actor.place)
    });
    actors.truncate(wanted.limit);
    Ok(HttpResponse::Ok().json(json!({ "actors": actors })))
}

pub(super) async fn get(
    request: HttpRequest,
    id: web::Path<String>,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let id = parse(&id)?;
    let patience: Patience = query(&request)?;
    let within = millis("within_ms", patience.within_ms, WITHIN_MS_MAX)?;
    let page = shared.house.observer.inspect(id, within).await.ok_or_else(|| unknown_actor(id))?;
    let served = server_of(&shared, &page.view.actor.path);
    let request =
        served.and_then(|served| requests::served_by(&served.server, &page.view.actor.path));
    let server = served.map(|served| shared.server(served));
    Ok(HttpResponse::Ok().json(Page { page, server, request }))
}

pub(super) async fn act(
    request: HttpRequest,
    way: web::Path<(String, String)>,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let id = parse(&way.0)?;
    let action: Action = way.1.parse()?;
    let order: Order = body::json(&request, payload).await?.unwrap_or_default();
    let within = millis("within_ms", order.within_ms, WITHIN_MS_MAX)?;
    shared.not_ending()?;
    let actor = shared.actor(id)?;
    let who = who(&request).unwrap_or_default();
    // In a task: what was begun is finished and noted, also when the client does not wait for it.
    let done = rt::spawn(carry_out(shared, actor, action, within, who)).await;
    let lost = |_| Refusal::not_now("the action did not come to its end", "look at the actor");
    Ok(HttpResponse::Ok().json(done.map_err(lost)??))
}

async fn carry_out(
    shared: web::Data<Shared>,
    actor: AnyRef,
    action: Action,
    within: Duration,
    who: String,
) -> Result<Done, Refusal> {
    let signal = action.signal(&actor)?;
    let (id, path) = (actor.id(), actor.path());
    let served = shared.house.servers.iter().find(|served| served.server.supervisor().id() == id);
    let (effect, drained) = match served {
        // A server that is just stopped would reset its connections.
        Some(served) if signal == Signal::Stop => {
            let report = served.server.drain().await;
            (Effect::Ended, Some(report))
        }
        _ => (actor.signal_within(signal, within).await, None),
    };
    tracing::info!(%who, %action, actor = %id, path, ?effect, "action");
    shared.house.observer.note_action(&who, action.name(), id, &path, &effect);
    Ok(Done { actor: id, path, action, effect, drained })
}

/// The server in whose tree the path is.
fn server_of<'a>(shared: &'a Shared, path: &str) -> Option<&'a Served> {
    shared.house.servers.iter().find(|served| {
        let rest = path.strip_prefix(&*served.server.supervisor().path());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn parse(id: &str) -> Result<ActorId, Refusal> {
    let number = id.parse().map_err(|_| {
        Refusal::bad_value(format!("`{id}` is no actor's number"), "GET /api/actors lists all")
    })?;
    Ok(ActorId::new(number))
}
