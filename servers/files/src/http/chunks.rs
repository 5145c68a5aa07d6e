//! The chunked transfer coding of a request, RFC 9112 section 7.1; read strictly.
//!
//! Who reads a chunk differently from another server on the way lets a request hide in another. So a line ends in CR LF
//! and in nothing else, a size has hexadecimal digits only, and nothing surrounds it.

use bytes::{Buf, Bytes, BytesMut};
use palco_service::Malformed;

/// The longest line that holds the size of a chunk, extensions included: 256 bytes. Extensions mean nothing here.
const SIZE_LINE_BYTES_MAX: usize = 256;
/// All trailer fields together: 4 KiB. They mean nothing here.
const TRAILERS_BYTES_MAX: usize = 4 * 1024;
/// Small chunks are gathered into parts of about this size: 64 KiB.
const PART_BYTES: usize = 64 * 1024;

/// Where in a chunked body the next byte is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunks {
    /// At a size.
    #[default]
    Size,
    /// In a chunk of which so many bytes are to come.
    Data(u64),
    /// Behind a chunk, at its line end.
    DataEnd,
    /// Behind the last chunk; so many bytes of trailers have been read.
    Trailers(usize),
    /// Behind all of it.
    Done,
}

impl Chunks {
    /// Takes what there is of the content from the front of `input`, `None` if that is nothing.
    pub(super) fn part(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        let mut part = BytesMut::new();
        while part.len() < PART_BYTES && self.step(input, &mut part)? {}
        Ok((!part.is_empty()).then(|| part.freeze()))
    }

    /// One step; false if it needs more bytes or there is none.
    fn step(&mut self, input: &mut BytesMut, part: &mut BytesMut) -> Result<bool, Malformed> {
        match self {
            Self::Size => {
                let Some(line) = line(input, SIZE_LINE_BYTES_MAX, "size of a chunk")? else {
                    return Ok(false);
                };
                *self = match size(&line)? {
                    0 => Self::Trailers(0),
                    length => Self::Data(length),
                };
            }
            Self::Data(0) => *self = Self::DataEnd,
            Self::Data(remaining) => {
                let there = usize::try_from(*remaining).unwrap_or(usize::MAX).min(input.len());
                if there == 0 {
                    return Ok(false);
                }
                part.extend_from_slice(&input[..there]);
                input.advance(there);
                *remaining -= there as u64;
            }
            Self::DataEnd => match input[..] {
                [b'\r', b'\n', ..] => {
                    input.advance(2);
                    *self = Self::Size;
                }
                [] | [b'\r'] => return Ok(false),
                _ => return Err(syntax("a chunk is longer than its size")),
            },
            Self::Trailers(read) => {
                let room = TRAILERS_BYTES_MAX - *read;
                let Some(line) = line(input, room, "trailers")? else { return Ok(false) };
                if line.is_empty() {
                    *self = Self::Done;
                } else if line[0].is_ascii_whitespace() || !line.contains(&b':') {
                    return Err(syntax("a trailer that is no field"));
                } else {
                    *read += line.len() + 2;
                }
            }
            Self::Done => return Ok(false),
        }
        Ok(true)
    }
}

/// Takes a line that ends in CR LF, without them.
fn line(
    input: &mut BytesMut,
    limit: usize,
    what: &'static str,
) -> Result<Option<BytesMut>, Malformed> {
    let window = &input[..input.len().min(limit)];
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        let is_too_long = input.len() >= limit;
        return if is_too_long { Err(Malformed::TooLarge { what, limit }) } else { Ok(None) };
    };
    let mut line = input.split_to(end + 1);
    line.truncate(end);
    if line.last() != Some(&b'\r') {
        return Err(syntax("a line of a chunked body ends without CR"));
    }
    line.truncate(end - 1);
    if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(syntax("a control character in a line of a chunked body"));
    }
    Ok(Some(line))
}

/// The size before any extension.
fn size(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    // 15 digits are more bytes than any file has, and no overflow.
    let is_size = matches!(digits.len(), 1..=15) && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_size);
    text.and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| syntax("an invalid size of a chunk"))
}

fn syntax(text: &str) -> Malformed {
    Malformed::Syntax(text.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The content, whether all of it was there, and what was left.
    fn read(bytes: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, bool, Vec<u8>), Malformed> {
        let (mut chunks, mut input, mut content) = (Chunks::default(), BytesMut::new(), Vec::new());
        let mut rest = bytes;
        let mut cuts = cuts.iter().cycle();
        loop {
            while let Some(part) = chunks.part(&mut input)? {
                content.extend_from_slice(&part);
            }
            if rest.is_empty() {
                return Ok((content, chunks == Chunks::Done, input.to_vec()));
            }
            let (piece, after) = rest.split_at((*cuts.next().unwrap()).clamp(1, rest.len()));
            input.extend_from_slice(piece);
            rest = after;
        }
    }

    #[test]
    fn what_could_hide_a_request_is_refused() {
        for bytes in [
            &b"0x5\r\nhello\r\n0\r\n\r\n"[..],
            b"+5\r\nhello\r\n",
            b" 5\r\nhello\r\n",
            b"5 \r\nhello\r\n",
            b"5\nhello\r\n",
            b"\r\n",
            b"5\r\nhelloX\r\n",
            b"5\r\nhello\n0\r\n",
            b"ffffffffffffffff1\r\n",
            b"0\r\nGET / HTTP/1.1\r\n\r\n",
            b"0\r\n x: y\r\n\r\n",
            b"5;a=\0\r\n",
        ] {
            assert!(read(bytes, &[usize::MAX]).is_err(), "{}", bytes.escape_ascii());
        }
        let endless = [&b"5;"[..], &[b'x'; 300]].concat();
        assert!(matches!(read(&endless, &[7]), Err(Malformed::TooLarge { .. })));
        let trailers = [&b"0\r\n"[..], &b"a: b\r\n".repeat(1000)].concat();
        assert!(matches!(read(&trailers, &[1000]), Err(Malformed::TooLarge { .. })));
    }

    #[test]
    fn extensions_and_trailers_mean_nothing() {
        let body = b"3;a=b;c=\"d\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET";
        let (content, done, left) = read(body, &[usize::MAX]).unwrap();
        assert_eq!((&content[..], done, &left[..]), (&b"abc0123456789"[..], true, &b"GET"[..]));
    }

    proptest! {
        #[test]
        fn chunked_content_is_the_content(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..10),
            cuts in prop::collection::vec(1_usize..40, 1..9),
        ) {
            let mut bytes = Vec::new();
            for chunk in &chunks {
                bytes.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\nnext");
            let expected = (chunks.concat(), true, b"next".to_vec());
            prop_assert_eq!(read(&bytes, &cuts), Ok(expected));
        }

        #[test]
        fn any_bytes_cut_anywhere_mean_the_same(
            bytes in prop::collection::vec(prop_oneof![
                4 => prop::sample::select(b"0123aF\r\n\r\n;: x".to_vec()), 1 => any::<u8>()
            ], 0..80),
            cuts in prop::collection::vec(1_usize..9, 1..9),
        ) {
            let whole = read(&bytes, &[usize::MAX]).map_err(drop);
            prop_assert_eq!(read(&bytes, &cuts).map_err(drop), whole);
        }
    }
}
