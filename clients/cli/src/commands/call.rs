//! `palco call`: one request to a server of the stage, or to any address.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use palco_client::{Connection, Limits, echo, http, resp, time, work};
use serde_json::json;

use crate::args::Call;
use crate::control::{Reply, Request, ask};
use crate::output;
use crate::stage::ServiceKind;

pub(crate) fn call(control: Option<PathBuf>, call: &Call, json: bool) -> Result<ExitCode> {
    let (service, address, words) = target(control, call)?;
    let limits = Limits { answer_within: call.within, ..Limits::default() };
    let mut connection = Connection::open(address, limits)?;
    match service {
        ServiceKind::Echo => {
            let text = words.join(" ");
            ensure!(!text.is_empty(), "echo what? for example: palco call echo hello");
            let answer = echo::call(&mut connection, text.as_bytes())?;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            if json { output::json(&answer)? } else { output::line(answer)? }
        }
        ServiceKind::Time => {
            let now = time::read_rfc868(&mut connection)?;
            let text = humantime::format_rfc3339_seconds(now).to_string();
            if json { output::json(&text)? } else { output::line(text)? }
        }
        ServiceKind::Daytime => {
            let text = time::read_daytime(&mut connection)?;
            if json { output::json(&text)? } else { output::line(text)? }
        }
        ServiceKind::Work => {
            let request = if words.is_empty() { "help".to_owned() } else { words.join(" ") };
            let answer = work::call(&mut connection, &request)?;
            let failed = answer.starts_with("error");
            if json {
                output::json(&answer)?
            } else {
                output::line(&answer)?
            }
            return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        ServiceKind::Kv => {
            ensure!(!words.is_empty(), "which command? for example: palco call kv SET x 1");
            let arguments: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
            let value = resp::call(&mut connection, &arguments)?;
            if json {
                output::json(&value)?
            } else {
                output::line(value.to_string())?
            }
            let failed = matches!(value, resp::Value::Error(_));
            return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        ServiceKind::Http => {
            let path = words.first().map_or("/", String::as_str);
            ensure!(
                words.len() <= 1,
                "one path is enough, for example: palco call http /index.html"
            );
            let answer = http::get(&mut connection, path)?;
            if json {
                let body = String::from_utf8_lossy(&answer.body);
                output::json(
                    &json!({ "status": answer.status, "headers": answer.headers, "body": body }),
                )?;
            } else {
                output::bytes(&answer.body)?;
            }
            if answer.status >= 400 {
                eprintln!("palco: {} {}", answer.status, answer.reason);
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is served where, and the words of the request: from the options, or by asking the stage about the first word.
fn target(control: Option<PathBuf>, call: &Call) -> Result<(ServiceKind, SocketAddr, &[String])> {
    if let Some(address) = call.address {
        let service = call.service.context("--address needs --service")?;
        return Ok((service, address, &call.words));
    }
    let (name, words) = call.words.split_first().context("call which server?")?;
    let Reply::Stage(stage) = ask(control, &Request::Stage)? else {
        bail!("the stage answered something else")
    };
    let Some(server) = stage.servers.iter().find(|server| &server.name == name) else {
        let names: Vec<_> = stage.servers.iter().map(|server| server.name.as_str()).collect();
        bail!("there is no server `{name}`; servers are: {}", names.join(", "))
    };
    Ok((call.service.unwrap_or(server.service), server.address, words))
}
