//! Preconditions: what a request asks beside the file itself.
//!
//! Source: RFC 9110 section 13.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Status;
use super::ranges::Ranges;
use super::tags::{Tag, Version};

/// The first second that HTTP dates cannot write: the year 10 000.
const DATE_END: Duration = Duration::from_secs(253_402_300_800);

/// A time as an HTTP date; `None` before 1970 and after 9999.
pub(super) fn http_date(time: SystemTime) -> Option<String> {
    let since = time.duration_since(UNIX_EPOCH).ok().filter(|since| *since < DATE_END)?;
    Some(httpdate::fmt_http_date(UNIX_EPOCH + since))
}

/// A list of entity tags.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    Listed(Vec<Tag>),
}

/// What `If-Range` has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Same {
    Tag(Tag),
    Date(SystemTime),
    /// Neither, so nothing is the same.
    Nothing,
}

/// The fields that make a request conditional or partial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
    if_modified_since: Option<SystemTime>,
    if_unmodified_since: Option<SystemTime>,
    if_range: Option<Same>,
    range: Option<Ranges>,
    /// A list of tags is none, or there are several ranges fields.
    is_invalid: bool,
}

impl Conditions {
    pub(super) fn read(fields: &[httparse::Header<'_>]) -> Self {
        let mut conditions = Self::default();
        let mut ranges = 0;
        for field in fields {
            match field.name.to_ascii_lowercase().as_str() {
                "if-match" => {
                    conditions.is_invalid |= !add(&mut conditions.if_match, field.value);
                }
                "if-none-match" => {
                    conditions.is_invalid |= !add(&mut conditions.if_none_match, field.value);
                }
                "if-modified-since" => conditions.if_modified_since = date(field.value),
                "if-unmodified-since" => conditions.if_unmodified_since = date(field.value),
                "if-range" => conditions.if_range = Some(same(field.value)),
                "range" => {
                    ranges += 1;
                    conditions.range = Ranges::parse(field.value).filter(|_| ranges == 1);
                }
                _ => {}
            }
        }
        conditions
    }

    /// Whether a list of tags cannot be understood: what reads only may go on, what changes something must not.
    pub(super) fn is_invalid(&self) -> bool {
        self.is_invalid
    }

    /// Whether the client says which version it means to replace.
    pub(super) fn names_a_version(&self) -> bool {
        self.if_match.is_some() || self.if_unmodified_since.is_some()
    }

    /// Whether the file must not be there (`If-None-Match: *`).
    pub(super) fn only_creates(&self) -> bool {
        self.if_none_match == Some(Tags::Any)
    }

    /// The status that the preconditions demand, if it is not the request itself, where `there` is the version that there
    /// is; `reads` says whether the request changes nothing.
    ///
    /// RFC 9110 section 13.2.2 gives the order.
    pub(super) fn status(&self, there: Option<&Version>, reads: bool) -> Option<Status> {
        let modified = there.and_then(|version| version.modified);
        let later_than = |date: SystemTime| modified.is_some_and(|modified| modified > date);
        let fails = match (&self.if_match, self.if_unmodified_since) {
            (Some(Tags::Any), _) => there.is_none(),
            (Some(Tags::Listed(tags)), _) => {
                !there.is_some_and(|there| tags.iter().any(|tag| tag.is_strongly(&there.tag)))
            }
            (None, Some(date)) => later_than(date),
            (None, None) => false,
        };
        if fails {
            return Some(Status::PreconditionFailed);
        }
        let is_known = match (&self.if_none_match, self.if_modified_since) {
            (Some(Tags::Any), _) => there.is_some(),
            (Some(Tags::Listed(tags)), _) => {
                there.is_some_and(|there| tags.iter().any(|tag| tag.is_weakly(&there.tag)))
            }
            (None, Some(date)) => reads && modified.is_some() && !later_than(date),
            (None, None) => false,
        };
        let status = if reads { Status::NotModified } else { Status::PreconditionFailed };
        is_known.then_some(status)
    }

    /// The ranges to send, if `If-Range` allows any.
    ///
    /// A date in `If-Range` must be strong, RFC 9110 section 8.8.2.2: at least a second must have passed, or the
    /// file could have changed twice within it.
    pub(super) fn ranges(&self, there: &Version, now: SystemTime) -> Option<&Ranges> {
        let is_same = match &self.if_range {
            None => true,
            Some(Same::Tag(tag)) => tag.is_strongly(&there.tag),
            Some(Same::Date(date)) => there.modified.is_some_and(|modified| {
                let age = now.duration_since(modified);
                *date == modified && age.is_ok_and(|age| age >= Duration::from_secs(2))
            }),
            Some(Same::Nothing) => false,
        };
        self.range.as_ref().filter(|_| is_same)
    }
}

/// Adds a field's tags to those of fields before it; false if they are none.
fn add(tags: &mut Option<Tags>, value: &[u8]) -> bool {
    let mut rest = value.trim_ascii();
    if rest == b"*" {
        let is_first = tags.is_none();
        *tags = Some(Tags::Any);
        return is_first;
    }
    let Tags::Listed(listed) = tags.get_or_insert(Tags::Listed(Vec::new())) else { return false };
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
            continue;
        }
        let Some(tag) = Tag::take(&mut rest) else { return false };
        listed.push(tag);
        rest = rest.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return false;
        }
    }
    true
}

fn same(value: &[u8]) -> Same {
    let mut rest = value.trim_ascii();
    match Tag::take(&mut rest) {
        Some(tag) if rest.is_empty() => Same::Tag(tag),
        _ => date(value).map_or(Same::Nothing, Same::Date),
    }
}

/// A date that is none is ignored, as RFC 9110 asks.
fn date(value: &[u8]) -> Option<SystemTime> {
    httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tags_are_read_strictly() {
        let read = |value: &str| {
            let mut tags = None;
            add(&mut tags, value.as_bytes()).then_some(tags).flatten()
        };
        assert_eq!(read("*"), Some(Tags::Any));
        let Some(Tags::Listed(tags)) = read("\"a,b\" , W/\"c\",,") else { panic!("a list") };
        let fields: Vec<_> = tags.iter().map(Tag::field).collect();
        assert_eq!(fields, ["\"a,b\"", "W/\"c\""]);
        for wrong in ["a", "\"a", "\"a\"\"b\"", "\"a\" b", "w/\"a\"", "\"a b\""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_that_http_cannot_write_are_left_out() {
        assert_eq!(http_date(UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(http_date(UNIX_EPOCH + DATE_END), None);
        assert_eq!(http_date(UNIX_EPOCH).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    }
}
