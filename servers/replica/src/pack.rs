//! Many messages of a participant in one buffer, each behind its length (32 bits, little-endian).

use bytes::Bytes;
use palco_rambo::{Malformed, Message};

const LENGTH_BYTES: usize = 4;

/// A buffer is closed when it has grown to this: 256 KiB. A larger message has a buffer of its own.
pub(crate) const PACKED_BYTES_MAX: usize = 256 << 10;

/// Appends a message.
pub(crate) fn pack(message: &Message, packed: &mut Vec<u8>) {
    let start = packed.len();
    packed.extend_from_slice(&[0; LENGTH_BYTES]);
    message.encode(packed);
    let bytes = packed.len() - start - LENGTH_BYTES;
    let length = u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    packed[start..start + LENGTH_BYTES].copy_from_slice(&length);
}

/// The messages in a buffer, up to the first that is none.
pub(crate) fn unpack(packed: &Bytes) -> impl Iterator<Item = Result<Message, Malformed>> + '_ {
    let mut rest = &packed[..];
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let next = rest.split_first_chunk::<LENGTH_BYTES>().and_then(|(length, after)| {
            let bytes = u32::from_le_bytes(*length) as usize;
            after.split_at_checked(bytes)
        });
        let Some((message, after)) = next else {
            rest = &[];
            return Some(Err(Malformed::Empty));
        };
        let message = Message::decode(message);
        rest = if message.is_ok() { after } else { &[] };
        Some(message)
    })
}

#[cfg(test)]
mod tests {
    use palco_rambo::{Body, Version};
    use proptest::prelude::*;

    use super::*;

    fn message() -> Message {
        Message { version: Version::default(), map: None, body: Body::AskMap }
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(count in 0_usize..20) {
            let mut packed = Vec::new();
            (0..count).for_each(|_| pack(&message(), &mut packed));
            let packed = Bytes::from(packed);
            let messages: Result<Vec<_>, _> = unpack(&packed).collect();
            prop_assert_eq!(messages.unwrap(), vec![message(); count]);
        }

        #[test]
        fn any_bytes_end_and_never_panic(bytes: Vec<u8>) {
            let packed = Bytes::from(bytes);
            let read = unpack(&packed).count();
            prop_assert!(read <= packed.len() / LENGTH_BYTES + 1);
        }
    }

    #[test]
    fn what_follows_a_broken_message_is_left() {
        let mut packed = vec![1, 0, 0, 0, 99];
        pack(&message(), &mut packed);
        let packed = Bytes::from(packed);
        let read: Vec<_> = unpack(&packed).collect();
        assert_eq!(read.len(), 1);
        assert!(read[0].is_err());
    }
}
