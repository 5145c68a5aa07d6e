//! Blocks that were read, bounded in bytes; those that were used least recently go first.
//!
//! A block belongs to a path, a version of the file, and a number. Of each path only one version is kept: a block of
//! another one drops all that are there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use super::Version;
use super::path::is_below;

/// The blocks.
#[derive(Debug)]
pub(super) struct BlockCache {
    bytes_max: usize,
    bytes: usize,
    files: HashMap<Arc<str>, Blocks>,
    /// Who was used when; the smallest is the oldest.
    order: BTreeMap<u64, (Arc<str>, u64)>,
    /// Counts uses.
    clock: u64,
}

/// The blocks of one version of a file.
#[derive(Debug)]
struct Blocks {
    version: Version,
    blocks: HashMap<u64, Block>,
}

#[derive(Debug)]
struct Block {
    bytes: Bytes,
    used_at: u64,
    /// Nobody has read it yet.
    is_ahead: bool,
}

/// A block that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Shorter than others if the file ends in it; empty if it ends before.
    pub(super) bytes: Bytes,
    /// It was read ahead, and this is its first use.
    pub(super) was_ahead: bool,
}

impl BlockCache {
    pub(super) fn new(bytes_max: usize) -> Self {
        let (files, order) = (HashMap::new(), BTreeMap::new());
        Self { bytes_max, bytes: 0, files, order, clock: 0 }
    }

    /// A block of this version, if it is there.
    pub(super) fn get(&mut self, path: &str, version: &Version, number: u64) -> Option<Found> {
        let file = self.files.get_mut(path).filter(|file| file.version == *version)?;
        let block = file.blocks.get_mut(&number)?;
        let name = self.order.remove(&block.used_at)?;
        self.clock += 1;
        block.used_at = self.clock;
        self.order.insert(self.clock, name);
        let was_ahead = std::mem::take(&mut block.is_ahead);
        Some(Found { bytes: block.bytes.clone(), was_ahead })
    }

    /// Whether a block of this version is there. This is no use of it.
    pub(super) fn has(&self, path: &str, version: &Version, number: u64) -> bool {
        let file = self.files.get(path).filter(|file| file.version == *version);
        file.is_some_and(|file| file.blocks.contains_key(&number))
    }

    /// Whether there is a block whose version may still be that of the file.
    pub(super) fn has_settled(&self, path: &str) -> bool {
        self.files.get(path).is_some_and(|file| file.version.is_settled())
    }

    /// Keeps a block, and drops what there is no room for beside it. One that is larger than the whole cache is
    /// not kept.
    pub(super) fn insert(
        &mut self,
        path: &Arc<str>,
        version: &Version,
        number: u64,
        bytes: Bytes,
        is_ahead: bool,
    ) {
        if self.files.get(path).is_some_and(|file| file.version != *version) {
            self.forget(path);
        }
        self.drop_block(path, number);
        if cost(&bytes) > self.bytes_max {
            return;
        }
        while self.bytes + cost(&bytes) > self.bytes_max {
            let Some((oldest, number)) = self.order.values().next().cloned() else { break };
            self.drop_block(&oldest, number);
        }
        self.clock += 1;
        self.bytes += cost(&bytes);
        self.order.insert(self.clock, (Arc::clone(path), number));
        let blocks = || Blocks { version: version.clone(), blocks: HashMap::new() };
        let file = self.files.entry(Arc::clone(path)).or_insert_with(blocks);
        file.blocks.insert(number, Block { bytes, used_at: self.clock, is_ahead });
    }

    /// Drops all blocks of a path.
    pub(super) fn forget(&mut self, path: &str) {
        let Some(file) = self.files.remove(path) else { return };
        for block in file.blocks.into_values() {
            self.bytes -= cost(&block.bytes);
            self.order.remove(&block.used_at);
        }
    }

    /// Drops all blocks of what is below this directory.
    pub(super) fn forget_below(&mut self, path: &str) {
        let below: Vec<_> = self.files.keys().filter(|it| is_below(it, path)).cloned().collect();
        for path in below {
            self.forget(&path);
        }
    }

    /// Bytes of all blocks, with [`BLOCK_OVERHEAD_BYTES`] for each.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn drop_block(&mut self, path: &str, number: u64) {
        let Some(file) = self.files.get_mut(path) else { return };
        if let Some(block) = file.blocks.remove(&number) {
            self.bytes -= cost(&block.bytes);
            self.order.remove(&block.used_at);
        }
        if file.blocks.is_empty() {
            self.files.remove(path);
        }
    }
}

/// What a block costs beside its bytes, about: without it, empty blocks would be without end.
pub(super) const BLOCK_OVERHEAD_BYTES: usize = 256;

fn cost(bytes: &Bytes) -> usize {
    bytes.len() + BLOCK_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests;
