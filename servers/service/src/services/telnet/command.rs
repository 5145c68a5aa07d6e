//! The words of a line.

use std::time::Duration;

use super::{COUNT_LINES_MAX, TelnetRequest};
use crate::services::arguments::{millis, number, quoted};

/// The answer to `help`.
pub(super) const HELP: &str = "ok count <n> | count <n> <ms> | sleep <ms> | ticket | help | quit; IP, BRK, AO and AYT are understood";
const VERBS: &str = "count, sleep, ticket, help, quit";

/// A line to a request; `None` if it is empty.
pub(super) fn parse(line: &str) -> Option<TelnetRequest> {
    let mut words = line.split_whitespace();
    let verb = words.next()?;
    let arguments: Vec<&str> = words.collect();
    let request = match (verb, &arguments[..]) {
        ("count", [lines]) => count(lines, Duration::ZERO),
        ("count", [lines, pause]) => time(verb, pause).and_then(|pause| count(lines, pause)),
        ("sleep", [pause]) => time(verb, pause).map(TelnetRequest::Sleep),
        ("ticket", []) => Ok(TelnetRequest::Ticket),
        ("help", []) => Ok(TelnetRequest::Help),
        ("quit", []) => Ok(TelnetRequest::Quit),
        ("count", _) => Err("count takes how many, and perhaps the ms between them".into()),
        ("sleep", _) => Err("sleep takes how many ms".into()),
        ("ticket" | "help" | "quit", _) => Err(format!("{verb} takes no argument")),
        _ => Err(format!("unknown command {}; the commands are {VERBS}", quoted(verb))),
    };
    Some(request.unwrap_or_else(TelnetRequest::Invalid))
}

fn count(lines: &str, pause: Duration) -> Result<TelnetRequest, String> {
    let lines = number("count", lines, "lines", COUNT_LINES_MAX)?;
    Ok(TelnetRequest::Count { lines, pause })
}

fn time(verb: &str, argument: &str) -> Result<Duration, String> {
    millis(verb, argument).map(Duration::from_millis)
}
