//! Frames as bytes of a stream: the length (u32, little-endian), then the frame. A length of `u32::MAX` is a *beat*: it says that
//! the sender lives, and no frame follows.

use bytes::{Buf, Bytes, BytesMut};

use crate::refusal::frame_too_large;

/// Bytes before every frame.
pub(super) const LENGTH_BYTES: usize = 4;

/// What a beat looks like.
pub(super) const BEAT: [u8; LENGTH_BYTES] = u32::MAX.to_le_bytes();

/// Cuts what was read into frames.
pub(super) struct Cutter {
    rest: BytesMut,
    frame_bytes_max: usize,
}

impl Cutter {
    /// One that takes frames of at most so many bytes, and never more than `u32::MAX - 1`.
    pub(super) fn new(frame_bytes_max: usize) -> Self {
        Self { rest: BytesMut::new(), frame_bytes_max }
    }

    /// Takes in what was read, and gives the frames that are whole with it. They share memory with each other, and are not
    /// copied again.
    ///
    /// # Errors
    /// Text about a frame that is larger than allowed. Nothing is kept for it, and the stream is of no use any more.
    pub(super) fn cut(&mut self, read: &[u8]) -> Result<Vec<Bytes>, String> {
        self.rest.extend_from_slice(read);
        let mut frames = Vec::new();
        while let Some(length) = self.rest.first_chunk::<LENGTH_BYTES>() {
            if *length == BEAT {
                self.rest.advance(LENGTH_BYTES);
                continue;
            }
            // A length beyond the address space is beyond the limit too.
            let bytes = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            if bytes > self.frame_bytes_max {
                return Err(frame_too_large(bytes, self.frame_bytes_max));
            }
            let whole = LENGTH_BYTES + bytes;
            if self.rest.len() < whole {
                self.rest.reserve(whole - self.rest.len());
                break;
            }
            self.rest.advance(LENGTH_BYTES);
            frames.push(self.rest.split_to(bytes).freeze());
        }
        Ok(frames)
    }
}

/// The bytes that go before a frame.
///
/// # Errors
/// Text about a frame that is larger than allowed.
pub(super) fn length(frame: &Bytes, frame_bytes_max: usize) -> Result<[u8; LENGTH_BYTES], String> {
    let too_large = || frame_too_large(frame.len(), frame_bytes_max);
    let bytes = u32::try_from(frame.len()).map_err(|_| too_large())?;
    if frame.len() > frame_bytes_max { Err(too_large()) } else { Ok(bytes.to_le_bytes()) }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 1000;

    fn encoded(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for frame in frames {
            bytes.extend(BEAT);
            bytes.extend(length(&Bytes::copy_from_slice(frame), MAX).unwrap());
            bytes.extend(frame);
        }
        bytes
    }

    proptest! {
        #[test]
        fn what_was_sent_arrives_however_it_is_torn(
            frames in vec(vec(any::<u8>(), 0..=MAX), 0..20),
            tears in vec(1_usize..300, 1..20),
        ) {
            let sent = encoded(&frames);
            let (mut cutter, mut rest, mut arrived) = (Cutter::new(MAX), &sent[..], Vec::new());
            for tear in tears.iter().cycle() {
                let (read, later) = rest.split_at(rest.len().min(*tear));
                arrived.extend(cutter.cut(read).unwrap());
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(arrived, frames);
        }

        #[test]
        fn any_bytes_are_frames_or_an_error_and_keep_no_more_than_one_frame(
            reads in vec(vec(prop_oneof![Just(0), any::<u8>()], 0..100), 0..50),
        ) {
            let mut cutter = Cutter::new(MAX);
            for read in reads {
                let Ok(frames) = cutter.cut(&read) else { break };
                prop_assert!(frames.iter().all(|frame| frame.len() <= MAX));
                prop_assert!(cutter.rest.len() < LENGTH_BYTES + MAX);
            }
        }
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_by_its_length_alone() {
        let why = Cutter::new(MAX).cut(&1001_u32.to_le_bytes()).unwrap_err();
        assert!(why.contains("1001") && why.contains("1000"), "{why}");
        assert!(length(&Bytes::from(vec![0; 1001]), MAX).is_err());
    }
}
