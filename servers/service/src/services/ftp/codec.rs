//! Requests from the lines of a terminal, replies to it, and what interrupts.

use std::mem;

use bytes::BytesMut;

use super::command::{Before, parse};
use super::{FtpReply, FtpRequest, reply};
use crate::services::nvt::{Command, Event, Nvt, Piece, pieces, strip_commands};
use crate::{Codec, Farewell, Malformed, Next, Service};

/// The control connection of FTP; for any service from [`FtpRequest`] to [`FtpReply`].
#[derive(Clone, Debug, Default)]
pub struct FtpCodec {
    nvt: Nvt,
    /// What became of the last request.
    before: Before,
}

impl<S: Service<Request = FtpRequest, Response = FtpReply>> Codec<S> for FtpCodec {
    const USES_URGENT_DATA: bool = true;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<FtpRequest>, Malformed> {
        while let Some(event) = self.nvt.next(input)? {
            match event {
                Event::Opened => {
                    let text = "palco, a control connection without data connections; try HELP.";
                    return Ok(Some(FtpRequest::Reply(FtpReply::line(220, text))));
                }
                Event::Line(line) => {
                    let before = mem::take(&mut self.before);
                    return Ok(Some(parse(&String::from_utf8_lossy(&line), before)));
                }
                // RFC 1123 section 4.1.2.12: refused like those of Telnet.
                Event::Option(answer) => {
                    return Ok(Some(FtpRequest::Reply(FtpReply::Option(answer))));
                }
                // They come before an ABOR, and it is the ABOR that is answered.
                Event::Command(_) | Event::Synch(_) => {}
            }
        }
        Ok(None)
    }

    fn encode(&mut self, response: &mut FtpReply, output: &mut BytesMut) -> Next {
        response.write(output)
    }

    fn interrupts(&self, unread: &[u8]) -> bool {
        let came = self.nvt.since_last_line(unread);
        let mut text = Vec::with_capacity(came.len());
        for (piece, _, _) in pieces(&came) {
            match piece {
                Piece::Text(byte) => text.push(byte),
                Piece::Command(Command::Interrupt) => return true,
                Piece::Command(_) | Piece::Option(..) | Piece::Subnegotiation => {}
            }
        }
        text.split(|byte| matches!(byte, b'\r' | b'\n'))
            .any(|line| line.trim_ascii().eq_ignore_ascii_case(b"ABOR"))
    }

    fn urgent(&mut self, input: &mut BytesMut) {
        strip_commands(input);
    }

    fn interrupted(&mut self, output: &mut BytesMut) -> Next {
        self.before = Before::Interrupted;
        reply::put(426, ' ', "The command was interrupted.", output);
        Next::Keep
    }

    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        match why {
            Farewell::Malformed(malformed) => {
                reply::put(500, ' ', &format!("{malformed}."), output)
            }
            Farewell::Busy => reply::put(421, ' ', "Too many connections.", output),
            Farewell::Failed => reply::put(421, ' ', "The command failed.", output),
            Farewell::Interrupted => reply::put(421, ' ', "The command was interrupted.", output),
            Farewell::TooSlow => reply::put(421, ' ', "The command took too long.", output),
            Farewell::Idle => reply::put(421, ' ', "Idle for too long.", output),
        }
    }
}
