//! FTP: a control connection that transfers nothing (RFC 959), for its ABOR.
//!
//! A service never sees a socket, so there are no data connections: what needs one is answered with 502. What is left is
//! the oldest protocol in which a client talks to a server that is busy, with two commands that keep it so:
//!
//! | line | what it does |
//! |---|---|
//! | `SITE SLEEP <ms>` | waits |
//! | `SITE CPU <us>` | computes, with checkpoints |
//! | `SITE TICKET` | says the ticket of the next request, for the urgent port |
//! | `SITE HELP` | lists these |
//! | `ABOR` | ends either of the first two; see below |
//! | `USER`, `PASS`, `ACCT` | anybody may, with any name |
//! | `SYST`, `TYPE`, `MODE`, `STRU`, `NOOP`, `PWD`, `CWD`, `CDUP`, `ALLO`, `HELP`, `STAT`, `QUIT` | as in RFC 959; the only directory is `/` |
//! | `PASV`, `PORT`, `EPSV`, `EPRT`, `RETR`, `STOR`, `LIST`, … | 502: no data connections |
//! | `DELE`, `MKD`, `RNFR`, … | 502: no files |
//!
//! | file | what |
//! |---|---|
//! | `ftp/codec.rs` | [`FtpCodec`]: lines, replies, urgent data |
//! | `ftp/command.rs` | the words of a line |
//! | `ftp/reply.rs` | [`FtpReply`] and the fixed ones |
//! | `nvt.rs` | the terminal that both sides of the connection are; Telnet has the same |
//!
//! # ABOR
//!
//! RFC 959 section 4.1.3: a client that wants to be heard sends Telnet's Interrupt Process and Synch, then the command.
//! What comes as urgent data, and where ABOR is, differs:
//!
//! * the IAC before the data mark is urgent, and ABOR comes behind it (inetutils, BSD);
//! * the data mark is urgent, and ABOR comes behind it;
//! * there are no Telnet commands, and the line feed of ABOR itself is urgent (Python's `ftplib`).
//!
//! So either one, an Interrupt Process or ABOR, ends a running command when it comes with urgent data. The command is
//! answered with 426, and ABOR then with 226, as it is where nothing runs. An ABOR without urgent data is found when the
//! command before it is over. Deviation from RFC 959: STAT sent in this way ends a running command too, because it cannot
//! be told from ABOR by what is there when the urgent data comes.
//!
//! Unlike Telnet's, this Synch discards no text: the commands before it were sent to be carried out.
//!
//! # Tickets
//!
//! Requests of a connection are numbered from 1, and the greeting is the first. Every line is one, also an empty or a
//! wrong one, and so is every option that is refused.

mod codec;
mod command;
mod reply;

use std::time::Duration;

pub use codec::FtpCodec;
pub use reply::FtpReply;

use super::burn::{Burner, Checkpoints};
pub use super::nvt::LINE_BYTES_MAX;
use super::ticket;
use crate::{CallContext, CannotRelaunch, Peer, Relaunch, Service};

/// One line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FtpRequest {
    /// Wait so long.
    Sleep(Duration),
    /// Compute for so long.
    Cpu(Duration),
    /// Say the ticket of the next request.
    Ticket,
    /// Say who is connected, and that nothing is going on.
    Status,
    /// What the line alone decides.
    Reply(FtpReply),
}

/// What the server remembers of a client.
#[derive(Debug)]
pub struct FtpSession {
    peer: Peer,
}

/// Waits and computes. Has no state but the calibration of its computation.
#[derive(Debug, Default)]
pub struct FtpService {
    burner: Burner,
}

impl Relaunch for FtpService {
    const NAME: &'static str = "ftp";
    type Config = ();
    type Codec = FtpCodec;

    fn relaunch((): &()) -> Result<(Self, FtpCodec), CannotRelaunch> {
        Ok((Self::default(), FtpCodec::default()))
    }
}

impl Service for FtpService {
    type Request = FtpRequest;
    type Response = FtpReply;
    type Session = FtpSession;

    fn open(&self, peer: &Peer) -> FtpSession {
        FtpSession { peer: peer.clone() }
    }

    fn takes_time(&self, request: &FtpRequest) -> bool {
        matches!(request, FtpRequest::Sleep(_) | FtpRequest::Cpu(_))
    }

    async fn call(
        &self,
        session: &mut FtpSession,
        request: FtpRequest,
        cx: &CallContext<'_>,
    ) -> FtpReply {
        match request {
            FtpRequest::Sleep(time) => {
                cx.sleep(time).await;
                FtpReply::line(200, format!("Slept {} ms.", time.as_millis()))
            }
            FtpRequest::Cpu(time) => {
                // So that a short computation can be caught too.
                cx.checkpoint().await;
                self.burner.burn(time, Checkpoints::Regular, cx).await;
                FtpReply::line(200, format!("Computed {} us.", time.as_micros()))
            }
            FtpRequest::Ticket => match ticket::next(cx) {
                Ok(ticket) => FtpReply::line(200, format!("ticket {ticket}")),
                Err(why) => FtpReply::line(502, format!("No ticket: {why}.")),
            },
            FtpRequest::Status => reply::status(&session.peer),
            FtpRequest::Reply(reply) => reply,
        }
    }
}
