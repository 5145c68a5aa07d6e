//! `GET` and `HEAD` over HTTP/1.1, and what changes files.
//!
//! Source: RFC 9110 and RFC 9112; response heads are parsed by `httparse`.
//!
//! A body ends after `Content-Length`, or where the server closes. Deviation from RFC 9112 section 7: transfer codings
//! are refused, `chunked` among them; no palco service sends one. Redirects are answers like any other.

mod parser;
mod response;

pub use parser::{FIELDS_MAX, HEAD_BYTES_MAX, ResponseParser};
pub use response::Response;

use palco_core::Ticket;

use crate::{Connection, Error, ticket};

/// The field in which a ticket is asked for and given.
const TICKET: &str = "Palco-Ticket";

/// What is asked of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Its content.
    Get,
    /// What `GET` would answer, without the content.
    Head,
    /// To hold this content from now on.
    Put,
    /// To do with this content what the resource is for; palco's files append it.
    Post,
    /// To be gone.
    Delete,
}

impl Method {
    /// As it is written in a request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Asks for the resource at `path`, which starts with a slash, is percent-encoded, and may have a query.
///
/// An error status is a [`Response`], not an [`Error`].
///
/// # Errors
/// Every [`Error`] but those of [`Connection::open`]; [`Error::Request`] if `path` is not such a path.
pub fn get(connection: &mut Connection, path: &str) -> Result<Response, Error> {
    call(connection, Method::Get, path, "")
}

/// Asks what [`get`] would answer; the body stays empty.
///
/// # Errors
/// As [`get`].
pub fn head(connection: &mut Connection, path: &str) -> Result<Response, Error> {
    call(connection, Method::Head, path, "")
}

/// Asks for the ticket of the next request of this connection, by a `HEAD` of `/` that asks for its own.
///
/// # Errors
/// As [`get`], and [`Error::NoTicket`] if the server has no urgent port, or is no palco.
pub fn ticket(connection: &mut Connection) -> Result<Ticket, Error> {
    let response = call(connection, Method::Head, "/", &format!("{TICKET}: ?\r\n"))?;
    let given = response.header(TICKET);
    let answered = given.map_or_else(
        || format!("{} without {TICKET}", response.status),
        |given| format!("{TICKET}: {given}"),
    );
    let own = ticket::read(connection, given, &answered)?;
    let next = own.request.number.saturating_add(1);
    Ok(own.with_number(next))
}

/// Sends a request without content, with `fields` beside those that each has, every one with its line end.
fn call(
    connection: &mut Connection,
    method: Method,
    path: &str,
    fields: &str,
) -> Result<Response, Error> {
    send(connection, method, path, fields, None)
}

/// Sends a request with `fields` beside those that each has, every one with its line end, and with content if there is
/// any. A server that refuses content before it has all of it is heard.
///
/// # Errors
/// As [`get`].
pub(crate) fn send(
    connection: &mut Connection,
    method: Method,
    path: &str,
    fields: &str,
    content: Option<&[u8]>,
) -> Result<Response, Error> {
    if !path.starts_with('/') {
        return Err(Error::Request("a path starts with a slash"));
    }
    // A space or a line end would begin another part of the request.
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Request("a path is ASCII without blanks; write a blank as %20"));
    }
    let length = content.map(|content| format!("Content-Length: {}\r\n", content.len()));
    let head = format!(
        "{} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: palco\r\nAccept: */*\r\n{fields}{}\r\n",
        method.name(),
        connection.address(),
        length.unwrap_or_default(),
    );
    let request = [head.as_bytes(), content.unwrap_or_default()].concat();
    let parser = ResponseParser::new(method, connection.limits().answer_bytes_max);
    connection.call(&request, parser)
}
