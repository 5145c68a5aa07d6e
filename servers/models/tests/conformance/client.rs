//! A plain client: a blocking socket, nothing of palco. Every wait has a limit, so that a broken promise fails.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use palco_models::Server;
use palco_urgent::{Urgent, take_urgent};
use socket2::{Domain, SockRef, Socket, Type};

use crate::stage::{LIMIT, until};

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order.
    Eof,
    /// By a reset.
    Reset,
}

pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    pub(crate) fn of(server: &Server) -> Self {
        Self::connect(server.address())
    }

    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect_timeout(&address, LIMIT).unwrap())
    }

    /// How a connection ends that nobody wants. A reset can be faster than the connect.
    pub(crate) fn refused(server: &Server) -> (Vec<u8>, End) {
        match TcpStream::connect_timeout(&server.address(), LIMIT) {
            Ok(stream) => Self::new(stream).everything(),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => (Vec::new(), End::Reset),
            Err(error) => panic!("{error}"),
        }
    }

    /// With a receive buffer of a few KiB, so that a server that writes ahead of its reader soon has to wait.
    pub(crate) fn with_little_room(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::new(socket.into())
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// Writes all of `bytes`.
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends one byte as urgent data.
    pub(crate) fn say_urgently(&mut self, byte: u8) {
        assert_eq!(SockRef::from(&self.stream).send_out_of_band(&[byte]).unwrap(), 1);
    }

    /// Sends one byte as urgent data, and waits for the one that answers it.
    #[track_caller]
    pub(crate) fn call_urgently(&mut self, byte: u8) -> u8 {
        self.say_urgently(byte);
        let mut answer = None;
        until("an urgent byte answers", || {
            if let Ok(Urgent::Byte(byte)) = take_urgent(&self.stream) {
                answer = Some(byte);
            }
            answer.is_some()
        });
        answer.unwrap()
    }

    /// Writes all of `bytes`, if the server still wants them.
    pub(crate) fn try_say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        match self.stream.write_all(bytes.as_ref()) {
            Ok(()) => true,
            Err(error) => {
                let gone = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
                assert!(gone.contains(&error.kind()), "{error}");
                false
            }
        }
    }

    /// Says that nothing more will be said.
    pub(crate) fn end(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// A second handle, to say and hear at the same time.
    pub(crate) fn twin(&self) -> Self {
        Self { stream: self.stream.try_clone().unwrap() }
    }

    /// Closes with a reset.
    pub(crate) fn abort(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Exactly `length` bytes.
    pub(crate) fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Some bytes, `most` at most; none at the end.
    pub(crate) fn try_read(&mut self, most: usize) -> io::Result<usize> {
        self.stream.read(&mut vec![0; most])
    }

    /// One line with its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            line.extend(self.exactly(1));
        }
        String::from_utf8(line).unwrap()
    }

    /// One line with its end, or `None` if the connection ends before.
    pub(crate) fn line_if_any(&mut self) -> Option<String> {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while line.last() != Some(&b'\n') {
            match self.stream.read(&mut byte) {
                Ok(1..) => line.extend(byte),
                Ok(0) => return None,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error} after \"{}\"", line.escape_ascii()),
            }
        }
        Some(String::from_utf8(line).unwrap())
    }

    /// Hears until what it has heard is `enough`. An end or a limit before that fails with what has been heard.
    pub(crate) fn hear(&mut self, enough: impl Fn(&[u8]) -> bool) {
        let mut heard = Vec::new();
        let mut room = [0; 4096];
        while !enough(&heard) {
            let read = self.stream.read(&mut room);
            match read {
                Ok(read @ 1..) => heard.extend_from_slice(&room[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => panic!("{read:?} after \"{}\"", heard.escape_ascii()),
            }
        }
    }

    /// Everything until the end, and how it came.
    pub(crate) fn everything(&mut self) -> (Vec<u8>, End) {
        let mut heard = Vec::new();
        match self.stream.read_to_end(&mut heard) {
            Ok(_) => (heard, End::Eof),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => (heard, End::Reset),
            Err(error) => panic!("{error} after \"{}\"", heard.escape_ascii()),
        }
    }

    /// Everything until an end in order, as text.
    pub(crate) fn rest(&mut self) -> String {
        String::from_utf8(self.rest_of_bytes()).unwrap()
    }

    /// The same, for protocols that are no text.
    pub(crate) fn rest_of_bytes(&mut self) -> Vec<u8> {
        let (heard, end) = self.everything();
        assert_eq!(end, End::Eof, "a reset after \"{}\"", heard.escape_ascii());
        heard
    }

    /// How the connection ends; nothing more may be heard before.
    pub(crate) fn ending(&mut self) -> End {
        let (heard, end) = self.everything();
        assert!(heard.is_empty(), "heard \"{}\"", heard.escape_ascii());
        end
    }

    /// What comes until nothing has come for `pause`.
    pub(crate) fn drain(&mut self, pause: Duration) -> Vec<u8> {
        self.stream.set_read_timeout(Some(pause)).unwrap();
        let (mut heard, mut room) = (Vec::new(), [0; 4096]);
        while let Ok(read @ 1..) = self.stream.read(&mut room) {
            heard.extend_from_slice(&room[..read]);
        }
        self.stream.set_read_timeout(Some(LIMIT)).unwrap();
        heard
    }

    /// Whether nothing has come yet, no bytes and no end.
    pub(crate) fn is_silent(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}
