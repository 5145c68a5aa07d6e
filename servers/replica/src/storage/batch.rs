//! Batches: what was written at once and flushed at once, under one checksum.
//!
//! ```text
//! length u32 │ records u32 │ number u64 │ checksum of the payload u32 │ checksum of these u32 │ payload
//! ```
//!
//! Little endian. Batches of a file are numbered from 0; the last has no records and says that the file is complete.
//! Records are postcard's, which know their length. The next batch is not written before this one is flushed: so a batch
//! of a later number proves that an earlier one was flushed, and only the last can be torn.

use std::io::{self, Read};

use crc32fast::Hasher;
use palco_rambo::Record;

use super::error::Damage;
use super::medium::{RESERVE_BYTES, read_full};

/// Bytes before the payload.
pub(super) const BATCH_HEADER_BYTES: usize = 24;

/// Payload of one batch, at most: nothing is begun when it is reached, and a record is not much longer than a value.
pub(super) const BATCH_BYTES_MAX: usize = 16 << 20;

/// What is read as the length of a payload, at most.
const PAYLOAD_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX;

/// What a torn batch leaves, at most.
const TORN_BYTES_MAX: u64 = (BATCH_HEADER_BYTES + PAYLOAD_BYTES_MAX) as u64;

/// Records on their way into a file.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// With room for the header at its beginning, or empty.
    bytes: Vec<u8>,
    records: u32,
}

impl Batch {
    pub(super) fn push(&mut self, record: &Record) {
        self.begin();
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(record, bytes)
            .expect("a record has no part that cannot be written");
    }

    /// A record as it was read.
    pub(super) fn push_bytes(&mut self, record: &[u8]) {
        self.begin();
        self.bytes.extend_from_slice(record);
    }

    fn begin(&mut self) {
        if self.bytes.is_empty() {
            self.bytes.resize(BATCH_HEADER_BYTES, 0);
        }
        self.records += 1;
    }

    pub(super) fn records(&self) -> u32 {
        self.records
    }

    /// Of the payload.
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(BATCH_HEADER_BYTES)
    }

    /// As bytes; without records it is the end of a file.
    pub(super) fn seal(&mut self, salt: u64, number: u64) -> &[u8] {
        let length = self.len();
        self.bytes.resize(BATCH_HEADER_BYTES + length, 0);
        let (header, payload) = self.bytes.split_at_mut(BATCH_HEADER_BYTES);
        let length = u32::try_from(length).expect("at most a record above the limit");
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..8].copy_from_slice(&self.records.to_le_bytes());
        header[8..16].copy_from_slice(&number.to_le_bytes());
        header[16..20].copy_from_slice(&checksum(salt, payload).to_le_bytes());
        let sum = checksum(salt, &header[..20]);
        header[20..].copy_from_slice(&sum.to_le_bytes());
        &self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        // What one large batch took is not kept.
        self.bytes.shrink_to(1 << 20);
        self.records = 0;
    }
}

fn checksum(salt: u64, bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// What the header of a batch says.
#[derive(Clone, Copy, Debug)]
struct Head {
    length: usize,
    records: u32,
    number: u64,
    sum: u32,
}

impl Head {
    fn decode(bytes: &[u8; BATCH_HEADER_BYTES], salt: u64) -> Option<Self> {
        let word = |at: usize| {
            u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four of twenty-four bytes"))
        };
        let length = usize::try_from(word(0)).ok()?;
        let number = u64::from(word(8)) | u64::from(word(12)) << 32;
        let is_one = length <= PAYLOAD_BYTES_MAX && checksum(salt, &bytes[..20]) == word(20);
        is_one.then_some(Self { length, records: word(4), number, sum: word(16) })
    }
}

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Records, in [`Batches::payload`].
    Batch {
        /// How many.
        records: u32,
    },
    /// The file is complete.
    End,
    /// It is not.
    Broken(Damage),
}

/// The batches of a file, one after the other.
pub(super) struct Batches<R> {
    file: R,
    salt: u64,
    number: u64,
    /// Of the next batch in the file.
    offset: u64,
    payload: Vec<u8>,
    /// What was read of a batch that is none.
    rest: Vec<u8>,
}

impl<R: Read> Batches<R> {
    /// From behind the header of the file, at `offset`.
    pub(super) fn new(file: R, salt: u64, offset: u64) -> Self {
        Self { file, salt, number: 0, offset, payload: Vec::new(), rest: Vec::new() }
    }

    /// Where the next batch begins, or the end of the file: everything before was read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many were read.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// After anything but a batch there is nothing more.
    pub(super) fn step(&mut self) -> io::Result<Step> {
        let mut head = [0; BATCH_HEADER_BYTES];
        let full = read_full(&mut self.file, &mut head)?;
        self.rest = head[..full].to_vec();
        if full < BATCH_HEADER_BYTES {
            return Ok(Step::Broken(Damage::Truncated));
        }
        let Some(head) = Head::decode(&head, self.salt).filter(|head| head.number == self.number)
        else {
            return Ok(Step::Broken(Damage::Checksum));
        };
        self.payload.resize(head.length, 0);
        let full = read_full(&mut self.file, &mut self.payload)?;
        if full < head.length || checksum(self.salt, &self.payload) != head.sum {
            self.rest.extend_from_slice(&self.payload[..full]);
            let damage = if full < head.length { Damage::Truncated } else { Damage::Checksum };
            return Ok(Step::Broken(damage));
        }
        self.rest.clear();
        if head.records == 0 {
            let mut behind = Vec::new();
            Read::by_ref(&mut self.file).take(RESERVE_BYTES + 1).read_to_end(&mut behind)?;
            let is_room = behind.len() as u64 <= RESERVE_BYTES && written(&behind) == 0;
            let is_end = head.length == 0 && is_room;
            return Ok(if is_end { Step::End } else { Step::Broken(Damage::Behind) });
        }
        self.offset += (BATCH_HEADER_BYTES + head.length) as u64;
        self.number += 1;
        Ok(Step::Batch { records: head.records })
    }

