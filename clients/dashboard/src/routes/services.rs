//! The superserver of the stage: its services, and its files read again.

use actix_web::{HttpRequest, HttpResponse, web};
use palco_actors::Effect;
use palco_superserver::{Changes, Status};
use serde::Deserialize;

use super::lost;
use crate::body;
use crate::guards::token::who;
use crate::refusal::Refusal;
use crate::shared::Shared;

/// What a reload is told: nothing so far.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {}

pub(super) async fn get(shared: web::Data<Shared>) -> Result<HttpResponse, Refusal> {
    let superserver = shared.services()?.superserver.clone();
    // Waits for a reload that is under way; the event loop goes on.
    let status: Status = web::block(move || superserver.status()).await.map_err(lost)?;
    Ok(HttpResponse::Ok().json(status))
}

pub(super) async fn reload(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let _: Option<Order> = body::json(&request, payload).await?;
    shared.services()?;
    shared.not_ending()?;
    let who = who(&request).unwrap_or_default();
    // On a thread: what was begun is finished and noted, also when the client does not wait for it.
    let changes = web::block(move || carry_out(&shared, &who)).await.map_err(lost)??;
    Ok(HttpResponse::Ok().json(changes))
}

/// Noted at the top of the services.
fn carry_out(shared: &Shared, who: &str) -> Result<Changes, Refusal> {
    let services = shared.services()?;
    let outcome = (services.reload)();
    match &outcome {
        Ok(changes) => tracing::info!(%who, action = "reload", %changes, "action"),
        Err(why) => tracing::warn!(%who, action = "reload", %why, "action"),
    }
    let changes =
        outcome.map_err(|why| Refusal::not_now(why, "mend the files, and reload again"))?;
    let top = services.superserver.supervisor();
    shared.house.observer.note_action(who, "reload", top.id(), &top.path(), &Effect::Done);
    Ok(changes)
}
