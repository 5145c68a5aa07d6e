//! What is asked of each service, and whether an answer is one.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use palco_client::http::{Method, Response, ResponseParser};
use palco_client::resp::{Value, ValueParser};
use palco_client::{Line, LineEnd, Parser, Step};

use super::REQUEST_BYTES_MAX;
use super::sftp::Get;

/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
const MORE: &str = "more came than was asked for";

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The same bytes come back.
    Echo,
    /// Four bytes, RFC 868; a connection for each request.
    Time,
    /// A line, RFC 867; a connection for each request.
    Daytime,
    /// RESP2, asked with inline commands.
    Kv,
    /// A line asks, a line answers.
    Work,
    /// HTTP/1.1, over one connection.
    Http,
    /// SFTP 3 on a plain connection: a file, opened, read to its end and closed.
    Sftp,
    /// Nothing: a connection is made, and that is all. Not for a [`LiveLoad`](crate::live::LiveLoad).
    Connect,
}

/// Reads the answers of one connection.
#[derive(Debug)]
pub(crate) enum Answers {
    /// The bytes that must come back, and how many have.
    Echo(Vec<u8>, usize),
    /// How many bytes have come.
    Time(usize),
    Line(Line),
    Value(ValueParser),
    Response(ResponseParser),
    Sftp(Get),
    /// Nothing is said.
    None,
}

/// An answer as far as a load cares.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As it should be, and the connection can be used again.
    Good,
    /// As it should be, and the connection ends with it.
    GoodAndLast,
    /// As it should be, and not all: these bytes are to be sent for the rest.
    Continue(Vec<u8>),
    /// The server says no.
    Refused(String),
}

impl Protocol {
    /// Those of services.
    pub const ALL: [Self; 6] =
        [Self::Echo, Self::Time, Self::Daytime, Self::Kv, Self::Work, Self::Http];

