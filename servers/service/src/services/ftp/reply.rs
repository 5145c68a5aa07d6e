//! Replies: three digits and a text, in one line or several (RFC 959 section 4.2).

use std::fmt::Write;

use bytes::BytesMut;

use crate::{Next, Peer};

/// One reply of the control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FtpReply {
    /// A code and its lines, of which there is at least one.
    Lines(u16, Vec<String>),
    /// The same in one line, after which the connection closes.
    Last(u16, &'static str),
    /// An option of Telnet is refused with these bytes; no reply of FTP.
    Option([u8; 3]),
}

impl FtpReply {
    /// A reply of one line, without its end.
    #[must_use]
    pub fn line(code: u16, text: impl Into<String>) -> Self {
        Self::Lines(code, vec![text.into()])
    }

    /// Appends its bytes.
    pub(super) fn write(&self, output: &mut BytesMut) -> Next {
        match self {
            Self::Lines(code, lines) => {
                for (index, line) in lines.iter().enumerate() {
                    // Only the last line has a space after its code: that is how a client knows it.
                    let gap = if index + 1 == lines.len() { ' ' } else { '-' };
                    put(*code, gap, line, output);
                }
            }
            Self::Last(code, text) => {
                put(*code, ' ', text, output);
                return Next::Close;
            }
            Self::Option(answer) => output.extend_from_slice(answer),
        }
        Next::Keep
    }
}

/// Appends one line.
pub(super) fn put(code: u16, gap: char, text: &str, output: &mut BytesMut) {
    write!(output, "{code}{gap}{text}\r\n").expect("a buffer grows");
}

/// The answer to `STAT`. There is nothing in progress when it is read.
pub(super) fn status(peer: &Peer) -> FtpReply {
    FtpReply::Lines(
        211,
        vec![
            "palco, a control connection:".into(),
            format!("from {peer}"),
            "MODE S, STRU F, no data connection, nothing in progress.".into(),
            "End of status.".into(),
        ],
    )
}
