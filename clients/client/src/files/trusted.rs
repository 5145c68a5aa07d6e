//! What is known of files and believed for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::path::is_below;
use super::{Metadata, Version};

/// The most files of which something is believed: 4096.
pub(super) const PATHS_MAX: usize = 4096;

/// What is believed.
#[derive(Debug, Default)]
pub(super) struct Trusted {
    ttl: Duration,
    known: HashMap<Arc<str>, Known>,
    /// Looks at files that had no settled version.
    looks: u64,
}

#[derive(Debug)]
struct Known {
    metadata: Metadata,
    until: Instant,
}

impl Trusted {
    /// Everything is believed for so long after it was asked for.
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, ..Self::default() }
    }

    /// What is believed of this file.
    pub(super) fn get(&self, path: &str, now: Instant) -> Option<&Metadata> {
        self.known.get(path).filter(|known| now < known.until).map(|known| &known.metadata)
    }

    /// The server has said this when it was asked at `asked_at`; the version that what was read with it belongs to.
    ///
    /// A look at a version that is not settled does not prolong what is believed: the contents may have changed between
    /// the two.
    pub(super) fn note(
        &mut self,
        path: &Arc<str>,
        mut metadata: Metadata,
        asked_at: Instant,
    ) -> Version {
        let mut until = asked_at + self.ttl;
        if !metadata.version.is_settled() {
            match self.known.get(path).filter(|known| asked_at < known.until) {
                Some(known) if known.metadata.version.resembles(&metadata.version) => {
                    metadata.version = known.metadata.version.clone();
                    until = known.until;
                }
                _ => {
                    self.looks += 1;
                    metadata.version = metadata.version.seen_by(self.looks);
                }
            }
        }
        if self.known.len() >= PATHS_MAX && !self.known.contains_key(path) {
            self.known.retain(|_, known| asked_at < known.until);
            if self.known.len() >= PATHS_MAX {
                self.known.clear();
            }
        }
        let version = metadata.version.clone();
        self.known.insert(Arc::clone(path), Known { metadata, until });
        version
    }

    /// Nothing is believed any more of what is below this directory.
    pub(super) fn forget_below(&mut self, path: &str) {
        self.known.retain(|known, _| !is_below(known, path));
    }

    /// Nothing is believed of this file any more.
    pub(super) fn forget(&mut self, path: &str) {
        self.known.remove(path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::FileKind;
    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    fn metadata(tag: &str) -> Metadata {
        let version = Version::of_tag(Some(tag));
        Metadata { kind: FileKind::File, size: 5, modified: None, version }
    }

    #[test]
    fn what_was_asked_is_believed_from_when_it_was_asked() {
        let (mut trusted, path, start) = (Trusted::new(TTL), Arc::from("a"), Instant::now());
        let second = Duration::from_secs(1);
        trusted.note(&path, metadata("\"1\""), start);
        assert!(trusted.get("a", start + 9 * second).is_some());
        assert!(trusted.get("a", start + 10 * second).is_none());
        assert!(trusted.get("b", start).is_none());
        trusted.note(&path, metadata("\"1\""), start + 5 * second);
        assert!(trusted.get("a", start + 14 * second).is_some());
        trusted.forget("a");
        assert!(trusted.get("a", start).is_none());
    }

    #[test]
    fn a_weak_version_is_believed_once_and_not_prolonged() {
        let (mut trusted, path, start) = (Trusted::new(TTL), Arc::from("a"), Instant::now());
        let second = Duration::from_secs(1);
        let first = trusted.note(&path, metadata("W/\"1\""), start);
        let same = trusted.note(&path, metadata("W/\"1\""), start + 5 * second);
        assert_eq!(first, same);
        assert!(trusted.get("a", start + 10 * second).is_none());
        let other = trusted.note(&path, metadata("W/\"1\""), start + 11 * second);
        assert_ne!(first, other);
        assert_ne!(other, trusted.note(&path, metadata("\"1\""), start + 12 * second));
    }

    #[test]
    fn it_is_bounded() {
        let (mut trusted, start) = (Trusted::new(TTL), Instant::now());
        for number in 0..3 * PATHS_MAX {
            trusted.note(&Arc::from(number.to_string()), metadata("\"1\""), start);
            assert!(trusted.known.len() <= PATHS_MAX);
        }
    }
}
