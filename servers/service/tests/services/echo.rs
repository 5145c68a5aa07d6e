//! Echo.

use palco_service::services::echo::{EchoCodec, EchoService, REQUEST_BYTES_MAX};

use crate::support::{Connection, TestHost};

#[test]
fn every_byte_comes_back() {
    let host = TestHost::default();
    let mut connection = Connection::open(&EchoService, EchoCodec, &host);
    let all: Vec<u8> = (0..=255).collect();
    connection.send(&all);
    connection.send(b"again");
    assert_eq!(connection.output, [&all[..], b"again"].concat());
    assert!(!connection.closed);
}

#[test]
fn a_large_read_becomes_several_requests() {
    let host = TestHost::default();
    let mut connection = Connection::open(&EchoService, EchoCodec, &host);
    let bytes = vec![7; 2 * REQUEST_BYTES_MAX + 1];
    connection.send(&bytes);
    assert_eq!(connection.output, bytes);
    assert_eq!(connection.part_peak, REQUEST_BYTES_MAX);
}
