//! The page and its assets; and the way in, with the token in the address.

use actix_web::http::header::{CACHE_CONTROL, ETAG, LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};

use super::has;
use crate::assets;
use crate::refusal::Refusal;
use crate::shared::Shared;

/// The shell page. With `?token=…` a cookie instead of the page, so that the token does not stay in the address, in
/// the history, or in a bookmark.
pub(super) async fn index(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let pairs = request.query_string().split('&').filter_map(|pair| pair.split_once('='));
    let shown = pairs.into_iter().find(|(name, _)| *name == "token").map(|(_, token)| token);
    match shown {
        Some(shown) if shared.token.is(shown) => {
            let cookie = format!("{}={shown}; HttpOnly; SameSite=Strict; Path=/", shared.cookie);
            let mut answer = HttpResponse::SeeOther();
            answer.insert_header((LOCATION, "/")).insert_header((SET_COOKIE, cookie));
            Ok(answer.insert_header((CACHE_CONTROL, "no-store")).finish())
        }
        Some(_) => Err(Refusal::no_token("this is not the token")),
        None => serve(&request, "index.html"),
    }
}

pub(super) async fn asset(
    request: HttpRequest,
    file: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    serve(&request, &file)
}

fn serve(request: &HttpRequest, name: &str) -> Result<HttpResponse, Refusal> {
    let asset = assets::find(name).ok_or_else(|| Refusal::no_route(request.path()))?;
    let known = has(request.headers(), &asset.etag);
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // Kept, and asked about each time: the next version of the program has the same names.
    answer.insert_header((ETAG, asset.etag)).insert_header((CACHE_CONTROL, "no-cache"));
    if known {
        return Ok(answer.finish());
    }
    Ok(answer.content_type(asset.kind).body(asset.bytes))
}
