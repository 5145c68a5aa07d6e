//! Every error: what is wrong, and what to do.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde_json::json;

/// Why a request is not answered as it was meant.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: String,
    hint: String,
    /// The methods that would do, for 405.
    allow: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: hint.into(), allow: None }
    }

    /// 400
    pub(crate) fn bad_value(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }

    /// 401
    pub(crate) fn no_token(error: impl Into<String>) -> Self {
        let hint =
            "send `Authorization: Bearer TOKEN`, or open the address that the stage has printed";
        Self::new(StatusCode::UNAUTHORIZED, error, hint)
    }

    /// 403
    pub(crate) fn foreign_origin(origin: &str) -> Self {
        let hint = "only the dashboard's own page may ask from a browser";
        Self::new(StatusCode::FORBIDDEN, format!("origin `{origin}` is not this dashboard"), hint)
    }

    /// 404
    pub(crate) fn unknown(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, hint)
    }

    /// 404, for a path that leads nowhere.
    pub(crate) fn no_route(path: &str) -> Self {
        Self::unknown(
            format!("there is nothing at `{path}`"),
            "GET /api/openapi.json lists all there is",
        )
    }

    /// 405
    pub(crate) fn not_allowed(method: &str, path: &str, allow: &str) -> Self {
        let error = format!("`{path}` does not answer {method}");
        let refusal =
            Self::new(StatusCode::METHOD_NOT_ALLOWED, error, format!("it answers {allow}"));
        Self { allow: Some(allow.to_owned()), ..refusal }
    }

    /// 409
    pub(crate) fn not_now(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error, hint)
    }

    /// 413
    pub(crate) fn too_large(bytes_max: usize) -> Self {
        let error = format!("the body has more than {bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, error, "send less")
    }

    /// 415
    pub(crate) fn not_json() -> Self {
        let error = "the body is not said to be JSON";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            error,
            "send `Content-Type: application/json`",
        )
    }

    /// 421
    pub(crate) fn foreign_host(host: &str, names: &str) -> Self {
        let error = format!("host `{host}` is not a name of this dashboard");
        Self::new(StatusCode::MISDIRECTED_REQUEST, error, format!("its names are {names}"))
    }

    /// 429
    pub(crate) fn too_many(error: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, error, "close a page, or ask again later")
    }

    /// 503
    pub(crate) fn ending() -> Self {
        let error = "the stage is ending";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            error,
            "what was begun is finished; nothing new is",
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(allow) = &self.allow {
            response.insert_header((ALLOW, allow.as_str()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.insert_header((RETRY_AFTER, "5"));
        }
        response.json(json!({ "error": self.error, "hint": self.hint }))
    }
}

/// Answers what no route does.
pub(crate) async fn nowhere(request: HttpRequest) -> Result<HttpResponse, Refusal> {
    Err(Refusal::no_route(request.path()))
}
