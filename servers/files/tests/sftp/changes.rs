//! Writing, and what becomes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use palco_files::sftp::wire::{Attributes, Code, Extension, OpenFlags, Request};

use crate::client::{ALL, Client, directory, service};

#[test]
fn writes_in_a_row_go_behind_and_are_there_when_the_file_is_closed() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let handle = client.open("new", ALL);
    for number in 0..100 {
        assert_eq!(client.write(&handle, number * 5, "12345"), Code::Ok);
    }
    assert!(client.remembered().writes_behind >= 99);
    // Elsewhere in the file: what is late is written first.
    assert_eq!(client.write(&handle, 2, "abc"), Code::Ok);
    assert_eq!(client.close(&handle), Code::Ok);
    let written = fs::read_to_string(root.path().join("new")).unwrap();
    assert_eq!(written.len(), 500);
    assert!(written.starts_with("12abc12345"));
    assert_eq!(client.remembered().bytes, 0);
}

#[test]
fn fsync_writes_what_is_late() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let handle = client.open("new", ALL);
    client.write(&handle, 0, "12345");
    assert_eq!(client.code(&Extension::Sync { handle }.request()), Code::Ok);
    assert_eq!(fs::read_to_string(root.path().join("new")).unwrap(), "12345");
}

#[test]
fn a_connection_that_ends_leaves_nothing_unwritten() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let handle = client.open("new", ALL);
    client.write(&handle, 0, "12345");
    palco_service::Service::close(&service, client.session);
    assert_eq!(fs::read_to_string(root.path().join("new")).unwrap(), "12345");
}

#[test]
fn what_fails_late_is_told_by_the_next_request_or_by_close() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    // No file system has files so long.
    let beyond = i64::MAX as u64 - 10;
    for closes in [true, false] {
        let handle = client.open("new", ALL);
        assert_eq!(client.write(&handle, beyond, "12345"), Code::Ok, "it is put off");
        if !closes {
            client.look("new");
            assert_eq!(client.write(&handle, 0, "x"), Code::Failure);
        } else {
            assert_eq!(client.close(&handle), Code::Failure);
        }
    }
    let handle = client.open("new", ALL);
    assert_eq!(client.write(&handle, u64::MAX, "12345"), Code::Failure);
}

#[test]
fn appends_go_to_the_end_wherever_they_say() {
    let root = directory();
    let service = service(root.path());
    let (mut one, mut other) = (Client::new(&service), Client::new(&service));
    let append = OpenFlags { append: true, ..ALL };
    let (first, second) = (one.open("a", append), other.open("a", append));
    assert_eq!(one.write(&first, 0, " one"), Code::Ok);
    assert_eq!(other.write(&second, 0, " two"), Code::Ok);
    assert_eq!(fs::read_to_string(root.path().join("a")).unwrap(), "contents of a one two");
}

#[test]
fn a_file_is_made_emptied_or_left_alone_as_its_opening_says() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let attributes = Attributes { mode: Some(0o100_640), ..Attributes::default() };
    let open = |path: &'static str, flags| Request::Open { path: path.into(), flags, attributes };
    let exclusive = OpenFlags { exclusive: true, ..ALL };
    assert_eq!(client.code(&open("a", exclusive)), Code::Failure);
    client.ask(&open("new", exclusive));
    let made = fs::metadata(root.path().join("new")).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o640);
    let only = OpenFlags { create: false, ..ALL };
    assert_eq!(client.code(&open("none", only)), Code::NoSuchFile);
    client.open("a", OpenFlags { truncate: true, ..only });
    assert_eq!(client.look("a").size, Some(0));
}

#[test]
fn attributes_are_set_but_for_owners() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let none = Attributes::default();
    let set = |attributes| Request::Set { path: "a".into(), attributes };
    assert_eq!(client.code(&set(Attributes { size: Some(3), ..none })), Code::Ok);
    assert_eq!(client.code(&set(Attributes { mode: Some(0o4755), ..none })), Code::Ok);
    assert_eq!(client.code(&set(Attributes { times: Some((1, 2)), ..none })), Code::Ok);
    let owner = client.look("a").owner.unwrap();
    assert_eq!(client.code(&set(Attributes { owner: Some(owner), ..none })), Code::Ok);
    let other = Attributes { owner: Some((owner.0 + 1, owner.1)), size: Some(0), ..none };
    assert_eq!(client.code(&set(other)), Code::PermissionDenied);
    let looked = client.look("a");
    assert_eq!((looked.size, looked.times), (Some(3), Some((1, 2))));
    assert_eq!(looked.mode.unwrap() & 0o7777, 0o755, "without the bit that changes users");
    let read = client.open("a", OpenFlags::READ);
    let shorten = Attributes { size: Some(0), ..none };
    let refused = Request::SetOpen { handle: read, attributes: shorten };
    assert_eq!(client.code(&refused), Code::PermissionDenied);
}
