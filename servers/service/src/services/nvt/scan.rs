//! Bytes to the pieces of a network virtual terminal's stream: text, and commands among it.
//!
//! Stateless: an incomplete piece stays where it is until there is more.

use bytes::BytesMut;

use crate::Malformed;

/// Interpret As Command: what every command begins with. Two of them are one byte of text.
pub(crate) const IAC: u8 = 255;
pub(super) const DONT: u8 = 254;
pub(super) const DO: u8 = 253;
pub(super) const WONT: u8 = 252;
pub(super) const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// The longest subnegotiation, with its commands: 512 bytes. Every option is refused, so that there should be none.
pub(crate) const SUBNEGOTIATION_BYTES_MAX: usize = 512;

/// What a command of two bytes asks for (RFC 854).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// The end of a Synch.
    DataMark,
    /// The break key.
    Break,
    /// Interrupt Process.
    Interrupt,
    /// Abort Output.
    AbortOutput,
    /// Are You There.
    AreYouThere,
    /// Erase the last character that was typed.
    EraseCharacter,
    /// Erase the line that is being typed.
    EraseLine,
    /// No operation, Go Ahead, and whatever nobody here knows.
    Nothing,
}

/// Who would use an option, by the wish of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// We should.
    Do,
    /// We should not.
    Dont,
    /// They would.
    Will,
    /// They would not.
    Wont,
}

/// One piece of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(u8),
    Command(Command),
    Option(Verb, u8),
    Subnegotiation,
}

/// The first piece of `bytes` and its length; `None` while it is incomplete.
///
/// # Errors
/// [`Malformed::TooLarge`] for a subnegotiation that does not end.
pub(crate) fn scan(bytes: &[u8]) -> Result<Option<(Piece, usize)>, Malformed> {
    Ok(match *bytes {
        [] | [IAC] | [IAC, WILL | WONT | DO | DONT] => None,
        [IAC, IAC, ..] => Some((Piece::Text(IAC), 2)),
        [IAC, SB, ..] => subnegotiation(bytes)?,
        [IAC, WILL, option, ..] => Some((Piece::Option(Verb::Will, option), 3)),
        [IAC, WONT, option, ..] => Some((Piece::Option(Verb::Wont, option), 3)),
        [IAC, DO, option, ..] => Some((Piece::Option(Verb::Do, option), 3)),
        [IAC, DONT, option, ..] => Some((Piece::Option(Verb::Dont, option), 3)),
        [IAC, code, ..] => Some((Piece::Command(command(code)), 2)),
        [byte, ..] => Some((Piece::Text(byte), 1)),
    })
}

fn command(code: u8) -> Command {
    match code {
        242 => Command::DataMark,
        243 => Command::Break,
        244 => Command::Interrupt,
        245 => Command::AbortOutput,
        246 => Command::AreYouThere,
        247 => Command::EraseCharacter,
        248 => Command::EraseLine,
        _ => Command::Nothing,
    }
}

/// Skips to IAC SE; a doubled IAC inside is a byte of the subnegotiation (RFC 855).
fn subnegotiation(bytes: &[u8]) -> Result<Option<(Piece, usize)>, Malformed> {
    let window = &bytes[..bytes.len().min(SUBNEGOTIATION_BYTES_MAX)];
    let mut at = 2;
    while at + 1 < window.len() {
        match (window[at], window[at + 1]) {
            (IAC, SE) => return Ok(Some((Piece::Subnegotiation, at + 2))),
            (IAC, _) => at += 2,
            _ => at += 1,
        }
    }
    if bytes.len() >= SUBNEGOTIATION_BYTES_MAX {
        let limit = SUBNEGOTIATION_BYTES_MAX;
        return Err(Malformed::TooLarge { what: "subnegotiation", limit });
    }
    Ok(None)
}

/// The complete pieces of `bytes`, with what is behind each.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = (Piece, &[u8], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        // What can be no piece is refused where it is decoded.
        let (piece, length) = scan(rest).ok().flatten()?;
        let (own, behind) = rest.split_at(length);
        rest = behind;
        Some((piece, own, behind))
    })
}

/// Keeps the pieces of `input` that `keeps` wants, given also whether they are its very end, and what is incomplete.
pub(super) fn sift(input: &mut BytesMut, mut keeps: impl FnMut(Piece, End) -> bool) {
    let mut kept = BytesMut::with_capacity(input.len());
    let mut used = 0;
    for (piece, own, behind) in pieces(input) {
        used += own.len();
        let end = if behind.is_empty() { End::Reached } else { End::Ahead };
        if keeps(piece, end) {
            kept.extend_from_slice(own);
        }
    }
    kept.extend_from_slice(&input[used..]);
    *input = kept;
}

/// Whether a piece is the last of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Reached,
    Ahead,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_rfc_854() {
        for (bytes, piece, length) in [
            (&b"a\xff"[..], Piece::Text(b'a'), 1),
            (b"\xff\xff\xff", Piece::Text(IAC), 2),
            (b"\xff\xf2", Piece::Command(Command::DataMark), 2),
            (b"\xff\xf4x", Piece::Command(Command::Interrupt), 2),
            (b"\xff\xf1", Piece::Command(Command::Nothing), 2),
            (b"\xff\x00", Piece::Command(Command::Nothing), 2),
            (b"\xff\xfd\x06\xff", Piece::Option(Verb::Do, 6), 3),
            (b"\xff\xfb\xff", Piece::Option(Verb::Will, 255), 3),
            (b"\xff\xfa\x18\x00vt\xff\xff\xf0\xff\xf0a", Piece::Subnegotiation, 11),
        ] {
            assert_eq!(scan(bytes), Ok(Some((piece, length))), "{}", bytes.escape_ascii());
        }
        for bytes in [&b""[..], b"\xff", b"\xff\xfe", b"\xff\xfa", b"\xff\xfa\x18\xff\xff\xf0\xff"]
        {
            assert_eq!(scan(bytes), Ok(None), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_subnegotiation_may_be_as_long_as_the_limit_and_no_longer() {
        let mut bytes = vec![b'x'; SUBNEGOTIATION_BYTES_MAX];
        bytes[..2].copy_from_slice(&[IAC, SB]);
        assert_eq!(scan(&bytes[..SUBNEGOTIATION_BYTES_MAX - 1]), Ok(None));
        assert!(matches!(scan(&bytes), Err(Malformed::TooLarge { .. })));
        bytes[SUBNEGOTIATION_BYTES_MAX - 2..].copy_from_slice(&[IAC, SE]);
        assert_eq!(scan(&bytes), Ok(Some((Piece::Subnegotiation, SUBNEGOTIATION_BYTES_MAX))));
    }
}
