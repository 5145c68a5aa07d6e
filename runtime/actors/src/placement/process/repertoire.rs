//! The actors that every process of a program can play, and who is of the same program.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use super::child::{Part, play};
use super::wire::WireError;
use crate::placement::remote::{Hosting, Role, digest, host};
use crate::{ExitReason, MessageTable, Portable};

/// The actors that a process of this program can be started for, by their kinds. Made by one plain function, which
/// every process of the program calls at its start: see [`enter`](crate::enter).
#[derive(Default)]
pub struct Repertoire {
    kinds: BTreeMap<Cow<'static, str>, Entry>,
}

/// Begins a life for another node.
pub(crate) type Host = fn(Hosting);

struct Entry {
    play: fn(Part) -> Result<ExitReason, WireError>,
    host: Host,
    role: fn() -> Role,
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
        let role = || Role::of(&MessageTable::<A>::of());
        let entry = Entry { play: play::<A>, host: host::<A>, role, messages };
        let before = self.kinds.insert(A::kind(), entry);
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

    pub(crate) fn knows(&self, kind: &str) -> bool {
        self.kinds.contains_key(kind)
    }

    /// How to begin a life of that kind for another node, and what it can be sent.
    pub(crate) fn host(&self, kind: &str) -> Option<(Host, Role)> {
        self.kinds.get(kind).map(|entry| (entry.host, (entry.role)()))
    }

    /// Tells what can cross between two nodes from anything else, the same on all machines.
    pub(crate) fn digest(&self) -> u64 {
        let of = |(kind, entry): (&Cow<'static, str>, &Entry)| {
            let messages = digest(entry.messages.iter().copied());
            format!("{kind} {messages:016x}")
        };
        let kinds: Vec<_> = self.kinds.iter().map(of).collect();
        digest(kinds.iter().map(String::as_str))
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

/// What this program can play, and which build it is; set by [`enter`](crate::enter).
static ENTERED: OnceLock<(Repertoire, String)> = OnceLock::new();

/// Has this program play from that repertoire, unless it has one already.
pub(super) fn play_from(repertoire: fn() -> Repertoire) -> &'static (Repertoire, String) {
    ENTERED.get_or_init(|| {
        let repertoire = repertoire();
        let identity = repertoire.identity();
        (repertoire, identity)
    })
}

/// The identity of this build, if it has a repertoire, and whether it knows a kind.
pub(super) fn entered(kind: &str) -> Option<(&'static str, bool)> {
    ENTERED.get().map(|(repertoire, identity)| (&**identity, repertoire.knows(kind)))
}

/// What this program can play.
pub(crate) fn repertoire() -> Option<&'static Repertoire> {
    ENTERED.get().map(|(repertoire, _)| repertoire)
}

impl fmt::Debug for Repertoire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds()).finish()
    }
}
