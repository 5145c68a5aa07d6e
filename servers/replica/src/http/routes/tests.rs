//! The description compared with the routes and the kinds of problems.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn described() -> Value {
    serde_json::from_str(openapi::TEXT).unwrap()
}

fn operations(described: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method != "parameters" {
                found.push((path.clone(), method.to_uppercase(), operation));
            }
        }
    }
    found
}

#[test]
fn the_description_has_every_route_and_no_other() {
    let described = described();
    let in_description: BTreeSet<_> =
        operations(&described).into_iter().map(|(path, method, _)| (path, method)).collect();
    let routes = ALL.iter().flat_map(|entry| {
        let path = entry.path.replace(":.*}", "}");
        entry.methods.iter().map(move |method| (path.clone(), (*method).to_owned()))
    });
    assert_eq!(in_description, routes.collect::<BTreeSet<_>>());
}

#[test]
fn every_operation_is_described_in_full() {
    let described = described();
    for (path, method, operation) in operations(&described) {
        let place = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{place}: summary");
        assert!(operation["operationId"].is_string(), "{place}: operationId");
        let named = path.matches('{').count();
        let parameters = described["paths"][&path]["parameters"].as_array().map_or(0, Vec::len);
        assert_eq!(named, parameters, "{place} describes each part in braces once");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{place}");
        // What the guards refuse, they refuse everywhere.
        assert!(answers.contains_key("403") && answers.contains_key("421"), "{place}");
        assert_eq!(operation["security"].is_array(), method == "POST", "{place}: the token");
    }
}

#[test]
fn every_kind_of_problem_has_a_name_of_its_own_and_occurs_in_the_description() {
    let mut names = BTreeSet::new();
    for kind in Kind::ALL {
        let about = kind.about();
        assert!(names.insert(about.name), "{} twice", about.name);
        let is_general = matches!(kind, Kind::Absent | Kind::MethodNotAllowed | Kind::Broken);
        assert!(is_general || openapi::TEXT.contains(about.name), "{}", about.name);
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
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let described = described();
    walk(&described, &described);
}

#[test]
fn a_time_is_within_its_bounds() {
    let most = Duration::from_secs(60);
    assert_eq!(time("timeout", "1m", most).unwrap(), most);
    for text in ["", "5", "61s", "-1s", "1 fortnight"] {
        assert!(time("timeout", text, most).is_err(), "{text}");
    }
}
