//! `palco register`: the registers of a cluster, one at a time.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use palco_client::resp::{self, Value};
use palco_client::{Connection, Limits};
use palco_replica::{ClusterView, NodeView};
use serde_json::json;

use crate::args::{At, RegisterCommand};
use crate::control::{Reply, Request, ask};
use crate::output;

pub(crate) fn register(
    control: Option<PathBuf>,
    command: &RegisterCommand,
    json: bool,
) -> Result<ExitCode> {
    match command {
        RegisterCommand::Get { key, at } => get(key, *at, json),
        RegisterCommand::Set { key, value, at } => {
            show(&call(*at, &["PALCO.SET", key, value])?, json)
        }
        RegisterCommand::Cas { key, version, value, at } => {
            cas(*at, [key, &version.to_string(), value], json)
        }
        RegisterCommand::Del { key, at } => show(&call(*at, &["DEL", key])?, json),
        RegisterCommand::Watch { key, every, at } => watch(key, *every, *at, json),
        RegisterCommand::Status => status(control, json),
    }
}

fn open(at: At) -> Result<Connection> {
    let limits = Limits { answer_within: at.within, ..Limits::default() };
    Connection::open(at.at, limits).with_context(|| {
        format!(
            "no gateway of registers answers on {}: start `palco up`, or name one with --at",
            at.at
        )
    })
}

fn call(at: At, words: &[&str]) -> Result<Value> {
    ask_over(&mut open(at)?, words)
}

fn ask_over(connection: &mut Connection, words: &[&str]) -> Result<Value> {
    let arguments: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    match resp::call(connection, &arguments)? {
        Value::Error(text) => bail!("{text}"),
        value => Ok(value),
    }
}

/// Exit code 1 if the key is at another version.
fn cas(at: At, [key, version, value]: [&str; 3], json: bool) -> Result<ExitCode> {
    let made = call(at, &["PALCO.CASV", key, version, value])?;
    if made == Value::Null {
        let now = call(at, &["PALCO.GETV", key])?;
        bail!("{key} is not at version {version} any more: version and value are {now}");
    }
    show(&made, json)
}

fn show(value: &Value, json: bool) -> Result<ExitCode> {
    if json {
        output::json(value)?;
    } else {
        output::line(value.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tag, or version, and value.
fn tagged(value: Value) -> Result<(String, Option<Vec<u8>>)> {
    let Value::Array(parts) = value else { bail!("the gateway answered something else") };
    let Ok([tag, value]) = <[Value; 2]>::try_from(parts) else {
        bail!("the gateway answered something else")
    };
    let tag = match tag {
        Value::Bulk(tag) => String::from_utf8_lossy(&tag).into_owned(),
        version => version.to_string(),
    };
    match value {
        Value::Bulk(value) => Ok((tag, Some(value))),
        _ => Ok((tag, None)),
    }
}

fn print(key: &str, tag: &str, value: Option<&[u8]>, json: bool) -> Result<()> {
    let text = value.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    match (json, text) {
        (true, text) => output::json(&json!({ "key": key, "tag": tag, "value": text })),
        (false, Some(text)) => output::line(text),
        (false, None) => output::line("(nothing)"),
    }
}

fn get(key: &str, at: At, json: bool) -> Result<ExitCode> {
    let (tag, value) = tagged(call(at, &["PALCO.GET", key])?)?;
    print(key, &tag, value.as_deref(), json)?;
    Ok(if value.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn watch(key: &str, every: Duration, at: At, json: bool) -> Result<ExitCode> {
    let mut connection = open(at)?;
    let mut last = None;
    loop {
        let (tag, value) = tagged(ask_over(&mut connection, &["PALCO.GET", key])?)?;
        if last.as_ref() != Some(&tag) {
            print(key, &tag, value.as_deref(), json)?;
            last = Some(tag);
        }
        std::thread::sleep(every);
    }
}

fn status(control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let Reply::Registers(view) = ask(control, &Request::Registers)? else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&view)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(newest) = view.newest() {
        let members: Vec<_> = newest.nodes().map(|node| view.name(node)).collect();
        output::line(format!(
            "configuration {}: {}, {:?}\n",
            newest.index(),
            members.join(", "),
            newest.quorums()
        ))?;
    }
    let heading = [
        "NODE",
        "NUMBER",
        "SHARD",
        "LIFE",
        "CONFIGURATIONS",
        "REGISTERS",
        "OPERATIONS",
        "DRIVES",
        "REDIS",
        "HTTP",
    ];
    output::table(heading, view.nodes.iter().flat_map(|node| rows(node, &view)))?;
    Ok(ExitCode::SUCCESS)
}

fn rows(node: &NodeView, view: &ClusterView) -> Vec<[String; 10]> {
    let shown = |address: Option<SocketAddr>| {
        address.map_or_else(|| "–".to_owned(), |address| address.to_string())
    };
    let (redis, http) = (shown(node.resp), shown(node.http));
    if node.standings.is_empty() {
        let state = if node.is_connected { "connected" } else { "not connected" };
        let mut row: [String; 10] = Default::default();
        (row[0], row[1], row[4]) = (node.name.clone(), node.node.to_string(), state.to_owned());
        (row[8], row[9]) = (redis, http);
        return vec![row];
    }
    let newest = view.newest().map(|newest| newest.index());
    let row = |of: &palco_replica::Standing| {
        let configurations = of.map.as_ref().map_or_else(
            || "has not joined".to_owned(),
            |map| {
                let active: Vec<_> =
                    map.active().iter().map(|active| format!("c{}", active.index())).collect();
                let lags = of.shard == 0 && newest.is_some_and(|newest| newest > map.top().index());
                format!("{}{}", active.join(" "), if lags { " (lags)" } else { "" })
            },
        );
        [
            node.name.clone(),
            node.node.to_string(),
            of.shard.to_string(),
            of.boot.to_string(),
            configurations,
            of.registers.to_string(),
            of.operations.to_string(),
            of.driving.map_or_else(|| "–".to_owned(), |stage| format!("{stage:?}").to_lowercase()),
            redis.clone(),
            http.clone(),
        ]
    };
    node.standings.iter().map(row).collect()
}
