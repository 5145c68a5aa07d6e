//! All routes: a path, its methods, and who answers them.

mod actors;
mod capture;
mod events;
mod health;
mod load;
mod metrics;
mod openapi;
mod page;
mod registers;
mod reports;
mod requests;
mod servers;
mod services;
mod snapshot;
mod status;
mod waits;

use actix_web::error::BlockingError;
use actix_web::guard::{self, Guard};
use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, Resource, Route, web};
use serde::de::DeserializeOwned;

use crate::refusal::{Refusal, nowhere};

/// A path and its methods. HEAD is answered wherever GET is, but for events, which have no end.
pub(crate) struct Entry {
    path: &'static str,
    methods: &'static [&'static str],
    fill: fn(Resource) -> Resource,
}

/// Everything there is; `openapi.json` describes the same.
const ALL: &[Entry] = &[
    Entry { path: "/", methods: &["GET"], fill: |r| r.route(read().to(page::index)) },
    Entry {
        path: "/assets/{file:.*}",
        methods: &["GET"],
        fill: |r| r.route(read().to(page::asset)),
    },
    Entry { path: "/healthz", methods: &["GET"], fill: |r| r.route(read().to(health::get)) },
    Entry { path: "/metrics", methods: &["GET"], fill: |r| r.route(read().to(metrics::get)) },
    Entry {
        path: "/api/openapi.json",
        methods: &["GET"],
        fill: |r| r.route(read().to(openapi::get)),
    },
    Entry { path: "/api/snapshot", methods: &["GET"], fill: |r| r.route(read().to(snapshot::get)) },
    Entry { path: "/api/events", methods: &["GET"], fill: |r| r.route(web::get().to(events::get)) },
    Entry { path: "/api/actors", methods: &["GET"], fill: |r| r.route(read().to(actors::list)) },
    Entry {
        path: "/api/actors/{id}",
        methods: &["GET"],
        fill: |r| r.route(read().to(actors::get)),
    },
    Entry {
        path: "/api/actors/{id}/{action}",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(actors::act)),
    },
    Entry { path: "/api/waits", methods: &["GET"], fill: |r| r.route(read().to(waits::waits)) },
    Entry { path: "/api/flow", methods: &["GET"], fill: |r| r.route(read().to(waits::flow)) },
    Entry { path: "/api/capture", methods: &["GET"], fill: |r| r.route(read().to(capture::get)) },
    Entry { path: "/api/servers", methods: &["GET"], fill: |r| r.route(read().to(servers::list)) },
    Entry { path: "/api/services", methods: &["GET"], fill: |r| r.route(read().to(services::get)) },
    Entry {
        path: "/api/services/reload",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(services::reload)),
    },
    Entry {
        path: "/api/requests",
        methods: &["GET"],
        fill: |r| r.route(read().to(requests::list)),
    },
    Entry {
        path: "/api/requests/act",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(requests::act)),
    },
    Entry {
        path: "/api/registers",
        methods: &["GET"],
        fill: |r| r.route(read().to(registers::get)),
    },
    Entry {
        path: "/api/registers/keys",
        methods: &["GET"],
        fill: |r| r.route(read().to(registers::keys::get)),
    },
    Entry {
        path: "/api/registers/run",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(registers::run::post)),
    },
    Entry {
        path: "/api/registers/nodes",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(registers::nodes::add)),
    },
    Entry {
        path: "/api/registers/nodes/{node}/{action}",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(registers::nodes::act)),
    },
    Entry {
        path: "/api/registers/cuts",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(registers::nodes::cut)),
    },
    Entry {
        path: "/api/registers/reconfigure",
        methods: &["POST"],
        fill: |r| r.route(web::post().to(registers::reconfigure::post)),
    },
    Entry { path: "/api/reports", methods: &["GET"], fill: |r| r.route(read().to(reports::list)) },
    Entry {
        path: "/reports/{topic}",
        methods: &["GET"],
        fill: |r| r.route(read().to(reports::page)),
    },
    Entry { path: "/server-status", methods: &["GET"], fill: |r| r.route(read().to(status::get)) },
    Entry { path: "/api/models", methods: &["GET"], fill: |r| r.route(read().to(servers::models)) },
    Entry {
        path: "/api/load",
        methods: &["GET", "POST"],
        fill: |r| r.route(read().to(load::list)).route(web::post().to(load::start)),
    },
    Entry {
        path: "/api/load/{server}",
        methods: &["DELETE"],
        fill: |r| r.route(web::delete().to(load::stop)),
    },
];

