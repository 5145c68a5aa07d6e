//! `/server-status?auto`: what Apache's mod_status says there, so that what collects it also reads a stage.

use actix_web::http::header::{ContentType, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use palco_models::{ServerStatus, auto_text};
use serde::Deserialize;

use super::query;
use crate::refusal::Refusal;
use crate::shared::Shared;

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// As keys and values. Its own value means nothing, as in `?auto`.
    auto: Option<String>,
    /// One server, not all together.
    server: Option<String>,
}

pub(super) async fn get(
    shared: web::Data<Shared>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let Wish { auto, server } = query(&request)?;
    if auto.is_none() {
        // For people there is a page.
        return Ok(HttpResponse::Found().insert_header((LOCATION, "/#/servers")).finish());
    }
    let servers: Vec<ServerStatus> = match server {
        Some(name) => vec![shared.find_server(&name)?.server.status()],
        None => shared.house.servers.iter().map(|served| served.server.status()).collect(),
    };
    let text = auto_text(&servers, shared.uptime());
    Ok(HttpResponse::Ok().insert_header(ContentType::plaintext()).body(text))
}
