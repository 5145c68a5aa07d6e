//! What is known of a file.

use std::time::{Duration, SystemTime};

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A link, a device, or what else there is.
    Other,
}

/// What is known of a file or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Bytes of a file; 0 for a directory.
    pub size: u64,
    /// When it was changed last, if the server says so; over both protocols in whole seconds.
    pub modified: Option<SystemTime>,
    /// Tells this content from another.
    pub version: Version,
}

/// Tells the contents of a file apart: while it is the same, so are they.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    name: Name,
    /// The name will be the same after a further change, if that comes soon. Then only what was learnt by one and the same
    /// look at the file belongs together; looks are numbered from 1.
    unsettled_look: Option<u64>,
}

/// What a server calls a version.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// Nothing.
    Missing,
    /// An entity tag, without its quotes.
    Tag(String),
    /// Seconds since 1970 of the last change, and bytes: all that SFTP version 3 has. A file with another one's time and
    /// length is not told from it.
    Times { modified_s: u32, size: u64 },
    /// A number, under a lease.
    Number(u64),
}

/// A change of a file younger than this may be followed by one with the same time in seconds, by clocks that differ a
/// little.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

impl Version {
    /// From the field `ETag` of an answer. A weak tag names no bytes (RFC 9110, section 8.8.1).
    pub(super) fn of_tag(field: Option<&str>) -> Self {
        let field = field.unwrap_or_default().trim();
        let (is_weak, quoted) = field.strip_prefix("W/").map_or((false, field), |tag| (true, tag));
        let tag = quoted.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let name = tag.map_or(Name::Missing, |tag| Name::Tag(tag.to_owned()));
        Self { unsettled_look: (is_weak || tag.is_none()).then_some(0), name }
    }

    /// From what SFTP tells of a file.
    pub(super) fn of_times(modified_s: u32, size: u64, now: SystemTime) -> Self {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified_s.into());
        let age = now.duration_since(modified).unwrap_or_default();
        let unsettled_look = (age < SETTLED_AFTER).then_some(0);
        Self { name: Name::Times { modified_s, size }, unsettled_look }
    }

    /// From a lease.
    pub(super) fn of_number(number: u64) -> Self {
        Self { name: Name::Number(number), unsettled_look: None }
    }

    /// None that the server has told.
    pub(super) fn missing() -> Self {
        Self { name: Name::Missing, unsettled_look: Some(0) }
    }

    /// As it was seen by this look, whose number nothing else has.
    pub(super) fn seen_by(mut self, look: u64) -> Self {
        self.unsettled_look = self.unsettled_look.map(|_| look);
        self
    }

    /// Whether no further change can leave it as it is.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.unsettled_look.is_none()
    }

    /// Whether the server calls both the same.
    pub(super) fn resembles(&self, other: &Self) -> bool {
        self.name != Name::Missing && self.name == other.name
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name. Bytes that are not UTF-8 are U+FFFD, and such a file cannot be asked for.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Bytes of a file; 0 for a directory.
    pub size: u64,
    /// When it was changed last.
    pub modified: Option<SystemTime>,
}

/// What is in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// By the bytes of their names.
    pub entries: Vec<Entry>,
    /// Whether these are all; a listing has at most [`ENTRIES_MAX`], and over HTTP as many as the server shows.
    pub is_complete: bool,
}

/// The most entries of a listing: 100 000.
pub const ENTRIES_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_tags_are_the_same_only_by_the_same_look() {
        let tag = |field| Version::of_tag(Some(field));
        assert!(tag("\"a\"").is_settled());
        assert_eq!(tag("\"a\"").seen_by(1), tag(" \"a\"").seen_by(2));
        assert_ne!(tag("\"a\""), tag("\"b\""));
        assert!(!tag("W/\"a\"").is_settled());
        assert!(tag("W/\"a\"").seen_by(1).resembles(&tag("W/\"a\"").seen_by(2)));
        assert_ne!(tag("W/\"a\"").seen_by(1), tag("W/\"a\"").seen_by(2));
        for none in ["", "a", "\"", "W/a"] {
            assert!(!tag(none).is_settled() && !tag(none).resembles(&tag(none)), "{none}");
        }
    }

    #[test]
    fn a_file_that_has_just_been_changed_has_no_settled_version() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let at = |second| Version::of_times(second, 5, now);
        assert_eq!(at(997), at(997));
        assert_ne!(at(997), at(996));
        assert!(at(997).is_settled());
        for young in [998, 1000, 2000] {
            assert!(!at(young).is_settled(), "{young}");
        }
    }
}
