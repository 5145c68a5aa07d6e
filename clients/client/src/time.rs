//! Time: the server speaks first (RFC 868 and RFC 867). Nothing is sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Connection, Error, Exactly, Line, LineEnd};

/// Seconds from 1900-01-01 to 1970-01-01, as RFC 868 itself gives them.
const SECONDS_1900_TO_1970: u32 = 2_208_988_800;

/// Reads the 4 bytes of the Time Protocol; what they mean is [`decode_rfc868`]'s.
///
/// # Errors
/// Every [`Error`] but those of [`Connection::open`].
pub fn read_rfc868(connection: &mut Connection) -> Result<SystemTime, Error> {
    let bytes = connection.call(&[], Exactly::new(4))?;
    let bytes = bytes.try_into().expect("the parser takes 4 bytes");
    Ok(decode_rfc868(u32::from_be_bytes(bytes)))
}

/// Reads the line of the Daytime Protocol, without its end.
///
/// RFC 867 leaves the text open, and lets closing end it as well as a line end does.
///
/// # Errors
/// Every [`Error`] but those of [`Connection::open`].
pub fn read_daytime(connection: &mut Connection) -> Result<String, Error> {
    connection.call(&[], Line::new(LineEnd::NewlineOrClose))
}

/// The moment that a count of seconds since 1900 means.
///
/// The count wraps on 2036-02-07, and RFC 868 does not say what then. Deviation: a count that would be before 1970 is
/// taken for one after the wrap, so moments from 1970 to 2106 come out right.
#[must_use]
pub fn decode_rfc868(seconds_since_1900: u32) -> SystemTime {
    // Wrapping subtraction is exactly this choice.
    let since_1970 = seconds_since_1900.wrapping_sub(SECONDS_1900_TO_1970);
    UNIX_EPOCH + Duration::from_secs(u64::from(since_1970))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix_seconds(count: u32) -> u64 {
        decode_rfc868(count).duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    #[test]
    fn counts_have_the_values_that_rfc_868_lists() {
        assert_eq!(unix_seconds(2_208_988_800), 0);
        // 00:00 1 Jan 1976 and 1 Jan 1980 GMT
        assert_eq!(unix_seconds(2_398_291_200), 6 * 365 * 86_400 + 86_400);
        assert_eq!(unix_seconds(2_524_521_600), 10 * 365 * 86_400 + 2 * 86_400);
    }

    #[test]
    fn counts_go_on_after_the_wrap_of_2036() {
        // 2036-02-07 06:28:15 UTC, and one second later
        assert_eq!(unix_seconds(u32::MAX), 2_085_978_495);
        assert_eq!(unix_seconds(0), 2_085_978_496);
        assert_eq!(unix_seconds(SECONDS_1900_TO_1970 - 1), u64::from(u32::MAX));
    }
}
