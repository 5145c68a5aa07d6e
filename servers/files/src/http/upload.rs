//! The content of a request on its way to the disk.

use std::fmt;

use sha2::{Digest, Sha256};

use super::journal::Reservation;
use super::{Refusal, Status};
use crate::Staged;

/// What has been received; gone without a trace when it is dropped.
pub(super) struct Upload {
    pub(super) staged: Staged,
    /// What makes two requests the same, and the key that this one has for itself, if it has one.
    pub(super) key: Option<(Reservation, Sha256)>,
    pub(super) length: u64,
    limit: u64,
}

impl Upload {
    /// Content of at most `limit` bytes.
    pub(super) fn new(staged: Staged, key: Option<(Reservation, Sha256)>, limit: u64) -> Self {
        Self { staged, key, length: 0, limit }
    }

    /// Adds a part. Blocks.
    pub(super) fn write(&mut self, part: &[u8]) -> Result<(), Refusal> {
        self.length += part.len() as u64;
        if self.length > self.limit {
            return Err(too_large());
        }
        if let Some((_, fingerprint)) = &mut self.key {
            fingerprint.update(part);
        }
        self.staged.write(part).map_err(|error| super::refusal(&error))
    }
}

pub(super) fn too_large() -> Refusal {
    Refusal { status: Status::ContentTooLarge, detail: "The server takes no content so large." }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("length", &self.length).finish_non_exhaustive()
    }
}
