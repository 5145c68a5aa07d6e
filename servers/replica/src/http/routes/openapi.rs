//! The description of the interface.

use actix_web::HttpResponse;

/// OpenAPI 3.1, written by hand. Tests compare it with the routes, and every answer they see with it.
pub(super) const TEXT: &str = include_str!("openapi.json");

pub(super) async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(TEXT)
}
