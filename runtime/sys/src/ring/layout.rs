//! Where everything stands in a ring's memory, and views of its parts.
//!
//! What one side writes often shares no cache line with what the other side writes: a line is 128 bytes, since processors
//! fetch lines of 64 in pairs. The bytes of both lanes follow after one page.

use std::sync::atomic::AtomicU64;

/// "palcorg" and the version of this layout.
pub(super) const MAGIC: u64 = u64::from_be_bytes(*b"palcorg2");

pub(super) const BYTES_MIN: usize = 4 << 10;
pub(super) const BYTES_MAX: usize = 16 << 20;

/// Bytes of a word.
pub(super) const WORD: usize = size_of::<AtomicU64>();

const LINE: usize = 128 / WORD;
const HEADER: usize = 4096 / WORD;

/// Whose end: the one that made the memory, or the one that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Parent,
    Child,
}

impl Side {
    pub(super) const fn peer(self) -> Self {
        match self {
            Self::Parent => Self::Child,
            Self::Child => Self::Parent,
        }
    }
}

/// The memory's first words, the same for ever once it is made.
pub(super) struct Title<'a> {
    pub(super) magic: &'a AtomicU64,
    /// Bytes of one lane.
    pub(super) bytes: &'a AtomicU64,
}

/// One direction. Both counters count words since the beginning and never go back.
pub(super) struct Lane<'a> {
    /// What the writer has put in, for a reader that wants to know how full it is; only the writer writes it.
    pub(super) written: &'a AtomicU64,
    /// What the reader has taken out; only the reader writes it.
    pub(super) taken: &'a AtomicU64,
    pub(super) data: &'a [AtomicU64],
}

/// What one side wishes; set by itself, cleared by itself or, when it grants the wish, by its peer.
pub(super) struct Wishes<'a> {
    /// [`super::waits::ASLEEP`] while it sleeps on this word, or is about to; otherwise 0.
    pub(super) asleep: &'a AtomicU64,
    /// When it waits elsewhere and its doorbell is to be rung for words after those that it has taken: their number,
    /// and 1; otherwise 0.
    pub(super) bell: &'a AtomicU64,
    /// 1 when it found its outgoing lane full.
    pub(super) room: &'a AtomicU64,
}

/// The length of the whole memory, in words, with lanes of `bytes` each; `None` for a size that no ring has.
pub(super) fn words_for_lanes(bytes: usize) -> Option<usize> {
    let fits = bytes.is_power_of_two() && (BYTES_MIN..=BYTES_MAX).contains(&bytes);
    fits.then(|| HEADER + 2 * (bytes / WORD))
}

/// The bytes of a lane in a memory of `words`; `None` if no ring is that long.
pub(super) fn lane_bytes(words: usize) -> Option<usize> {
    let bytes = words.checked_sub(HEADER)?.checked_mul(WORD)? / 2;
    (words_for_lanes(bytes) == Some(words)).then_some(bytes)
}

pub(super) fn title(words: &[AtomicU64]) -> Title<'_> {
    Title { magic: &words[0], bytes: &words[1] }
}

/// The lane that `writer` writes.
pub(super) fn lane(words: &[AtomicU64], writer: Side) -> Lane<'_> {
    let (header, data) = words.split_at(HEADER);
    let (parents, childs) = data.split_at(data.len() / 2);
    match writer {
        Side::Parent => Lane { written: &header[LINE], taken: &header[2 * LINE], data: parents },
        Side::Child => Lane { written: &header[3 * LINE], taken: &header[4 * LINE], data: childs },
    }
}

/// The wishes of `side`.
pub(super) fn wishes(words: &[AtomicU64], side: Side) -> Wishes<'_> {
    let line = match side {
        Side::Parent => 5 * LINE,
        Side::Child => 6 * LINE,
    };
    Wishes { asleep: &words[line], bell: &words[line + 1], room: &words[line + 2] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_no_ring_has_is_known_by_its_length() {
        for bytes in [BYTES_MIN, 1 << 16, BYTES_MAX] {
            assert_eq!(words_for_lanes(bytes).and_then(lane_bytes), Some(bytes));
        }
        for bytes in [0, 2048, 4095, 4097, 3 << 12, BYTES_MAX * 2, usize::MAX] {
            assert_eq!(words_for_lanes(bytes), None);
        }
        for words in [0, HEADER, HEADER + 1, HEADER + 1025, HEADER + 1026, usize::MAX] {
            assert_eq!(lane_bytes(words), None);
        }
    }

    #[test]
    fn no_two_things_share_a_word() {
        let words: Vec<AtomicU64> = (0..HEADER + 1024).map(|_| AtomicU64::new(0)).collect();
        let mut places: Vec<*const AtomicU64> = vec![title(&words).magic, title(&words).bytes];
        for side in [Side::Parent, Side::Child] {
            let (lane, wishes) = (lane(&words, side), wishes(&words, side));
            places.extend([lane.written, lane.taken].map(std::ptr::from_ref));
            places.extend([wishes.asleep, wishes.bell, wishes.room].map(std::ptr::from_ref));
            places.extend(lane.data.iter().map(std::ptr::from_ref));
        }
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 2 + 2 * 5 + 1024);
    }
}
