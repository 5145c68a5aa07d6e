//! Asking a running stage.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::protocol::{REPLY_BYTES_MAX, Reply, Request};
use super::socket::default_path;

/// The stage answers within what the request itself waits for, and this much more.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Sends one request to the stage at `path` and returns its answer; an error of the stage is an error here.
pub(crate) fn ask(path: Option<PathBuf>, request: &Request) -> Result<Reply> {
    let stream = connect(path, request)?;
    let wait = match request {
        Request::Inspect { within_ms, .. }
        | Request::Signal { within_ms, .. }
        | Request::Reconfigure { within_ms, .. } => *within_ms,
        Request::Stage
        | Request::Status
        | Request::Actors
        | Request::Requests
        | Request::Act { .. }
        | Request::Superserver
        | Request::Reload
        | Request::Registers
        | Request::Allow { .. }
        | Request::Tags { .. }
        | Request::TakeOver => 0,
    };
    // A server's drain may take as long as its settings say.
    stream.set_read_timeout(Some(ANSWER_WITHIN.max(Duration::from_millis(wait) * 2) * 10))?;
    let mut answer = String::new();
    BufReader::new(stream.take(REPLY_BYTES_MAX))
        .read_line(&mut answer)
        .context("the stage did not answer")?;
    if answer.is_empty() {
        bail!("the stage closed the connection without an answer");
    }
    match serde_json::from_str(&answer)
        .context("the stage's answer is not understood; is it another version?")?
    {
        Reply::Error(text) => bail!("{text}"),
        reply => Ok(reply),
    }
}

/// Sends one request to the stage at `path`; the answer is still to be read.
pub(crate) fn connect(path: Option<PathBuf>, request: &Request) -> Result<UnixStream> {
    let path = match path {
        Some(path) => path,
        None => default_path()?,
    };
    let mut stream = UnixStream::connect(&path).with_context(|| {
        format!(
            "no stage answers on {}; start one with `palco`, or name its socket with --control",
            path.display()
        )
    })?;
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).context("cannot ask the stage")?;
    Ok(stream)
}
