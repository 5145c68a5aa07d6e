//! [`RingEnd`]: frames between a parent and one child through memory that both map, without a lock and without the kernel
//! while both are awake.
//!
//! One ring, two lanes, two ends; each child has a ring of its own, which is thrown away with it. The memory is sealed
//! against any change of size. An end keeps its own counts to itself and publishes copies; of the peer it believes nothing
//! that it has not checked: once something impossible is found, the end refuses everything.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::os::fd::AsFd;
//! use palco_sys::{RingEnd, spin_budget};
//!
//! let mut parent = RingEnd::create(1 << 16)?;
//! let mut child = RingEnd::open(parent.as_fd().try_clone_to_owned()?)?; // in the other process
//!
//! assert!(parent.try_send(&[b"how ", b"are you"])?);
//! parent.wake(); // after a batch
//!
//! let (spins, mut frame) = (spin_budget(), Vec::new());
//! while child.try_receive(&mut frame)?.is_none() {
//!     if !child.spin(spins) {
//!         child.sleep(None)?;
//!     }
//! }
//! if child.take_room_request() {
//!     child.wake(); // the parent found the ring full
//! }
//! assert_eq!(frame, b"how are you");
//! # Ok(())
//! # }
//! ```

mod frames;
mod layout;
mod waits;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fs::File;
use std::hint;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use self::frames::{Impossible, Reader, Writer};
use self::layout::{Lane, Side, WORD, Wishes};
use crate::SharedWords;

pub use self::waits::spin_budget;

/// Why an end takes or gives no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// The peer has written what no peer in its right mind writes; this end refuses everything from then on.
    #[error("the ring is corrupt: {0}")]
    Corrupt(String),
    /// The frame does not even fit into an empty ring.
    #[error("a frame of {bytes} bytes: at most {max} fit into the ring")]
    TooLarge {
        /// What was to be sent.
        bytes: usize,
        /// [`RingEnd::frame_bytes_max`].
        max: usize,
    },
}

/// One of the two ends of a ring; one thread at a time uses it.
#[derive(Debug)]
pub struct RingEnd {
    memory: SharedWords,
    side: Side,
    writer: Writer,
    reader: Reader,
    /// Whether the peer was asked to say when there is room.
    awaits_room: Cell<bool>,
    /// What was impossible, once something was.
    corrupt: Option<String>,
}

impl RingEnd {
    /// Makes the memory, with `bytes` for each direction: a power of two from 4 KiB to 16 MiB. This end is the parent's.
    ///
    /// # Errors
    /// `InvalidInput` for another number of bytes; the kernel's, when it has no memory or no descriptors left.
    pub fn create(bytes: usize) -> io::Result<Self> {
        let words = layout::words_for_lanes(bytes).ok_or_else(|| {
            let text = format!("a ring of {bytes} bytes: not a power of two from 4 KiB to 16 MiB");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })?;
        let memory = SharedWords::create("palco-ring", words)?;
        let title = layout::title(memory.words());
        title.bytes.store(bytes as u64, Ordering::Relaxed);
        title.magic.store(layout::MAGIC, Ordering::Release);
        Ok(Self::new(memory, Side::Parent))
    }

    /// The other end, in the child. The parent may have sent frames before.
    ///
    /// # Errors
    /// `InvalidData` when the file is not sealed, or not a ring, or a ring that another end has used; the kernel's
    /// otherwise.
    pub fn open(file: OwnedFd) -> io::Result<Self> {
        let refuse = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
        let file = File::from(file);
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let sized = len.is_multiple_of(WORD).then_some(len / WORD);
        let sized = sized.and_then(|words| Some((words, layout::lane_bytes(words)?)));
        let Some((words, bytes)) = sized else {
            return Err(refuse(&format!("not a ring: {len} bytes")));
        };
        let memory = SharedWords::open(file.into(), words)?;
        let end = Self::new(memory, Side::Child);
        let title = layout::title(end.memory.words());
        if title.magic.load(Ordering::Acquire) != layout::MAGIC
            || title.bytes.load(Ordering::Relaxed) != bytes as u64
        {
            return Err(refuse("not a ring of this version"));
        }
        let own = [end.outgoing().written, end.incoming().taken];
        if own.iter().any(|count| count.load(Ordering::Relaxed) != 0) {
            return Err(refuse("a ring that has been used"));
        }
        Ok(end)
    }

