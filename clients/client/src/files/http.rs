//! Files over HTTP/1.1: every request is complete in itself, so it is sent again on another connection if its answer is
//! lost. What is not the same when it is done twice carries a key.

mod answer;

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::attempts::{Attempts, Repeat};
use super::counters::{Counting, many, one};
use super::transport::{Chunk, Handle, Opening, Span, Target, Transport};
use super::{FileError, FileKind, FileOptions, FileProtocol, Listing, Metadata};
use crate::Connection;
use crate::http::{Method, Response, send};

/// Everything but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A connection, and how to make another.
#[derive(Debug)]
pub(super) struct HttpTransport {
    address: String,
    options: FileOptions,
    connection: Option<Connection>,
    connections: u64,
    counting: Arc<Counting>,
}

/// One request.
struct Asked<'a> {
    what: &'static str,
    path: &'a str,
    method: Method,
    target: String,
    fields: String,
    content: Option<&'a [u8]>,
}

impl<'a> Asked<'a> {
    fn new(what: &'static str, method: Method, path: &'a str) -> Self {
        let (target, fields) = (target(path), String::new());
        Self { what, path, method, target, fields, content: None }
    }
}

/// An answer.
struct Told {
    response: Response,
    /// An earlier attempt may have been carried out.
    is_doubtful: bool,
}

impl HttpTransport {
    pub(super) fn new(address: String, options: FileOptions, counting: Arc<Counting>) -> Self {
        Self { address, options, connection: None, connections: 0, counting }
    }

    /// Asks until there is an answer that is one.
    fn ask(&mut self, asked: &Asked<'_>) -> Result<Told, FileError> {
        let mut attempts = Attempts::new(&self.options);
        loop {
            match self.attempt(asked) {
                Ok(response) => {
                    let retry = answer::retry_after(&response);
                    if !retry.is_some_and(|at_least| attempts.pause(at_least)) {
                        return Ok(Told { response, is_doubtful: attempts.is_doubtful });
                    }
                }
                Err(error) => attempts.again(asked.what, asked.path, Repeat::Freely, error)?,
            }
            one(&self.counting.retries);
        }
    }

    fn attempt(&mut self, asked: &Asked<'_>) -> Result<Response, crate::Error> {
        let mut connection = match self.connection.take().filter(Connection::is_quiet) {
            Some(connection) => connection,
            None => {
                one(&self.counting.connections);
                self.connections += 1;
                Connection::open(self.address.as_str(), self.options.limits())?
            }
        };
        let before = connection.traffic;
        one(&self.counting.round_trips);
        one(&self.counting.requests);
        let Asked { method, target, fields, content, .. } = asked;
        let answered = send(&mut connection, *method, target, fields, *content);
        self.counting.add_traffic(before, connection.traffic);
        let response = answered?;
        let closes = |value: &str| value.eq_ignore_ascii_case("close");
        if !response.header("Connection").is_some_and(closes) {
            self.connection = Some(connection);
        }
        Ok(response)
    }

    /// The content from here on, of a file that may have more.
    fn get(&mut self, path: &str, fields: String) -> Result<Response, FileError> {
        let asked = Asked { fields, ..Asked::new("a read", Method::Get, path) };
        Ok(self.ask(&asked)?.response)
    }
}

impl Transport for HttpTransport {
    fn protocol(&self) -> FileProtocol {
        FileProtocol::Http
    }

    fn open(
        &mut self,
        path: &Arc<str>,
        opening: Opening,
    ) -> Result<(Option<Handle>, Option<Metadata>), FileError> {
        if opening != Opening::Read {
            return Err(FileError::Unsupported {
                what: "opening to write",
                protocol: FileProtocol::Http,
                instead: "put the whole file, or append to it",
            });
        }
        let metadata = self.look(Target { path, handle: None })?;
        match metadata.kind {
            FileKind::File => Ok((None, Some(metadata))),
            FileKind::Directory | FileKind::Other => Err(answer::directory("opening", path)),
        }
    }

