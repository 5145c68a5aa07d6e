//! What an actor's address and its process see of each other at any time, without a message: a page of shared words.
//!
//! Signals go this way, because a handler that computes reads no frames; and how far the process has come, because a
//! process that has crashed sends none. Each side must be prepared for any value in what the other one writes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use palco_core::Time;
use palco_sys::SharedWords;

/// The words of the page.
#[derive(Clone, Copy)]
enum Word {
    /// The signals: raised here, cleared there once they have taken hold.
    Signals,
    /// Whether the actor rests.
    Held,
    /// How many messages the process has dealt with, by lane.
    DoneNormal,
    DoneUrgent,
    /// The message in the handler: 0 none, 1 of the normal lane, 2 of the urgent one, 3 of the actor's own timers.
    Running,
    /// When that handler began, in nanoseconds of the process's clock.
    Since,
    /// Grows with every turn of the process's loop and every checkpoint.
    Beats,
    /// Why the process aborted, written by its last signal handler.
    Fatal,
    /// What the handler says it is doing: a length, then the text.
    NoteBytes,
    Note,
    /// How many urgent messages have been sent. From here on what the address writes: away from the lines that the
    /// process writes with every message.
    UrgentSent = 32,
    /// How many bytes have been written to the normal socket.
    BytesSent,
    /// Whether somebody wants to know the steps of the handler.
    Watched,
    /// How many of them have been taken in.
    StepsTaken,
}

/// Words of a note.
const NOTE_WORDS: usize = 6;

/// Words of a page.
const WORDS: usize = Word::StepsTaken as usize + 1;

const _: () = assert!(Word::Note as usize + NOTE_WORDS <= 24, "a line (128 bytes) apart");

/// One process's page, seen from either side.
#[derive(Debug)]
pub(crate) struct Page(SharedWords);

/// What the process last wrote about its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) done: [u64; 2],
    /// The lane of the message in the handler.
    pub(crate) running: Option<usize>,
    /// Whether a handler runs at all.
    pub(crate) is_busy: bool,
}

impl Page {
    pub(crate) fn create() -> io::Result<Self> {
        SharedWords::create("palco-actor", WORDS).map(Self)
    }

    pub(crate) fn open(file: OwnedFd) -> io::Result<Self> {
        SharedWords::open(file, WORDS).map(Self)
    }

    fn word(&self, word: Word) -> &AtomicU64 {
        &self.0.words()[word as usize]
    }

    // Both sides

    pub(crate) fn signals(&self) -> u32 {
        self.word(Word::Signals).load(Ordering::SeqCst) as u32
    }

    pub(crate) fn raise(&self, bits: u32) {
        self.word(Word::Signals).fetch_or(bits.into(), Ordering::SeqCst);
    }

    pub(crate) fn clear(&self, bits: u32) {
        self.word(Word::Signals).fetch_and(!u64::from(bits), Ordering::SeqCst);
    }

    // The address's side

    pub(crate) fn is_held(&self) -> bool {
        self.word(Word::Held).load(Ordering::Acquire) != 0
    }

    pub(crate) fn standing(&self) -> Standing {
        let read = |word| self.word(word).load(Ordering::Acquire);
        let word = read(Word::Running);
        let running = match word {
            1 => Some(0),
            2 => Some(1),
            _ => None,
        };
        let done = [read(Word::DoneNormal), read(Word::DoneUrgent)];
        Standing { done, running, is_busy: word != 0 }
    }

    /// How long a handler has been running in a process of this age, if one does.
    pub(crate) fn running_for(&self, age: Duration) -> Option<Duration> {
        let since = Duration::from_nanos(self.word(Word::Since).load(Ordering::Relaxed));
        // Its clock began with it, a moment after the address's account of it.
        self.standing().is_busy.then(|| age.saturating_sub(since))
    }

    pub(crate) fn beats(&self) -> u64 {
        self.word(Word::Beats).load(Ordering::Relaxed)
    }

    pub(crate) fn fatal(&self) -> u64 {
        self.word(Word::Fatal).load(Ordering::Acquire)
    }

    pub(crate) fn announce_urgent(&self) {
        self.word(Word::UrgentSent).fetch_add(1, Ordering::Release);
    }

    /// Said after they have been written: whoever sees it finds them in the socket.
    pub(crate) fn announce_bytes(&self, bytes: usize) {
        let sent = self.word(Word::BytesSent);
        sent.store(sent.load(Ordering::Relaxed) + bytes as u64, Ordering::Release);
    }

    /// Says whether somebody wants to know the steps of the handler.
    pub(crate) fn watch(&self, watched: bool) {
        let word = self.word(Word::Watched);
        if word.load(Ordering::Relaxed) != u64::from(watched) {
            word.store(watched.into(), Ordering::Relaxed);
        }
    }

    pub(crate) fn take_step(&self) {
        self.word(Word::StepsTaken).fetch_add(1, Ordering::Relaxed);
    }

