//! What the description says of an answer: nothing comes that it does not know.

use std::sync::LazyLock;

use serde_json::Value;

use crate::client::Answer;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../src/http/routes/openapi.json");
    serde_json::from_str(text).expect("the description is JSON")
});

/// The operation and the status of this answer are in the description; a path or method that is not is refused.
#[track_caller]
pub(crate) fn check(method: &str, target: &str, answer: &Answer) {
    let path =
        target.strip_prefix("http://").map_or(target, |rest| &rest[rest.find('/').unwrap_or(0)..]);
    let path = path.split('?').next().expect("the first part");
    let paths = DESCRIPTION["paths"].as_object().expect("paths");
    let item = paths.iter().find(|(template, _)| matches(template, path));
    // HEAD is answered as GET, without a body.
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
    let operation = item.and_then(|(_, item)| item.get(&method));
    let status = answer.status;
    match (item, operation) {
        (None, _) => assert!([403, 404, 421].contains(&status), "{path}: {status}"),
        (Some(_), None) => assert!([403, 405, 421].contains(&status), "{method} {path}: {status}"),
        (Some(_), Some(operation)) => {
            let known = operation["responses"].get(status.to_string());
            assert!(known.is_some(), "{method} {path}: {status} is not described");
        }
    }
}

fn matches(template: &str, path: &str) -> bool {
    match template.split_once('{') {
        Some((start, _)) => path.starts_with(start),
        None => template == path,
    }
}

#[test]
#[should_panic(expected = "put /v1/registers/x: 418 is not described")]
fn an_answer_that_is_not_described_is_objected_to() {
    let gateway = crate::gateway::Gateway::start();
    let mut answer = gateway.ask("PUT", "/v1/registers/x").body("1").answer();
    answer.status = 418;
    check("PUT", "/v1/registers/x", &answer);
}

#[test]
fn the_description_is_served() {
    let gateway = crate::gateway::Gateway::start();
    let answer = gateway.ask("GET", "/v1/openapi.json").answer().is(200);
    assert_eq!(answer.json(), *DESCRIPTION);
}

#[test]
fn every_type_of_a_problem_leads_to_what_it_means() {
    let gateway = crate::gateway::Gateway::start();
    let problem = gateway.ask("GET", "/v1/registers/x").answer().refused(404, "absent");
    let meaning = gateway.ask("GET", problem["type"].as_str().unwrap()).answer().is(200).json();
    for member in ["type", "title", "status", "advice"] {
        assert_eq!(meaning[member], problem[member]);
    }
    gateway.ask("GET", "/v1/problems/none").answer().refused(404, "no-route");
}

#[cfg(feature = "openapi-validator")]
#[test]
fn the_description_is_openapi() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/routes/openapi.json");
    let output = std::process::Command::new("openapi-spec-validator").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
