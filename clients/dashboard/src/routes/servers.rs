//! The servers of the stage, and the architectures there are.

use actix_web::{HttpResponse, web};
use palco_models::profiles;
use serde_json::json;

use crate::shared::Shared;

pub(super) async fn list(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "servers": shared.servers() }))
}

pub(super) async fn models() -> HttpResponse {
    HttpResponse::Ok().json(profiles())
}
