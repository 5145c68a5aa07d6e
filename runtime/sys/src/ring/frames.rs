//! Frames in a lane: a word with the length, then the bytes, filled up to whole words.
//!
//! Each end counts for itself and publishes its count; what it reads of the peer is the peer's count and the lengths,
//! each once, and believes neither before it is checked. Bytes are copied word by word through relaxed atomics: no
//! reference to shared bytes ever exists, so that a peer that writes at the wrong time spoils bytes and nothing else.
//! The counts are stored with release and loaded with acquire, which orders the copies of an honest peer.

use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{Lane, WORD};

/// What the peer has written is impossible; says why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Impossible(pub(super) String);

/// The most bytes in one frame.
pub(super) const fn frame_bytes_max(lane_words: usize) -> usize {
    (lane_words - 1) * WORD
}

/// The words that a frame takes, its length included.
const fn words_of(bytes: usize) -> u64 {
    1 + bytes.div_ceil(WORD) as u64
}

/// Puts frames into a lane.
#[derive(Debug, Default)]
pub(super) struct Writer {
    written: u64,
    /// The peer's count, as last seen.
    taken: u64,
}

impl Writer {
    /// Words put in since the beginning.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Whether a frame of `bytes` fits now; looks at the peer's count only if it does not seem so.
    pub(super) fn has_room(&mut self, lane: &Lane<'_>, bytes: usize) -> Result<bool, Impossible> {
        let (capacity, wanted) = (lane.data.len() as u64, words_of(bytes));
        if wanted <= capacity - (self.written - self.taken) {
            return Ok(true);
        }
        let taken = lane.taken.load(Ordering::Acquire);
        if taken < self.taken || taken > self.written {
            let (seen, written) = (self.taken, self.written);
            let text = format!("{taken} words taken, after {seen} of {written}");
            return Err(Impossible(text));
        }
        self.taken = taken;
        Ok(wanted <= capacity - (self.written - taken))
    }

    /// Puts a frame for which there is room.
    pub(super) fn put(&mut self, lane: &Lane<'_>, bytes: usize, parts: &[&[u8]]) {
        let mut words = WordWriter::new(lane.data, self.written);
        words.put(&(bytes as u64).to_ne_bytes());
        for part in parts {
            words.put(part);
        }
        words.finish();
        self.written += words_of(bytes);
        lane.written.store(self.written, Ordering::Release);
    }
}

/// Takes frames out of a lane.
#[derive(Debug, Default)]
pub(super) struct Reader {
    taken: u64,
    /// The peer's count, as last seen.
    written: u64,
}

impl Reader {
    /// Words taken out since the beginning.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether there is a frame, or something impossible, to be taken.
    pub(super) fn has_input(&self, lane: &Lane<'_>) -> bool {
        self.written != self.taken || lane.written.load(Ordering::Acquire) != self.taken
    }

    /// Whether at least half of the lane is free, as far as the peer says.
    pub(super) fn has_half_free(&self, lane: &Lane<'_>) -> bool {
        let filled = lane.written.load(Ordering::Relaxed).wrapping_sub(self.taken);
        filled <= lane.data.len() as u64 / 2
    }

    /// Appends one frame to `into` and makes its room free; the length of the frame.
    pub(super) fn take(
        &mut self,
        lane: &Lane<'_>,
        into: &mut Vec<u8>,
    ) -> Result<Option<usize>, Impossible> {
        let capacity = lane.data.len();
        if self.written == self.taken {
            let written = lane.written.load(Ordering::Acquire);
            if written == self.taken {
                return Ok(None);
            }
            if written < self.taken || written - self.taken > capacity as u64 {
                let taken = self.taken;
                return Err(Impossible(format!("{written} words written, {taken} taken")));
            }
            self.written = written;
        }
        // The one look at the length: what is checked is what is used.
        let length = lane.data[index(self.taken, capacity)].load(Ordering::Relaxed);
        let filled = self.written - self.taken;
        let fitting = usize::try_from(length)
            .ok()
            .filter(|bytes| *bytes <= frame_bytes_max(capacity) && words_of(*bytes) <= filled);
        let Some(bytes) = fitting else {
            return Err(Impossible(format!("a frame of {length} bytes in {filled} words")));
        };
        append(lane.data, self.taken + 1, bytes, into);
        self.taken += words_of(bytes);
        lane.taken.store(self.taken, Ordering::Release);
        Ok(Some(bytes))
    }
}

/// Where a count stands in a lane; the capacity is a power of two.
const fn index(count: u64, capacity: usize) -> usize {
    (count & (capacity as u64 - 1)) as usize
}

/// Turns bytes that come in pieces into words, around the end of the lane.
struct WordWriter<'a> {
    data: &'a [AtomicU64],
    at: usize,
    begun: [u8; WORD],
    begun_len: usize,
}

impl<'a> WordWriter<'a> {
    fn new(data: &'a [AtomicU64], count: u64) -> Self {
        Self { data, at: index(count, data.len()), begun: [0; WORD], begun_len: 0 }
    }

    fn put(&mut self, mut bytes: &[u8]) {
        if self.begun_len > 0 {
            let (head, rest) = bytes.split_at(bytes.len().min(WORD - self.begun_len));
            self.begun[self.begun_len..][..head.len()].copy_from_slice(head);
            self.begun_len += head.len();
            if self.begun_len < WORD {
                return;
            }
            self.put_words(&[self.begun]);
            bytes = rest;
        }
        let (words, rest) = bytes.as_chunks::<WORD>();
        self.put_words(words);
        self.begun = [0; WORD];
        self.begun[..rest.len()].copy_from_slice(rest);
        self.begun_len = rest.len();
    }

