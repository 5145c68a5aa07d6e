//! A word of `access_times`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// From a minute of the day to another, both included: `9:00-17:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    first: u16,
    last: u16,
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
