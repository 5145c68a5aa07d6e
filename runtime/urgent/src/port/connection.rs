//! One connection of the urgent port: its lines in, an answer to each out.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Shutdown};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, recv, send};
use palco_core::Refusal;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::timeout_at;

use super::command::{Command, HELP, LINE_BYTES_MAX, Line, parse_line, too_long};
use super::places::Place;
use super::sources::Log;
use super::{Counter, count};

/// A line with its CR and LF.
const BUFFER_BYTES: usize = LINE_BYTES_MAX + 2;
/// So much of what comes after the last answer is read, in bytes.
const LEFT_UNREAD_MAX: usize = 256 * 1024;

/// Answers one line after the other until the client has closed, says nothing for too long, says too much at once or does
/// not listen.
pub(super) async fn attend(
    stream: TcpStream,
    source: IpAddr,
    mut place: Place,
    counter: Rc<Counter>,
) {
    // A second answer is not to wait until the first is acknowledged.
    let _ = stream.set_nodelay(true);
    let mut lines = Lines::default();
    // What has come with the connection is read at once: the runtime would have to look for it first.
    let first = recv(stream.as_raw_fd(), &mut lines.buffer, MsgFlags::MSG_DONTWAIT);
    lines.filled = first.unwrap_or(0);
    loop {
        let Ok(line) = next_line(&stream, &mut lines, counter.settings.idle).await else { return };
        let said = match line {
            Next::Line(line) => reply(&line, source, &mut place, &counter).await,
            Next::TooLong => {
                count(&counter.counters.malformed);
                if answer(&stream, &too_long().to_string()).is_ok() {
                    let _ = take_leave(&stream, &mut lines, counter.settings.idle).await;
                }
                return;
            }
            Next::End => return,
        };
        if answer(&stream, &said).is_err() {
            return;
        }
        counter.breath.draw();
        yield_now().await;
    }
}

async fn reply(line: &[u8], source: IpAddr, place: &mut Place, counter: &Counter) -> String {
    let counters = &counter.counters;
    let Command { verb, request, key } = match parse_line(line) {
        Ok(Line::Command(command)) => command,
        Ok(Line::Help) => return HELP.to_owned(),
        Err(refusal) => {
            count(&counters.malformed);
            return refusal.to_string();
        }
    };
    let now = Instant::now();
    if let Some(wait) = counter.sources.borrow().wait(source, now) {
        count(&counters.waits);
        return Refusal::Wait(milliseconds(wait)).to_string();
    }
    // Before anything else: whoever has no key does not learn whether there is such a request.
    if !counter.desk.admits(&request, &key) {
        count(&counters.wrong_keys);
        match counter.sources.borrow_mut().note_wrong_key(source, now) {
            Log::Write => {
                tracing::warn!(%source, %request, "a wrong key was shown at the urgent port")
            }
            Log::Quiet => {}
        }
        return Refusal::WrongKey.to_string();
    }
    count(&counters.commands);
    place.acting(counter.desk.act(request, verb)).await.to_string()
}

/// Never less than there is to wait.
fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// What a client says next.
enum Next {
    /// A line without its LF.
    Line(Vec<u8>),
    /// More than a line may have.
    TooLong,
    /// Nothing more.
    End,
}

/// What has come and is not answered yet.
struct Lines {
    buffer: [u8; BUFFER_BYTES],
    filled: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self { buffer: [0; BUFFER_BYTES], filled: 0 }
    }
}

impl Lines {
    fn take(&mut self) -> Option<Next> {
        let Some(end) = self.buffer[..self.filled].iter().position(|byte| *byte == b'\n') else {
            return (self.filled == BUFFER_BYTES).then_some(Next::TooLong);
        };
        let line = self.buffer[..end].to_vec();
        self.buffer.copy_within(end + 1..self.filled, 0);
        self.filled -= end + 1;
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        Some(if text.len() > LINE_BYTES_MAX { Next::TooLong } else { Next::Line(text.to_vec()) })
    }
}

/// The next line, if it comes in time.
async fn next_line(stream: &TcpStream, lines: &mut Lines, idle: Duration) -> io::Result<Next> {
    let until = tokio::time::Instant::now() + idle;
    loop {
        if let Some(next) = lines.take() {
            return Ok(next);
        }
        timeout_at(until, stream.readable()).await.map_err(|_| ErrorKind::TimedOut)??;
        match stream.try_read(&mut lines.buffer[lines.filled..]) {
            Ok(0) => return Ok(Next::End),
            Ok(count) => lines.filled += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Ends the connection so that the client hears the last answer: what it still says would otherwise reset it.
async fn take_leave(stream: &TcpStream, lines: &mut Lines, idle: Duration) -> io::Result<()> {
    SockRef::from(stream).shutdown(Shutdown::Write)?;
    for _ in 0..LEFT_UNREAD_MAX / BUFFER_BYTES {
        lines.filled = 0;
        match next_line(stream, lines, idle).await? {
            Next::End => break,
            Next::Line(_) | Next::TooLong => {}
        }
    }
    Ok(())
}

/// Sends a line now or not at all.
pub(super) fn answer(stream: &TcpStream, text: &str) -> io::Result<()> {
    let line = format!("{text}\n");
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    match send(stream.as_raw_fd(), line.as_bytes(), flags)? {
        sent if sent == line.len() => Ok(()),
        _ => Err(ErrorKind::WriteZero.into()),
    }
}
