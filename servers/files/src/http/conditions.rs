//! Preconditions and ranges: what a request asks beside the file itself.
//!
//! Source: RFC 9110 sections 13 (conditional requests) and 14 (range requests). There are no entity tags here, so a
//! list of tags matches nothing and `*` matches every file.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Status;

/// The first second that HTTP dates cannot write: the year 10 000.
const DATE_END: Duration = Duration::from_secs(253_402_300_800);

/// A time as an HTTP date; `None` before 1970 and after 9999.
pub(super) fn http_date(time: SystemTime) -> Option<String> {
    let since = time.duration_since(UNIX_EPOCH).ok().filter(|since| *since < DATE_END)?;
    Some(httpdate::fmt_http_date(UNIX_EPOCH + since))
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteRange {
    /// From an offset to another one, inclusive, or to the end.
    From(u64, Option<u64>),
    /// The last bytes.
    Last(u64),
}

impl ByteRange {
    /// `bytes=a-b`, `bytes=a-` or `bytes=-n`; anything else is no range and is ignored.
    fn parse(value: &[u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?;
        let (unit, range) = value.split_once('=')?;
        let (first, last) = range.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match (first, last) {
            ("", last) => Some(Self::Last(offset(last)?)),
            (first, "") => Some(Self::From(offset(first)?, None)),
            (first, last) => {
                let (first, last) = (offset(first)?, offset(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// Start and length of this range in a file of `length` bytes; `None` if it is not satisfiable.
    pub(super) fn within(self, length: u64) -> Option<(u64, u64)> {
        let (start, end) = match self {
            Self::From(first, last) => {
                (first, last.map_or(length, |last| last.saturating_add(1).min(length)))
            }
            Self::Last(count) => (length.saturating_sub(count), length),
        };
        (start < end).then(|| (start, end - start))
    }
}

fn offset(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX)) // too many digits: beyond every file
}

/// A list of entity tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    Listed,
}

/// The fields that make a request conditional or partial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
    if_modified_since: Option<SystemTime>,
    if_unmodified_since: Option<SystemTime>,
    /// The outer option: there is the field; the inner: it is a date.
    if_range: Option<Option<SystemTime>>,
    range: Option<ByteRange>,
}

impl Conditions {
    pub(super) fn read(fields: &[httparse::Header<'_>]) -> Self {
        let mut conditions = Self::default();
        for field in fields {
            match field.name.to_ascii_lowercase().as_str() {
                "if-match" => conditions.if_match = Some(tags(field.value)),
                "if-none-match" => conditions.if_none_match = Some(tags(field.value)),
                "if-modified-since" => conditions.if_modified_since = date(field.value),
                "if-unmodified-since" => conditions.if_unmodified_since = date(field.value),
                "if-range" => conditions.if_range = Some(date(field.value)),
                "range" => conditions.range = ByteRange::parse(field.value),
                _ => {}
            }
        }
        conditions
    }

    /// The status that the preconditions demand for a file of this age, if it is not the file itself.
    ///
    /// RFC 9110 section 13.2.2 gives the order.
    pub(super) fn status(&self, modified: Option<SystemTime>) -> Option<Status> {
        let later_than = |date: SystemTime| modified.is_some_and(|modified| modified > date);
        match (self.if_match, self.if_unmodified_since) {
            (Some(Tags::Listed), _) => return Some(Status::PreconditionFailed),
            (None, Some(date)) if later_than(date) => return Some(Status::PreconditionFailed),
            (Some(Tags::Any) | None, _) => {}
        }
        match (self.if_none_match, self.if_modified_since) {
            (Some(Tags::Any), _) => Some(Status::NotModified),
            (None, Some(date)) if modified.is_some() && !later_than(date) => {
                Some(Status::NotModified)
            }
            (Some(Tags::Listed) | None, _) => None,
        }
    }

    /// The range to send, if `If-Range` allows one.
    ///
    /// A date in `If-Range` must be strong, RFC 9110 section 8.8.2.2: at least a second must have passed, or the
    /// file could have changed twice within it.
    pub(super) fn range(&self, modified: Option<SystemTime>, now: SystemTime) -> Option<ByteRange> {
        match self.if_range {
            None => self.range,
            Some(date) => {
                let strong = modified.is_some_and(|modified| {
                    now.duration_since(modified).is_ok_and(|age| age >= Duration::from_secs(2))
                });
                self.range.filter(|_| strong && date.is_some() && date == modified)
            }
        }
    }
}

fn tags(value: &[u8]) -> Tags {
    if value.trim_ascii() == b"*" { Tags::Any } else { Tags::Listed }
}

/// A date that is none is ignored, as RFC 9110 asks.
fn date(value: &[u8]) -> Option<SystemTime> {
    httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        let read = |text: &str| ByteRange::parse(text.as_bytes());
        assert_eq!(read("bytes=0-9"), Some(ByteRange::From(0, Some(9))));
        assert_eq!(read("Bytes=5-"), Some(ByteRange::From(5, None)));
        assert_eq!(read("bytes=-3"), Some(ByteRange::Last(3)));
        for ignored in
            ["bytes=9-0", "bytes=0-1,3-4", "bytes=-", "bytes=a-b", "lines=1-2", "0-9", "bytes=+1-2"]
        {
            assert_eq!(read(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn ranges_end_at_the_end_of_the_file() {
        assert_eq!(ByteRange::From(2, Some(99)).within(10), Some((2, 8)));
        assert_eq!(ByteRange::From(9, None).within(10), Some((9, 1)));
        assert_eq!(ByteRange::Last(99).within(10), Some((0, 10)));
        assert_eq!(ByteRange::From(10, None).within(10), None);
        assert_eq!(ByteRange::Last(0).within(10), None);
        assert_eq!(ByteRange::From(0, None).within(0), None);
        assert_eq!(ByteRange::From(u64::MAX, Some(u64::MAX)).within(u64::MAX), None);
    }

    #[test]
    fn dates_that_http_cannot_write_are_left_out() {
        assert_eq!(http_date(UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(http_date(UNIX_EPOCH + DATE_END), None);
        assert_eq!(http_date(UNIX_EPOCH).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    }
}
