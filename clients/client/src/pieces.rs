//! Test support: the same bytes, cut in different places.

use proptest::prelude::{Strategy, prop};

use crate::{Malformed, Parser, Step};

/// An answer, if there was one, and how many bytes were its own.
pub(crate) type Outcome<A> = Result<Option<(A, usize)>, Malformed>;

/// Feeds `bytes` in pieces of these lengths, over and over, calling `look` after each. Empty pieces are fed too.
pub(crate) fn feed<P: Parser>(
    parser: &mut P,
    bytes: &[u8],
    lengths: &[usize],
    mut look: impl FnMut(&P, usize),
) -> Outcome<P::Answer> {
    let mut fed = 0;
    for length in lengths.iter().cycle() {
        let piece = &bytes[fed..bytes.len().min(fed + length)];
        match parser.feed(piece)? {
            Step::Done { answer, used } => return Ok(Some((answer, fed + used))),
            Step::More => fed += piece.len(),
        }
        look(parser, fed);
        if fed == bytes.len() {
            break;
        }
    }
    Ok(None)
}

/// Feeds `bytes` at once.
pub(crate) fn feed_whole<P: Parser>(parser: &mut P, bytes: &[u8]) -> Outcome<P::Answer> {
    feed(parser, bytes, &[bytes.len()], |_, _| {})
}

/// Lengths of pieces, of which not all are zero.
pub(crate) fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..20, 0..8).prop_map(|mut lengths| {
        lengths.push(1);
        lengths
    })
}

/// Bytes made of what a protocol is made of, in no order, with some noise.
pub(crate) fn soup(tokens: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(tokens).prop_map(|token| token.as_bytes().to_vec());
    let noise = prop::collection::vec(proptest::num::u8::ANY, 0..4);
    let part = proptest::prop_oneof![8 => token, 1 => noise];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}
