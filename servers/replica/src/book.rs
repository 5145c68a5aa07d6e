//! Who belongs to the cluster, what people call them, and where they are: told from node to node.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::{fs, io};

use palco_rambo::NodeId;
use palco_transport::Peer;
use serde::{Deserialize, Serialize};

/// Nodes in one book, at most.
pub const NODES_MAX: usize = 1024;

/// Bytes of a name, at most.
pub const NAME_BYTES_MAX: usize = 64;

/// Addresses of one node, at most, and bytes of each.
const ADDRESSES_MAX: usize = 16;
const ADDRESS_BYTES_MAX: usize = 256;

/// What is known of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who it is.
    pub peer: Peer,
    /// What people call it: unique in a cluster, or people will not know whom they mean.
    pub name: String,
    /// Where other nodes reach it, in the carrier's own form.
    pub addresses: Vec<String>,
    /// Where clients reach it in the Redis protocol.
    pub resp: Option<SocketAddr>,
    /// Where clients reach it over HTTP.
    pub http: Option<SocketAddr>,
    /// Only the node itself changes its entry, and gives it a larger number then.
    pub version: u64,
}

/// All that a node knows of others, and of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    entries: BTreeMap<Peer, Entry>,
}

impl Entry {
    /// What is wrong with it, if a node must not have it in its book.
    fn is_bounded(&self) -> bool {
        self.name.len() <= NAME_BYTES_MAX
            && self.addresses.len() <= ADDRESSES_MAX
            && self.addresses.iter().all(|address| address.len() <= ADDRESS_BYTES_MAX)
    }

    /// Its number in configurations.
    #[must_use]
    pub fn node(&self) -> NodeId {
        node_of(self.peer)
    }
}

/// The number of a node in configurations: the first six bytes of its key, which is what a number in JSON holds exactly.
#[must_use]
pub fn node_of(peer: Peer) -> NodeId {
    NodeId(peer.key()[..6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

impl Book {
    /// What was kept in this file; nothing of what cannot be read, for others tell it again.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let mut book = Self::default();
        let kept = fs::read(path).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Vec<Entry>>(&bytes).ok());
        for entry in kept.into_iter().flatten() {
            book.learn(entry);
        }
        book
    }

    /// Keeps all of it in this file, in whose place another is put.
    ///
    /// # Errors
    /// The system's; the file is as it was.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        fs::write(&new, serde_json::to_vec_pretty(&self.entries().collect::<Vec<_>>())?)?;
        fs::rename(&new, path)
    }

    /// Takes in what somebody says; true if it was news. What is too large, or one too many, is not taken in.
    pub fn learn(&mut self, entry: Entry) -> bool {
        let is_full = self.entries.len() >= NODES_MAX;
        match self.entries.get_mut(&entry.peer) {
            _ if !entry.is_bounded() => false,
            Some(known) if known.version < entry.version => {
                *known = entry;
                true
            }
            Some(_) => false,
            None if is_full => false,
            None => {
                self.entries.insert(entry.peer, entry);
                true
            }
        }
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Of this node.
    #[must_use]
    pub fn find(&self, peer: Peer) -> Option<&Entry> {
        self.entries.get(&peer)
    }

    /// Of the node with this number.
    #[must_use]
    pub fn by_node(&self, node: NodeId) -> Option<&Entry> {
        self.entries.values().find(|entry| entry.node() == node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: u8, name: &str, version: u64) -> Entry {
        Entry {
            peer: Peer::from_key([key; 32]),
            name: name.to_owned(),
            addresses: Vec::new(),
            resp: None,
            http: None,
            version,
        }
    }

    #[test]
    fn the_newer_entry_stays_in_whatever_order_they_come() {
        let (mut one, mut other) = (Book::default(), Book::default());
        let entries = [entry(1, "old", 1), entry(1, "new", 2), entry(2, "b", 1)];
        assert!(entries.iter().all(|entry| one.learn(entry.clone())));
        for entry in entries.iter().rev() {
            other.learn(entry.clone());
        }
        assert_eq!(one, other);
        assert_eq!(one.find(Peer::from_key([1; 32])).unwrap().name, "new");
        assert_eq!(one.by_node(node_of(Peer::from_key([2; 32]))).unwrap().name, "b");
        assert!(!one.learn(entry(1, "old", 1)));
    }

    #[test]
    fn a_book_is_kept_and_nonsense_is_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("book");
        assert_eq!(Book::read(&path), Book::default());
        let mut book = Book::default();
        book.learn(entry(1, "a", 1));
        book.write(&path).unwrap();
        assert_eq!(Book::read(&path), book);
        fs::write(&path, "[{").unwrap();
        assert_eq!(Book::read(&path), Book::default());
    }

    #[test]
    fn a_book_does_not_grow_without_end() {
        let mut book = Book::default();
        assert!(!book.learn(entry(1, &"x".repeat(NAME_BYTES_MAX + 1), 1)));
        for number in 0..=NODES_MAX as u64 {
            let mut key = [0; 32];
            key[..6].copy_from_slice(&number.to_be_bytes()[2..]);
            let is_news = book.learn(Entry { peer: Peer::from_key(key), ..entry(0, "n", 1) });
            assert_eq!(is_news, number < NODES_MAX as u64);
        }
    }
}