    /// The name of the service that speaks it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Time => "time",
            Self::Daytime => "daytime",
            Self::Kv => "kv",
            Self::Work => "work",
            Self::Http => "http",
            Self::Sftp => "sftp",
            Self::Connect => "connect",
        }
    }

    /// A request that does no harm; empty where nothing is asked.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Echo => "hello",
            Self::Time | Self::Daytime | Self::Connect => "",
            Self::Kv => "INCR load",
            Self::Work => "sleep 1",
            Self::Http => "GET /",
            Self::Sftp => "GET /index.html",
        }
    }

    /// Whether each request needs a connection of its own.
    #[must_use]
    pub const fn is_one_shot(self) -> bool {
        matches!(self, Self::Time | Self::Daytime | Self::Connect)
    }

    /// Whether `request` is one request; else why not.
    pub(crate) fn check(self, request: &str) -> Result<(), String> {
        if request.len() > REQUEST_BYTES_MAX {
            return Err(format!("request: at most {REQUEST_BYTES_MAX} bytes"));
        }
        // A second line would be a second request, and its answer one that nobody waits for.
        if request.chars().any(char::is_control) {
            return Err("request: one line, without control characters".to_owned());
        }
        match self {
            Self::Time | Self::Daytime | Self::Connect if !request.is_empty() => {
                Err(format!("request: `{self}` speaks without being asked; leave it out"))
            }
            Self::Echo | Self::Kv | Self::Work if request.trim().is_empty() => {
                Err("request: must not be empty".to_owned())
            }
            Self::Sftp if request.strip_prefix("GET /").is_none() => {
                Err("request: `GET /path`".to_owned())
            }
            Self::Http if http_path(request).is_none() => {
                Err("request: `GET /path`, in ASCII without blanks in the path".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The bytes of `request`.
    pub(crate) fn bytes(self, request: &str, address: SocketAddr) -> Vec<u8> {
        match self {
            Self::Echo => request.as_bytes().to_vec(),
            // What is said over SFTP depends on what was said before.
            Self::Time | Self::Daytime | Self::Connect | Self::Sftp => Vec::new(),
            Self::Kv => format!("{request}\r\n").into_bytes(),
            Self::Work => format!("{request}\n").into_bytes(),
            Self::Http => {
                let path = http_path(request).unwrap_or("/");
                format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: palco\r\n\r\n")
                    .into_bytes()
            }
        }
    }

    /// A reader for what answers `request`.
    pub(crate) fn answers(self, request: &str) -> Answers {
        match self {
            Self::Echo => Answers::Echo(request.as_bytes().to_vec(), 0),
            Self::Time => Answers::Time(0),
            Self::Connect => Answers::None,
            Self::Daytime => Answers::Line(Line::new(LineEnd::NewlineOrClose)),
            Self::Kv => Answers::Value(ValueParser::new(ANSWER_BYTES_MAX)),
            Self::Work => Answers::Line(Line::new(LineEnd::Newline)),
            Self::Http => Answers::Response(ResponseParser::new(Method::Get, ANSWER_BYTES_MAX)),
            Self::Sftp => Answers::Sftp(Get::new(request.trim_start_matches("GET "))),
        }
    }
}

impl Answers {
    /// The connection is a new one.
    pub(crate) fn connect(&mut self) {
        if let Self::Sftp(get) = self {
            get.connect();
        }
    }

    /// What is sent for one more request, where it is not the same each time.
    pub(crate) fn begin(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Sftp(get) => Some(get.begin()),
            Self::Echo(..)
            | Self::Time(_)
            | Self::Line(_)
            | Self::Value(_)
            | Self::Response(_)
            | Self::None => None,
        }
    }

    /// Takes a piece. An error is bytes that are no answer.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<Option<Answer>, String> {
        match self {
            // Compared as it comes, and nothing is kept: this is asked most often.
            Self::Echo(sent, seen) => match sent.get(*seen..*seen + piece.len()) {
                None => Err(MORE.to_owned()),
                Some(same) if same != piece => {
                    Ok(Some(Answer::Refused("other bytes came back".to_owned())))
                }
                Some(_) => {
                    *seen += piece.len();
                    let is_whole = *seen == sent.len();
                    *seen %= sent.len();
                    Ok(is_whole.then_some(Answer::Good))
                }
            },
            Self::Time(seen) => {
                *seen += piece.len();
                match *seen {
                    0..4 => Ok(None),
                    4 => {
                        *seen = 0;
                        Ok(Some(Answer::Good))
                    }
                    _ => Err(MORE.to_owned()),
                }
            }
            Self::None => Err(MORE.to_owned()),
            Self::Line(parser) => Ok(take(parser, piece)?.map(line)),
            Self::Value(parser) => Ok(take(parser, piece)?.map(|value| match value {
                Value::Error(text) => Answer::Refused(text),
                _ => Answer::Good,
            })),
            Self::Response(parser) => Ok(take(parser, piece)?.map(|answer| response(&answer))),
            Self::Sftp(get) => get.feed(piece),
        }
    }

    /// The server has closed: the answer, if that completes it.
    pub(crate) fn finish(&mut self) -> Option<Answer> {
        match self {
            Self::Line(parser) => parser.finish().map(line),
            Self::Response(parser) => parser.finish().map(|answer| match response(&answer) {
                Answer::Good => Answer::GoodAndLast,
                other => other,
            }),
            Self::Echo(..) | Self::Time(_) | Self::Value(_) | Self::Sftp(_) | Self::None => None,
        }
    }
}

fn take<P: Parser>(parser: &mut P, piece: &[u8]) -> Result<Option<P::Answer>, String> {
    match parser.feed(piece) {
        Ok(Step::More) => Ok(None),
        Ok(Step::Done { answer, used }) if used == piece.len() => Ok(Some(answer)),
        // One request at a time, so there can be one answer at a time.
        Ok(Step::Done { .. }) => Err(MORE.to_owned()),
        Err(malformed) => Err(malformed.to_string()),
    }
}

/// `work` says what was wrong in a line of its own.
fn line(line: String) -> Answer {
    if line.starts_with("error") { Answer::Refused(line) } else { Answer::Good }
}

fn response(response: &Response) -> Answer {
    let last =
        response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    match response.status {
        200..400 if last => Answer::GoodAndLast,
        200..400 => Answer::Good,
        status => Answer::Refused(format!("{status} {}", response.reason)),
    }
}

/// The path in `GET /path`.
fn http_path(request: &str) -> Option<&str> {
    let path = request.strip_prefix("GET ")?;
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    (path.starts_with('/') && plain).then_some(path)
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter().chain([Self::Sftp, Self::Connect]);
        all.find(|protocol| protocol.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no load for service `{name}`; there is for: {names}")
        })
    }
}
