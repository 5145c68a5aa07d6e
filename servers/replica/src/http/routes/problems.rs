//! What a kind of problem means: where the `type` of a problem leads.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::http::kind::Kind;
use crate::http::problem::{Problem, TYPES};

pub(super) async fn get(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let found = Kind::ALL.iter().map(|kind| kind.about()).find(|about| about.name == *name);
    let about = found.ok_or_else(|| {
        Problem::new(Kind::NoRoute, format!("there is no kind of problem called {name}"))
    })?;
    Ok(HttpResponse::Ok().json(json!({
        "type": format!("{TYPES}{}", about.name),
        "title": about.title,
        "status": about.status.as_u16(),
        "advice": about.advice,
    })))
}