/// Adds all routes, and the answer to what none of them is.
pub(crate) fn add(config: &mut web::ServiceConfig) {
    for entry in ALL {
        let allow = entry.methods.join(", ");
        let refuse = move |request: HttpRequest| {
            let refusal = Refusal::not_allowed(request.method().as_str(), request.path(), &allow);
            async move { Err::<HttpResponse, _>(refusal) }
        };
        let resource = (entry.fill)(web::resource(entry.path));
        config.service(resource.default_service(web::to(refuse)));
    }
    config.default_service(web::to(nowhere));
}

/// GET and HEAD.
fn read() -> Route {
    web::route().guard(guard::fn_guard(|context| {
        guard::Get().check(context) || guard::Head().check(context)
    }))
}

/// The query, checked.
fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Refusal> {
    let query = web::Query::<T>::from_query(request.query_string());
    query.map(web::Query::into_inner).map_err(|error| {
        Refusal::bad_value(format!("the query is not understood: {error}"), "see /api/openapi.json")
    })
}

/// A number of milliseconds within its bounds.
fn millis(name: &str, value: u64, most: u64) -> Result<std::time::Duration, Refusal> {
    if (1..=most).contains(&value) {
        return Ok(std::time::Duration::from_millis(value));
    }
    Err(Refusal::bad_value(format!("{name} is {value}"), format!("{name} is 1 to {most}")))
}

/// What has been begun on another thread is not there any more.
fn lost(_: BlockingError) -> Refusal {
    Refusal::not_now("this did not come to its end", "ask again")
}

/// Whether the client has what it asks for already.
fn has(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(actix_web::http::header::IF_NONE_MATCH);
    let known = known.and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn described() -> Value {
        serde_json::from_str(openapi::TEXT).unwrap()
    }

    #[test]
    fn the_description_has_every_route_and_no_other() {
        let described = described();
        let mut in_description = BTreeSet::new();
        for (path, item) in described["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
                in_description.insert((path.clone(), method.to_uppercase()));
            }
        }
        let routes = ALL.iter().flat_map(|entry| {
            let path = entry.path.replace(":.*}", "}");
            entry.methods.iter().map(move |method| (path.clone(), (*method).to_owned()))
        });
        assert_eq!(in_description, routes.collect::<BTreeSet<_>>());
    }

    #[test]
    fn the_description_is_complete() {
        let described = described();
        assert_eq!(described["openapi"], "3.1.0");
        for field in ["title", "version", "description"] {
            assert!(described["info"][field].is_string(), "{field}");
        }
        for (path, item) in described["paths"].as_object().unwrap() {
            let named = path.matches('{').count();
            let parameters = item["parameters"].as_array().map_or(0, Vec::len);
            assert_eq!(named, parameters, "{path} describes each part in braces once");
            for (method, operation) in item.as_object().unwrap() {
                if method == "parameters" {
                    continue;
                }
                let place = format!("{method} {path}");
                assert!(operation["summary"].is_string(), "{place}: summary");
                assert!(operation["operationId"].is_string(), "{place}: operationId");
                let answers = operation["responses"].as_object().unwrap();
                assert!(answers.keys().any(|status| status.starts_with(['2', '3'])), "{place}");
                let secured = operation["security"].is_array();
                assert_eq!(secured, method != "get", "{place}: all but GET need the token");
            }
        }
    }

    #[test]
    fn every_reference_of_the_description_leads_somewhere() {
        fn walk(at: &Value, root: &Value) {
            match at {
                Value::Object(fields) => {
                    if let Some(Value::String(target)) = fields.get("$ref") {
                        let pointer = target.strip_prefix('#').unwrap();
                        assert!(root.pointer(pointer).is_some(), "{target}");
                    }
                    fields.values().for_each(|value| walk(value, root));
                }
                Value::Array(values) => values.iter().for_each(|value| walk(value, root)),
                _ => {}
            }
        }
        let described = described();
        walk(&described, &described);
    }
}
