//! Time: the server speaks first, says what time it is, and closes (RFC 868 and RFC 867).
//!
//! One service, two codecs' worth of formats: the service reads the clock, [`TimeFormat`] decides the bytes.
//!
//! | format | bytes | port by tradition |
//! |---|---|---|
//! | [`TimeFormat::Binary`] (RFC 868) | 4 bytes, big-endian: seconds since 1900-01-01 00:00 UTC | 37 |
//! | [`TimeFormat::Line`] (RFC 867) | `Sunday, November 6, 1994 08:49:37-UTC` CRLF | 13 |
//!
//! The binary count is modulo 2^32 and wraps on 2036-02-07 at 06:28:16 UTC; RFC 868 has no answer to that.
//! RFC 867 leaves the text open; this is the first of the forms that it calls popular, with `UTC` as the zone. Years
//! have four digits or more.
//!
//! Whatever a client sends is discarded. UDP is not served.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};

use crate::{CallContext, CannotRelaunch, Codec, Malformed, Next, Peer, Relaunch, Service};

/// Seconds from 1900-01-01 to 1970-01-01, as RFC 868 itself gives them.
const SECONDS_1900_TO_1970: i64 = 2_208_988_800;
const DAY_SECONDS: i64 = 86_400;

const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Answers with the calendar time of the call.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimeService;

impl Service for TimeService {
    type Request = ();
    type Response = SystemTime;
    type Session = ();

    fn open(&self, _peer: &Peer) {}

    async fn call(&self, _session: &mut (), _request: (), cx: &CallContext<'_>) -> SystemTime {
        cx.wall_clock()
    }
}

impl Relaunch for TimeService {
    const NAME: &'static str = "time";
    type Config = TimeFormat;
    type Codec = TimeCodec;

    fn relaunch(format: &TimeFormat) -> Result<(Self, TimeCodec), CannotRelaunch> {
        Ok((Self, TimeCodec::new(*format)))
    }
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeFormat {
    /// RFC 868, the Time Protocol: 4 bytes.
    Binary,
    /// RFC 867, the Daytime Protocol: one line of text.
    Line,
}

/// One time per connection, unasked; for any service from `()` to [`SystemTime`].
#[derive(Clone, Copy, Debug)]
pub struct TimeCodec {
    format: TimeFormat,
    /// The one request of this connection has been made.
    asked: bool,
}

impl TimeCodec {
    /// A codec for `format`.
    #[must_use]
    pub fn new(format: TimeFormat) -> Self {
        Self { format, asked: false }
    }
}

impl<S: Service<Request = (), Response = SystemTime>> Codec<S> for TimeCodec {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<()>, Malformed> {
        input.clear();
        let first = !self.asked;
        self.asked = true;
        Ok(first.then_some(()))
    }

    fn encode(&mut self, response: &mut SystemTime, output: &mut BytesMut) -> Next {
        let seconds = unix_seconds(*response);
        match self.format {
            TimeFormat::Binary => output.put_u32(binary(seconds)),
            TimeFormat::Line => output.extend_from_slice(line(seconds).as_bytes()),
        }
        Next::Close
    }
}

/// Whole seconds since 1970, rounded down; negative before.
fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            let up = u64::from(before.subsec_nanos() > 0);
            i64::try_from(before.as_secs().saturating_add(up)).map_or(i64::MIN, |seconds| -seconds)
        }
    }
}

fn binary(unix_seconds: i64) -> u32 {
    // The low 32 bits are the protocol's modulo.
    unix_seconds.wrapping_add(SECONDS_1900_TO_1970) as u32
}

fn line(unix_seconds: i64) -> String {
    let days = unix_seconds.div_euclid(DAY_SECONDS);
    let second = unix_seconds.rem_euclid(DAY_SECONDS);
    let (year, month, day) = civil_from_days(days);
    // 1970-01-01 was a Thursday.
    let weekday = WEEKDAYS[(days + 4).rem_euclid(7) as usize];
    let month = MONTHS[month - 1];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday}, {month} {day}, {year:04} {hour:02}:{minute:02}:{second:02}-UTC\r\n")
}

/// Days since 1970-01-01 to year, month 1..=12 and day 1..=31 of the proleptic Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`. The year begins on the
/// first of March, so that the leap day is its last; an era is the 400 years after which the calendar repeats.
fn civil_from_days(days: i64) -> (i64, usize, i64) {
    let shifted = days + 719_468; // 0000-03-01 is day 0
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as usize, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn dates_agree_with_httpdate(seconds in 0_i64..253_402_300_800) {
            let http = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds as u64));
            // `Sun, 06 Nov 1994 08:49:37 GMT`
            let words: Vec<&str> = http.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            let [weekday, day, month, year, clock, _] = words[..] else { panic!("{http}") };
            let line = line(seconds);
            let ours: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            prop_assert_eq!(&ours[0][..3], weekday);
            prop_assert_eq!(&ours[1][..3], month);
            prop_assert_eq!(ours[2].parse::<u8>().unwrap(), day.parse::<u8>().unwrap());
            prop_assert_eq!(ours[3], year);
            prop_assert_eq!(ours[4], format!("{clock}-UTC\r\n"));
        }
    }

    #[test]
    fn binary_time_has_the_values_that_rfc_868_lists() {
        // "the time 2,208,988,800 corresponds to 00:00 1 Jan 1970 GMT", and so on.
        assert_eq!(binary(0), 2_208_988_800);
        assert_eq!(binary(2_398_291_200 - 2_208_988_800), 2_398_291_200); // 1 Jan 1976
        assert_eq!(binary(-2_208_988_800), 0);
    }

    #[test]
    fn binary_time_wraps_in_february_2036() {
        let last = u32::MAX as i64 - 2_208_988_800;
        assert_eq!(line(last + 1), "Thursday, February 7, 2036 06:28:16-UTC\r\n");
        assert_eq!(binary(last), u32::MAX);
        assert_eq!(binary(last + 1), 0);
    }

    #[test]
    fn times_before_1970_round_down() {
        let time = UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(line(unix_seconds(time)), "Wednesday, December 31, 1969 23:59:59-UTC\r\n");
    }
}
