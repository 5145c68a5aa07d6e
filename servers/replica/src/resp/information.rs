//! The commands about commands, limits and the clock: `COMMAND`, `CONFIG`, `TIME`.

use std::time::{Duration, UNIX_EPOCH};

use palco_rambo::VALUE_BYTES_MAX;
use palco_service::services::resp::{Command, glob, words};

use super::Reply;
use super::client::Client;
use super::gateway::Here;
use super::table::{COMMANDS, Keys, Spec, find};

/// `TIME`: seconds and microseconds since 1970.
pub(super) fn time(here: &Here<'_>, _client: &mut Client, _command: &Command) -> Reply {
    let now = here.cx.wall_clock().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let parts = [now.as_secs().to_string(), now.subsec_micros().to_string()];
    Reply::Array(parts.into_iter().map(Reply::text).collect())
}

/// `CONFIG GET pattern … | HELP`: what is true here under the names that redis gives it.
pub(super) fn config(here: &Here<'_>, _client: &mut Client, command: &Command) -> Reply {
    let subcommand = command.argument(1).unwrap_or_default();
    let patterns = command.arguments().skip(2);
    match subcommand.to_ascii_lowercase().as_slice() {
        b"get" if patterns.len() == 0 => Reply::Error(words::wrong_arity("config|get")),
        b"get" => {
            let password = here.gateway.settings.password.as_ref().map_or("", |_| "***");
            let settings = [
                ("appendonly", "no".into()),
                ("databases", "1".into()),
                ("maxmemory", "0".into()),
                ("maxmemory-policy", "noeviction".into()),
                ("proto-max-bulk-len", VALUE_BYTES_MAX.to_string()),
                ("requirepass", password.into()),
                ("save", String::new()),
                ("timeout", "0".into()),
            ];
            let wanted = settings.into_iter().filter(|(name, _)| {
                let fits =
                    |pattern: &[u8]| glob::matches(&pattern.to_ascii_lowercase(), name.as_bytes());
                patterns.clone().any(fits)
            });
            Reply::Map(
                wanted.map(|(name, value)| (Reply::name(name), Reply::text(value))).collect(),
            )
        }
        b"help" => help(&[
            "CONFIG <subcommand> [<arg> ...]. Subcommands are:",
            "GET <pattern>",
            "    The settings whose name matches.",
        ]),
        b"set" | b"rewrite" | b"resetstat" => Reply::refusal(format!(
            "ERR 'CONFIG {}' is not offered: a node's settings are those it was started with",
            subcommand.to_ascii_uppercase().escape_ascii()
        )),
        _ => Reply::Error(words::unknown_subcommand("CONFIG", subcommand)),
    }
}

fn help(lines: &[&'static str]) -> Reply {
    Reply::Array(lines.iter().map(|line| Reply::Status(line)).collect())
}

/// `COMMAND [COUNT | LIST | INFO name … | DOCS name … | HELP]`.
pub(super) fn command(_here: &Here<'_>, _client: &mut Client, command: &Command) -> Reply {
    let Some(subcommand) = command.argument(1) else {
        return Reply::Array(COMMANDS.iter().map(entry).collect());
    };
    let names = command.arguments().skip(2);
    let all = names.len() == 0;
    match subcommand.to_ascii_lowercase().as_slice() {
        b"count" if all => Reply::count(COMMANDS.len() as u64),
        b"list" if all => {
            Reply::Array(COMMANDS.iter().map(|spec| Reply::name(spec.name)).collect())
        }
        b"help" if all => help(&[
            "COMMAND <subcommand> [<arg> ...]. Subcommands are:",
            "(no subcommand) | COUNT | LIST | INFO [<name> ...] | DOCS [<name> ...]",
        ]),
        b"count" => Reply::Error(words::wrong_arity("command|count")),
        b"list" => Reply::Error(words::wrong_arity("command|list")),
        b"help" => Reply::Error(words::wrong_arity("command|help")),
        b"info" if all => Reply::Array(COMMANDS.iter().map(entry).collect()),
        b"info" => {
            Reply::Array(names.map(|name| find(name).map_or(Reply::NullArray, entry)).collect())
        }
        b"docs" => {
            let wanted = |spec: &&Spec| {
                all || names.clone().any(|name| spec.name.as_bytes().eq_ignore_ascii_case(name))
            };
            Reply::Map(COMMANDS.iter().filter(wanted).map(documentation).collect())
        }
        _ => Reply::Error(words::unknown_subcommand("COMMAND", subcommand)),
    }
}

fn entry(spec: &Spec) -> Reply {
    let Keys(first, last, step) = spec.keys;
    let nothing = || Reply::Array(Vec::new());
    Reply::Array(vec![
        Reply::name(spec.name),
        Reply::Integer(spec.arity),
        Reply::Set(spec.flags.iter().map(|flag| Reply::Status(flag)).collect()),
        Reply::Integer(first),
        Reply::Integer(last),
        Reply::Integer(step),
        Reply::Set(Vec::new()), // access categories
        nothing(),              // tips
        nothing(),              // key specifications
        nothing(),              // subcommands
    ])
}

fn documentation(spec: &Spec) -> (Reply, Reply) {
    let facts = [("summary", spec.summary), ("since", spec.since), ("group", spec.group)];
    let mut facts: Vec<_> = facts.map(|(name, fact)| (Reply::name(name), Reply::name(fact))).into();
    if !spec.arguments.is_empty() {
        let arguments = outer_words(spec.arguments).map(argument).collect();
        facts.push((Reply::name("arguments"), Reply::Array(arguments)));
    }
    (Reply::name(spec.name), Reply::Map(facts))
}

/// Splits at blanks that are not in brackets.
fn outer_words(text: &'static str) -> impl Iterator<Item = &'static str> {
    let mut depth = 0_u32;
    text.split(move |letter| {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ' ' && depth == 0
    })
}

/// One argument as `COMMAND DOCS` describes it, from how people write it: `name`, `name...`, `[name]`, `[TOKEN]`,
/// `[TOKEN name]`.
fn argument(written: &'static str) -> Reply {
    let bare = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_optional = bare.is_some();
    let bare = bare.unwrap_or(written);
    let (bare, is_multiple) = bare.strip_suffix("...").map_or((bare, false), |bare| (bare, true));
    let is_token = |word: &str| word.bytes().all(|byte| byte.is_ascii_uppercase());
    let (token, name) = match bare.split_once(' ') {
        Some((token, name)) => (Some(token), name),
        None => (Some(bare).filter(|bare| is_token(bare)), bare),
    };
    let kind = if token == Some(name) { "pure-token" } else { "string" };
    let mut facts = vec![("name", Reply::text(name.to_lowercase())), ("type", Reply::name(kind))];
    facts.extend(token.map(|token| ("token", Reply::name(token))));
    let flags = [("optional", is_optional), ("multiple", is_multiple)];
    let flags: Vec<_> =
        flags.into_iter().filter(|(_, is)| *is).map(|(flag, _)| Reply::Status(flag)).collect();
    if !flags.is_empty() {
        facts.push(("flags", Reply::Set(flags)));
    }
    Reply::Map(facts.into_iter().map(|(name, fact)| (Reply::name(name), fact)).collect())
}
