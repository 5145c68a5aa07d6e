//! The bytes of SFTP version 3, both ways: servers decode what clients encode, and the other way round.
//!
//! Source: draft-ietf-secsh-filexfer-02; section numbers below are its. Extensions are OpenSSH's (`PROTOCOL`, section 4)
//! and palco's own for leases ([`Extension`]).
//!
//! Decoding never panics and never allocates more than the packet that it is given. What a packet has behind its last
//! field is ignored where the draft leaves room for it (`INIT`) and refused elsewhere.

mod attributes;
mod extension;
mod fields;
mod reply;
mod request;

use bytes::{Buf, BufMut, Bytes, BytesMut};

pub use attributes::Attributes;
pub use extension::{Answer, Extension, LEASE_BYTES, Remembered, Secret};
pub use reply::{Code, Name, Reply};
pub use request::{OpenFlags, Request};

/// The version of the protocol: 3.
pub const VERSION: u32 = 3;
/// The longest packet, without its length: 256 KiB, as OpenSSH has it.
pub const PACKET_BYTES_MAX: usize = 256 << 10;
/// The most bytes that one `READ` gives or one `WRITE` takes: what a packet has left beside its other fields.
pub const DATA_BYTES_MAX: usize = PACKET_BYTES_MAX - 1024;
/// The longest handle: 256 bytes (section 6.2).
pub const HANDLE_BYTES_MAX: usize = 256;

/// Bytes that are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The packet ends before one of its fields does.
    #[error("the packet ends within its field `{0}`")]
    Short(&'static str),
    /// There is more than the packet's fields.
    #[error("{0} bytes follow the last field of the packet")]
    Long(usize),
    /// A packet that is announced longer than [`PACKET_BYTES_MAX`].
    #[error("a packet of {0} bytes is announced, the most is {PACKET_BYTES_MAX}")]
    TooLarge(usize),
    /// A packet without a type.
    #[error("a packet is empty")]
    Empty,
    /// A number that the draft does not define, of a reply.
    #[error("packets of type {0} are not known")]
    Unknown(u8),
    /// Names are text.
    #[error("the field `{0}` is no text in UTF-8")]
    NotText(&'static str),
}

/// Takes one packet, without its length, from the front of `input`; `None` if it is not whole yet.
///
/// # Errors
/// [`WireError::TooLarge`] or [`WireError::Empty`], as soon as the length is there; nothing after it can be understood.
pub fn take(input: &mut BytesMut) -> Result<Option<Bytes>, WireError> {
    let Some(length) = input.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    match length {
        0 => Err(WireError::Empty),
        length if length > PACKET_BYTES_MAX => Err(WireError::TooLarge(length)),
        length if input.len() < 4 + length => {
            input.reserve(4 + length - input.len());
            Ok(None)
        }
        length => {
            input.advance(4);
            Ok(Some(input.split_to(length).freeze()))
        }
    }
}

/// Appends a packet: what `write` appends, behind its length.
fn put(output: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let start = output.len();
    output.put_u32(0);
    write(output);
    let length =
        u32::try_from(output.len() - start - 4).expect("a packet is no longer than its bound");
    output[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests;
