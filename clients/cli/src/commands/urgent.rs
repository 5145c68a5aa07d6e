//! `palco urgent`: what is being served, and something about one request of it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_client::{Limits, urgent as port};
use palco_core::{Answer, Remark, RequestState, Verb};
use serde_json::json;

use crate::args::{About, UrgentCommand};
use crate::control::{Reply, Request, RequestsView, ask};
use crate::output;

/// Exit code 1 when the request is not in the state that was asked for.
pub(crate) fn urgent(
    control: Option<PathBuf>,
    command: &UrgentCommand,
    json: bool,
) -> Result<ExitCode> {
    let Some(verb) = &command.verb else { return list(control, json) };
    let (verb, about) = verb.parts();
    let (request, answer) = match about {
        About::Ticket(ticket) => {
            (ticket.request.clone(), port::ask(ticket, verb, &Limits::default())?)
        }
        About::Own(request) => {
            match ask(control, &Request::Act { request: request.clone(), verb })? {
                Reply::Acted { request, answer } => (request, answer),
                _ => bail!("the stage answered something else"),
            }
        }
    };
    if json {
        output::json(&json!({ "request": request, "verb": verb, "answer": answer }))?;
    } else {
        let remark = match &answer.remark {
            Remark::None => String::new(),
            Remark::Note(text) => format!(": {text}"),
            Remark::Pending(text) => format!(", not as asked: {text}"),
        };
        output::line(format!("{request}: {}{remark}", answer.state))?;
    }
    Ok(if is_as_asked(verb, &answer) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_as_asked(verb: Verb, answer: &Answer) -> bool {
    let is_there = match (verb, answer.state) {
        (_, RequestState::NotFound) => false,
        (Verb::Hold | Verb::Resume | Verb::Priority(_), RequestState::Finished) => false,
        (Verb::Cancel | Verb::Status, RequestState::Finished) => true,
        (_, RequestState::Queued | RequestState::Running | RequestState::Held) => true,
    };
    is_there && answer.is_reached()
}

fn list(control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let Reply::Requests(view) = ask(control, &Request::Requests)? else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&view)?;
        return Ok(ExitCode::SUCCESS);
    }
    let RequestsView { urgent, requests } = view;
    match urgent {
        Some(urgent) => {
            let (address, obtained) = (urgent.address, &urgent.obtained);
            let port = &urgent.counts.port;
            output::line(format!(
                "urgent port {address}, {obtained}; {} commands, {} wrong keys\n",
                port.commands, port.wrong_keys
            ))?;
        }
        None => output::line("no urgent port is open; only who runs the stage can interrupt\n")?,
    }
    if requests.is_empty() {
        output::line("nothing is being served; try: palco call work --cpu 30s &")?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = requests.iter().map(|view| {
        [
            view.request.to_string(),
            view.state.to_string(),
            format!("{:.1} s", view.age_ms as f64 / 1000.0),
            view.peer.map(|peer| peer.to_string()).unwrap_or_default(),
            view.actor.clone().unwrap_or_default(),
            view.place.name().to_owned(),
            view.nice.map(|nice| nice.to_string()).unwrap_or_default(),
        ]
    });
    output::table(["REQUEST", "STATE", "AGE", "CLIENT", "SERVED BY", "PLACE", "NICE"], rows)?;
    Ok(ExitCode::SUCCESS)
}
