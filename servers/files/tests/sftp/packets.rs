//! What is no request, or one that nobody may make.

use bytes::{BufMut, Bytes, BytesMut};
use palco_files::Access;
use palco_files::sftp::wire::{Attributes, Code, Extension, OpenFlags, Reply, Request};
use palco_files::sftp::{Config, SftpCodec, SftpService};
use palco_service::{Codec, Malformed};
use proptest::prelude::*;

use crate::client::{ALL, Client, directory, service};

#[test]
fn the_first_packet_is_init() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::silent(&service);
    assert_eq!(client.code(&Request::Look { path: "a".into() }), Code::BadMessage);
    let Reply::Version { version: 3, extensions } = client.ask(&Request::Init { version: 6 })
    else {
        panic!("no version")
    };
    let names: Vec<_> = extensions.iter().map(|(name, _)| &name[..]).collect();
    assert!(names.contains(&&b"fsync@openssh.com"[..]));
    assert!(!names.contains(&&b"lease@palco"[..]), "there are no leases here");
    assert_eq!(client.look("a").size, Some(13));
}

#[test]
fn a_packet_that_makes_no_sense_is_answered_and_the_connection_goes_on() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let mut bytes = BytesMut::new();
    bytes.put_u32(9);
    bytes.put_slice(&[17, 0, 0, 0, 77, 0, 0, 0, 99]);
    let (77, Reply::Status { code: Code::BadMessage, text }) = client.send(bytes).unwrap() else {
        panic!("not refused")
    };
    assert_eq!(text, "the packet ends within its field `path`");
    assert_eq!(client.code(&Request::Unknown { kind: 99 }), Code::OperationUnsupported);
    let unknown = Request::Extended { name: "none@nowhere".into(), fields: Bytes::new() };
    assert_eq!(client.code(&unknown), Code::OperationUnsupported);
    let short = Request::Extended { name: "fsync@openssh.com".into(), fields: Bytes::new() };
    assert_eq!(client.code(&short), Code::BadMessage);
    let link = Request::MakeLink { target: "a".into(), path: "b".into() };
    assert_eq!(client.code(&link), Code::OperationUnsupported);
    assert_eq!(client.look("a").size, Some(13));
}

#[test]
fn a_length_that_cannot_be_believed_ends_the_connection() {
    let mut codec = SftpCodec::default();
    let mut announced = BytesMut::from(&[0, 4, 0, 1][..]);
    let limit = 256 << 10;
    let expected = Malformed::TooLarge { what: "an SFTP packet", limit };
    assert_eq!(codec.decode(&mut announced).unwrap_err(), expected);
    assert!(matches!(codec.decode(&mut BytesMut::from(&[0; 4][..])), Err(Malformed::Syntax(_))));
}

#[test]
fn where_nobody_may_write_every_change_is_refused() {
    let root = directory();
    let config = Config { access: Access::ReadOnly, ..Config::read_write(root.path()) };
    let service = SftpService::new(config).unwrap();
    let mut client = Client::new(&service);
    let (path, attributes) = (Bytes::from("a"), Attributes::default());
    let open = |flags| Request::Open { path: "a".into(), flags, attributes };
    let handle = client.open("a", OpenFlags::READ);
    for request in [
        open(ALL),
        Request::Set { path: path.clone(), attributes },
        Request::SetOpen { handle: handle.clone(), attributes },
        Request::Remove { path: path.clone() },
        Request::MakeDirectory { path: "n".into(), attributes },
        Request::RemoveDirectory { path: "d".into() },
        Request::Rename { from: path.clone(), to: "b".into() },
        Extension::RenameOver { from: path.clone(), to: "b".into() }.request(),
        Request::Write { handle: handle.clone(), offset: 0, data: "x".into() },
    ] {
        assert_eq!(client.code(&request), Code::PermissionDenied, "{request:?}");
    }
    assert_eq!(client.read(&handle, 0, 100), "contents of a");
}

#[test]
fn a_file_is_opened_for_something() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    for flags in [
        OpenFlags::default(),
        OpenFlags { truncate: true, ..OpenFlags::READ },
        OpenFlags { create: true, ..OpenFlags::READ },
    ] {
        let attributes = Attributes::default();
        let open = Request::Open { path: "a".into(), flags, attributes };
        assert_eq!(client.code(&open), Code::BadMessage, "{flags:?}");
    }
    assert_eq!(client.look("a").size, Some(13), "nothing was emptied");
}

proptest! {
    /// However bytes are cut, the same requests are found, or the same end.
    #[test]
    fn cuts_do_not_matter(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        cuts in proptest::collection::vec(1_usize..40, 1..10),
    ) {
        let whole = decoded(&[&bytes]);
        let mut pieces = Vec::new();
        let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, left) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            pieces.push(piece);
            rest = left;
        }
        prop_assert_eq!(decoded(&pieces), whole);
    }

    /// No packets make it panic, wherever it is.
    #[test]
    fn packets_never_panic(
        packets in proptest::collection::vec(
            (0_u8..24, proptest::collection::vec(any::<u8>(), 0..60)), 0..20
        ),
    ) {
        let root = directory();
        let service = service(root.path());
        let mut client = Client::new(&service);
        for (kind, fields) in packets {
            let kind = if kind == 23 { 200 } else { kind };
            let mut bytes = BytesMut::new();
            bytes.put_u32(u32::try_from(fields.len() + 5).unwrap());
            bytes.put_u8(kind);
            bytes.put_u32(7);
            bytes.put_slice(&fields);
            client.send(bytes);
        }
    }
}

fn decoded(pieces: &[&[u8]]) -> Vec<String> {
    let (mut codec, mut input, mut found) = (SftpCodec::default(), BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match codec.decode(&mut input) {
                Ok(Some(asked)) => found.push(format!("{asked:?}")),
                Ok(None) => break,
                Err(error) => {
                    found.push(error.to_string());
                    return found;
                }
            }
        }
    }
    found
}
