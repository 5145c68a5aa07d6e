//! What is encoded is decoded again, and no bytes make it panic.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

fn bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let pair = || proptest::option::of(any::<(u32, u32)>());
    (proptest::option::of(any::<u64>()), pair(), proptest::option::of(any::<u32>()), pair())
        .prop_map(|(size, owner, mode, times)| Attributes { size, owner, mode, times })
}

fn extension() -> impl Strategy<Value = Extension> {
    prop_oneof![
        bytes().prop_map(|handle| Extension::Sync { handle }),
        (bytes(), bytes()).prop_map(|(from, to)| Extension::RenameOver { from, to }),
        bytes().prop_map(|path| Extension::Space { path }),
        Just(Extension::Limits),
        Just(Extension::State),
        any::<Secret>().prop_map(|client| Extension::Client { client }),
        (bytes(), any::<u32>())
            .prop_map(|(handle, wanted_ms)| Extension::Lease { handle, wanted_ms }),
        Just(Extension::Renew),
        any::<Secret>().prop_map(|lease| Extension::Release { lease }),
        (bytes(), any::<u64>(), any::<u32>())
            .prop_map(|(path, version, wanted_ms)| Extension::Reclaim { path, version, wanted_ms }),
        any::<Secret>().prop_map(|client| Extension::Events { client }),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let path = bytes;
    let handle = bytes;
    prop_oneof![
        any::<u32>().prop_map(|version| Request::Init { version }),
        (path(), 0_u32..64, attributes()).prop_map(|(path, bits, attributes)| Request::Open {
            path,
            flags: OpenFlags::from_bits(bits),
            attributes
        }),
        handle().prop_map(|handle| Request::Close { handle }),
        (handle(), any::<u64>(), any::<u32>()).prop_map(|(handle, offset, length)| Request::Read {
            handle,
            offset,
            length
        }),
        (handle(), any::<u64>(), bytes()).prop_map(|(handle, offset, data)| Request::Write {
            handle,
            offset,
            data
        }),
        path().prop_map(|path| Request::LookLink { path }),
        handle().prop_map(|handle| Request::LookOpen { handle }),
        (path(), attributes()).prop_map(|(path, attributes)| Request::Set { path, attributes }),
        (handle(), attributes())
            .prop_map(|(handle, attributes)| Request::SetOpen { handle, attributes }),
        path().prop_map(|path| Request::OpenDirectory { path }),
        handle().prop_map(|handle| Request::ReadDirectory { handle }),
        path().prop_map(|path| Request::Remove { path }),
        (path(), attributes())
            .prop_map(|(path, attributes)| Request::MakeDirectory { path, attributes }),
        path().prop_map(|path| Request::RemoveDirectory { path }),
        path().prop_map(|path| Request::RealPath { path }),
        path().prop_map(|path| Request::Look { path }),
        (path(), path()).prop_map(|(from, to)| Request::Rename { from, to }),
        path().prop_map(|path| Request::ReadLink { path }),
        (path(), path()).prop_map(|(target, path)| Request::MakeLink { target, path }),
        extension().prop_map(|extension| extension.request()),
        (21_u8..100).prop_map(|kind| Request::Unknown { kind }),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    let name = (bytes(), bytes(), attributes()).prop_map(|(name, line, attributes)| Name {
        name,
        line,
        attributes,
    });
    prop_oneof![
        (any::<u32>(), proptest::collection::vec((bytes(), bytes()), 0..4))
            .prop_map(|(version, extensions)| Reply::Version { version, extensions }),
        (0_u32..12, ".{0,20}")
            .prop_map(|(number, text)| Reply::Status { code: Code::from_number(number), text }),
        bytes().prop_map(Reply::Handle),
        bytes().prop_map(Reply::Data),
        proptest::collection::vec(name, 0..4).prop_map(Reply::Names),
        attributes().prop_map(Reply::Attributes),
        bytes().prop_map(Reply::Extended),
    ]
}

proptest! {
    #[test]
    fn requests_come_back(request in request(), id in any::<u32>()) {
        let mut wire = BytesMut::new();
        request.encode(id, &mut wire);
        let packet = take(&mut wire).unwrap().unwrap();
        prop_assert!(wire.is_empty());
        let id = if matches!(request, Request::Init { .. }) { 0 } else { id };
        prop_assert_eq!(Request::decode(packet), Ok((id, request)));
    }

    #[test]
    fn extensions_come_back(extension in extension()) {
        let Request::Extended { name, fields } = extension.request() else { unreachable!() };
        prop_assert_eq!(Extension::decode(&name, fields), Ok(Some(extension)));
        prop_assert!(Extension::ALL.iter().any(|(known, _)| known.as_bytes() == name));
    }

    #[test]
    fn replies_come_back(reply in reply(), id in any::<u32>()) {
        let mut wire = BytesMut::new();
        reply.encode(id, &mut wire);
        let packet = take(&mut wire).unwrap().unwrap();
        let id = if matches!(reply, Reply::Version { .. }) { 0 } else { id };
        prop_assert_eq!(Reply::decode(packet), Ok((id, reply)));
    }

    #[test]
    fn a_packet_cut_short_is_refused(request in request(), cut in any::<prop::sample::Index>()) {
        let mut wire = BytesMut::new();
        request.encode(7, &mut wire);
        let packet = take(&mut wire).unwrap().unwrap();
        let cut = packet.slice(..cut.index(packet.len()));
        let is_open_ended = matches!(request, Request::Extended { .. } | Request::Unknown { .. });
        prop_assert!(is_open_ended || Request::decode(cut).is_err());
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        let _ = Request::decode(bytes.clone());
        let _ = Reply::decode(bytes.clone());
        for (name, _) in Extension::ALL {
            let _ = Extension::decode(name.as_bytes(), bytes.clone());
        }
        let mut input = BytesMut::from(&bytes[..]);
        while let Ok(Some(_)) = take(&mut input) {}
    }
}

#[test]
fn lengths_are_believed_only_up_to_the_bound() {
    let mut announced = BytesMut::from(&[0x7f, 0xff, 0xff, 0xff, 3][..]);
    assert_eq!(take(&mut announced), Err(WireError::TooLarge(0x7fff_ffff)));
    assert_eq!(take(&mut BytesMut::from(&[0, 0, 0, 0][..])), Err(WireError::Empty));
    // A string that claims more than there is, and a count of names without end.
    let short = Bytes::from_static(&[13, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(Request::decode(short), Err((Some(1), WireError::Short("filename"))));
    let names = Bytes::from_static(&[104, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(Reply::decode(names), Err(WireError::Short("filename")));
}
