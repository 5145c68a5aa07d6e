//! Which registers there are: page by page, not at one moment.

use actix_web::{HttpRequest, HttpResponse, web};
use palco_rambo::Class;
use serde::Deserialize;
use serde_json::json;

use crate::http::key::path_of;
use crate::http::kind::Kind;
use crate::http::problem::Problem;
use crate::http::shared::{Shared, bytes_as_json};

/// Keys on one page, at most.
const KEYS_MAX: usize = 1000;
/// Unless the client says how many.
const KEYS_DEFAULT: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    from: Option<u64>,
    count: Option<usize>,
}

pub(super) async fn get(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Problem> {
    let Query { from, count } = super::query(&request)?;
    let count = count.unwrap_or(KEYS_DEFAULT);
    if !(1..=KEYS_MAX).contains(&count) {
        let detail = format!("count is {count}, it is 1 to {KEYS_MAX}");
        return Err(Problem::new(Kind::BadQuery, detail));
    }
    // The last number there is has no place behind it.
    let from = from.unwrap_or(0).min(u64::MAX - 1);
    let page = shared.registers.scan(from, count).await;
    let keys: Vec<_> = page
        .keys
        .iter()
        .map(|key| {
            let class = match key.class {
                Class::Register => "register",
                Class::Cas => "cas",
            };
            json!({ "name": bytes_as_json(&key.name), "class": class, "path": path_of(key) })
        })
        .collect();
    // A string: not every program reads all digits of a number this long.
    let next = page.next.map(|next| next.to_string());
    Ok(super::json(&json!({ "keys": keys, "next": next })))
}
