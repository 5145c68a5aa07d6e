//! Everything that happens in a window of time.

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use palco_actors::ActorId;
use palco_observe::model::Capture;
use serde::Deserialize;

use super::{millis, query};
use crate::refusal::Refusal;
use crate::render::{chrome, mermaid};
use crate::shared::Shared;

/// The longest window, in milliseconds.
const WINDOW_MS_MAX: u64 = 10_000;

/// What to capture, and how to show it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default = "a_second")]
    window_ms: u64,
    #[serde(default)]
    format: Format,
    /// Only what this message began.
    trace: Option<u64>,
    /// Only what this actor sends, receives or does.
    actor: Option<u64>,
}

fn a_second() -> u64 {
    1000
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Mermaid,
    Chrome,
}

pub(super) async fn get(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let wanted: Wanted = query(&request)?;
    let window = millis("window_ms", wanted.window_ms, WINDOW_MS_MAX)?;
    let mut capture = shared.house.observer.capture(window).await;
    choose(&mut capture, wanted.trace, wanted.actor.map(ActorId::new));
    Ok(match wanted.format {
        Format::Json => HttpResponse::Ok().json(capture),
        Format::Chrome => HttpResponse::Ok().json(chrome::render(&capture)),
        Format::Mermaid => {
            let plain = ContentType::plaintext();
            HttpResponse::Ok().insert_header(plain).body(mermaid::render(&capture))
        }
    })
}

/// Leaves what was asked for, and of the lifelines those that still occur.
fn choose(capture: &mut Capture, trace: Option<u64>, actor: Option<ActorId>) {
    if trace.is_none() && actor.is_none() {
        return;
    }
    capture.messages.retain(|message| {
        trace.is_none_or(|trace| message.trace == trace)
            && actor.is_none_or(|actor| message.to == actor || message.from == Some(actor))
    });
    capture.steps.retain(|step| {
        trace.is_none_or(|trace| step.trace == trace)
            && actor.is_none_or(|actor| step.actor == actor)
    });
    let (messages, steps) = (&capture.messages, &capture.steps);
    capture.lifelines.retain(|line| {
        let told = |id| messages.iter().any(|it| it.to == id || it.from == Some(id));
        told(line.actor) || steps.iter().any(|step| step.actor == line.actor)
    });
}