    /// What the handler says it is doing.
    pub(crate) fn note(&self) -> Option<String> {
        let bytes = usize::try_from(self.word(Word::NoteBytes).load(Ordering::Acquire)).ok()?;
        let words = &self.0.words()[Word::Note as usize..];
        let text = words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes());
        let text: Vec<u8> = text.take(bytes).collect();
        (!text.is_empty()).then(|| String::from_utf8_lossy(&text).into_owned())
    }

    // The process's side

    pub(crate) fn hold(&self, held: bool) -> bool {
        let word = self.word(Word::Held);
        // Looked at first: it changes seldom, and this is asked with every message.
        word.load(Ordering::Relaxed) != u64::from(held)
            && word.swap(held.into(), Ordering::AcqRel) != u64::from(held)
    }

    /// A handler begins, at this time of the process's clock.
    pub(crate) fn set_busy(&self, since: Time) {
        self.word(Word::Since).store(since.as_nanos(), Ordering::Relaxed);
        self.word(Word::Running).store(3, Ordering::Release);
    }

    /// The handler has come to its end.
    pub(crate) fn set_idle(&self) {
        self.word(Word::Running).store(0, Ordering::Release);
    }

    pub(crate) fn begin(&self, lane: usize) {
        self.word(Word::Running).store(lane as u64 + 1, Ordering::Release);
    }

    pub(crate) fn finish(&self, lane: usize) {
        let done = self.word(if lane == 0 { Word::DoneNormal } else { Word::DoneUrgent });
        done.store(done.load(Ordering::Relaxed) + 1, Ordering::Release);
        self.word(Word::Running).store(0, Ordering::Release);
    }

    pub(crate) fn urgent_sent(&self) -> u64 {
        self.word(Word::UrgentSent).load(Ordering::Acquire)
    }

    pub(crate) fn bytes_sent(&self) -> u64 {
        self.word(Word::BytesSent).load(Ordering::Acquire)
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.word(Word::Watched).load(Ordering::Relaxed) != 0
    }

    pub(crate) fn steps_taken(&self) -> u64 {
        self.word(Word::StepsTaken).load(Ordering::Relaxed)
    }

    pub(crate) fn beat(&self) {
        let beats = self.word(Word::Beats);
        beats.store(beats.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The word for the signal handlers of a process that aborts. Lives as long as the process: the page is leaked.
    pub(crate) fn fatal_word(page: &'static Self) -> &'static AtomicU64 {
        page.word(Word::Fatal)
    }

    pub(crate) fn write_note(&self, text: &str) {
        let text = text.as_bytes();
        let bytes = text.len().min(NOTE_WORDS * size_of::<u64>());
        let length = self.word(Word::NoteBytes);
        length.store(0, Ordering::Release);
        let words = &self.0.words()[Word::Note as usize..];
        for (word, part) in words.iter().zip(text[..bytes].chunks(size_of::<u64>())) {
            let mut whole = [0; size_of::<u64>()];
            whole[..part.len()].copy_from_slice(part);
            word.store(u64::from_le_bytes(whole), Ordering::Relaxed);
        }
        length.store(bytes as u64, Ordering::Release);
    }
}

impl AsFd for Page {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The signals of an actor: its own word, or the page of its process.
#[derive(Debug)]
pub(crate) enum SignalWord {
    Own(AtomicU32),
    Page(&'static Page),
}

impl Default for SignalWord {
    fn default() -> Self {
        Self::Own(AtomicU32::new(0))
    }
}

impl SignalWord {
    pub(crate) fn bits(&self) -> u32 {
        match self {
            Self::Own(bits) => bits.load(Ordering::SeqCst),
            Self::Page(page) => page.signals(),
        }
    }

    pub(crate) fn raise(&self, bits: u32) {
        match self {
            Self::Own(word) => drop(word.fetch_or(bits, Ordering::SeqCst)),
            Self::Page(page) => page.raise(bits),
        }
    }

    pub(crate) fn clear(&self, bits: u32) {
        match self {
            Self::Own(word) => drop(word.fetch_and(!bits, Ordering::SeqCst)),
            Self::Page(page) => page.clear(bits),
        }
    }

    pub(crate) fn page(&self) -> Option<&'static Page> {
        match self {
            Self::Own(_) => None,
            Self::Page(page) => Some(page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_cross_cut_to_their_room() {
        let page = Page::create().unwrap();
        assert_eq!(page.note(), None);
        page.write_note("reading");
        assert_eq!(page.note().as_deref(), Some("reading"));
        page.write_note(&"x".repeat(100));
        assert_eq!(page.note().unwrap().len(), 48);
    }

    #[test]
    fn a_handler_runs_for_as_long_as_its_process_lives_after_its_begin() {
        let page = Page::create().unwrap();
        assert_eq!(page.running_for(Duration::from_secs(3)), None);
        page.set_busy(Time::from_nanos(1_000_000_000));
        assert_eq!(page.running_for(Duration::from_secs(3)), Some(Duration::from_secs(2)));
        page.set_idle();
        assert_eq!(page.running_for(Duration::from_secs(3)), None);
    }

    #[test]
    fn whatever_a_process_writes_can_be_read() {
        let page = Page::create().unwrap();
        for word in page.0.words() {
            word.store(u64::MAX, Ordering::Relaxed);
        }
        assert_eq!(page.standing().running, None);
        assert!(page.is_held());
        assert!(page.note().is_some());
        assert_eq!(page.running_for(Duration::from_secs(1)), Some(Duration::ZERO));
    }
}
