//! What is to be done about which request, as a body says it.

use palco_core::{Nice, RequestId, Verb};
use serde::Deserialize;
use serde_json::Value;

use crate::refusal::Refusal;

/// What a body has; each part is looked at by itself, to say what is wrong with it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    request: String,
    verb: Value,
}

/// What is to be done about which request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) request: RequestId,
    pub(super) verb: Verb,
}

/// Understands a body.
pub(super) fn read(wanted: Wanted) -> Result<Order, Refusal> {
    let request = wanted.request.parse().map_err(|error| {
        Refusal::bad_value(
            format!("request is {:?}: {error}", wanted.request),
            "GET /api/requests lists those that are being served",
        )
    })?;
    Ok(Order { request, verb: verb(&wanted.verb)? })
}

/// Where there is no body.
pub(super) fn missing() -> Refusal {
    Refusal::bad_value(
        "the body is empty: it says neither which request nor what to do about it",
        r#"send {"request": "work/17.2", "verb": "hold"}"#,
    )
}

fn verb(value: &Value) -> Result<Verb, Refusal> {
    match value.as_str() {
        Some("cancel") => return Ok(Verb::Cancel),
        Some("hold") => return Ok(Verb::Hold),
        Some("resume") => return Ok(Verb::Resume),
        Some("status") => return Ok(Verb::Status),
        Some(_) | None => {}
    }
    let fields = value.as_object().filter(|fields| fields.len() == 1);
    match fields.and_then(|fields| fields.get("priority")) {
        Some(number) => nice(number).map(Verb::Priority),
        None => Err(Refusal::bad_value(
            format!("there is no verb {value}"),
            r#"verbs are "cancel", "hold", "resume", "status" and {"priority": 5}"#,
        )),
    }
}

fn nice(number: &Value) -> Result<Nice, Refusal> {
    let value = number.as_i64().and_then(|number| i8::try_from(number).ok());
    value.and_then(Nice::new).ok_or_else(|| {
        Refusal::bad_value(
            format!("priority is {number}"),
            "priority is a nice value, a whole number from -20 (most) to 19 (least)",
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(verb: Value) -> Result<Order, Refusal> {
        read(Wanted { request: "work/17.2".into(), verb })
    }

    #[test]
    fn a_verb_is_read_as_it_is_written() {
        let nice = |value| Verb::Priority(Nice::new(value).unwrap());
        for verb in [Verb::Cancel, Verb::Hold, Verb::Resume, Verb::Status, nice(-20), nice(19)] {
            let read = order(serde_json::to_value(verb).unwrap()).unwrap();
            assert_eq!(read, Order { request: "work/17.2".parse().unwrap(), verb });
        }
    }

    #[test]
    fn what_is_no_verb_is_named() {
        for verb in [
            json!("stop"),
            json!("priority"),
            json!({ "hold": 1 }),
            json!({ "priority": 1, "hold": 1 }),
            json!(["hold"]),
            json!(null),
        ] {
            let refusal = order(verb.clone()).unwrap_err().to_string();
            assert!(refusal.contains(&verb.to_string()), "{refusal}");
        }
        for value in [json!(20), json!(-21), json!(300), json!(1.5), json!("5"), json!(null)] {
            let refusal = order(json!({ "priority": value })).unwrap_err().to_string();
            assert_eq!(refusal, format!("priority is {value}"));
        }
    }

    #[test]
    fn what_is_no_request_is_named() {
        let wanted = Wanted { request: "work".into(), verb: json!("hold") };
        let refusal = read(wanted).unwrap_err().to_string();
        assert!(refusal.starts_with("request is \"work\": "), "{refusal}");
    }
}
