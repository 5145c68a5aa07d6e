//! The commands about the server: `INFO`, `CONFIG`, `COMMAND`, `DBSIZE`.

use std::fmt::Write;

use super::reply::{unknown_subcommand, wrong_arity};
use super::table::{COMMANDS, Keys, Spec, find};
use super::{Command, KvService, KvSession, REDIS_VERSION, Reply};
use crate::services::resp::glob;

pub(super) fn dbsize(kv: &KvService, _session: &mut KvSession, _command: &Command) -> Reply {
    Reply::count(kv.store.len())
}

/// `INFO [section …]`; a section that there is not is left out, as in redis.
pub(super) fn info(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    Reply::text(about(kv, command, &contents(kv, command)))
}

/// The process, where it is asked for, and then its contents.
pub(super) fn about(kv: &KvService, command: &Command, contents: &str) -> String {
    let mut text = String::new();
    if is_wanted(command, "Server") {
        let version = env!("CARGO_PKG_VERSION");
        let process = std::process::id();
        let state = if kv.keeper.is_some() { "shared" } else { "local" };
        write!(
            text,
            "# Server\r\nredis_version:{REDIS_VERSION}\r\npalco_version:{version}\r\n\
             process_id:{process}\r\npalco_state:{state}\r\n"
        )
        .expect("a string grows");
    }
    if !text.is_empty() && !contents.is_empty() {
        text.push_str("\r\n");
    }
    text + contents
}

/// The sections about what is stored.
pub(super) fn contents(kv: &KvService, command: &Command) -> String {
    let mut text = String::new();
    let mut section = |title: &str, body: String| {
        if is_wanted(command, title) {
            let gap = if text.is_empty() { "" } else { "\r\n" };
            write!(text, "{gap}# {title}\r\n{body}").expect("a string grows");
        }
    };
    let (used, max) = (kv.store.bytes(), kv.limits.store_bytes_max);
    section(
        "Memory",
        format!("used_memory:{used}\r\nmaxmemory:{max}\r\nmaxmemory_policy:noeviction\r\n"),
    );
    let keys = kv.store.len();
    let database =
        if keys == 0 { String::new() } else { format!("db0:keys={keys},expires=0,avg_ttl=0\r\n") };
    section("Keyspace", database);
    text
}

/// Whether an `INFO` asks for a section.
fn is_wanted(command: &Command, title: &str) -> bool {
    let names = [title, "all", "default", "everything"];
    let mut wanted = command.rest();
    wanted.len() == 0
        || wanted
            .any(|section| names.iter().any(|name| section.eq_ignore_ascii_case(name.as_bytes())))
}

/// `CONFIG GET pattern … | HELP`: the limits under the names that redis gives them.
pub(super) fn config(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    let subcommand = command.argument(1).unwrap_or_default();
    let patterns = command.arguments().skip(2);
    match subcommand.to_ascii_lowercase().as_slice() {
        b"get" if patterns.len() == 0 => wrong_arity("config|get"),
        b"get" => {
            let settings = [
                ("appendonly", "no".into()),
                ("databases", "1".into()),
                ("maxmemory", kv.limits.store_bytes_max.to_string()),
                ("maxmemory-policy", "noeviction".into()),
                ("proto-max-bulk-len", kv.limits.value_bytes_max.to_string()),
                ("save", String::new()),
            ];
            let wanted = settings.into_iter().filter(|(name, _)| {
                patterns
                    .clone()
                    .any(|pattern| glob::matches(&pattern.to_ascii_lowercase(), name.as_bytes()))
            });
            Reply::array(
                wanted.flat_map(|(name, value)| [Reply::text(name), Reply::text(value)]).collect(),
            )
        }
        b"help" => Reply::array(vec![
            Reply::Status("CONFIG <subcommand> [<arg> ...]. Subcommands are:"),
            Reply::Status("GET <pattern>"),
            Reply::Status("    The settings whose name matches; * and ? are wildcards."),
        ]),
        _ => unknown_subcommand("CONFIG", subcommand),
    }
}

/// `COMMAND [COUNT | LIST | INFO name … | DOCS name … | HELP]`.
pub(super) fn command(_kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    let Some(subcommand) = command.argument(1) else {
        return Reply::array(COMMANDS.iter().map(entry).collect());
    };
    let names = command.arguments().skip(2);
    let all = names.len() == 0;
    match subcommand.to_ascii_lowercase().as_slice() {
        b"count" if all => Reply::count(COMMANDS.len()),
        b"list" if all => {
            Reply::array(COMMANDS.iter().map(|spec| Reply::text(spec.name)).collect())
        }
        b"help" if all => Reply::array(vec![
            Reply::Status("COMMAND <subcommand> [<arg> ...]. Subcommands are:"),
            Reply::Status("(no subcommand) | COUNT | LIST | INFO [<name> ...] | DOCS [<name> ...]"),
        ]),
        b"count" => wrong_arity("command|count"),
        b"list" => wrong_arity("command|list"),
        b"help" => wrong_arity("command|help"),
        b"info" if all => Reply::array(COMMANDS.iter().map(entry).collect()),
        b"info" => {
            Reply::array(names.map(|name| find(name).map_or(Reply::NullArray, entry)).collect())
        }
        b"docs" => {
            let wanted = |spec: &&Spec| {
                all || names.clone().any(|name| spec.name.as_bytes().eq_ignore_ascii_case(name))
            };
            Reply::array(COMMANDS.iter().filter(wanted).flat_map(documentation).collect())
        }
        _ => unknown_subcommand("COMMAND", subcommand),
    }
}

fn entry(spec: &Spec) -> Reply {
    let Keys(first, last, step) = spec.keys;
    let flags = spec.flags.iter().map(|flag| Reply::Status(flag)).collect();
    let nothing = || Reply::array(Vec::new());
    Reply::array(vec![
        Reply::text(spec.name),
        Reply::Integer(spec.arity),
        Reply::array(flags),
        Reply::Integer(first),
        Reply::Integer(last),
        Reply::Integer(step),
        nothing(), // access categories
        nothing(), // tips
        nothing(), // key specifications
        nothing(), // subcommands
    ])
}

fn documentation(spec: &Spec) -> [Reply; 2] {
    let facts = [("summary", spec.summary), ("since", spec.since), ("group", spec.group)];
    let facts = facts.into_iter().flat_map(|(name, fact)| [Reply::text(name), Reply::text(fact)]);
    [Reply::text(spec.name), Reply::array(facts.collect())]
}
