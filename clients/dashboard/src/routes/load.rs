//! Loads on servers of the stage.

use actix_web::{HttpRequest, HttpResponse, web};
use palco_actors::Effect;
use serde_json::json;

use crate::body;
use crate::guards::token::who;
use crate::loads::Wanted;
use crate::refusal::Refusal;
use crate::shared::Shared;

pub(super) async fn list(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "loads": shared.loads.views() }))
}

pub(super) async fn start(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    shared.not_ending()?;
    let wanted: Option<Wanted> = body::json(&request, payload).await?;
    let wanted = wanted.ok_or_else(|| {
        let hint = r#"send {"server": "NAME", "connections": 4, "rate_per_s": 500, "seconds": 10}"#;
        Refusal::bad_value("the body is empty", hint)
    })?;
    let served = shared.find_server(&wanted.server)?;
    let view = shared.loads.start(wanted, served)?;
    note(&request, &shared, "load", &view.server);
    Ok(HttpResponse::Ok().json(view))
}

pub(super) async fn stop(
    request: HttpRequest,
    server: web::Path<String>,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    shared.find_server(&server)?;
    let view = shared.loads.stop(&server).ok_or_else(|| {
        Refusal::unknown(format!("there is no load on `{server}`"), "GET /api/load lists all")
    })?;
    note(&request, &shared, "end of load", &server);
    Ok(HttpResponse::Ok().json(view))
}

/// Loads are noted at the supervisor of the server that they are on.
fn note(request: &HttpRequest, shared: &Shared, action: &str, server: &str) {
    let who = who(request).unwrap_or_default();
    tracing::info!(%who, action, server, "action");
    if let Ok(served) = shared.find_server(server) {
        let supervisor = served.server.supervisor();
        let (id, path) = (supervisor.id(), supervisor.path());
        shared.house.observer.note_action(&who, action, id, &path, &Effect::Done);
    }
}