    /// After [`Step::Broken`]: how many bytes there are from the broken batch on, if it can be torn; room that was reserved
    /// does not count. It cannot if there are more than one batch has, or if a batch with a later number is among them:
    /// then the broken one had been flushed, and was damaged since.
    pub(super) fn torn(&mut self) -> io::Result<Option<u64>> {
        let mut rest = std::mem::take(&mut self.rest);
        let most = TORN_BYTES_MAX + RESERVE_BYTES;
        Read::by_ref(&mut self.file).take(most).read_to_end(&mut rest)?;
        let is_too_long = rest.len() as u64 > most;
        rest.truncate(written(&rest));
        let bytes = rest.len() as u64;
        let is_later = rest.windows(BATCH_HEADER_BYTES).any(|head| {
            let head = head.try_into().expect("as wide as the window");
            // A first look that costs nothing, for every byte begins a window.
            is_near(head, self.number)
                && Head::decode(head, self.salt).is_some_and(|head| head.number > self.number)
        });
        Ok((bytes <= TORN_BYTES_MAX && !is_too_long && !is_later).then_some(bytes))
    }
}

/// How many bytes there are before the zeros at the end.
fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
}

/// Whether it could be one of the next 2³² batches.
fn is_near(head: &[u8; BATCH_HEADER_BYTES], number: u64) -> bool {
    let found = u64::from_le_bytes(head[8..16].try_into().expect("eight of twenty-four bytes"));
    found > number && found - number < 1 << 32
}

#[cfg(test)]
mod tests {
    use palco_rambo::NodeId;

    use super::*;

    fn began(boot: u32) -> Record {
        Record::Began { node: NodeId(1), boot }
    }

    fn file(batches: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut batch = Batch::default();
        for number in 0..batches {
            batch.push(&began(number));
            batch.push(&began(number));
            bytes.extend_from_slice(batch.seal(9, u64::from(number)));
            batch.clear();
        }
        bytes.extend_from_slice(batch.seal(9, u64::from(batches)));
        bytes
    }

    /// How many records, what then, and whether it can be torn.
    fn steps(bytes: &[u8]) -> (u32, Step, bool) {
        let mut batches = Batches::new(bytes, 9, 0);
        let mut records = 0;
        loop {
            match batches.step().unwrap() {
                Step::Batch { records: more } => records += more,
                end => return (records, end, batches.torn().unwrap().is_some()),
            }
        }
    }

    #[test]
    fn batches_are_read_as_written_up_to_the_end() {
        assert_eq!(steps(&file(3)), (6, Step::End, true));
        let behind = |bytes: Vec<u8>| steps(&[file(3), bytes].concat());
        assert_eq!(behind(vec![0]), (6, Step::End, true), "room that was not needed");
        assert_eq!(behind(vec![0, 1]).1, Step::Broken(Damage::Behind));
        let reserve = usize::try_from(RESERVE_BYTES).unwrap();
        assert_eq!(behind(vec![0; reserve]).1, Step::End);
        assert_eq!(behind(vec![0; reserve + 1]).1, Step::Broken(Damage::Behind));
    }

    #[test]
    fn room_behind_the_last_batch_is_not_cut() {
        let whole = file(3);
        let flushed = whole.len() - BATCH_HEADER_BYTES;
        let torn = |bytes: &[u8]| {
            let mut batches = Batches::new(bytes, 9, 0);
            while matches!(batches.step().unwrap(), Step::Batch { .. }) {}
            batches.torn().unwrap()
        };
        let room = vec![0; 1000];
        assert_eq!(torn(&[&whole[..flushed], &room].concat()), Some(0));
        assert_eq!(torn(&[&whole[..flushed], &[7, 0, 7], &room[..]].concat()), Some(3));
        // Pages reach the disk in any order: a later batch is found behind zeros too.
        let one = flushed / 3;
        let holed = [&whole[..one], &room[..one], &whole[2 * one..], &room[..]].concat();
        assert_eq!(torn(&holed), None);
    }

    #[test]
    fn a_cut_file_is_torn_wherever_it_is_cut() {
        let whole = file(3);
        for length in 0..whole.len() {
            let (_, end, is_torn) = steps(&whole[..length]);
            assert_eq!((end, is_torn), (Step::Broken(Damage::Truncated), true), "{length}");
        }
    }

    #[test]
    fn a_changed_bit_is_damage_where_a_later_batch_follows() {
        let whole = file(3);
        let one = (whole.len() - BATCH_HEADER_BYTES) / 3;
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (records, end, is_torn) = steps(&bytes);
            assert!(matches!(end, Step::Broken(_)), "bit {bit}");
            assert_eq!(records as usize, (bit / 8 / one).min(3) * 2, "bit {bit}");
            assert_eq!(is_torn, bit / 8 >= one * 3, "bit {bit}");
        }
    }
    #[test]
    fn more_than_a_batch_cannot_be_torn() {
        let torn = |bytes: usize| {
            let mut batches = Batches::new(io::repeat(7).take(bytes as u64), 9, 0);
            assert_eq!(batches.step().unwrap(), Step::Broken(Damage::Checksum));
            batches.torn().unwrap()
        };
        let most = BATCH_HEADER_BYTES + PAYLOAD_BYTES_MAX;
        assert_eq!(torn(most), Some(most as u64));
        assert_eq!(torn(most + 1), None);
    }
}
