//! Names: paths to actors, unique while the actor lives.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::SpawnError;
use crate::vitals::AnyCell;

const NAME_BYTES_MAX: usize = 64;

#[derive(Default)]
pub(crate) struct Registry {
    by_path: RwLock<HashMap<Box<str>, Arc<dyn AnyCell>>>,
}

impl Registry {
    pub(crate) fn insert(&self, path: String, cell: Arc<dyn AnyCell>) -> Result<(), SpawnError> {
        match self.by_path.write().entry(path.into_boxed_str()) {
            Entry::Occupied(entry) => Err(SpawnError::NameTaken(entry.key().clone())),
            Entry::Vacant(entry) => {
                entry.insert(cell);
                Ok(())
            }
        }
    }

    pub(crate) fn remove(&self, path: &str) {
        self.by_path.write().remove(path);
    }

    pub(crate) fn find(&self, path: &str) -> Option<Arc<dyn AnyCell>> {
        self.by_path.read().get(path).cloned()
    }
}

/// Checks one part of a path.
pub(crate) fn check_name(name: &str) -> Result<(), SpawnError> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || c == '/' || c == '#';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(bad) {
        return Err(SpawnError::NameInvalid(name.into()));
    }
    Ok(())
}
