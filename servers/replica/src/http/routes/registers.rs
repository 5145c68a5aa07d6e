//! One register: read, watch, write, delete.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use palco_rambo::{CAS_VALUE_BYTES_MAX, Class, Command, Key, Outcome, VALUE_BYTES_MAX, Value};
use serde::Deserialize;
use tokio::select;
use tokio::time::{Instant, sleep_until};

use crate::http::body;
use crate::http::change::{Novelty, Terms, make};
use crate::http::etag::{Etag, Tags};
use crate::http::key::of_path;
use crate::http::kind::Kind;
use crate::http::problem::Problem;
use crate::http::shared::{Found, Shared};
use crate::http::watches::{Watcher, events};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long a watcher waits that does not say.
const TIMEOUT_DEFAULT: &str = "30s";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    /// The entity tag that the client has, with its quotes or without.
    watch: Option<String>,
    timeout: Option<String>,
}

pub(super) async fn get(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    let key = of_path(request.uri().path())?;
    let Query { watch, timeout } = super::query(&request)?;
    let known = watch.as_deref().map(unquoted);
    let bad = |why: &str| Err(Problem::new(Kind::BadQuery, why));
    if wants_events(request.headers()) {
        if timeout.is_some() {
            return bad("timeout: a stream of events has none");
        }
        return follow(&request, &shared, &key, known);
    }
    match (known, timeout) {
        (Some(known), timeout) => wait(&shared, &key, known, timeout.as_deref()).await,
        (None, Some(_)) => bad("timeout: stands beside watch"),
        (None, None) => {
            let tags = Tags::parse(request.headers().get_all(IF_NONE_MATCH).map(|v| v.as_bytes()))
                .map_err(|why| Problem::new(Kind::BadHeader, format!("if-none-match: {why}")))?;
            let found = shared.read(key).await?;
            let has = found.value.is_some() && tags.is_some_and(|tags| tags.has(&found.etag));
            if has { Ok(unchanged(&found.etag)) } else { shown(found) }
        }
    }
}

pub(super) async fn put(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    let key = of_path(request.uri().path())?;
    super::query::<Nothing>(&request)?;
    let terms = Terms::of(request.headers(), &key)?;
    let bytes_max = match key.class {
        Class::Register => VALUE_BYTES_MAX,
        Class::Cas => CAS_VALUE_BYTES_MAX,
    };
    let value = body::bytes(&request, payload, bytes_max, shared.settings.body_within).await?;
    change(&shared, key, Some(value), terms).await
}

pub(super) async fn delete(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    let key = of_path(request.uri().path())?;
    super::query::<Nothing>(&request)?;
    let terms = Terms::of(request.headers(), &key)?;
    change(&shared, key, None, terms).await
}

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn change(
    shared: &Shared,
    key: Key,
    value: Value,
    terms: Terms,
) -> Result<HttpResponse, Problem> {
    let deletes = value.is_none();
    let (etag, novelty) = match key.class {
        Class::Register => {
            let command = Command::Write(key, value);
            match shared.run(command, shared.settings.answer_within).await {
                // Whether there was something before is not known: a write does not ask for values.
                Outcome::Written(tag) => (Etag::of_tag(tag), Novelty::Changed),
                other => return Err(Problem::of_change(other)),
            }
        }
        Class::Cas => {
            let made = make(shared, &key, value, terms).await?;
            (made.etag, made.novelty)
        }
    };
    let status = match novelty {
        Novelty::Created if !deletes => StatusCode::CREATED,
        Novelty::Created | Novelty::Changed => StatusCode::NO_CONTENT,
    };
    Ok(HttpResponse::build(status).insert_header((ETAG, etag.header())).finish())
}

/// Waits until the register holds something else than what the client has.
async fn wait(
    shared: &web::Data<Shared>,
    key: &Key,
    known: &str,
    timeout: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let most = shared.settings.watch_within_max;
    let within = match timeout {
        Some(text) => super::time("timeout", text, most)?,
        None => super::time("timeout", TIMEOUT_DEFAULT, most).unwrap_or(most),
    };
    let mut watcher = watcher(shared, key)?;
    let until = Instant::now() + within;
    let mut last = Err(Box::new(Outcome::Unknown { tag: None }));
    loop {
        last = select! {
            seen = watcher.next() => seen,
            // Only who has read can say that nothing has changed.
            () = sleep_until(until) => match last {
                Ok(found) => return Ok(unchanged(&found.etag)),
                Err(outcome) => return Err(Problem::of_read(&outcome)),
            },
            () = shared.ends() => return Err(Problem::ending()),
        };
        match last {
            Ok(found) if found.etag.opaque() != known => return shown(found),
            seen => last = seen,
        }
    }
}

fn follow(
    request: &HttpRequest,
    shared: &web::Data<Shared>,
    key: &Key,
    known: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let last = request.headers().get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let known = last.or(known).map(ToOwned::to_owned);
    let watcher = watcher(shared, key)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "accept"))
        .streaming(events(shared.clone(), watcher, known)))
}

fn watcher(shared: &web::Data<Shared>, key: &Key) -> Result<Watcher, Problem> {
    if shared.is_ending() { Err(Problem::ending()) } else { Watcher::of(shared, key) }
}

/// What the register holds.
fn shown(found: Found) -> Result<HttpResponse, Problem> {
    let Some(value) = found.value else {
        let detail = match found.etag.opaque() {
            "0" => "the register was never written",
            _ => "the register was deleted",
        };
        return Err(Problem::new(Kind::Absent, detail).at(&found.etag));
    };
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, found.etag.header()))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((VARY, "accept"))
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .body(value))
}

fn unchanged(etag: &Etag) -> HttpResponse {
    HttpResponse::NotModified()
        .insert_header((ETAG, etag.header()))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .finish()
}

/// A tag as people write it into an address: quotes would have to be encoded there.
fn unquoted(tag: &str) -> &str {
    tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(tag)
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(','));
    kinds.any(|kind| {
        kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
    })
}
