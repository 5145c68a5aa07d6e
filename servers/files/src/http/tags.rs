//! Entity tags, RFC 9110 section 8.8.3.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::conditions::http_date;

/// So long after its last change a file cannot change again without its time of change showing it: the clock of the
/// kernel's time stamps goes on at least 100 times a second.
const SETTLED_AFTER: Duration = Duration::from_millis(100);
/// The same for file systems that keep whole seconds, or two.
const SETTLED_AFTER_COARSE: Duration = Duration::from_secs(2);

/// What identifies one version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    is_weak: bool,
    opaque: Box<str>,
}

impl Tag {
    /// The tag of a file: of its device, number, length, and times of modification and change in nanoseconds.
    ///
    /// It is strong if any further change must give another: its last change is long enough ago that the next has
    /// another time. Nobody can set the time of change.
    fn of(metadata: &Metadata, now: SystemTime) -> Self {
        let changed = u64::try_from(metadata.ctime()).unwrap_or(0);
        let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or(0);
        let settled = if nanoseconds == 0 { SETTLED_AFTER_COARSE } else { SETTLED_AFTER };
        let changed = UNIX_EPOCH + Duration::new(changed, nanoseconds);
        let is_settled = now.duration_since(changed).is_ok_and(|age| age >= settled);
        let opaque = format!(
            "{:x}-{:x}-{:x}-{:x}.{:x}-{:x}.{:x}",
            metadata.dev(),
            metadata.ino(),
            metadata.len(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
        );
        Self { is_weak: !is_settled, opaque: opaque.into() }
    }

    /// As it stands in a field.
    pub(super) fn field(&self) -> String {
        let weak = if self.is_weak { "W/" } else { "" };
        format!("{weak}\"{}\"", self.opaque)
    }

    /// The comparison for preconditions of changes and for ranges.
    pub(super) fn is_strongly(&self, other: &Self) -> bool {
        !self.is_weak && !other.is_weak && self.opaque == other.opaque
    }

    /// The comparison for caches.
    pub(super) fn is_weakly(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }

    /// Takes a tag from the front of `text`.
    pub(super) fn take(text: &mut &[u8]) -> Option<Self> {
        let rest = text.strip_prefix(b"W/");
        let (is_weak, rest) = (rest.is_some(), rest.unwrap_or(text).strip_prefix(b"\"")?);
        let end = rest.iter().position(|byte| *byte == b'"')?;
        let (opaque, after) = rest.split_at(end);
        let is_tag = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
        if !opaque.iter().all(is_tag) {
            return None;
        }
        *text = &after[1..];
        Some(Self { is_weak, opaque: String::from_utf8_lossy(opaque).into() })
    }
}

/// What preconditions are about: the version of a file that is there.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) tag: Tag,
    /// In whole seconds, as HTTP can write it; `None` where it cannot.
    pub(super) modified: Option<SystemTime>,
}

impl Version {
    /// Of a file, now by the clock that file systems have their times from.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { tag: Tag::of(metadata, SystemTime::now()), modified: modified(metadata) }
    }
}

fn modified(metadata: &Metadata) -> Option<SystemTime> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let whole = UNIX_EPOCH.checked_add(Duration::from_secs(since.as_secs()))?;
    http_date(whole).map(|_| whole)
}