    fn new(memory: SharedWords, side: Side) -> Self {
        Self {
            memory,
            side,
            writer: Writer::default(),
            reader: Reader::default(),
            awaits_room: Cell::new(false),
            corrupt: None,
        }
    }

    /// The most bytes in one frame.
    #[must_use]
    pub fn frame_bytes_max(&self) -> usize {
        frames::frame_bytes_max(self.outgoing().data.len())
    }

    /// Puts one frame, made of `parts` one after the other; false if there is no room now. The peer is then asked to say
    /// when there is ([`RingEnd::take_room_request`]): sleep, or wait for the bell, and try again.
    ///
    /// The peer learns of the frame when it looks: after a batch, also one that ended with false, [`RingEnd::wake`] it.
    ///
    /// # Errors
    /// [`RingError::TooLarge`] if it can never fit, [`RingError::Corrupt`].
    pub fn try_send(&mut self, parts: &[&[u8]]) -> Result<bool, RingError> {
        self.refuse_if_corrupt()?;
        let bytes = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let max = self.frame_bytes_max();
        if bytes > max {
            return Err(RingError::TooLarge { bytes, max });
        }
        match self.find_room(bytes) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(impossible) => return Err(self.become_corrupt(impossible)),
        }
        let lane = layout::lane(self.memory.words(), self.side);
        self.writer.put(&lane, bytes, parts);
        Ok(true)
    }

    /// Says that this end wants room if there is none, and looks once more: the peer either sees the wish when it has made
    /// room, or this end sees the room.
    fn find_room(&mut self, bytes: usize) -> Result<bool, Impossible> {
        let words = self.memory.words();
        let lane = layout::lane(words, self.side);
        let mut fits = self.writer.has_room(&lane, bytes)?;
        if fits && !self.awaits_room.get() {
            return Ok(true);
        }
        let wish = layout::wishes(words, self.side).room;
        if !fits {
            wish.store(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            fits = self.writer.has_room(&lane, bytes)?;
        }
        if fits {
            wish.store(0, Ordering::Relaxed);
        }
        self.awaits_room.set(!fits);
        Ok(fits)
    }

    /// Takes one frame, appended to `into`, and returns its length; `None` if there is none. After a batch, look at
    /// [`RingEnd::take_room_request`].
    ///
    /// # Errors
    /// [`RingError::Corrupt`] when counts or lengths that the peer has written are impossible; `into` is then as it was.
    pub fn try_receive(&mut self, into: &mut Vec<u8>) -> Result<Option<usize>, RingError> {
        self.refuse_if_corrupt()?;
        let lane = layout::lane(self.memory.words(), self.side.peer());
        let taken = self.reader.take(&lane, into);
        taken.map_err(|impossible| self.become_corrupt(impossible))
    }

    /// Whether [`RingEnd::try_receive`] has something to say: a frame or an error.
    #[must_use]
    pub fn has_input(&self) -> bool {
        self.corrupt.is_some() || self.reader.has_input(&self.incoming())
    }

    /// Looks up to `spins` times for input; true if there is some. See [`spin_budget`].
    #[must_use]
    pub fn spin(&self, spins: u32) -> bool {
        for _ in 0..spins {
            if self.has_input() {
                return true;
            }
            hint::spin_loop();
        }
        self.has_input()
    }

    /// Sleeps until there may be input, or room if this end lacked it, or the peer [wakes](Self::wake) it, or a signal
    /// comes, or the time is over: look what it was. Returns at once while there is input.
    ///
    /// # Errors
    /// The kernel's; none are known.
    pub fn sleep(&self, timeout: Option<Duration>) -> io::Result<()> {
        let own = self.wishes_of(self.side);
        own.asleep.store(waits::ASLEEP, Ordering::Relaxed);
        // Pairs with the fence in `wake`: either the peer sees the sleeper, or the sleeper sees what the peer did before.
        fence(Ordering::SeqCst);
        let has_news = self.has_input() || self.was_granted_room(&own);
        let slept = if has_news { Ok(()) } else { waits::futex_wait(own.asleep, timeout) };
        own.asleep.store(0, Ordering::Relaxed);
        slept
    }

    /// Whether the peer has taken the request for room; true once.
    fn was_granted_room(&self, own: &Wishes<'_>) -> bool {
        let is_granted = self.awaits_room.get() && own.room.load(Ordering::Relaxed) == 0;
        if is_granted {
            self.awaits_room.set(false);
        }
        is_granted
    }

    /// Wakes the peer if it says that it sleeps, and returns whether it did; costs a fence and a load if not. Call after a
    /// batch of [`RingEnd::try_send`].
    pub fn wake(&self) -> bool {
        let asleep = self.wishes_of(self.side.peer()).asleep;
        fence(Ordering::SeqCst);
        let sleeps = asleep.load(Ordering::Relaxed) != 0 && asleep.swap(0, Ordering::SeqCst) != 0;
        if sleeps {
            waits::futex_wake(asleep);
        }
        sleeps
    }

    /// For an end that cannot sleep on a futex, such as an event loop: says that it is about to wait elsewhere, and that
    /// its doorbell, whatever that is, is to be rung for what it has not taken by now. Then look at
    /// [`RingEnd::has_input`] once more (and try to send once more, if room was lacking) before waiting.
    pub fn request_bell(&self, wanted: bool) {
        let bell = self.wishes_of(self.side).bell;
        if !wanted {
            // Nothing depends on when the peer sees it: a bell too many is heard and forgotten.
            bell.store(0, Ordering::Relaxed);
            return;
        }
        let wish = self.reader.taken() + 1;
        if bell.load(Ordering::Relaxed) != wish {
            bell.store(wish, Ordering::Relaxed);
            // Pairs with the fence in `take_bell_request`, as in `sleep`. A wish that still stands was made before one.
            fence(Ordering::SeqCst);
        }
    }

    /// Whether the peer wants its doorbell rung, because of frames that it had not taken when it said so; true once for
    /// each wish. Call after a batch of [`RingEnd::try_send`].
    #[must_use = "the wish is taken: ring the bell"]
    pub fn take_bell_request(&self) -> bool {
        fence(Ordering::SeqCst);
        let bell = self.wishes_of(self.side.peer()).bell;
        let wish = bell.load(Ordering::Relaxed);
        // What was sent before the wish was made the peer has seen: a bell would wake it for nothing.
        wish != 0 && wish <= self.writer.written() && bell.swap(0, Ordering::SeqCst) != 0
    }

    /// Whether the peer found the ring full and at least half of it is free now; true once for each time. Call after a
    /// batch of [`RingEnd::try_receive`], the last included; if true, [`RingEnd::wake`] the peer or ring its bell.
    #[must_use = "the wish is taken: wake the peer"]
    pub fn take_room_request(&self) -> bool {
        fence(Ordering::SeqCst);
        let wish = self.wishes_of(self.side.peer()).room;
        wish.load(Ordering::Relaxed) != 0
            && self.reader.has_half_free(&self.incoming())
            && wish.swap(0, Ordering::SeqCst) != 0
    }

    fn outgoing(&self) -> Lane<'_> {
        layout::lane(self.memory.words(), self.side)
    }

    fn incoming(&self) -> Lane<'_> {
        layout::lane(self.memory.words(), self.side.peer())
    }

    fn wishes_of(&self, side: Side) -> Wishes<'_> {
        layout::wishes(self.memory.words(), side)
    }

    fn refuse_if_corrupt(&self) -> Result<(), RingError> {
        self.corrupt.as_ref().map_or(Ok(()), |text| Err(RingError::Corrupt(text.clone())))
    }

    fn become_corrupt(&mut self, Impossible(text): Impossible) -> RingError {
        self.corrupt = Some(text.clone());
        RingError::Corrupt(text)
    }
}

impl AsFd for RingEnd {
    /// The memory, to be passed to the child.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}
