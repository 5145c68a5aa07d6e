//! The name of what runs, readable by others at any moment, written at every turn for a few plain stores.
//!
//! A reference would need a count or a lock per turn; so the bytes themselves are published, under a sequence number
//! that is odd while they change (a sequence lock: H.-J. Boehm, "Can seqlocks get along with programming language
//! memory models?", MSPC 2012, figure 4). The number also counts the turns.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};

const WORDS: usize = 6;

/// Of a longer name its end is shown, which tells siblings apart.
pub const NAME_BYTES_SHOWN: usize = WORDS * 8;

/// What an LWP runs. One writer, the LWP.
#[derive(Debug)]
pub(crate) struct Running {
    sequence: AtomicU64,
    /// 0: nothing runs.
    bytes: AtomicUsize,
    words: [AtomicU64; WORDS],
}

/// One look at an LWP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// Changes with every turn.
    pub(crate) turn: u64,
    /// None: between two turns, or asleep.
    pub(crate) name: Option<String>,
}

impl Running {
    pub(crate) fn new() -> Self {
        Self {
            sequence: AtomicU64::new(0),
            bytes: AtomicUsize::new(0),
            words: [const { AtomicU64::new(0) }; WORDS],
        }
    }

    /// A turn of `name` begins. Only the LWP itself calls this.
    #[inline]
    pub(crate) fn begin(&self, name: &str) {
        let shown = match name {
            "" => "?",
            name => shown(name),
        };
        self.write(shown.as_bytes());
    }

    /// Nothing runs any more. Only the LWP itself calls this.
    pub(crate) fn end(&self) {
        self.write(&[]);
    }

    #[inline]
    fn write(&self, bytes: &[u8]) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.bytes.store(bytes.len(), Ordering::Relaxed);
        let (whole, rest) = bytes.as_chunks::<8>();
        for (word, bytes) in self.words.iter().zip(whole) {
            word.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        if !rest.is_empty() {
            self.words[whole.len()].store(last_word(bytes, rest), Ordering::Relaxed);
        }
        self.sequence.store(sequence + 2, Ordering::Release);
    }

    /// Which turn it is, without its name.
    pub(crate) fn turn(&self) -> u64 {
        self.sequence.load(Ordering::Acquire) / 2
    }

    /// None if the turn changed meanwhile: then it is not worth a look.
    pub(crate) fn look(&self) -> Option<Look> {
        let before = self.sequence.load(Ordering::Acquire);
        let bytes = self.bytes.load(Ordering::Relaxed).min(NAME_BYTES_SHOWN);
        let words = self.words.each_ref().map(|word| word.load(Ordering::Relaxed).to_le_bytes());
        fence(Ordering::Acquire);
        if before % 2 == 1 || self.sequence.load(Ordering::Relaxed) != before {
            return None;
        }
        let name =
            (bytes > 0).then(|| String::from_utf8_lossy(&words.concat()[..bytes]).into_owned());
        Some(Look { turn: before / 2, name })
    }
}

/// The bytes behind the last whole word: cut out of the last eight where there are eight, which saves a loop.
fn last_word(bytes: &[u8], rest: &[u8]) -> u64 {
    match bytes.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last) >> (8 * (8 - rest.len())),
        None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

fn shown(name: &str) -> &str {
    let mut start = name.len().saturating_sub(NAME_BYTES_SHOWN);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    &name[start..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_published_is_what_is_seen(name in "\\PC{0,80}") {
            let running = Running::new();
            running.begin(&name);
            let seen = running.look().unwrap().name.unwrap();
            prop_assert!(seen.len() <= NAME_BYTES_SHOWN);
            prop_assert!(name.ends_with(&seen) || (name.is_empty() && seen == "?"));
            prop_assert!(seen.len() + 3 >= name.len().min(NAME_BYTES_SHOWN));
            running.end();
            prop_assert_eq!(running.look(), Some(Look { turn: 2, name: None }));
        }
    }

    #[test]
    fn a_look_never_mixes_two_names() {
        let running = Running::new();
        let names = ["a".repeat(40), "b".repeat(33), "c".repeat(7)];
        std::thread::scope(|scope| {
            scope.spawn(|| (0..200_000).for_each(|turn| running.begin(&names[turn % 3])));
            while running.turn() < 200_000 {
                if let Some(Look { name: Some(name), .. }) = running.look() {
                    assert!(names.contains(&name), "{name}");
                }
            }
        });
    }
}
