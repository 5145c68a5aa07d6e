//! How the bytes are cut does not matter to HTTP, and no bytes make it panic or hoard.

use palco_files::http::{HEAD_BYTES_MAX, HttpCodec, HttpService};
use proptest::prelude::*;

use crate::files::Site;
use crate::support::laws::{READ_BYTES_MAX, assert_cuts_do_not_matter, cuts, flood, garbage};

fn http_bytes() -> impl Strategy<Value = Vec<u8>> {
    let method =
        prop::sample::select(vec!["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "BREW"]);
    let path = prop::sample::select(vec!["/hello.txt", "/", "/list", "/big.bin", "/%", "/../x"]);
    let field = prop::sample::select(vec![
        "Host: h",
        "Host: h",
        "Host: h",
        "Connection: close",
        "Connection: keep-alive",
        "Content-Length: 7",
        "Content-Length: 0",
        "Content-Length: 70000",
        "Range: bytes=1-3",
        "Palco-Ticket: ?",
        "Expect: 100-continue",
        "Transfer-Encoding: chunked",
        "bad field",
        "Host:\r",
    ]);
    let request = (method, path, prop::collection::vec(field, 1..4), any::<bool>(), any::<bool>())
        .prop_map(|(method, path, fields, new, bare)| {
            let version = if new { 1 } else { 0 };
            let head =
                format!("{method} {path} HTTP/1.{version}\r\n{}\r\n\r\n", fields.join("\r\n"));
            if bare { head.replace('\r', "").into_bytes() } else { head.into_bytes() }
        });
    let piece = prop_oneof![12 => request, 1 => garbage(), 1 => Just(b"\r\n".to_vec())];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn cuts_do_not_matter_to_http() {
    let site = Site::new();
    // The entity tag of a file that has just been made is weak, and becomes strong.
    for path in ["/hello.txt", "/big.bin"] {
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        let ask =
            || crate::support::play(&site.service, HttpCodec::default(), head.as_bytes(), &[99]);
        while ask().output.windows(3).any(|bytes| bytes == b"W/\"") {}
    }
    proptest!(|(bytes in http_bytes(), cuts in cuts())| {
        assert_cuts_do_not_matter!(site.service, HttpCodec::default(), &bytes, &cuts);
    });
}

#[test]
fn an_endless_http_request_is_not_hoarded() {
    let site = Site::new();
    for (first, endless) in [
        (&b"GET /"[..], &b"x"[..]),
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n"),
        (b"", b"\r\n"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n", b"x"),
    ] {
        let peak = flood::<HttpService, _>(&site.service, HttpCodec::default(), first, endless);
        assert!(peak <= HEAD_BYTES_MAX + READ_BYTES_MAX, "{} {peak}", first.escape_ascii());
    }
}
