//! The description of the API.

use actix_web::HttpResponse;

/// OpenAPI 3.1; written by hand, so that the runtime's types need not know it. Tests compare it with the routes.
pub(super) const TEXT: &str = include_str!("openapi.json");

pub(super) async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(TEXT)
}
