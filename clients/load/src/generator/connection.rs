//! One connection of a generator: it never waits, and goes on when the kernel says that it can.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol as IpProtocol, SockRef, Socket, Type};

use super::Protocol;
use super::events::Events;
use super::protocol::{Answer, Answers};
use super::talk::Talk;

/// What a request may come to without a good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Refused,
    Reset,
    ClosedEarly,
    WrongAnswer,
    NotSent,
}

/// Where a request has come to.
#[derive(Debug)]
pub(super) enum Step {
    Waiting,
    Answered,
    Failed(Failure, String),
}

/// Bytes over the wire.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bytes {
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// What all connections share.
pub(super) struct Shared<'a> {
    pub(super) address: SocketAddr,
    pub(super) talk: &'a Talk,
    pub(super) request: Vec<u8>,
    /// Whether each request has a connection of its own.
    pub(super) is_per_request: bool,
    pub(super) events: Events,
    pub(super) scratch: Vec<u8>,
    pub(super) bytes: Bytes,
}

/// The request that a connection carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// When it was due, in nanoseconds after the beginning.
    pub(super) intended: u64,
    /// When it was sent.
    pub(super) sent: u64,
}

pub(super) struct Connection {
    token: usize,
    socket: Option<TcpStream>,
    answers: Answers,
    /// What is being sent, where it is not the same for all.
    saying: Option<Vec<u8>>,
    written: usize,
    pub(super) asked: Option<Asked>,
}

impl Connection {
    pub(super) fn new(token: usize, talk: &Talk) -> Self {
        let answers = talk.answers();
        Self { token, socket: None, answers, saying: None, written: 0, asked: None }
    }

    /// Begins to connect, if that has not been done.
    pub(super) fn open(&mut self, shared: &Shared<'_>) -> io::Result<()> {
        if self.socket.is_none() {
            let socket = connect(shared.address)?;
            shared.events.watch(&socket, self.token)?;
            self.socket = Some(socket);
            self.answers.connect();
        }
        Ok(())
    }

    /// Sends a request, connecting first if need be.
    pub(super) fn ask(&mut self, asked: Asked, shared: &mut Shared<'_>) -> Step {
        self.asked = Some(asked);
        self.say(None);
        if let Err(error) = self.open(shared) {
            return match error.kind() {
                ErrorKind::ConnectionRefused
                | ErrorKind::NetworkUnreachable
                | ErrorKind::HostUnreachable => failed(&error),
                _ => Step::Failed(Failure::NotSent, format!("no connection to give: {error}")),
            };
        }
        self.saying = self.answers.begin();
        self.go_on(shared)
    }

    /// Something may have changed.
    pub(super) fn go_on(&mut self, shared: &mut Shared<'_>) -> Step {
        let step = self.advance(shared);
        if !matches!(step, Step::Waiting) && shared.is_per_request {
            self.reset();
        }
        step
    }

    fn advance(&mut self, shared: &mut Shared<'_>) -> Step {
        let Some(socket) = &mut self.socket else { return Step::Waiting };
        if self.asked.is_none() {
            // Nothing is expected: the server closes, or says what nobody asked.
            match socket.read(&mut shared.scratch) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => self.socket = None,
            }
            return Step::Waiting;
        }
        if shared.talk.protocol() == Protocol::Connect {
            return match (socket.take_error(), socket.peer_addr()) {
                (Ok(None), Ok(_)) => Step::Answered,
                (Ok(None), Err(_)) => Step::Waiting,
                (Ok(Some(error)) | Err(error), _) => self.lost(shared, &error),
            };
        }
        match self.write(shared) {
            Ok(true) => self.read(shared),
            // Not connected yet, or the server does not read; what it says meanwhile is read when it does.
            Ok(false) => Step::Waiting,
            Err(error) => self.lost(shared, &error),
        }
    }

    /// The next is to send this, or else what a request begins with.
    fn say(&mut self, what: Option<Vec<u8>>) {
        self.saying = what;
        self.written = 0;
    }

    /// Whether all has been sent.
    fn write(&mut self, shared: &mut Shared<'_>) -> io::Result<bool> {
        let Some(socket) = &mut self.socket else { return Ok(false) };
        let all = self.saying.as_deref().unwrap_or(&shared.request);
        while self.written < all.len() {
            match socket.write(&all[self.written..]) {
                Ok(count) => {
                    self.written += count;
                    shared.bytes.sent += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn read(&mut self, shared: &mut Shared<'_>) -> Step {
        loop {
            let Some(socket) = &mut self.socket else { return Step::Waiting };
            match socket.read(&mut shared.scratch) {
                Ok(0) => {
                    let answer = self.answers.finish();
                    self.renew(shared);
                    return match answer {
                        Some(Answer::Good | Answer::GoodAndLast) => Step::Answered,
                        Some(Answer::Refused(text)) => Step::Failed(Failure::WrongAnswer, text),
                        Some(Answer::Continue(_)) | None => {
                            let text = "the server closed before its answer was complete";
                            Step::Failed(Failure::ClosedEarly, text.to_owned())
                        }
                    };
                }
                Ok(count) => {
                    shared.bytes.received += count as u64;
                    match self.answers.feed(&shared.scratch[..count]) {
                        Ok(None) => {}
                        Ok(Some(Answer::Good)) => return Step::Answered,
                        Ok(Some(Answer::Continue(more))) => {
                            self.say(Some(more));
                            match self.write(shared) {
                                Ok(true) => {}
                                Ok(false) => return Step::Waiting,
                                Err(error) => return self.lost(shared, &error),
                            }
                        }
                        Ok(Some(Answer::GoodAndLast)) => {
                            self.renew(shared);
                            return Step::Answered;
                        }
                        Ok(Some(Answer::Refused(text))) => {
                            if shared.talk.protocol() == Protocol::Echo {
                                // Where the next answer begins is not known any more.
                                self.renew(shared);
                            }
                            return Step::Failed(Failure::WrongAnswer, text);
                        }
                        Err(text) => {
                            self.renew(shared);
                            return Step::Failed(Failure::WrongAnswer, text);
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Step::Waiting,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.lost(shared, &error),
            }
        }
    }

    fn lost(&mut self, shared: &Shared<'_>, error: &io::Error) -> Step {
        self.renew(shared);
        failed(error)
    }

    /// The next request begins on another connection.
    fn renew(&mut self, shared: &Shared<'_>) {
        self.socket = None;
        self.answers = shared.talk.answers();
    }

    /// Gives the request up.
    pub(super) fn give_up(&mut self, shared: &Shared<'_>) -> Option<Asked> {
        self.reset();
        self.answers = shared.talk.answers();
        self.asked.take()
    }

    /// Ends the connection so that its port is free at once, whoever closed first.
    fn reset(&mut self) {
        if let Some(socket) = self.socket.take() {
            // Without it the port rests for a minute, which costs ports and nothing else.
            let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
        }
    }
}

/// A connection that is being made.
pub(super) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let kind = Type::STREAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(address), kind, Some(IpProtocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(nix::libc::EINPROGRESS) => Err(error),
        _ => Ok(socket.into()),
    }
}

fn failed(error: &io::Error) -> Step {
    let failure = match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            Failure::Reset
        }
        _ => return Step::Failed(Failure::Refused, format!("cannot connect: {error}")),
    };
    Step::Failed(failure, error.to_string())
}
