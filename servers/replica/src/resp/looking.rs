//! The commands that look at this node: `SCAN`, `DBSIZE`, `INFO`.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use palco_service::CallContext;
use palco_service::services::resp::{Command, glob, integer};

use super::gateway::Gateway;
use super::{REDIS_VERSION, Reply};
use crate::Standing;

/// Keys of one page, whatever `COUNT` says.
const PAGE_KEYS_MAX: usize = 4096;
/// Keys of a page when `COUNT` says nothing: as in redis.
const PAGE_KEYS: usize = 10;

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    Scan,
    Size,
    Information,
}

pub(super) async fn look(
    gateway: &Gateway,
    look: Look,
    command: &Command,
    cx: &CallContext<'_>,
) -> Reply {
    match look {
        Look::Scan => scan(gateway, command).await.unwrap_or_else(|refused| refused),
        Look::Size => size(gateway, cx).await,
        Look::Information => information(gateway, command).await,
    }
}

/// `SCAN cursor [MATCH pattern] [COUNT keys] [TYPE type]`.
async fn scan(gateway: &Gateway, command: &Command) -> Result<Reply, Reply> {
    let mut rest = command.rest();
    let from = rest.next().and_then(|cursor| std::str::from_utf8(cursor).ok()?.parse().ok());
    let from = from.ok_or(Reply::error("ERR invalid cursor"))?;
    let (mut pattern, mut count, mut is_of_type) = (&b"*"[..], PAGE_KEYS, true);
    while let Some(option) = rest.next() {
        let argument = rest.next().ok_or(Reply::SYNTAX_ERROR)?;
        match option.to_ascii_uppercase().as_slice() {
            b"MATCH" => pattern = argument,
            b"TYPE" => is_of_type = argument.eq_ignore_ascii_case(b"string"),
            b"COUNT" => {
                let wanted = integer::parse(argument).ok_or(Reply::NOT_AN_INTEGER)?;
                let wanted = usize::try_from(wanted).ok().filter(|wanted| *wanted > 0);
                count = wanted.ok_or(Reply::SYNTAX_ERROR)?.min(PAGE_KEYS_MAX);
            }
            _ => return Err(Reply::SYNTAX_ERROR),
        }
    }
    let page = gateway.registers.scan(from, count).await;
    let fits = |name: &[u8]| is_of_type && (pattern == b"*" || glob::matches(pattern, name));
    let names = page.keys.into_iter().map(|key| key.name).filter(|name| fits(name));
    let next = page.next.unwrap_or(0).to_string();
    Ok(Reply::Array(vec![Reply::text(next), Reply::Array(names.map(Reply::Bulk).collect())]))
}

/// `DBSIZE`: walks through all keys, for what was deleted is kept too and does not count.
async fn size(gateway: &Gateway, cx: &CallContext<'_>) -> Reply {
    let begun = cx.elapsed();
    let (mut from, mut keys) = (Some(0), 0);
    while let Some(at) = from {
        if cx.elapsed().saturating_sub(begun) >= gateway.settings.within {
            return Reply::error("TRYAGAIN counting the keys took too long");
        }
        let page = gateway.registers.scan(at, PAGE_KEYS_MAX).await;
        keys += page.keys.len();
        from = page.next;
        cx.checkpoint().await;
    }
    Reply::count(keys as u64)
}

/// `INFO [section …]`; a section that there is not is left out, as in redis.
async fn information(gateway: &Gateway, command: &Command) -> Reply {
    let standings = gateway.registers.look().await;
    let mut text = String::new();
    for (title, body) in [
        ("Server", server(gateway)),
        ("Clients", clients(gateway)),
        ("Persistence", persistence(&standings)),
        ("Stats", stats(gateway)),
        ("Replication", "role:master\r\nconnected_slaves:0\r\n".into()),
        ("Registers", registers(&standings)),
    ] {
        if is_wanted(command, title) {
            let gap = if text.is_empty() { "" } else { "\r\n" };
            write!(text, "{gap}# {title}\r\n{body}").expect("a string grows");
        }
    }
    Reply::Verbatim(text.into())
}

/// Whether an `INFO` asks for a section.
fn is_wanted(command: &Command, title: &str) -> bool {
    let names = [title, "all", "default", "everything"];
    let mut wanted = command.rest();
    wanted.len() == 0
        || wanted
            .any(|section| names.iter().any(|name| section.eq_ignore_ascii_case(name.as_bytes())))
}

fn server(gateway: &Gateway) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let process = std::process::id();
    let uptime = gateway.since.elapsed().as_secs();
    format!(
        "redis_version:{REDIS_VERSION}\r\npalco_version:{version}\r\nredis_mode:standalone\r\n\
         process_id:{process}\r\nuptime_in_seconds:{uptime}\r\n"
    )
}

fn clients(gateway: &Gateway) -> String {
    let counts = &gateway.counts;
    let opened = counts.connections.load(Ordering::Relaxed);
    let now = opened.saturating_sub(counts.gone.load(Ordering::Relaxed));
    format!("connected_clients:{now}\r\n")
}

fn stats(gateway: &Gateway) -> String {
    let connections = gateway.counts.connections.load(Ordering::Relaxed);
    let commands = gateway.counts.commands.load(Ordering::Relaxed);
    format!("total_connections_received:{connections}\r\ntotal_commands_processed:{commands}\r\n")
}

/// Clients wait for a server that is loading: a node that has not joined yet is.
fn persistence(standings: &[Standing]) -> String {
    let has_joined = standings.iter().all(|standing| standing.map.is_some());
    format!("loading:{}\r\n", u8::from(!has_joined))
}

fn registers(standings: &[Standing]) -> String {
    let sum = |of: fn(&Standing) -> u64| standings.iter().map(of).sum::<u64>();
    let mut text = format!(
        "shards:{}\r\nregisters:{}\r\noperations:{}\r\n",
        standings.len(),
        sum(|standing| standing.registers),
        sum(|standing| standing.operations)
    );
    for standing in standings {
        write_shard(standing, &mut text).expect("a string grows");
    }
    text
}

fn write_shard(standing: &Standing, text: &mut String) -> std::fmt::Result {
    let Standing { shard, node, boot, map, registers, operations, driving, at: _ } = standing;
    let driving = driving.map_or("none".into(), |stage| format!("{stage:?}").to_lowercase());
    write!(
        text,
        "shard{shard}:node={node},boot={boot},registers={registers},operations={operations},\
         driving={driving}\r\n"
    )?;
    let Some(map) = map else { return write!(text, "shard{shard}_configuration:none\r\n") };
    let nodes: Vec<String> = map.top().nodes().map(|node| node.to_string()).collect();
    let (top, members) = (map.top().index(), nodes.join(","));
    write!(
        text,
        "shard{shard}_configuration:{top}\r\nshard{shard}_members:{members}\r\n\
         shard{shard}_map:{map}\r\n"
    )
}
