//! A TCP connection that knows its limits.

use std::fmt::Display;
use std::io::{self, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::exchange::Exchange;
use crate::{Error, Parser, Urgency};

/// What a [`Connection`] waits for and takes, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time to connect, over all addresses that a name has; default 5 s. Looking the name up is not included.
    pub connect_within: Duration,
    /// Time from the first byte of a request to the last byte of its answer; default 30 s. A server that sends a little
    /// now and then gains nothing.
    pub answer_within: Duration,
    /// Bytes of one answer with its framing; default 64 MiB.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(30),
            answer_bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// A connection to a service; closes when it is dropped.
///
/// Calls follow one another. After a call that failed, and after an answer with something behind it, every further
/// call is refused: its answer could not be told from the last one's.
#[derive(Debug)]
pub struct Connection {
    pub(crate) stream: Arc<TcpStream>,
    pub(crate) address: String,
    pub(crate) limits: Limits,
    /// What came after the last answer.
    pub(crate) unread: Vec<u8>,
    /// A call has begun and not ended well.
    pub(crate) spent: bool,
    /// What went over it.
    pub(crate) traffic: Traffic,
    /// Once somebody has asked for it.
    urgency: OnceLock<Urgency>,
}

/// Bytes that went over a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    /// By the client.
    pub(crate) sent: u64,
    /// By the server.
    pub(crate) received: u64,
}

impl Connection {
    /// Connects to `address`: `127.0.0.1:7001`, `localhost:7001`, or a [`SocketAddr`](std::net::SocketAddr).
    ///
    /// A name's addresses are tried in their order.
    ///
    /// # Errors
    /// [`Error::Address`], or why the last address could not be reached: [`Error::Refused`],
    /// [`Error::ConnectTimeout`] or [`Error::Connect`].
    pub fn open(address: impl ToSocketAddrs + Display, limits: Limits) -> Result<Self, Error> {
        let name = address.to_string();
        let stream = match connect(address, limits.connect_within) {
            Ok(stream) => stream,
            Err(failure) => return Err(failure.named(name, limits.connect_within)),
        };
        Ok(Self {
            stream: Arc::new(stream),
            address: name,
            limits,
            unread: Vec::new(),
            spent: false,
            traffic: Traffic::default(),
            urgency: OnceLock::new(),
        })
    }

    /// The address as it was given.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The limits as they were given.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Sends `request`, which may be empty, and takes from the answer what `parser` does.
    ///
    /// The whole request is sent before the answer is read; a service that answers while it is asked, with more than
    /// the system buffers, needs [`echo::call`](crate::echo::call)'s way. A server that refuses and closes while the
    /// request is being sent has its last words read.
    ///
    /// # Errors
    /// Every [`Error`] but those of [`open`](Self::open).
    pub fn call<P: Parser>(&mut self, request: &[u8], mut parser: P) -> Result<P::Answer, Error> {
        let mut exchange = Exchange::begin(self)?;
        exchange.send(request)?;
        let answer = exchange.receive(&mut parser)?;
        exchange.end();
        Ok(answer)
    }
}

impl Connection {
    /// What sends urgent data on this connection, for another thread while a call waits for its answer here. A server
    /// acknowledges such data only if its service hears it.
    #[must_use]
    pub fn urgent(&self) -> Urgency {
        self.urgency.get_or_init(|| Urgency::new(Arc::clone(&self.stream))).clone()
    }

    /// Whether a kept connection is still open and nothing has come on it. A server that closed it while it was idle has
    /// not heard the next request; found out only after sending, that request's outcome would be unknown.
    pub(crate) fn is_quiet(&self) -> bool {
        let stream = &self.stream;
        let peeked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
        let is_quiet = peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        is_quiet && stream.set_nonblocking(false).is_ok()
    }

    /// Reads what comes within this time.
    pub(crate) fn read(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        if let Some(urgency) = self.urgency.get() {
            urgency.wait_to_read(within)?;
        }
        let mut stream = &*self.stream;
        stream.set_read_timeout(Some(within))?;
        stream.read(buffer)
    }
}

/// Why there is no stream, before it has a name.
enum Failure {
    NoAddress(io::Error),
    TooLate,
    Unreachable(io::Error),
}

impl Failure {
    fn named(self, address: String, within: Duration) -> Error {
        match self {
            Self::NoAddress(source) => Error::Address { address, source },
            Self::TooLate => Error::ConnectTimeout { address, within },
            Self::Unreachable(source) => match source.kind() {
                io::ErrorKind::ConnectionRefused => Error::Refused { address },
                io::ErrorKind::TimedOut => Error::ConnectTimeout { address, within },
                _ => Error::Connect { address, source },
            },
        }
    }
}

fn connect(address: impl ToSocketAddrs, within: Duration) -> Result<TcpStream, Failure> {
    let sockets = address.to_socket_addrs().map_err(Failure::NoAddress)?;
    let started = Instant::now();
    let mut failure = Failure::NoAddress(io::Error::other("the name has no address"));
    for socket in sockets {
        let left = within.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(Failure::TooLate);
        }
        // Without `nodelay`, the second piece of a request waits until the first is acknowledged.
        match TcpStream::connect_timeout(&socket, left)
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        {
            Ok(stream) => return Ok(stream),
            Err(source) => failure = Failure::Unreachable(source),
        }
    }
    Err(failure)
}
