//! Frames in a lane: a word with the length and 1, then the bytes, filled up to whole words, then a word of 0.
//!
//! The word of 0 is where the next frame will have its length, which is written last: so a reader that looks for a frame
//! looks where the frame will be, and a small frame comes with one cache line. What the lane held before never stands
//! where a length is looked for.
//!
//! Each end counts for itself and publishes its count; what it reads of the peer is the peer's count and the lengths,
//! each once, and believes neither before it is checked. Bytes are copied word by word through relaxed atomics: no
//! reference to shared bytes ever exists, so that a peer that writes at the wrong time spoils bytes and nothing else.
//! Lengths and the reader's count are stored with release and loaded with acquire, which orders the copies of an honest
//! peer.

use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{Lane, WORD};

/// What the peer has written is impossible; says why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Impossible(pub(super) String);

/// The most bytes in one frame: all but its length and the word of 0 after it.
pub(super) const fn frame_bytes_max(lane_words: usize) -> usize {
    (lane_words - 2) * WORD
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
        let (capacity, wanted) = (lane.data.len() as u64, words_of(bytes) + 1);
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
        let capacity = lane.data.len();
        let mut words = WordWriter::new(lane.data, self.written + 1);
        for part in parts {
            words.put(part);
        }
        words.finish();
        let next = self.written + words_of(bytes);
        lane.data[index(next, capacity)].store(0, Ordering::Relaxed);
        lane.data[index(self.written, capacity)].store(bytes as u64 + 1, Ordering::Release);
        self.written = next;
        lane.written.store(next, Ordering::Relaxed);
    }
}

/// Takes frames out of a lane.
#[derive(Debug, Default)]
pub(super) struct Reader {
    taken: u64,
}

impl Reader {
    /// Words taken out since the beginning.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether there is a frame, or something impossible, to be taken.
    pub(super) fn has_input(&self, lane: &Lane<'_>) -> bool {
        lane.data[index(self.taken, lane.data.len())].load(Ordering::Acquire) != 0
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
        // The one look at the length: what is checked is what is used.
        let word = lane.data[index(self.taken, capacity)].load(Ordering::Acquire);
        let Some(length) = word.checked_sub(1) else { return Ok(None) };
        let fitting = usize::try_from(length).ok();
        let Some(bytes) = fitting.filter(|bytes| *bytes <= frame_bytes_max(capacity)) else {
            return Err(Impossible(format!("a frame of {length} bytes in {capacity} words")));
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
        let bytes: Vec<u8> = (1..=48).collect();
        for len in (0..=48).chain((0..=48).rev()) {
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
    fn what_the_lane_held_before_is_no_length() {
        let own = Own::new();
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        for len in (0..=48).cycle().take(1000) {
            // Each word of it would be a length.
            let bytes: Vec<u8> = [1, 0, 0, 0, 0, 0, 0, 0].repeat(6)[..len].to_vec();
            writer.put(&own.lane(), len, &[&bytes]);
            let mut into = Vec::new();
            assert!(reader.has_input(&own.lane()));
            assert_eq!(reader.take(&own.lane(), &mut into), Ok(Some(len)));
            assert_eq!(into, bytes);
            assert!(!reader.has_input(&own.lane()));
            assert_eq!(reader.take(&own.lane(), &mut into), Ok(None));
            assert_eq!(writer.has_room(&own.lane(), 48), Ok(true));
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
            assert_eq!(writer.has_room(&own.lane(), 48).is_ok(), is_possible, "{taken}");
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
        assert_eq!(writer.has_room(&own.lane(), 48), Ok(true));
        own.counts[1].store(7, Ordering::Relaxed);
        writer.put(&own.lane(), 8, &[&[0; 8]]);
        assert!(writer.has_room(&own.lane(), 48).is_err());
    }

    #[test]
    fn a_length_that_cannot_be_is_refused() {
        // One more than the length is what stands there.
        for (length, is_possible) in
            [(9, true), (1, true), (49, true), (50, false), (57, false), (u64::MAX, false)]
        {
            let own = Own::new();
            let mut into = vec![1];
            Writer::default().put(&own.lane(), 8, &[&[0; 8]]);
            own.data[0].store(length, Ordering::Relaxed);
            assert_eq!(Reader::default().take(&own.lane(), &mut into).is_ok(), is_possible);
            assert_eq!(into.len() == 1, !is_possible || length == 1, "nothing of it is appended");
        }
    }
}
