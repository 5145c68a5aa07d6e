//! What changes, as it changes.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::events::{CLIENTS_MAX, Client, Resume, Seat};
use crate::guards::token::who;
use crate::refusal::Refusal;
use crate::shared::Shared;

pub(super) async fn get(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let seat = Seat::take(&shared)
        .ok_or_else(|| Refusal::too_many(format!("{CLIENTS_MAX} clients listen already")))?;
    let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    let client = Client::new(shared, seat, who(&request).is_some(), &Resume(last));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(client.stream()))
}
