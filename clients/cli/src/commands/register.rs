//! `palco register`: the registers of a cluster, one at a time.

mod status;
mod tags;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use palco_client::register::{Swap, Tagged, Watched};
use palco_client::{RegisterClient, RegisterError, RegisterOptions};
use palco_dashboard::Token;
use palco_transport::Peer;
use serde_json::json;

use crate::args::{At, RegisterCommand};
use crate::control::{self, Reply, Request};
use crate::output;

/// So long one look lasts that sees nothing new.
const WATCH: Duration = Duration::from_secs(3600);

pub(crate) fn register(
    control: Option<PathBuf>,
    command: RegisterCommand,
    json: bool,
) -> Result<ExitCode> {
    match command {
        RegisterCommand::Get { key, at } => get(&key, at, json),
        RegisterCommand::Set { key, value, at } => {
            let written = open(at)?.ask(|client| client.write(key.as_bytes(), value.as_bytes()))?;
            show_tag(&written, json)
        }
        RegisterCommand::Cas { key, version, value, at } => cas(&key, version, &value, at, json),
        RegisterCommand::Del { key, at } => delete(&key, at, json),
        RegisterCommand::Watch { key, at } => watch(&key, at, json),
        RegisterCommand::Allow { key } => allow(control, key),
        RegisterCommand::Status => status::status(control, json),
        RegisterCommand::Tags { keys } => tags::tags(control, &keys, json),
    }
}

fn allow(control: Option<PathBuf>, peer: Peer) -> Result<ExitCode> {
    match control::ask(control, &Request::Allow { peer })? {
        Reply::Allowed => Ok(ExitCode::SUCCESS),
        _ => bail!("the stage answered something else"),
    }
}

/// A client, and what to say when nobody answers it.
struct Opened {
    client: RegisterClient,
    advice: String,
}

fn open(at: At) -> Result<Opened> {
    let password = at.password_file.as_deref().map(Token::from_file).transpose()?;
    let options = RegisterOptions {
        password: password.map(|password| password.reveal().to_owned()),
        within: at.within,
        answer_within: at.within,
        ..Default::default()
    };
    let asked = at.at.join(", ");
    let advice = format!("asked at {asked}; `palco up` opens gateways, and --at names others");
    Ok(Opened { client: RegisterClient::new(at.at, options)?, advice })
}

impl Opened {
    fn ask<T>(
        &mut self,
        command: impl FnOnce(&mut RegisterClient) -> Result<T, RegisterError>,
    ) -> Result<T> {
        command(&mut self.client).with_context(|| self.advice.clone())
    }
}

fn show_tag(tag: &str, json: bool) -> Result<ExitCode> {
    if json {
        output::json(&json!({ "tag": tag }))?;
    } else {
        output::line(tag)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(key: &str, found: &Tagged, json: bool) -> Result<()> {
    let text = found.value.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    match (json, text) {
        (true, text) => output::json(&json!({ "key": key, "tag": found.tag, "value": text })),
        (false, Some(text)) => output::line(text),
        (false, None) => output::line("(nothing)"),
    }
}

/// Exit code 1 if there is nothing.
fn get(key: &str, at: At, json: bool) -> Result<ExitCode> {
    let found = open(at)?.ask(|client| client.read(key.as_bytes()))?;
    print(key, &found, json)?;
    Ok(if found.value.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Exit code 1 if the key is at another version.
fn cas(key: &str, version: u64, value: &str, at: At, json: bool) -> Result<ExitCode> {
    let mut opened = open(at)?;
    let value = Some(value.as_bytes());
    match opened.ask(|client| client.compare_and_swap(key.as_bytes(), version, value))? {
        Swap::Done(version) => show_tag(&version.to_string(), json),
        Swap::Mismatch => {
            let now = opened.ask(|client| client.get_versioned(key.as_bytes()))?;
            let holds = now.value.map_or_else(
                || "holds nothing".to_owned(),
                |value| format!("holds `{}`", String::from_utf8_lossy(&value)),
            );
            bail!(
                "{key} is not at version {version} any more: it is at {} and {holds}",
                now.version
            )
        }
    }
}

fn delete(key: &str, at: At, json: bool) -> Result<ExitCode> {
    let had = open(at)?.ask(|client| client.delete(key.as_bytes()))?;
    if json {
        output::json(&json!({ "deleted": had }))?;
    } else {
        output::line(if had { "deleted" } else { "nothing was there" })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Until it is ended.
fn watch(key: &str, at: At, json: bool) -> Result<ExitCode> {
    let mut opened = open(at)?;
    let mut found = opened.ask(|client| client.read(key.as_bytes()))?;
    print(key, &found, json)?;
    loop {
        let seen =
            opened.ask(|client| client.watch(key.as_bytes(), found.tag.as_deref(), WATCH))?;
        if let Watched::Changed(new) = seen {
            print(key, &new, json)?;
            found = new;
        }
    }
}
