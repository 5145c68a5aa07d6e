//! Requests from the terminal's events, answers to its printer.

use bytes::BytesMut;

use super::command::parse;
use super::{TelnetRequest, TelnetResponse};
use crate::services::nvt::{Command, Event, Nvt, Piece, pieces};
use crate::{Codec, Farewell, Malformed, Next, Service};

/// Telnet without options; for any service from [`TelnetRequest`] to [`TelnetResponse`].
#[derive(Clone, Debug, Default)]
pub struct TelnetCodec {
    nvt: Nvt,
}

impl<S: Service<Request = TelnetRequest, Response = TelnetResponse>> Codec<S> for TelnetCodec {
    const USES_URGENT_DATA: bool = true;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<TelnetRequest>, Malformed> {
        while let Some(event) = self.nvt.next(input)? {
            let request = match event {
                Event::Opened => Some(TelnetRequest::Greet),
                Event::Line(line) => parse(&String::from_utf8_lossy(&line)),
                Event::Option(answer) => Some(TelnetRequest::Option(answer)),
                Event::Synch(bytes) => Some(TelnetRequest::Synch(bytes)),
                Event::Command(Command::AreYouThere) => Some(TelnetRequest::AreYouThere),
                // What it was to interrupt is over.
                Event::Command(_) => None,
            };
            if request.is_some() {
                return Ok(request);
            }
        }
        Ok(None)
    }

    fn encode(&mut self, response: &mut TelnetResponse, output: &mut BytesMut) -> Next {
        match response {
            TelnetResponse::Line(text) => print(text, output),
            TelnetResponse::Last(text) => {
                print(text, output);
                return Next::Close;
            }
            TelnetResponse::Counting { count, .. } => {
                count.write("\r\n", output);
                if count.is_last_part() {
                    print("ok", output);
                }
            }
            TelnetResponse::Option(answer) => output.extend_from_slice(answer),
        }
        Next::Keep
    }

    fn interrupts(&self, unread: &[u8]) -> bool {
        pieces(&self.nvt.since_last_line(unread)).any(|(piece, _, _)| {
            let Piece::Command(command) = piece else { return false };
            matches!(command, Command::Interrupt | Command::Break | Command::AbortOutput)
        })
    }

    fn urgent(&mut self, input: &mut BytesMut) {
        self.nvt.synch(input);
    }

    fn interrupted(&mut self, output: &mut BytesMut) -> Next {
        // On a line of its own, whatever was being printed.
        output.extend_from_slice(b"\r\n[interrupted]\r\n");
        Next::Keep
    }

    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        match why {
            Farewell::Malformed(malformed) => print(&format!("error: {malformed}"), output),
            Farewell::Busy => print("error: too many connections", output),
            Farewell::Failed => print("error: the command failed", output),
            Farewell::Interrupted => print("error: the command was interrupted", output),
            Farewell::TooSlow => print("error: the line took too long", output),
            Farewell::Idle => print("error: idle for too long", output),
        }
    }
}

/// One line. A byte 255 in it would be the beginning of a command, but no text has one: texts are UTF-8.
fn print(text: &str, output: &mut BytesMut) {
    output.extend_from_slice(text.as_bytes());
    output.extend_from_slice(b"\r\n");
}
