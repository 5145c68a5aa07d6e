//! Bodies of requests: JSON, short, and here within a limit of time.

use std::fmt::Display;
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::refusal::Refusal;

/// The longest body.
const BYTES_MAX: usize = 16 * 1024;
/// A body that takes longer comes from nobody who means well.
const COMES_WITHIN: Duration = Duration::from_secs(10);

/// The body as JSON; none if it is empty.
pub(crate) async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Option<T>, Refusal> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BYTES_MAX) {
        return Err(Refusal::too_large(BYTES_MAX));
    }
    let late = || Refusal::bad_value("the body does not come", "send it at once");
    let body = timeout(COMES_WITHIN, collect(payload)).await.map_err(|_| late())??;
    if body.is_empty() {
        return Ok(None);
    }
    if !is_json(request) {
        return Err(Refusal::not_json());
    }
    let wrong = |error: &dyn Display| {
        Refusal::bad_value(format!("the body is not understood: {error}"), "see /api/openapi.json")
    };
    // serde takes an array for an object with these fields in a row.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(wrong(&"it is no object"));
    }
    serde_json::from_slice(&body).map(Some).map_err(|error| wrong(&error))
}

async fn collect(mut payload: web::Payload) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| {
            Refusal::bad_value(format!("the body is cut: {error}"), "send all of it")
        })?;
        if body.len() + piece.len() > BYTES_MAX {
            return Err(Refusal::too_large(BYTES_MAX));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn is_json(request: &HttpRequest) -> bool {
    let named = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = named.and_then(|value| value.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}
