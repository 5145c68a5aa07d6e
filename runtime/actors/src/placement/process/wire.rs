//! What crosses between an actor's address and its process: frames of a length, a head (postcard) and a body.
//!
//! ```text
//! u32 little-endian   length of head and body, at most the frame limit
//! head                ToChild or FromChild
//! body                the rest: a message, a reply, arguments; passed on undecoded
//! ```

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use palco_processes::{Confinement, Obtained};
use palco_sys::{PASSED_MAX, RingError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::DropReason;
use crate::grant::CallError;
use crate::portable::to_bytes;
use crate::reply::NoReply;

/// The bytes before the head.
const LENGTH_BYTES: usize = 4;

/// To the actor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToChild {
    /// The first frame; the body are the arguments.
    Start(Start),
    /// A message with this number in the actor's table, and how many descriptors belong to it.
    Message { number: u16, is_ask: bool, descriptors: u8 },
    /// On the urgent socket, ahead of a message of this lane: the descriptors that belong to it came with this frame.
    Passed { lane: u8, descriptors: u8 },
    /// What came of a call; the body is the reply.
    Answer { call: u64, outcome: Result<(), CallError> },
    /// Look at the signals.
    Nudge,
}

/// How to begin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) parent_pid: i32,
    pub(crate) confinement: Confinement,
    /// How many of the descriptors that came along belong to the actor, and how many grants it has.
    pub(crate) descriptors: u32,
    pub(crate) grants: u32,
}

/// From the actor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromChild {
    /// It will not begin, and why.
    Refused(String),
    /// It is confined and about to make the actor.
    Ready(Obtained),
    /// The start hook has passed.
    Started,
    /// How many messages of each lane have been dealt with in this life, and whether the actor rests.
    Progress(Progress),
    /// This message of a lane, counted from 0 in this life, came to no good end; all before it did.
    Dropped { lane: u8, index: u64, reason: DropReason },
    /// What came of this message of a lane, an ask; the body is the reply.
    Reply { lane: u8, index: u64, outcome: Result<(), NoReply> },
    /// The state, as JSON in the body; no body if it could not be written down.
    State,
    /// A call to a granted actor; the body is the message.
    Call { call: u64, grant: u32, within: Duration },
    /// The same without an answer.
    Tell { grant: u32 },
    /// What the handler is doing from this moment of the machine's monotonic clock on, while somebody wants to know; the
    /// text is the body, none at the handler's end. `begins` says that it begins something new.
    Step { at_ns: u64, begins: bool },
    /// The life is over; the last frame. The body is the [`ExitReason`](palco_core::ExitReason) as JSON, in the form in
    /// which it is shown.
    Ended,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// By lane: messages dealt with.
    pub(crate) done: [u64; 2],
    pub(crate) rests: bool,
}

/// Bytes that are no frames.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub(crate) enum WireError {
    #[error("a frame of {bytes} bytes, over the limit of {max}")]
    TooLarge { bytes: usize, max: usize },
    #[error("a frame that cannot be read: {0}")]
    Malformed(postcard::Error),
    #[error("descriptors were lost: this process may not have so many open")]
    Descriptors,
    #[error("a ring that cannot be read: {0}")]
    Ring(String),
}

impl From<RingError> for WireError {
    fn from(error: RingError) -> Self {
        Self::Ring(error.to_string())
    }
}

/// Appends a frame.
pub(crate) fn append<H: Serialize>(
    out: &mut Vec<u8>,
    head: &H,
    body: &[u8],
    max: usize,
) -> Result<(), WireError> {
    append_with(out, head, max, |out| {
        out.extend_from_slice(body);
        Ok(())
    })
}

/// Appends a frame whose body is written in place.
pub(crate) fn append_with<H: Serialize>(
    out: &mut Vec<u8>,
    head: &H,
    max: usize,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), postcard::Error>,
) -> Result<(), WireError> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    let written = to_bytes(head, out).and_then(|()| body(out)).map_err(WireError::Malformed);
    let bytes = out.len() - start - LENGTH_BYTES;
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= max);
    match (written, length) {
        (Ok(()), Some(length)) => {
            out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
            Ok(())
        }
        (Err(error), _) => {
            out.truncate(start);
            Err(error)
        }
        (Ok(()), None) => {
            out.truncate(start);
            Err(WireError::TooLarge { bytes, max })
        }
    }
}

