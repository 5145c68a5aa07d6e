//! Time and daytime.

use palco_service::services::time::{TimeCodec, TimeFormat, TimeService};

use crate::support::{Connection, NOW, TestHost};

#[test]
fn binary_time_is_said_first_and_once() {
    let host = TestHost::default();
    let mut connection = Connection::open(&TimeService, TimeCodec::new(TimeFormat::Binary), &host);
    assert!(connection.closed);
    let expected = u32::try_from(NOW + 2_208_988_800).unwrap();
    assert_eq!(connection.output, &expected.to_be_bytes()[..]);
    connection.send(b"anything");
    assert_eq!(connection.output.len(), 4);
}

#[test]
fn daytime_is_one_line_in_utc() {
    let host = TestHost::default();
    let connection = Connection::open(&TimeService, TimeCodec::new(TimeFormat::Line), &host);
    assert!(connection.closed);
    assert_eq!(connection.output, &b"Sunday, September 9, 2001 01:46:40-UTC\r\n"[..]);
}
