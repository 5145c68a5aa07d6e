//! What the server remembers about one client.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use nix::dir::OwningIter;
use parking_lot::Mutex;

use super::budget::{Budget, Held};
use super::kept::Kept;
use super::leases::secret;
use super::reading::{Read, Reading, Wanted};
use super::refused::Refused;
use super::shared::{Failure, Shared};
use super::wire::{OpenFlags, Remembered, Reply, Secret};
use crate::tree::FileId;

/// What one handle costs of the budget: 512 bytes, its share of the table and what the kernel keeps are not more exact.
const HANDLE_BYTES: usize = 512;

/// One connection: its handles and what it has asked.
#[derive(Debug)]
pub struct Session {
    /// `INIT` has been answered.
    pub(super) has_begun: bool,
    pub(super) client: Option<Secret>,
    pub(super) budget: Arc<Budget>,
    pub(super) seen: Arc<Seen>,
    handles: HashMap<Secret, Open>,
    handles_max: usize,
}

/// What a connection has asked, for whoever looks at it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    handles: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) reads_ahead: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) writes_behind: AtomicU64,
}

impl Seen {
    fn remembered(&self, budget: &Budget) -> Remembered {
        let of = |count: &AtomicU64| count.load(Relaxed);
        Remembered {
            handles: of(&self.handles),
            bytes: budget.used() as u64,
            requests: of(&self.requests),
            reads: of(&self.reads),
            reads_ahead: of(&self.reads_ahead),
            writes: of(&self.writes),
            writes_behind: of(&self.writes_behind),
        }
    }
}

/// One more.
pub(super) fn count(what: &AtomicU64) {
    what.fetch_add(1, Relaxed);
}

/// What a handle means.
#[derive(Clone, Debug)]
pub(super) enum Open {
    File(Arc<OpenFile>),
    Directory(Arc<OpenDirectory>),
}

/// A file that is open.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) file: Arc<File>,
    pub(super) id: FileId,
    pub(super) flags: OpenFlags,
    pub(super) shared: Arc<Shared>,
    pub(super) failure: Arc<Failure>,
    pub(super) reading: Mutex<Reading>,
    pub(super) kept: Option<Kept>,
    pub(super) _held: Held,
}

impl OpenFile {
    /// What was asked for of what has been read; the rest is kept for the next to ask.
    pub(super) fn keep(&self, wanted: Wanted, read: &Read, budget: &Arc<Budget>) -> Bytes {
        self.reading.lock().keep(wanted, read, budget);
        read.bytes.slice(..read.bytes.len().min(wanted.length))
    }
}

/// A directory that is being read.
pub(super) struct OpenDirectory {
    pub(super) path: PathBuf,
    pub(super) entries: Mutex<OwningIter>,
    pub(super) _held: Held,
}

impl std::fmt::Debug for OpenDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenDirectory").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(handles_max: usize, state_bytes_max: usize) -> Self {
        Self {
            has_begun: false,
            client: None,
            budget: Budget::new(state_bytes_max),
            seen: Arc::default(),
            handles: HashMap::new(),
            handles_max,
        }
    }

    /// Room for one more handle.
    pub(super) fn room(&self) -> Result<Held, Refused> {
        let text =
            || format!("{} handles are open, the most is reached: close some", self.handles.len());
        if self.handles.len() >= self.handles_max {
            return Err(Refused::failure(text()));
        }
        self.budget.take(HANDLE_BYTES).ok_or_else(|| Refused::failure(text()))
    }

    /// Makes up a handle.
    pub(super) fn new_handle() -> Secret {
        secret()
    }

    /// The client knows what is open by this handle from now on.
    pub(super) fn hand_out(&mut self, handle: Secret, open: Open) -> Reply {
        self.insert(handle, open);
        Reply::Handle(Bytes::copy_from_slice(&handle))
    }

    pub(super) fn insert(&mut self, handle: Secret, open: Open) {
        self.handles.insert(handle, open);
        self.seen.handles.store(self.handles.len() as u64, Relaxed);
    }

    /// What the handle means, if it is one of this connection.
    pub(super) fn get(&self, handle: Secret) -> Option<&Open> {
        self.handles.get(&handle)
    }

    pub(super) fn remove(&mut self, handle: Secret) -> Option<Open> {
        let open = self.handles.remove(&handle);
        self.seen.handles.store(self.handles.len() as u64, Relaxed);
        open
    }

    /// What is remembered now, whenever it is asked.
    pub(super) fn remembers(&self) -> impl Fn() -> Remembered + Send + Sync + 'static {
        let (seen, budget) = (Arc::clone(&self.seen), Arc::clone(&self.budget));
        move || seen.remembered(&budget)
    }

    /// Every file that is open.
    pub(super) fn files(&self) -> impl Iterator<Item = &Arc<OpenFile>> {
        self.handles.values().filter_map(|open| match open {
            Open::File(file) => Some(file),
            Open::Directory(_) => None,
        })
    }
}

/// A handle as it was given out.
pub(super) fn secret_of(handle: &Bytes) -> Result<Secret, Refused> {
    Secret::try_from(&handle[..]).map_err(|_| no_handle())
}

/// It is not one of this connection.
pub(super) fn no_handle() -> Refused {
    Refused::failure(
        "no such handle: it was closed, or is of another connection, or was never given",
    )
}
