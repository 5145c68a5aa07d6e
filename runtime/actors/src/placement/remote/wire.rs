//! What crosses between two nodes: frames of a head (postcard) and a body, which is the rest.
//!
//! A *channel* leads from an address here to an actor there. Who opens it numbers it, from 1 up, for one session; both
//! sides may open channels, and a frame's kind says whose channel it belongs to. What concerns a lane of the mailbox goes
//! over the same lane of the carrier, so that a lane's messages and what became of them keep their order.

use std::time::Duration;

use bytes::Bytes;
use palco_transport::Lane;
use serde::{Deserialize, Serialize};

use crate::DropReason;
use crate::grant::CallError;
use crate::placement::PlaceKind;
use crate::portable::{MessageTable, Portable, to_bytes};
use crate::reply::NoReply;

/// What a frame may have in bytes, whatever the options say: no more than carriers take.
pub(super) const FRAME_BYTES_MAX: usize = 4 << 20;

/// What may be ahead of an actor on one channel, in each lane; the far end insists on it.
pub(super) const AHEAD_MESSAGES_MAX: usize = 1024;
pub(super) const AHEAD_BYTES_MAX: usize = 1 << 20;

/// Calls to granted actors that may be under way on one channel.
pub(super) const CALLS_MAX: usize = 256;

/// Grants of one life.
pub(super) const GRANTS_MAX: u32 = 256;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Frame {
    /// Opens a channel to the actor that is known by this name.
    Find { channel: u64, role: Role, name: String },
    /// Opens a channel to a life that begins now; the body are the arguments.
    Start { channel: u64, role: Role, name: String, place: PlaceKind, grants: u32 },
    /// A message of the lane that the frame came over. So many urgent messages were handed over before it.
    Message { channel: u64, number: u16, is_ask: bool, urgent_before: u64 },
    /// Signals to a life that have been raised and cleared; so many messages of each lane had been handed over by then.
    Signals { channel: u64, raised: u32, cleared: u32, handed: [u64; 2] },
    /// What came of a call; the body is the reply.
    Answer { channel: u64, call: u64, outcome: Result<(), CallError> },
    /// The last frame of who has opened the channel. A life there ends.
    Close { channel: u64 },

    /// Nobody is known by that name yet. The channel is opened when somebody is.
    Unknown { channel: u64 },
    /// Messages may be sent.
    Opened { channel: u64, takes_urgent: bool },
    /// There will be no such channel.
    Refused { channel: u64, why: String },
    /// The start hook has passed.
    Started { channel: u64 },
    /// So many messages of this lane have been dealt with.
    Progress { channel: u64, done: u64 },
    /// This message of the lane came to no good end; all before it did, or were told of.
    Dropped { channel: u64, index: u64, reason: DropReason },
    /// What came of this message of the lane, an ask; the body is the reply.
    Reply { channel: u64, index: u64, outcome: Result<(), NoReply> },
    /// Whether the actor rests.
    Held { channel: u64, is_held: bool },
    /// These signals have taken hold.
    Taken { channel: u64, signals: u32 },
    /// What the handler says it is doing.
    Doing { channel: u64, note: Option<String> },
    /// The state, as JSON in the body; no body if it could not be written down.
    State { channel: u64 },
    /// A call to a granted actor; without a limit nobody waits for the reply. The body is the message.
    Call { channel: u64, call: u64, grant: u32, within: Option<Duration> },
    /// The life is over, after so many messages of each lane. The body is the reason, as JSON.
    Ended { channel: u64, done: [u64; 2] },
    /// The actor has ended for good. Another of its name may follow.
    Gone { channel: u64 },
}

/// What an actor can be sent, so that both ends mean the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(super) kind: String,
    /// Of its table of messages.
    pub(super) table: u64,
}

/// Bytes that are no frame, or a frame that cannot be.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub(super) enum Nonsense {
    #[error("a frame that cannot be read: {0}")]
    Malformed(postcard::Error),
    #[error("a frame of {0} bytes: more than {FRAME_BYTES_MAX}")]
    TooLarge(usize),
    #[error("{0}")]
    OutOfTurn(&'static str),
}

impl Role {
    pub(crate) fn of<A: Portable>(table: &MessageTable<A>) -> Self {
        let names = table.entries.iter().map(|entry| (entry.name)());
        Self { kind: A::kind().into_owned(), table: digest(names) }
    }

    /// Why who asks for `asked` cannot have this.
    pub(super) fn objection(&self, asked: &Self) -> Option<String> {
        if self.kind != asked.kind {
            let (is, wanted) = (&self.kind, &asked.kind);
            return Some(format!("it is of kind `{is}`, not `{wanted}`"));
        }
        (self.table != asked.table)
            .then(|| format!("its kind `{}` has other messages there", self.kind))
    }
}

/// Tells one list of names from another, the same in every program: FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv).
pub(crate) fn digest<'a>(names: impl Iterator<Item = &'a str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for name in names {
        // A byte that is in no text parts one name from the next.
        for byte in name.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// A frame as bytes.
pub(super) fn encode(head: &Frame, body: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(16 + body.len());
    // Writing into memory does not fail.
    let _ = to_bytes(head, &mut bytes);
    bytes.extend_from_slice(body);
    bytes.into()
}

/// The frame that bytes of a peer are.
pub(super) fn decode(bytes: &Bytes) -> Result<(Frame, Bytes), Nonsense> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(Nonsense::TooLarge(bytes.len()));
    }
    let (head, body) = postcard::take_from_bytes::<Frame>(bytes).map_err(Nonsense::Malformed)?;
    Ok((head, bytes.slice_ref(body)))
}

/// Which lane of a mailbox a frame concerns that came over this lane of the carrier.
pub(super) fn lane_of(lane: Lane) -> Result<usize, Nonsense> {
    match lane {
        Lane::Normal => Ok(0),
        Lane::Urgent => Ok(1),
        Lane::Bulk => Err(Nonsense::OutOfTurn("a frame in the bulk lane")),
    }
}

/// Over which lane of the carrier it goes, by the lane of the mailbox.
pub(super) const LANES: [Lane; 2] = [Lane::Normal, Lane::Urgent];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes: Vec<u8>) {
            let bytes = Bytes::from(bytes);
            if let Ok((_, body)) = decode(&bytes) {
                prop_assert!(body.len() < bytes.len());
            }
        }

        #[test]
        fn a_frame_survives_its_bytes(channel: u64, number: u16, is_ask: bool, body: Vec<u8>) {
            let head = Frame::Message { channel, number, is_ask, urgent_before: channel };
            let (read, rest) = decode(&encode(&head, &body)).unwrap();
            prop_assert_eq!(read, head);
            prop_assert_eq!(&rest[..], &body[..]);
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused() {
        let bytes = Bytes::from(vec![0; FRAME_BYTES_MAX + 1]);
        assert_eq!(decode(&bytes), Err(Nonsense::TooLarge(FRAME_BYTES_MAX + 1)));
    }

    #[test]
    fn names_are_told_apart_also_where_they_meet() {
        assert_ne!(digest(["ab", "c"].into_iter()), digest(["a", "bc"].into_iter()));
        assert_eq!(digest(["a"].into_iter()), digest(["a"].into_iter()));
    }
}
