//! Bodies of requests: bounded in bytes and in time while they come.

use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::kind::Kind;
use super::problem::Problem;

/// Bytes of a body that is JSON, at most.
const JSON_BYTES_MAX: usize = 64 * 1024;

/// The whole body; at most `bytes_max` bytes are ever held.
pub(crate) async fn bytes(
    request: &HttpRequest,
    payload: web::Payload,
    bytes_max: usize,
    within: Duration,
) -> Result<Bytes, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > bytes_max as u64) {
        return Err(Problem::too_large(bytes_max));
    }
    match timeout(within, collect(payload, bytes_max)).await {
        Ok(body) => body,
        Err(_) => {
            let detail = format!("the body has not come within {within:?}");
            Err(Problem::new(Kind::SlowBody, detail))
        }
    }
}

/// The body as JSON.
pub(crate) async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: web::Payload,
    within: Duration,
) -> Result<T, Problem> {
    let body = bytes(request, payload, JSON_BYTES_MAX, within).await?;
    let named = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = named.and_then(|value| value.split(';').next()).unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Kind::NotJson, format!("the body is said to be `{kind}`")));
    }
    // serde takes an array for an object with these fields in a row.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::new(Kind::BadBody, "the body is no JSON object"));
    }
    serde_json::from_slice(&body).map_err(|error| Problem::new(Kind::BadBody, error.to_string()))
}

async fn collect(mut payload: web::Payload, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece
            .map_err(|error| Problem::new(Kind::BadBody, format!("the body is cut: {error}")))?;
        if body.len() + piece.len() > bytes_max {
            return Err(Problem::too_large(bytes_max));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}
