//! The token: needed for everything that changes something, and for reading from other machines.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, COOKIE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, ResponseError, web};
use palco_replica::http::Token;

use crate::refusal::Refusal;
use crate::shared::Shared;

/// The cookie that holds the token. Browsers keep cookies by host and not by port, so the port is in its name: two stages
/// on one machine do not take each other's place.
pub(crate) fn cookie_name(port: u16) -> String {
    format!("palco_token_{port}")
}

/// Who acts, for the log; with every request that carries the token.
#[derive(Clone, Debug)]
struct Who(String);

/// Whether the token was missing or wrong.
enum Shown {
    Right,
    Wrong,
    Nothing,
}

/// Lets through who has the token, and who only reads.
pub(crate) async fn check<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refused = |request: ServiceRequest, text: &str| {
        Ok(request.into_response(Refusal::no_token(text).error_response()))
    };
    if let Some(shared) = request.app_data::<web::Data<Shared>>().cloned() {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let is_open = reads && (shared.is_loopback || is_public(request.path()));
        match shown(&request, &shared.token, &shared.cookie) {
            Shown::Right => {
                let peer =
                    request.peer_addr().map_or_else(|| "?".to_owned(), |peer| peer.to_string());
                request.extensions_mut().insert(Who(format!("token@{peer}")));
            }
            Shown::Wrong | Shown::Nothing if is_open => {}
            Shown::Wrong => return refused(request, "this is not the token"),
            Shown::Nothing => return refused(request, "this needs the token"),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Who has sent this; none without the token.
pub(crate) fn who(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<Who>().map(|who| who.0.clone())
}

/// What tells nothing about the stage.
fn is_public(path: &str) -> bool {
    path == "/" || path == "/healthz" || path.starts_with("/assets/")
}

fn shown(request: &ServiceRequest, token: &Token, cookie: &str) -> Shown {
    let headers = request.headers();
    if let Some(value) = headers.get(AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        return match bearer {
            Some(bearer) if token.is(bearer.trim()) => Shown::Right,
            _ => Shown::Wrong,
        };
    }
    let cookies = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let mut ours = pairs.filter(|(name, _)| name.trim() == cookie).peekable();
    if ours.peek().is_none() {
        return Shown::Nothing;
    }
    if ours.any(|(_, value)| token.is(value.trim())) { Shown::Right } else { Shown::Wrong }
}
