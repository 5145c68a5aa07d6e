//! The last report of each benchmark, as `palco bench` has kept it.

use std::io;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY, ContentType,
};
use actix_web::{HttpResponse, web};
use palco_measure::kept;
use serde_json::{Value, json};

use super::lost;
use crate::refusal::Refusal;
use crate::shared::Shared;

/// For a file that this program may not have written: it shows itself and does nothing, in an origin of its own.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; sandbox";
const HOW: &str = "`palco bench switch` makes a report and keeps it; GET /api/reports lists all";

pub(super) async fn list(shared: web::Data<Shared>) -> Result<HttpResponse, Refusal> {
    let Some(directory) = shared.house.reports.clone() else { return Ok(listed(&[])) };
    let kept = web::block(move || kept::kept(&directory)).await.map_err(lost)?;
    Ok(listed(&kept.iter().map(view).collect::<Vec<_>>()))
}

fn listed(reports: &[Value]) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "reports": reports }))
}

fn view(report: &kept::Kept) -> Value {
    let kept::Kept { topic, date, grade, command, html: _ } = report;
    let address = format!("/reports/{topic}");
    json!({ "topic": topic, "date": date, "grade": grade, "command": command, "address": address })
}

pub(super) async fn page(
    topic: web::Path<String>,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let topic = topic.into_inner();
    let unknown = |error: &io::Error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => String::new(),
            _ => format!(": {error}"),
        };
        Refusal::unknown(format!("there is no report `{topic}`{why}"), HOW)
    };
    let Some(directory) = shared.house.reports.clone() else {
        return Err(unknown(&io::ErrorKind::NotFound.into()));
    };
    let wanted = topic.clone();
    let read = web::block(move || kept::page(&directory, &wanted)).await;
    let page = read.map_err(lost)?.map_err(|error| unknown(&error))?;
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "no-store"));
    // HTML, "create navigation params by fetching": a response in a sandbox with an opener policy is a network error.
    answer.insert_header((CROSS_ORIGIN_OPENER_POLICY, "unsafe-none"));
    Ok(answer.insert_header(ContentType::html()).body(page))
}
