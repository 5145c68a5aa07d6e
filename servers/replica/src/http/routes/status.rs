//! How the replicas of this node stand.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::http::problem::Problem;
use crate::http::shared::Shared;

pub(super) async fn get(
    _request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    let standings = shared.registers.look().await;
    Ok(super::json(&json!({ "shards": standings })))
}
