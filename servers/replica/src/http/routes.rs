//! All routes: a path, its methods, and who answers them.

mod openapi;
mod problems;
mod reconfigure;
mod registers;
mod scan;
mod status;

use std::time::Duration;

use actix_web::guard::{self, Guard};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, Resource, Route, web};
use serde::de::DeserializeOwned;

use super::kind::Kind;
use super::problem::Problem;

/// A path and its methods. HEAD is answered wherever GET is.
struct Entry {
    path: &'static str,
    methods: &'static [&'static str],
    fill: fn(Resource) -> Resource,
}

/// Everything there is; `openapi.json` describes the same.
const ALL: &[Entry] = &[
    Entry { path: "/v1/registers", methods: &["GET"], fill: |r| r.route(read().to(scan::get)) },
    Entry {
        path: "/v1/registers/{key:.*}",
        methods: &["GET", "PUT", "DELETE"],
        fill: |r| {
            r.route(read().to(registers::get))
                .route(web::put().to(registers::put))
                .route(web::delete().to(registers::delete))
        },
    },
    Entry { path: "/v1/status", methods: &["GET"], fill: |r| r.route(read().to(status::get)) },
    Entry {
        path: "/v1/reconfigure",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(reconfigure::post)),
    },
    Entry {
        path: "/v1/openapi.json",
        methods: &["GET"],
        fill: |r| r.route(read().to(openapi::get)),
    },
    Entry {
        path: "/v1/problems/{name}",
        methods: &["GET"],
        fill: |r| r.route(read().to(problems::get)),
    },
];

/// Adds all routes, and the answer to what none of them is.
pub(super) fn add(config: &mut web::ServiceConfig) {
    for entry in ALL {
        let allow = entry.methods.join(", ");
        let refuse = move |request: HttpRequest| {
            let problem = Problem::not_allowed(&request, &allow);
            async move { Err::<HttpResponse, _>(problem) }
        };
        let resource = (entry.fill)(web::resource(entry.path));
        config.service(resource.default_service(web::to(refuse)));
    }
    config.default_service(web::to(nowhere));
}

async fn nowhere(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::new(Kind::NoRoute, format!("there is nothing at {}", request.path())))
}

/// GET and HEAD.
fn read() -> Route {
    web::route().guard(guard::fn_guard(|context| {
        guard::Get().check(context) || guard::Head().check(context)
    }))
}

/// The query, checked.
fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    let query = web::Query::<T>::from_query(request.query_string());
    query.map(web::Query::into_inner).map_err(|error| {
        Problem::new(Kind::BadQuery, format!("the query is not understood: {error}"))
    })
}

/// A time within its bounds.
fn time(name: &str, text: &str, most: Duration) -> Result<Duration, Problem> {
    let bad = |why: String| Problem::new(Kind::BadQuery, format!("{name}: {why}"));
    let time = humantime::parse_duration(text).map_err(|error| bad(error.to_string()))?;
    if time > most {
        return Err(bad(format!("{time:?} is longer than {most:?}, the most that can be")));
    }
    Ok(time)
}

/// An answer that is worth nothing later.
fn json(value: &serde_json::Value) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(value)
}

#[cfg(test)]
mod tests;
