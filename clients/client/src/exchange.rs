//! One request and its answer on a connection: deadlines, limits, and what to say when it fails.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::time::{Duration, Instant};

use crate::{Connection, Error, Excerpt, Malformed, Parser, Step};

/// Bytes read at once: 16 KiB. Also what [`echo`](crate::echo) sends before it reads, because the system's buffer for
/// one connection takes that much.
pub(crate) const PIECE_BYTES: usize = 16 * 1024;

/// A call that has begun. Dropped before its [`end`](Self::end), it leaves the connection spent.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    connection: &'a mut Connection,
    started: Instant,
    came: Excerpt,
    /// Bytes that the parser has taken.
    taken: usize,
    /// The server did not take the whole request; it may have said why.
    unsent: Option<io::Error>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn begin(connection: &'a mut Connection) -> Result<Self, Error> {
        if connection.spent {
            return Err(Error::Spent { address: connection.address.clone() });
        }
        if !connection.unread.is_empty() {
            let came = Excerpt::from(&connection.unread[..]);
            return Err(Error::Unasked { address: connection.address.clone(), came });
        }
        connection.spent = true;
        let (started, came) = (Instant::now(), Excerpt::default());
        Ok(Self { connection, started, came, taken: 0, unsent: None })
    }

    pub(crate) fn end(self) {
        self.connection.spent = false;
    }

    /// Sends all of `bytes`. Not an error is a server that has closed: its last words are still to be read.
    pub(crate) fn send(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() && self.unsent.is_none() {
            let left = self.time_left()?;
            let mut stream = &*self.connection.stream;
            match stream.set_write_timeout(Some(left)).and_then(|()| stream.write(bytes)) {
                Ok(count) => {
                    bytes = &bytes[count..];
                    self.connection.traffic.sent += count as u64;
                }
                Err(error) if is_closed(&error) => self.unsent = Some(error),
                Err(error) => self.interrupted(error)?,
            }
        }
        Ok(())
    }

    /// Reads until `parser` has its answer. What comes after it stays with the connection.
    pub(crate) fn receive<P: Parser>(&mut self, parser: &mut P) -> Result<P::Answer, Error> {
        let unread = mem::take(&mut self.connection.unread);
        if let Some(answer) = self.feed(parser, &unread)? {
            return Ok(answer);
        }
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let count = self.read(&mut buffer)?;
            if count == 0 {
                return parser.finish().ok_or_else(|| self.closed(None));
            }
            self.came.note(&buffer[..count]);
            if let Some(answer) = self.feed(parser, &buffer[..count])? {
                return Ok(answer);
            }
        }
    }

    fn feed<P: Parser>(
        &mut self,
        parser: &mut P,
        bytes: &[u8],
    ) -> Result<Option<P::Answer>, Error> {
        let limit = self.connection.limits.answer_bytes_max;
        let allowed = bytes.len().min(limit - self.taken);
        match parser.feed(&bytes[..allowed]) {
            Ok(Step::Done { answer, used }) => {
                self.taken += used;
                self.connection.unread = bytes[used..].to_vec();
                Ok(Some(answer))
            }
            Ok(Step::More) if allowed < bytes.len() => {
                Err(self.malformed(Malformed::answer_bytes(limit)))
            }
            Ok(Step::More) => {
                self.taken += allowed;
                Ok(None)
            }
            Err(malformed) => Err(self.malformed(malformed)),
        }
    }

    /// The number of bytes read; 0 at the end of the stream.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            let left = self.time_left()?;
            match self.connection.read(buffer, left) {
                Ok(count) => {
                    self.connection.traffic.received += count as u64;
                    return Ok(count);
                }
                Err(error) if is_closed(&error) => return Err(self.closed(Some(error))),
                Err(error) => self.interrupted(error)?,
            }
        }
    }

    /// The time until the deadline, never zero.
    fn time_left(&mut self) -> Result<Duration, Error> {
        let left = self.connection.limits.answer_within.saturating_sub(self.started.elapsed());
        if left.is_zero() { Err(self.timeout()) } else { Ok(left) }
    }

    /// Goes on after a signal; any other error ends the exchange.
    fn interrupted(&mut self, error: io::Error) -> Result<(), Error> {
        match error.kind() {
            ErrorKind::Interrupted => Ok(()),
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(self.timeout()),
            _ => {
                let (address, came) = (self.address(), mem::take(&mut self.came));
                Err(Error::Failed { address, came, source: error })
            }
        }
    }

    fn timeout(&mut self) -> Error {
        let within = self.connection.limits.answer_within;
        Error::Timeout { address: self.address(), within, came: mem::take(&mut self.came) }
    }

    fn closed(&mut self, reading: Option<io::Error>) -> Error {
        let source = reading.or(self.unsent.take());
        Error::Closed { address: self.address(), came: mem::take(&mut self.came), source }
    }

    fn malformed(&mut self, malformed: Malformed) -> Error {
        let address = self.address();
        match malformed {
            Malformed::TooLarge { what, limit } => Error::TooLarge { address, what, limit },
            Malformed::Syntax(_) => {
                Error::Malformed { address, came: mem::take(&mut self.came), source: malformed }
            }
        }
    }

    fn address(&self) -> String {
        self.connection.address.clone()
    }
}

/// Whether the server has closed, as far as the system can tell.
fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
    )
}
