//! Telnet: a teletype that does a few things slowly, so that a Synch can be seen (RFC 854).
//!
//! The server greets; then one line is one command:
//!
//! | line | what it does |
//! |---|---|
//! | `count <n>` | prints the numbers 1 to n, as fast as the client reads |
//! | `count <n> <ms>` | the same with a pause before each but the first |
//! | `sleep <ms>` | waits |
//! | `ticket` | says the ticket of the next request, for the urgent port |
//! | `help` | lists the commands |
//! | `quit` | ends the connection |
//!
//! An empty line is nothing. What has been done is followed by `ok`, what cannot be done is an `error: …`; both keep the
//! connection. Counts end at [`COUNT_LINES_MAX`], times at 60 s. There is no echo and no login.
//!
//! | file | what |
//! |---|---|
//! | `telnet/codec.rs` | [`TelnetCodec`]: requests from the terminal's events, answers, urgent data |
//! | `telnet/command.rs` | the words of a line |
//! | `nvt.rs` | the terminal: lines, commands, options, the Synch; FTP has the same |
//!
//! # Commands of the protocol
//!
//! Are You There is answered with `[yes]`; Erase Character and Erase Line change the line being typed; every option is
//! refused. Interrupt Process, Break and Abort Output end the command that is running: `[interrupted]` is printed, and
//! the connection goes on. Where nothing runs they are nothing, and so is a data mark without urgent data.
//!
//! # Why there is a Synch
//!
//! Nothing is read while a command runs. An Interrupt Process that comes alone therefore waits behind everything before
//! it and is found when there is nothing left to interrupt: that is the problem which RFC 854 made the Synch for. It says
//! by TCP urgent data that something is to be found; then the terminal is read at once, its text is discarded, and the
//! commands among it are obeyed. A Synch with none of the three among it lets a running command go on, but discards what
//! was typed ahead; if that was anything, `[synch: N bytes of input discarded]` says so.
//!
//! Which byte is the urgent one differs: the data mark, or the IAC before it. Both are understood. Whatever is neither
//! begins a Synch too, and it lasts until a data mark comes.
//!
//! # Tickets
//!
//! Requests of a connection are numbered from 1, and the greeting is the first. Every line that is not empty is one, and
//! so is every answer that only the protocol asks for: each `[yes]`, each refused option, each notice of a Synch.

mod codec;
mod command;

use std::time::Duration;

use palco_core::Ticket;

pub use codec::TelnetCodec;

pub use super::count::{COUNT_LINES_MAX, Count};
pub use super::nvt::LINE_BYTES_MAX;
use super::{count, ticket};
use crate::{CallContext, CannotRelaunch, Peer, Relaunch, Service};

/// One line, understood, or what only the protocol asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TelnetRequest {
    /// The client is there.
    Greet,
    /// Print so many numbers.
    Count {
        /// How many.
        lines: u64,
        /// What passes before each but the first.
        pause: Duration,
    },
    /// Wait so long.
    Sleep(Duration),
    /// Say the ticket of the next request.
    Ticket,
    /// List the commands.
    Help,
    /// End the connection.
    Quit,
    /// The line is no command; the text says why.
    Invalid(String),
    /// Say something.
    AreYouThere,
    /// Refuse an option with these bytes.
    Option([u8; 3]),
    /// Say that a Synch has discarded so many bytes.
    Synch(u64),
}

/// What is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TelnetResponse {
    /// A line.
    Line(String),
    /// A line after which the connection closes.
    Last(&'static str),
    /// Numbers, and `ok` after the last.
    Counting {
        /// The numbers.
        count: Count,
        /// What passes before each part but the first.
        pause: Duration,
    },
    /// Bytes of the protocol.
    Option([u8; 3]),
}

/// Counts and waits. Has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct TelnetService;

impl Relaunch for TelnetService {
    const NAME: &'static str = "telnet";
    type Config = ();
    type Codec = TelnetCodec;

    fn relaunch((): &()) -> Result<(Self, TelnetCodec), CannotRelaunch> {
        Ok((Self, TelnetCodec::default()))
    }
}

impl Service for TelnetService {
    type Request = TelnetRequest;
    type Response = TelnetResponse;
    type Session = ();

    fn open(&self, _peer: &Peer) {}

    fn takes_time(&self, request: &TelnetRequest) -> bool {
        matches!(request, TelnetRequest::Count { .. } | TelnetRequest::Sleep(_))
    }

    async fn call(
        &self,
        _session: &mut (),
        request: TelnetRequest,
        cx: &CallContext<'_>,
    ) -> TelnetResponse {
        let line = match request {
            TelnetRequest::Greet => {
                "palco teletype: type help, and try the telnet command `send synch`".into()
            }
            TelnetRequest::Count { lines, pause } => {
                cx.checkpoint().await;
                let part_lines = if pause.is_zero() { count::PART_LINES } else { 1 };
                return TelnetResponse::Counting { count: Count::new(lines, part_lines), pause };
            }
            TelnetRequest::Sleep(time) => {
                cx.sleep(time).await;
                "ok".into()
            }
            TelnetRequest::Ticket => match ticket::next(cx) {
                Ok(ticket) => said(&ticket),
                Err(why) => format!("error: {why}"),
            },
            TelnetRequest::Help => command::HELP.into(),
            TelnetRequest::Quit => return TelnetResponse::Last("bye"),
            TelnetRequest::Invalid(why) => format!("error: {why}"),
            TelnetRequest::AreYouThere => "[yes]".into(),
            TelnetRequest::Option(answer) => return TelnetResponse::Option(answer),
            TelnetRequest::Synch(bytes) => format!("[synch: {bytes} bytes of input discarded]"),
        };
        TelnetResponse::Line(line)
    }

    async fn more(&self, response: &mut TelnetResponse, cx: &CallContext<'_>) -> bool {
        let TelnetResponse::Counting { count, pause } = response else { return false };
        if count.is_last_part() {
            return false;
        }
        if pause.is_zero() {
            cx.checkpoint().await;
        } else {
            cx.sleep(*pause).await;
        }
        count.advance();
        true
    }
}

fn said(ticket: &Ticket) -> String {
    format!("ok ticket {ticket}")
}