/// How much is read at once: mostly frames are small, and room that is not used has been cleared in vain.
const READ_BYTES: usize = 4 << 10;

/// The same while every read fills its room.
const READ_BYTES_LARGE: usize = 64 << 10;

/// Bytes on their way in, cut into frames.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    taken: usize,
    /// The last read has filled its room.
    is_flood: bool,
    /// What came along, in its order.
    pub(crate) descriptors: VecDeque<OwnedFd>,
}

impl Incoming {
    /// Where to append what was read.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.taken > 0 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        &mut self.bytes
    }

    /// Reads once; true in the second place if there may be more at once.
    pub(crate) fn read(&mut self, mut source: impl Read) -> io::Result<(usize, bool)> {
        self.read_by(|room| source.read(room))
    }

    /// As [`Self::read`], and takes in the descriptors that come along.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<(usize, bool)> {
        let mut passed = Vec::new();
        let read = self.read_by(|room| {
            let (bytes, descriptors) = palco_sys::receive_into(socket, room, PASSED_MAX)?;
            passed = descriptors;
            Ok(bytes)
        });
        self.descriptors.extend(passed);
        read
    }

    fn read_by(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<(usize, bool)> {
        let room = if self.is_flood { READ_BYTES_LARGE } else { READ_BYTES };
        let buffer = self.buffer();
        let start = buffer.len();
        buffer.resize(start + room, 0);
        let read = read(&mut buffer[start..]);
        let bytes = *read.as_ref().unwrap_or(&0);
        buffer.truncate(start + bytes);
        self.is_flood = bytes == room;
        read.map(|bytes| (bytes, bytes == room))
    }

    /// The next whole frame, if there is one.
    pub(crate) fn next<H: DeserializeOwned>(
        &mut self,
        max: usize,
    ) -> Result<Option<(H, &[u8])>, WireError> {
        let Some((length, rest)) = self.bytes[self.taken..].split_first_chunk::<LENGTH_BYTES>()
        else {
            return Ok(None);
        };
        let bytes = u32::from_le_bytes(*length) as usize;
        if bytes > max {
            return Err(WireError::TooLarge { bytes, max });
        }
        let Some(frame) = rest.get(..bytes) else { return Ok(None) };
        self.taken += LENGTH_BYTES + bytes;
        postcard::take_from_bytes(frame).map(Some).map_err(WireError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frames_survive_any_cut(bodies: Vec<Vec<u8>>, cuts: Vec<u8>) {
            let mut wire = Vec::new();
            for (index, body) in bodies.iter().enumerate() {
                let number = index as u16;
                let head = ToChild::Message { number, is_ask: index % 2 == 0, descriptors: 0 };
                append(&mut wire, &head, body, 1 << 20).unwrap();
            }
            let (mut incoming, mut seen, mut rest) = (Incoming::default(), Vec::new(), &wire[..]);
            let mut cuts = cuts.into_iter().chain(std::iter::repeat(255));
            while !rest.is_empty() {
                let cut = rest.len().min(cuts.next().map_or(1, usize::from) + 1);
                incoming.buffer().extend_from_slice(&rest[..cut]);
                rest = &rest[cut..];
                while let Some((head, body)) = incoming.next::<ToChild>(1 << 20).unwrap() {
                    let ToChild::Message { number, .. } = head else { panic!("another frame") };
                    prop_assert_eq!(usize::from(number), seen.len());
                    seen.push(body.to_vec());
                }
            }
            prop_assert_eq!(seen, bodies);
        }

        #[test]
        fn any_bytes_are_frames_or_an_error(bytes: Vec<u8>) {
            let mut incoming = Incoming::default();
            incoming.buffer().extend_from_slice(&bytes);
            let mut frames = 0;
            while let Ok(Some(_)) = incoming.next::<FromChild>(1 << 16) {
                frames += 1;
            }
            prop_assert!(frames * LENGTH_BYTES <= bytes.len());
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_on_both_sides() {
        let mut wire = vec![7];
        let head = FromChild::State;
        let error = append(&mut wire, &head, &[0; 100], 50).unwrap_err();
        assert_eq!(error, WireError::TooLarge { bytes: 101, max: 50 });
        assert_eq!(wire, [7], "nothing of it is sent");
        let mut incoming = Incoming::default();
        incoming.buffer().extend_from_slice(&u32::MAX.to_le_bytes());
        assert!(incoming.next::<FromChild>(50).is_err());
    }
}
