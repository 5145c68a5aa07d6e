//! A client of HTTP that counts: a request on the connection that there is, or on a new one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use palco_client::http::{Method, Response, ResponseParser};
use palco_client::{Parser, Step};

use super::BLOCK;
use super::sftp::{Tally, stream};

/// The longest answer: a block and its head.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// A client, with a connection or without.
#[derive(Debug)]
pub(super) struct Http {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    pub(super) tally: Tally,
}

impl Http {
    /// Connects when it asks for something.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: vec![0; READ_BYTES], tally: Tally::default() }
    }

    /// The next request goes over a new connection.
    pub(super) fn disconnect(&mut self) {
        self.stream = None;
    }

    /// Sends a request and waits for nothing.
    pub(super) fn send(&mut self, head: &str, content: &[u8]) -> Result<(), String> {
        let stream = if let Some(stream) = &mut self.stream {
            stream
        } else {
            self.tally.round_trips += 1;
            self.stream.insert(stream(self.address)?)
        };
        let request = [head.as_bytes(), content].concat();
        self.tally.round_trips += 1;
        self.tally.sent += request.len() as u64;
        stream.write_all(&request).map_err(|error| format!("cannot send: {error}"))
    }

    /// The answer to what was sent.
    pub(super) fn receive(&mut self) -> Result<Response, String> {
        let mut parser = ResponseParser::new(Method::Get, ANSWER_BYTES_MAX);
        let stream = self.stream.as_mut().ok_or("there is no connection")?;
        loop {
            let count = stream.read(&mut self.buffer);
            let count = count.map_err(|error| format!("no answer: {error}"))?;
            if count == 0 {
                return Err("the server has closed the connection".to_owned());
            }
            self.tally.received += count as u64;
            match parser.feed(&self.buffer[..count]).map_err(|error| error.to_string())? {
                Step::More => {}
                Step::Done { answer, used } if used == count => return Ok(answer),
                Step::Done { .. } => return Err("more than one answer".to_owned()),
            }
        }
    }

    /// One block of a file.
    pub(super) fn read(&mut self, path: &str, offset: u64) -> Result<Vec<u8>, String> {
        self.send(&get(path, offset), &[])?;
        let response = self.receive()?;
        of_range(response)
    }

    /// Something at the end of a file, once.
    pub(super) fn append(&mut self, path: &str, key: &str, content: &[u8]) -> Result<(), String> {
        let head = format!(
            "POST /{path} HTTP/1.1\r\nHost: bench\r\nIdempotency-Key: \"{key}\"\r\nContent-Length: {}\r\n\r\n",
            content.len()
        );
        self.send(&head, content)?;
        done(&self.receive()?)
    }

    /// A whole file.
    pub(super) fn put(&mut self, path: &str, content: &[u8]) -> Result<(), String> {
        let length = content.len();
        let head =
            format!("PUT /{path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {length}\r\n\r\n");
        self.send(&head, content)?;
        done(&self.receive()?)
    }
}

/// A request for one block of a file.
pub(super) fn get(path: &str, offset: u64) -> String {
    let last = offset + BLOCK - 1;
    format!("GET /{path} HTTP/1.1\r\nHost: bench\r\nRange: bytes={offset}-{last}\r\n\r\n")
}

/// The block that was asked for.
pub(super) fn of_range(response: Response) -> Result<Vec<u8>, String> {
    if response.status == 206 { Ok(response.body) } else { Err(refused(&response)) }
}

fn done(response: &Response) -> Result<(), String> {
    if (200..300).contains(&response.status) { Ok(()) } else { Err(refused(response)) }
}

fn refused(response: &Response) -> String {
    format!("{} {}", response.status, response.reason)
}
