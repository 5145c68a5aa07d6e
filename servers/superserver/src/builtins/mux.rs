//! The first line of tcpmux (RFC 1078): which service a client wants.
//!
//! The client sends a name and CRLF; the server answers a line that begins with `+` or `-`, and after `+` the connection is
//! the service's. `HELP` asks for the names.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest request, in bytes, with its CRLF.
pub const REQUEST_BYTES_MAX: usize = 256;

/// How long a request may take, unless said.
pub const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// The answer before the service begins, where the service does not answer itself.
pub const GO: &[u8] = b"+Go\r\n";

/// The answer where there is no such service, or none to be had.
pub const NOT_AVAILABLE: &[u8] = b"-Service not available\r\n";

/// What a client of tcpmux asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The names of all services.
    Help,
    /// The service of this name, which is compared without regard to case. At least one character; no control characters.
    Service(String),
}

/// Reads the request, and not one byte after its line: those are the service's.
///
/// The line may end in LF alone. Not cancel-safe: what has been read is lost.
///
/// # Errors
/// `TimedOut` after `within`; `UnexpectedEof` if the input ends before the line; `InvalidData` if the line is longer than
/// [`REQUEST_BYTES_MAX`], empty, not UTF-8 or has control characters; what the connection says.
pub async fn mux_request<S>(stream: &mut S, within: Duration) -> io::Result<Wanted>
where
    S: AsyncRead + Unpin,
{
    let line = tokio::time::timeout(within, line(stream)).await;
    let late = || format!("no tcpmux request within {within:?}");
    let line = line.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, late()))??;
    wanted(&line)
}

/// The answer to [`Wanted::Help`]: a name on each line, nothing else.
#[must_use]
pub fn help<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut text = Vec::new();
    for name in names {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// A line without its end. Byte by byte: a stream takes nothing back.
async fn line<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(REQUEST_BYTES_MAX);
    while line.len() < REQUEST_BYTES_MAX {
        match stream.read_u8().await? {
            b'\n' => {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            byte => line.push(byte),
        }
    }
    Err(invalid(&format!("a tcpmux request is longer than {REQUEST_BYTES_MAX} bytes")))
}

fn wanted(line: &[u8]) -> io::Result<Wanted> {
    let name = std::str::from_utf8(line).map_err(|_| invalid("a tcpmux request is not UTF-8"))?;
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(invalid("a tcpmux request names nothing, or has control characters"));
    }
    Ok(match name.eq_ignore_ascii_case("help") {
        true => Wanted::Help,
        false => Wanted::Service(name.to_owned()),
    })
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// What is wanted, and what is left for the service.
    fn ask(sent: &[u8]) -> (io::Result<Wanted>, Vec<u8>) {
        let mut rest = sent;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let wanted = runtime.block_on(mux_request(&mut rest, REQUEST_WITHIN));
        (wanted, rest.to_vec())
    }

    #[test]
    fn nothing_is_read_beyond_the_line() {
        for sent in [&b"date\r\nrest\r\n"[..], b"date\nrest\r\n"] {
            let (wanted, rest) = ask(sent);
            assert_eq!(wanted.unwrap(), Wanted::Service("date".into()));
            assert_eq!(rest, b"rest\r\n");
        }
        assert_eq!(ask(b"HeLP\r\n").0.unwrap(), Wanted::Help);
    }

    #[test]
    fn what_is_no_request_is_objected_to() {
        let long = [&[b'x'; REQUEST_BYTES_MAX][..], b"\r\n"].concat();
        for sent in [&long[..], b"\r\n", b"\n", b"a\rb\n", b"\xff\r\n"] {
            assert_eq!(ask(sent).0.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        assert_eq!(ask(b"date").0.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        let (mut client, mut server) = tokio::io::duplex(64);
        client.write_all(b"dat").await.unwrap();
        let asked = mux_request(&mut server, REQUEST_WITHIN).await;
        assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn help_is_a_name_on_each_line() {
        assert_eq!(help(["date", "echo"]), b"date\r\necho\r\n");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_none_and_the_rest_is_left(sent: Vec<u8>) {
            let (wanted, rest) = ask(&sent);
            prop_assert!(sent.ends_with(&rest));
            if let Ok(wanted) = wanted {
                let line = sent.split(|b| *b == b'\n').next().unwrap_or_default();
                prop_assert_eq!(rest.len(), sent.len() - line.len() - 1);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                match wanted {
                    Wanted::Service(name) => prop_assert_eq!(name.as_bytes(), line),
                    Wanted::Help => prop_assert!(line.eq_ignore_ascii_case(b"help")),
                }
            }
        }
    }
}
