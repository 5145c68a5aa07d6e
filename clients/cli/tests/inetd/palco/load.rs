//! What a closed loop hides: GNU's inetd sleeps for a second whenever a program of its ends while it waits for the next
//! client. Who waits for each answer before it asks again meets few of these seconds; who comes when it is due, most.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{CONFIGURATION, PALCO};
use crate::checks::Check;
use crate::subject::Subject;
use crate::world::{Server, run, write};

pub(super) const CHECKS: &[Check] = &[Check {
    promise: "palco load sees inetutils-inetd stand still, and a closed loop does not",
    ask: stalls,
}];

fn stalls() -> Result<()> {
    write(CONFIGURATION, "17113 stream tcp nowait root /bin/date date\n")?;
    let mut server = Server::start(&mut Subject::InetutilsInetd.command(CONFIGURATION.as_ref()))?;
    server.until_listening(1)?;
    let hidden = median(&["--closed"])?;
    let seen = median(&["--rate", "20"])?;
    // Half of those who come when they are due meet at least a part of a second, most of all others less than a tenth.
    ensure!(seen > 4.0 * hidden, "medians: {hidden} s in a closed loop, {seen} s in an open one");
    Ok(())
}

/// Of response times, in seconds.
fn median(how: &[&str]) -> Result<f64> {
    let load = ["load", "127.0.0.1:17113", "--protocol", "daytime", "--json", "--for", "5s"];
    let seen = run(PALCO, &[&load, how].concat())?;
    let seen: Value = serde_json::from_str(&seen)?;
    let nanos = seen["response"]["p50_ns"].as_f64().with_context(|| seen.to_string())?;
    Ok(nanos / 1e9)
}
