//! A client that says exactly what it is told to, also what no browser would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A dashboard that says nothing for this long is broken.
const WITHIN: Duration = Duration::from_secs(30);

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
#[derive(Clone, Debug)]
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

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        let length = self.body.len().to_string();
        self.with("Content-Length", &length)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string()).with("Content-Type", "application/json")
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }

    /// Sends it on a connection that is made so, and leaves the answer unread.
    pub(crate) fn send_on(&self, mut stream: TcpStream) -> TcpStream {
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream.write_all(&self.bytes()).unwrap();
        stream
    }

    fn send(&self) -> BufReader<TcpStream> {
        BufReader::new(self.send_on(TcpStream::connect(self.address).unwrap()))
    }

    /// Sends it and reads the whole answer.
    #[track_caller]
    pub(crate) fn answer(self) -> Answer {
        let is_head = self.method == "HEAD";
        let mut reader = self.with("Connection", "close").send();
        let mut answer = head(&mut reader);
        if is_head {
            return answer;
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = chunk(&mut reader) {
                answer.body.extend(chunk.into_bytes());
            }
        } else {
            let length = answer.header("content-length").map(|length| length.parse().unwrap());
            reader.take(length.unwrap_or(0)).read_to_end(&mut answer.body).unwrap();
        }
        answer
    }

    /// Sends it; the answer must be a stream of events.
    #[track_caller]
    pub(crate) fn events(self) -> Events {
        let mut reader = self.send();
        let answer = head(&mut reader);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        Events { reader, text: String::new() }
    }

    /// The status of the answer, whose body may have no end.
    pub(crate) fn status(self) -> u16 {
        head(&mut self.send()).status
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let body = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    /// The answer's JSON; it must be a good one.
    #[track_caller]
    pub(crate) fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The answer must be this error, said in full; what is wrong.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/json"));
        let body = self.json();
        assert!(body["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{body}");
        body["error"].as_str().unwrap().to_owned()
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

    /// The next event with this name that is as it should be.
    #[track_caller]
    pub(crate) fn find(&mut self, name: &str, is_meant: impl Fn(&Value) -> bool) -> Event {
        loop {
            let event = self.next().expect("the stream has ended");
            if event.name == name && is_meant(&event.data) {
                return event;
            }
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let lines = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        lines.map(str::to_owned).next()
    };
    let data = serde_json::from_str(&field("data")?).unwrap();
    Some(Event { name: field("event")?, id: field("id"), data })
}

fn head(reader: &mut BufReader<TcpStream>) -> Answer {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut text).unwrap() > 0, "closed after {text:?}");
    }
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    head.parse(text.as_bytes()).unwrap();
    let text = |field: &httparse::Header<'_>| {
        (field.name.to_owned(), String::from_utf8(field.value.to_vec()).unwrap())
    };
    let headers = head.headers.iter().map(text).collect();
    Answer { status: head.code.unwrap(), headers, body: Vec::new() }
}

/// None at the end.
fn chunk(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut size = String::new();
    reader.read_line(&mut size).ok()?;
    let size = usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size > 0)?;
    let mut bytes = vec![0; size + 2];
    reader.read_exact(&mut bytes).ok()?;
    bytes.truncate(size);
    Some(String::from_utf8(bytes).unwrap())
}
