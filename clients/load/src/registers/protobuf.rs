//! The four messages that are exchanged with etcd, in the encoding of Protocol Buffers.
//!
//! Source: *Protocol Buffers, Encoding*; field numbers of `etcdserver/etcdserverpb/rpc.proto` and `mvcc/mvccpb/kv.proto`
//! of etcd 3.4. Written by hand because it is four messages of one or two fields.

use bytes::{BufMut, Bytes, BytesMut};

/// The bits of a tag that say how a field is encoded.
const WIRE_BITS: u32 = 3;
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;

/// A field of a message: its number, and a number or bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Number(u64, u64),
    Bytes(u64, &'a [u8]),
}

/// What a member says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) member: u64,
    /// Who leads, as this member knows; 0 when nobody does.
    pub(super) leader: u64,
}

/// `RangeRequest { key }`; linearizable, which is the default.
pub(super) fn range_request(key: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(key.len() + 12);
    put_bytes(1, key, &mut message);
    message.freeze()
}

/// `PutRequest { key, value }`.
pub(super) fn put_request(key: &[u8], value: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(key.len() + value.len() + 24);
    put_bytes(1, key, &mut message);
    put_bytes(2, value, &mut message);
    message.freeze()
}

/// The value of the first pair in a `RangeResponse { kvs = 2 { value = 5 } }`; nothing if there is none.
pub(super) fn value_of_range(response: &[u8]) -> Result<Option<&[u8]>, String> {
    for field in fields(response) {
        if let Field::Bytes(2, pair) = field? {
            return last_bytes(5, pair).map(|value| Some(value.unwrap_or_default()));
        }
    }
    Ok(None)
}

/// Of a `StatusResponse { header = 1 { member_id = 2 }, leader = 4 }`.
pub(super) fn status(response: &[u8]) -> Result<Status, String> {
    let mut status = Status::default();
    for field in fields(response) {
        match field? {
            Field::Bytes(1, header) => {
                for field in fields(header) {
                    if let Field::Number(2, member) = field? {
                        status.member = member;
                    }
                }
            }
            Field::Number(4, leader) => status.leader = leader,
            Field::Bytes(..) | Field::Number(..) => {}
        }
    }
    Ok(status)
}

fn last_bytes(number: u64, message: &[u8]) -> Result<Option<&[u8]>, String> {
    let mut found = None;
    for field in fields(message) {
        match field? {
            Field::Bytes(of, bytes) if of == number => found = Some(bytes),
            Field::Bytes(..) | Field::Number(..) => {}
        }
    }
    Ok(found)
}

fn put_bytes(number: u64, bytes: &[u8], message: &mut BytesMut) {
    put_varint(number << WIRE_BITS | LENGTH_DELIMITED, message);
    put_varint(bytes.len() as u64, message);
    message.put_slice(bytes);
}

/// Seven bits a byte, the lowest first; the highest bit says that more come.
fn put_varint(mut number: u64, message: &mut BytesMut) {
    while number >= 0x80 {
        message.put_u8(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    message.put_u8(number.to_le_bytes()[0]);
}

/// The fields of a message; an error ends them.
fn fields(mut message: &[u8]) -> impl Iterator<Item = Result<Field<'_>, String>> {
    std::iter::from_fn(move || {
        if message.is_empty() {
            return None;
        }
        let field = take_field(&mut message);
        if field.is_err() {
            message = &[];
        }
        Some(field)
    })
}

fn take_field<'a>(message: &mut &'a [u8]) -> Result<Field<'a>, String> {
    let tag = take_varint(message)?;
    let number = tag >> WIRE_BITS;
    match tag & ((1 << WIRE_BITS) - 1) {
        VARINT => Ok(Field::Number(number, take_varint(message)?)),
        FIXED_64 => Ok(Field::Bytes(number, take_bytes(8, message)?)),
        FIXED_32 => Ok(Field::Bytes(number, take_bytes(4, message)?)),
        LENGTH_DELIMITED => {
            let length = take_varint(message)?;
            Ok(Field::Bytes(number, take_bytes(length, message)?))
        }
        wire => Err(format!("field {number} has wire type {wire}, which is not known")),
    }
}

fn take_bytes<'a>(length: u64, message: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (taken, rest) = message.split_at_checked(length).ok_or("a message ends within a field")?;
    *message = rest;
    Ok(taken)
}

fn take_varint(message: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first().ok_or("a message ends within a number")?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number has more than 64 bits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_encoded_as_protoc_does() {
        assert_eq!(&range_request(b"foo")[..], b"\x0a\x03foo");
        assert_eq!(&put_request(b"k", &[7; 300])[..6], b"\x0a\x01k\x12\xac\x02");
    }

    #[test]
    fn the_value_of_a_range_is_found_among_other_fields() {
        // header { cluster_id = 1 }, kvs { key = "k", version = 9, value = "vw" }, count = 1
        let response = b"\x0a\x02\x08\x01\x12\x09\x0a\x01k\x20\x09\x2a\x02vw\x20\x01";
        assert_eq!(value_of_range(response), Ok(Some(&b"vw"[..])));
        assert_eq!(value_of_range(b"\x0a\x02\x08\x01"), Ok(None));
        // A pair without a value holds the empty one.
        assert_eq!(value_of_range(b"\x12\x03\x0a\x01k"), Ok(Some(&b""[..])));
    }

    #[test]
    fn a_member_says_who_leads() {
        let response = b"\x0a\x05\x08\x01\x10\xac\x02\x12\x013\x20\xac\x02";
        assert_eq!(status(response), Ok(Status { member: 300, leader: 300 }));
    }

    #[test]
    fn bytes_that_end_too_early_or_make_no_sense_are_errors() {
        for broken in [&b"\x12\x05\x0a"[..], b"\x80", b"\x0b", b"\x09\x01", &[0xff; 11]] {
            assert!(value_of_range(broken).is_err(), "{broken:?}");
        }
    }
}