    fn close(&mut self, _: Target<'_>) -> Result<(), FileError> {
        Ok(())
    }

    fn look(&mut self, target: Target<'_>) -> Result<Metadata, FileError> {
        let path = target.path;
        if is_root(path) {
            return Ok(answer::of_directory());
        }
        let told = self.ask(&Asked::new("a look", Method::Head, path))?;
        answer::metadata("a look", path, &told.response)
    }

    fn read(&mut self, target: Target<'_>, span: Span) -> Result<Chunk, FileError> {
        let last = span.offset.saturating_add(span.length as u64 - 1);
        let range = format!("Range: bytes={}-{last}\r\n", span.offset);
        let response = self.get(target.path, range)?;
        answer::chunk(target.path, span, response)
    }

    fn read_whole(&mut self, path: &Arc<str>, bytes_max: usize) -> Result<Chunk, FileError> {
        let response = self.get(path, String::new())?;
        let metadata = answer::metadata("a read", path, &response)?;
        if metadata.kind != FileKind::File {
            return Err(answer::directory("a read", path));
        }
        if response.body.len() > bytes_max {
            return Err(FileError::TooLarge { path: path.to_string(), limit: bytes_max });
        }
        Ok(Chunk { bytes: response.body.into(), is_end: true, metadata: Some(metadata) })
    }

    fn put(&mut self, path: &Arc<str>, bytes: &[u8]) -> Result<(), FileError> {
        let asked = Asked { content: Some(bytes), ..Asked::new("a change", Method::Put, path) };
        let told = self.ask(&asked)?;
        answer::done("a change", path, &told.response)
    }

    fn append(&mut self, path: &Arc<str>, bytes: &[u8], key: &str) -> Result<u64, FileError> {
        let fields = format!("Idempotency-Key: \"{key}\"\r\n");
        let content = Some(bytes);
        let asked = Asked { fields, content, ..Asked::new("an append", Method::Post, path) };
        let told = self.ask(&asked)?;
        answer::done("an append", path, &told.response)?;
        answer::appended(path, &told.response)
    }

    fn list(&mut self, path: &Arc<str>) -> Result<Listing, FileError> {
        let directory = target(path);
        let slash = if directory.ends_with('/') { "" } else { "/" };
        let asked = Asked {
            target: format!("{directory}{slash}"),
            fields: "Accept: application/json\r\n".to_owned(),
            ..Asked::new("a listing", Method::Get, path)
        };
        let told = self.ask(&asked)?;
        answer::listing(path, &told.response)
    }

    fn remove(&mut self, path: &Arc<str>) -> Result<(), FileError> {
        let told = self.ask(&Asked::new("the removal", Method::Delete, path))?;
        // It was there, or the first attempt would have been answered so.
        if told.is_doubtful && told.response.status == 404 {
            return Ok(());
        }
        answer::done("the removal", path, &told.response)
    }

    fn connections(&self) -> u64 {
        self.connections
    }
}

impl Counting {
    /// Counts what went over a connection between two looks.
    pub(super) fn add_traffic(
        &self,
        before: crate::connection::Traffic,
        after: crate::connection::Traffic,
    ) {
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        many(&self.bytes_sent, count(after.sent - before.sent));
        many(&self.bytes_received, count(after.received - before.received));
    }
}

fn is_root(path: &str) -> bool {
    path.split('/').all(str::is_empty)
}

/// A path as a request has it.
fn target(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let encoded: Vec<_> =
        segments.map(|segment| percent_encode(segment.as_bytes(), SEGMENT).to_string()).collect();
    format!("/{}", encoded.join("/"))
}

/// When a server that is too busy is asked again, if it does not say.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_segment_by_segment() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("a", "/a"),
            ("//a//b/", "/a/b"),
            ("/a b/ü?#%2f", "/a%20b/%C3%BC%3F%23%252f"),
            ("..", "/.."),
        ] {
            assert_eq!(target(path), expected, "{path}");
        }
        assert!(is_root("//") && is_root("") && !is_root("/a"));
    }
}