    fn put_words(&mut self, mut words: &[[u8; WORD]]) {
        while !words.is_empty() {
            let run = &self.data[self.at..];
            let (now, later) = words.split_at(words.len().min(run.len()));
            for (slot, word) in run.iter().zip(now) {
                slot.store(u64::from_ne_bytes(*word), Ordering::Relaxed);
            }
            self.at = index((self.at + now.len()) as u64, self.data.len());
            words = later;
        }
    }

    fn finish(mut self) {
        if self.begun_len > 0 {
            self.put_words(&[self.begun]);
        }
    }
}

/// Appends `bytes` bytes that begin at `count`; at most a whole lane, whatever the words hold.
fn append(data: &[AtomicU64], count: u64, bytes: usize, into: &mut Vec<u8>) {
    let start = into.len();
    into.resize(start + bytes, 0);
    let (words, rest) = into[start..].as_chunks_mut::<WORD>();
    let at = index(count, data.len());
    let (wrapped, straight) = data.split_at(at);
    let (now, later) = words.split_at_mut(words.len().min(straight.len()));
    for (words, slots) in [(now, straight), (later, wrapped)] {
        for (word, slot) in words.iter_mut().zip(slots) {
            *word = slot.load(Ordering::Relaxed).to_ne_bytes();
        }
    }
    if !rest.is_empty() {
        let last = &data[index(count + (bytes / WORD) as u64, data.len())];
        rest.copy_from_slice(&last.load(Ordering::Relaxed).to_ne_bytes()[..rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lane of eight words in this process's own memory.
    struct Own {
        counts: [AtomicU64; 2],
        data: [AtomicU64; 8],
    }

    impl Own {
        fn new() -> Self {
            Self { counts: Default::default(), data: Default::default() }
        }

        fn lane(&self) -> Lane<'_> {
            Lane { written: &self.counts[0], taken: &self.counts[1], data: &self.data }
        }
    }

    #[test]
    fn frames_in_pieces_of_any_size_come_out_whole() {
        let own = Own::new();
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        let bytes: Vec<u8> = (1..=56).collect();
        for len in (0..=56).chain((0..=56).rev()) {
            for cut in [0, 1, 7, 8, 9, 15, len] {
                let (first, second) = bytes[..len].split_at(cut.min(len));
                let (second, third) = second.split_at(second.len() / 2);
                assert_eq!(writer.has_room(&own.lane(), len), Ok(true));
                writer.put(&own.lane(), len, &[first, second, third]);
                let mut into = vec![99];
                assert_eq!(reader.take(&own.lane(), &mut into), Ok(Some(len)));
                assert_eq!((into[0], &into[1..]), (99, &bytes[..len]));
                assert_eq!(reader.take(&own.lane(), &mut into), Ok(None));
            }
        }
    }

    #[test]
    fn what_fills_up_the_last_word_is_zero() {
        let own = Own::new();
        let mut writer = Writer::default();
        writer.put(&own.lane(), 15, &[&[255; 15]]);
        assert_eq!(own.data[2].load(Ordering::Relaxed).to_ne_bytes()[7], 0);
    }

    #[test]
    fn a_count_that_cannot_be_is_refused() {
        for (taken, is_possible) in [(0, true), (2, true), (3, false), (u64::MAX, false)] {
            let own = Own::new();
            let mut writer = Writer::default();
            writer.put(&own.lane(), 8, &[&[0; 8]]);
            own.counts[1].store(taken, Ordering::Relaxed);
            assert_eq!(writer.has_room(&own.lane(), 56).is_ok(), is_possible, "{taken}");
        }
        for (written, is_possible) in [(0, true), (8, true), (9, false), (u64::MAX, false)] {
            let own = Own::new();
            own.counts[0].store(written, Ordering::Relaxed);
            let taken = Reader::default().take(&own.lane(), &mut Vec::new());
            assert_eq!(taken.is_ok(), is_possible, "{written}");
        }
    }

    #[test]
    fn counts_that_go_back_are_refused() {
        let own = Own::new();
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        for _ in 0..4 {
            writer.put(&own.lane(), 8, &[&[0; 8]]);
            reader.take(&own.lane(), &mut Vec::new()).unwrap();
        }
        own.counts[0].store(7, Ordering::Relaxed);
        assert!(reader.take(&own.lane(), &mut Vec::new()).is_err());
        assert_eq!(writer.has_room(&own.lane(), 56), Ok(true));
        own.counts[1].store(7, Ordering::Relaxed);
        writer.put(&own.lane(), 8, &[&[0; 8]]);
        assert!(writer.has_room(&own.lane(), 56).is_err());
    }

    #[test]
    fn a_length_that_cannot_be_is_refused() {
        for (length, is_possible) in
            [(8, true), (0, true), (9, false), (57, false), (u64::MAX, false)]
        {
            let own = Own::new();
            let mut into = vec![1];
            Writer::default().put(&own.lane(), 8, &[&[0; 8]]);
            own.data[0].store(length, Ordering::Relaxed);
            assert_eq!(Reader::default().take(&own.lane(), &mut into).is_ok(), is_possible);
            assert_eq!(into.len() == 1, !is_possible || length == 0, "nothing of it is appended");
        }
    }
}
