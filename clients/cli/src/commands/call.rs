//! `palco call`: one request to a server of the stage, or to any address.

mod patience;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use palco_client::{Connection, Limits, echo, http, resp, time, work};
use serde_json::json;

use crate::args::Call;
use crate::control::{Reply, Request, ask};
use crate::output;
use crate::stage::ServiceKind;
use patience::Patience;

/// How long an answer may take unless told otherwise; work may take as long as it was asked to.
const WITHIN: Duration = Duration::from_secs(30);
const WORK_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn call(control: Option<PathBuf>, call: &Call, json: bool) -> Result<ExitCode> {
    let (service, address, words) = target(control, call)?;
    let cpu = cpu(call, service, words)?;
    let usual = if service == ServiceKind::Work { WORK_WITHIN } else { WITHIN };
    let answer_within = call.within.unwrap_or(usual);
    let limits = Limits { answer_within, ..Limits::default() };
    // Before any other thread: all of them leave Ctrl-\ to the one that waits for it.
    let patience = Patience::new(call.on_quit)?;
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
            let request = match cpu {
                Some(cpu) => format!("cpu {}", cpu.as_micros()),
                None if words.is_empty() => "help".to_owned(),
                None => words.join(" "),
            };
            // None from a server without an urgent port: nothing can be said then.
            let ticket = work::ticket(&mut connection).ok();
            let _watching = patience.watch(&connection, ticket)?;
            let answer = work::call(&mut connection, &request)?;
            let failed = answer.starts_with("error");
            if json {
                output::json(&answer)?
            } else {
                output::line(&answer)?
            }
            return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        ServiceKind::Kv | ServiceKind::Registers => {
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
        ServiceKind::Http | ServiceKind::Files | ServiceKind::Basket => {
            let usual = if service == ServiceKind::Basket { "/basket" } else { "/" };
            let path = words.first().map_or(usual, String::as_str);
            ensure!(
                words.len() <= 1,
                "one path is enough, for example: palco call http /index.html"
            );
            let _watching = patience.watch(&connection, None)?;
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
        ServiceKind::Telnet | ServiceKind::Ftp => {
            let (ip, port) = (address.ip(), address.port());
            bail!("this is for a person at a terminal: {service} {ip} {port}")
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `--cpu TIME`, which may stand before the server's name and after it.
fn cpu(call: &Call, service: ServiceKind, words: &[String]) -> Result<Option<Duration>> {
    let cpu = match (call.cpu, words) {
        (None, [flag, time]) if flag == "--cpu" => Some(humantime::parse_duration(time)?),
        (Some(cpu), []) => Some(cpu),
        (None, _) => return Ok(None),
        (Some(_), _) => bail!("--cpu is a whole request of its own"),
    };
    ensure!(service == ServiceKind::Work, "--cpu is for service `work`, and this is `{service}`");
    Ok(cpu)
}

/// What is served where, and the words of the request: from the options, or by asking the stage about the first word.
fn target(control: Option<PathBuf>, call: &Call) -> Result<(ServiceKind, SocketAddr, &[String])> {
    if let Some(address) = call.address {
        let service = call.service.context("--address needs --service")?;
        return Ok((service, address, &call.words));
    }
    let (name, words) = call.words.split_first().context("call which server?")?;
    let (service, address) = server(control, name)?;
    Ok((call.service.unwrap_or(service), address, words))
}

/// What the server of this name, or of this service, speaks and where.
pub(super) fn server(control: Option<PathBuf>, name: &str) -> Result<(ServiceKind, SocketAddr)> {
    let Reply::Stage(stage) = ask(control, &Request::Stage)? else {
        bail!("the stage answered something else")
    };
    let by_name = stage.servers.iter().find(|server| server.name == name);
    let by_service = || stage.servers.iter().find(|server| server.service.name() == name);
    let Some(server) = by_name.or_else(by_service) else {
        let names: Vec<_> = stage.servers.iter().map(|server| server.name.as_str()).collect();
        bail!("there is no server `{name}`; servers are: {}", names.join(", "))
    };
    Ok((server.service, server.address))
}
