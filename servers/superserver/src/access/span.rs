//! A word of `access_times`.

use std::fmt;
use std::str::FromStr;

use jiff::Zoned;
use serde::Serialize;

/// From a minute of the day to another, both included: `9:00-17:30`. From a later to an earlier one is over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    first: u16,
    last: u16,
}

impl Span {
    /// Whether a minute of the day, 0 to 1439, is within.
    #[must_use]
    pub const fn contains(self, minute: u16) -> bool {
        if self.first <= self.last {
            self.first <= minute && minute <= self.last
        } else {
            self.first <= minute || minute <= self.last
        }
    }
}

/// The minute of the day that it is here, as `TZ` or `/etc/localtime` say.
pub(super) fn local_minute() -> u16 {
    let now = Zoned::now();
    u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs())
}

impl FromStr for Span {
    type Err = String;

    /// Reads `hour:min-hour:min`. The error says what is wrong with it.
    fn from_str(word: &str) -> Result<Self, String> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let span = word
            .split_once('-')
            .and_then(|(first, last)| Some(Self { first: minute(first)?, last: minute(last)? }));
        span.ok_or_else(|| format!("`{word}` is no span of a day like `9:00-17:30`"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        write!(f, "{}:{:02}-{}:{:02}", first / 60, first % 60, last / 60, last % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(word: &str) -> Span {
        word.parse().unwrap()
    }

    #[test]
    fn both_ends_are_within() {
        let day = span("9:00-17:30");
        assert_eq!([539, 540, 1050, 1051].map(|at| day.contains(at)), [false, true, true, false]);
    }

    #[test]
    fn a_span_can_go_over_midnight() {
        let night = span("22:00-5:59");
        assert!([1320, 1439, 0, 359].into_iter().all(|at| night.contains(at)));
        assert!([1319, 360].into_iter().all(|at| !night.contains(at)));
    }

    #[test]
    fn what_is_no_span_is_objected_to() {
        for word in ["", "9-17", "9:00", "24:00-1:00", "9:60-10:00", "9:00-", "-", "x:y-z:w"] {
            assert!(word.parse::<Span>().is_err(), "{word}");
        }
        assert_eq!(span("9:05-17:30").to_string(), "9:05-17:30");
    }

    #[test]
    fn the_minute_that_it_is_is_one_of_the_day() {
        assert!(local_minute() < 24 * 60);
    }
}
