//! Fuzzing: whatever bytes a client sends over HTTP, they are requests with their content, or an end.
//!
//! `cargo test` plays some thousand inputs of chance, behind the beginnings of real requests. With coverage, for as long as
//! it is let: `cargo bolero test -p palco-files fuzz_http --sanitizer NONE` (cargo-bolero, nightly).

use bytes::BytesMut;
use palco_files::http::{HEAD_BYTES_MAX, HttpCodec, HttpService};
use palco_service::Codec;

/// What inputs of chance would never begin with.
const BEGINNINGS: [&str; 8] = [
    "",
    "GET /",
    "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=",
    "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: h\r\nIdempotency-Key: \"",
    "GET / HTTP/1.1\r\nHost: h\r\nIf-None-Match: ",
    "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.0\r\n",
];

fn main() {
    bolero::check!().with_iterations(50_000).for_each(|input: &[u8]| {
        let (chosen, bytes) =
            input.split_first().map_or((0, input), |(first, rest)| (*first, rest));
        let beginning = BEGINNINGS[usize::from(chosen) % BEGINNINGS.len()];
        let mut stream = BytesMut::from(beginning);
        stream.extend_from_slice(bytes);
        let total = stream.len();
        assert!(content(HttpCodec::default(), &mut stream) <= total);
    });
}

/// The bytes of content of all requests that are found.
fn content(mut codec: impl Codec<HttpService>, stream: &mut BytesMut) -> usize {
    let mut content = 0;
    loop {
        match codec.decode(stream) {
            Ok(Some(_)) => {}
            Ok(None) => {
                assert!(stream.len() <= HEAD_BYTES_MAX, "what is no request is refused");
                return content;
            }
            Err(_) => return content,
        }
        while let Ok(Some(part)) = codec.part(stream) {
            assert!(!part.is_empty());
            content += part.len();
        }
        if codec.receives() {
            return content;
        }
    }
}
