//! A file of the log: its name, and its first bytes.
//!
//! Segments are counted from 1. A file stands for one segment, or for a range of them that were rewritten into one; its
//! name says which. A name that ends in `.new` is a file that is still being written.

use std::fmt;

use palco_rambo::NodeId;

use super::error::Damage;

/// Bytes before the first batch.
pub(super) const HEADER_BYTES: usize = 48;

/// Behind the name of a file that is still being written.
const UNFINISHED: &str = ".new";

const MAGIC: [u8; 8] = *b"palcolog";

/// Of how files are laid out; another one is refused.
pub(super) const FORMAT: u16 = 1;

/// Whose log it is: a participant of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Which node.
    pub node: NodeId,
    /// Which of its shards, from 0.
    pub shard: u16,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.shard, self.node)
    }
}

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) bytes: u64,
}

impl Segment {
    pub(super) fn file(&self) -> String {
        format!("{:010}-{:010}.log", self.first, self.last)
    }

    pub(super) fn unfinished(&self) -> String {
        self.file() + UNFINISHED
    }

    /// None if it is no name of a segment.
    pub(super) fn of(file: &str, bytes: u64) -> Option<Self> {
        let (first, last) = file.strip_suffix(".log")?.split_once('-')?;
        let segment = Self { first: first.parse().ok()?, last: last.parse().ok()?, bytes };
        let is_name = segment.file() == file && 0 < segment.first && segment.first <= segment.last;
        is_name.then_some(segment)
    }
}

/// Whether it is a file that was not finished.
pub(super) fn is_unfinished(file: &str) -> bool {
    file.strip_suffix(UNFINISHED).is_some_and(|file| Segment::of(file, 0).is_some())
}

/// What the first bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) owner: Owner,
    pub(super) first: u64,
    pub(super) last: u64,
    /// Goes into every checksum: bytes of another file, or a value that looks like a batch, are none.
    pub(super) salt: u64,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(self.owner.shard.to_le_bytes());
        for number in [self.owner.node.0, self.first, self.last, self.salt] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes.try_into().expect("8 + 2 + 2 + 4 * 8 + 4 bytes")
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let bytes: &[u8; HEADER_BYTES] = bytes.try_into().map_err(|_| Damage::Header)?;
        if bytes[..8] != MAGIC {
            return Err(Damage::Header);
        }
        let format = u16::from_le_bytes([bytes[8], bytes[9]]);
        if format != FORMAT {
            return Err(Damage::Format(format));
        }
        let (said, sum) = bytes.split_at(HEADER_BYTES - 4);
        if crc32fast::hash(said).to_le_bytes() != sum {
            return Err(Damage::Header);
        }
        let number = |at: usize| {
            u64::from_le_bytes(said[at..at + 8].try_into().expect("eight bytes of forty-four"))
        };
        let owner =
            Owner { shard: u16::from_le_bytes([bytes[10], bytes[11]]), node: NodeId(number(12)) };
        Ok(Self { owner, first: number(20), last: number(28), salt: number(36) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_known_by_its_name() {
        let segment = Segment { first: 1, last: 12, bytes: 3 };
        assert_eq!(Segment::of(&segment.file(), 3), Some(segment.clone()));
        assert!(is_unfinished(&segment.unfinished()));
        for other in ["", "1-12.log", "0000000012-0000000001.log", "0000000000-0000000001.log"] {
            assert_eq!(Segment::of(other, 0), None, "{other}");
            assert!(!is_unfinished(&format!("{other}.new")));
        }
    }

    #[test]
    fn a_header_is_read_as_written_and_not_with_a_bit_changed() {
        let owner = Owner { node: NodeId(7), shard: 3 };
        let header = Header { owner, first: 5, last: 9, salt: 11 };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Ok(header));
        assert_eq!(Header::decode(&bytes[1..]), Err(Damage::Header));
        for bit in 0..HEADER_BYTES * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&bytes).is_err(), "bit {bit}");
        }
    }
}
