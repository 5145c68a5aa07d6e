//! A client that says exactly what it is told to, also what no browser would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::described;

/// A gateway that says nothing for this long is broken.
const WITHIN: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A stream of events.
pub(crate) struct Events {
    reader: BufReader<TcpStream>,
    text: String,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Ask {
    pub(crate) fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        let headers = vec![("Host".to_owned(), address.to_string())];
        Self { address, method: method.into(), path: path.into(), headers, body: Vec::new() }
    }

    /// Sets a header; in place of one with the same name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        let length = self.body.len().to_string();
        self.with("Content-Length", &length)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string()).with("Content-Type", "application/json")
    }

    /// Sends it and leaves the answer unread.
    pub(crate) fn send(&self) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).expect("a gateway that listens");
        stream.set_read_timeout(Some(WITHIN)).expect("a TCP socket");
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        // A gateway that refuses need not take it all.
        let _ = stream.write_all(&bytes);
        BufReader::new(stream)
    }

    /// Sends it and reads the whole answer, which the description must know.
    #[track_caller]
    pub(crate) fn answer(self) -> Answer {
        let ask = self.with("Connection", "close");
        let mut reader = ask.send();
        let answer = ask.read(&mut reader);
        described::check(&ask.method, &ask.path, &answer);
        answer
    }

    fn read(&self, reader: &mut BufReader<TcpStream>) -> Answer {
        let mut answer = head(reader);
        if self.method == "HEAD" {
            return answer;
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = chunk(reader) {
                answer.body.extend(chunk.into_bytes());
            }
        } else {
            let length = answer.header("content-length").map(|length| length.parse::<u64>());
            let length = length.map_or(0, |length| length.expect("a number"));
            let read = reader.take(length).read_to_end(&mut answer.body).expect("a body");
            assert_eq!(read as u64, length, "the body is cut");
        }
        answer
    }

    /// Sends it; the answer must be a stream of events.
    #[track_caller]
    pub(crate) fn events(self) -> Events {
        let mut reader = self.send();
        let answer = head(&mut reader);
        described::check(&self.method, &self.path, &answer);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        Events { reader, text: String::new() }
    }
}

/// Reads the answer of a request that was sent.
pub(crate) fn read(mut reader: BufReader<TcpStream>) -> Answer {
    let ask = Ask {
        address: reader.get_ref().peer_addr().expect("a connection"),
        method: "GET".to_owned(),
        path: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    ask.read(&mut reader)
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The entity tag; there must be one.
    #[track_caller]
    pub(crate) fn etag(&self) -> String {
        self.header("etag").expect("an entity tag").to_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let body = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    /// The answer must have this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// The answer must be this problem, said in full.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let body = self.json();
        assert_eq!(body["type"], format!("/v1/problems/{kind}"), "{body}");
        assert_eq!(body["status"], status, "{body}");
        for member in ["title", "detail", "advice"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body}");
        }
        body
    }
}

impl Events {
    /// The next event; none when the stream has ended. Comments are left out.
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            self.text.push_str(&chunk(&mut self.reader)?);
        }
    }

    /// Reads on until an event is as it should be.
    #[track_caller]
    pub(crate) fn find(&mut self, is_meant: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().expect("the stream has ended");
            if is_meant(&event) {
                return event;
            }
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines =
            block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        lines.next().map(str::to_owned)
    };
    let data = serde_json::from_str(&field("data")?).expect("data is JSON");
    Some(Event { name: field("event")?, id: field("id"), data })
}

fn head(reader: &mut BufReader<TcpStream>) -> Answer {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        let read = reader.read_line(&mut text).expect("a head");
        assert!(read > 0, "closed after {text:?}");
    }
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    head.parse(text.as_bytes()).expect("a response");
    let text = |field: &httparse::Header<'_>| {
        let value = String::from_utf8(field.value.to_vec()).expect("ASCII");
        (field.name.to_owned(), value)
    };
    let status = head.code.expect("a whole head");
    Answer { status, headers: head.headers.iter().map(text).collect(), body: Vec::new() }
}

/// None at the end.
fn chunk(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut size = String::new();
    reader.read_line(&mut size).ok()?;
    let size = usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size > 0)?;
    let mut bytes = vec![0; size + 2];
    reader.read_exact(&mut bytes).ok()?;
    bytes.truncate(size);
    Some(String::from_utf8(bytes).expect("text"))
}
