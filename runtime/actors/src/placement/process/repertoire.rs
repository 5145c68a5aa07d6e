//! The actors that every process of a program can play, and who is of the same program.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;

use super::child::{Part, play};
use super::wire::WireError;
use crate::{ExitReason, MessageTable, Portable};

/// The actors that a process of this program can be started for, by their kinds. Made by one plain function, which
/// every process of the program calls at its start: see [`enter`](crate::enter).
#[derive(Default)]
pub struct Repertoire {
    kinds: BTreeMap<Cow<'static, str>, Entry>,
}

struct Entry {
    play: fn(Part) -> Result<ExitReason, WireError>,
    messages: Vec<&'static str>,
}

impl Repertoire {
    /// Of nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more actor.
    ///
    /// # Panics
    /// When two actors have the same kind: a mistake in the program that must not wait until one is started.
    #[must_use]
    pub fn with<A: Portable>(mut self) -> Self {
        let messages = MessageTable::<A>::of().entries.iter().map(|entry| (entry.name)()).collect();
        let before = self.kinds.insert(A::kind(), Entry { play: play::<A>, messages });
        assert!(before.is_none(), "two actors are of kind `{}`", A::kind());
        self
    }

    /// The kinds, in alphabetical order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(|kind| &**kind)
    }

    pub(super) fn find(&self, kind: &str) -> Option<fn(Part) -> Result<ExitReason, WireError>> {
        self.kinds.get(kind).map(|entry| entry.play)
    }

    /// Tells one build from another: the version, the file that runs, and what can cross between its processes.
    pub(super) fn identity(&self) -> String {
        let file = fs::metadata("/proc/self/exe").map_or_else(
            |error| format!("unknown ({error})"),
            |file| format!("{}:{}:{}:{}", file.dev(), file.ino(), file.size(), file.mtime_nsec()),
        );
        let mut hasher = DefaultHasher::new();
        for (kind, entry) in &self.kinds {
            (kind, &entry.messages).hash(&mut hasher);
        }
        format!("palco {} file {file} kinds {:016x}", env!("CARGO_PKG_VERSION"), hasher.finish())
    }
}

impl fmt::Debug for Repertoire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds()).finish()
    }
}
