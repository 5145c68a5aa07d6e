//! Handles: whose they are, how many there may be, and which outlive the server.

use std::fs;

use bytes::Bytes;
use palco_files::sftp::wire::{Attributes, Code, OpenFlags, Reply, Request};
use palco_files::sftp::{Config, Handles, SftpService};

use crate::client::{ALL, Client, directory, service};

fn read(handle: &Bytes) -> Request {
    Request::Read { handle: handle.clone(), offset: 0, length: 100 }
}

#[test]
fn handles_of_others_and_forged_ones_are_none() {
    let root = directory();
    let service = service(root.path());
    let (mut one, mut other) = (Client::new(&service), Client::new(&service));
    let handle = one.open("a", OpenFlags::READ);
    assert_eq!(other.code(&read(&handle)), Code::Failure, "it is another connection's");
    assert_eq!(other.close(&handle), Code::Failure);
    let mut forged = handle.to_vec();
    forged[15] ^= 1;
    for forged in [Bytes::from(forged), Bytes::new(), Bytes::from(vec![0; 16]), vec![7; 300].into()]
    {
        assert_eq!(one.code(&read(&forged)), Code::Failure);
    }
    assert_eq!(one.close(&handle), Code::Ok);
    assert_eq!(one.code(&read(&handle)), Code::Failure, "it is closed");
    assert_eq!(one.close(&handle), Code::Failure);
}

#[test]
fn a_directory_is_not_read_as_a_file_nor_the_other_way_round() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let Reply::Handle(directory) = client.ask(&Request::OpenDirectory { path: "/".into() }) else {
        panic!("not opened")
    };
    assert_eq!(client.code(&read(&directory)), Code::Failure);
    let file = client.open("a", OpenFlags::READ);
    assert_eq!(client.code(&Request::ReadDirectory { handle: file }), Code::Failure);
    assert_eq!(client.code(&Request::OpenDirectory { path: "a".into() }), Code::Failure);
    let attributes = Attributes::default();
    let open = Request::Open { path: "d".into(), flags: OpenFlags::READ, attributes };
    assert_eq!(client.code(&open), Code::Failure);
}

#[test]
fn there_are_only_so_many() {
    let root = directory();
    let config = Config { handles_max: 3, ..Config::read_write(root.path()) };
    let service = SftpService::new(config).unwrap();
    let mut client = Client::new(&service);
    let handles: Vec<_> = (0..3).map(|_| client.open("a", OpenFlags::READ)).collect();
    let attributes = Attributes::default();
    let open = Request::Open { path: "a".into(), flags: OpenFlags::READ, attributes };
    assert_eq!(client.code(&open), Code::Failure);
    assert_eq!(client.code(&Request::OpenDirectory { path: "/".into() }), Code::Failure);
    assert_eq!(client.remembered().handles, 3);
    assert_eq!(client.close(&handles[1]), Code::Ok);
    client.open("a", OpenFlags::READ);
    Client::new(&service).open("a", OpenFlags::READ);
}

#[test]
fn the_state_of_a_connection_is_bounded() {
    let root = directory();
    fs::write(root.path().join("long"), vec![1; 2 << 20]).unwrap();
    let config = Config { state_bytes_max: 100_000, ..Config::read_write(root.path()) };
    let service = SftpService::new(config).unwrap();
    let mut client = Client::new(&service);
    for _ in 0..4 {
        let handle = client.open("long", ALL);
        for offset in 0..32 {
            assert_eq!(client.read(&handle, offset * 4096, 4096).len(), 4096);
        }
        for offset in 0..2000 {
            assert_eq!(client.write(&handle, offset * 100, &"x".repeat(100).leak()[..]), Code::Ok);
        }
        assert!(client.remembered().bytes <= 100_000);
    }
}

fn journalled(root: &std::path::Path) -> SftpService {
    SftpService::new(Config { handles: Handles::Journalled, ..Config::read_write(root) }).unwrap()
}

#[test]
fn a_journalled_handle_outlives_connection_and_server() {
    let root = directory();
    let first = journalled(root.path());
    let mut client = Client::new(&first);
    let handle = client.open("a", ALL);
    assert_eq!(client.write(&handle, 0, "CONTENTS"), Code::Ok);
    assert_eq!(client.remembered().writes_behind, 0, "what is late would be lost");
    let second = journalled(root.path());
    assert_eq!(Client::new(&second).code(&read(&handle)), Code::Failure, "the first has it");
    // As when it is killed: nothing is closed.
    drop(client);
    drop(first);
    let mut again = Client::new(&second);
    assert_eq!(again.read(&handle, 0, 100), "CONTENTS of a");
    assert_eq!(again.write(&handle, 0, "contents"), Code::Ok);
    assert_eq!(again.close(&handle), Code::Ok);
    assert_eq!(again.code(&read(&handle)), Code::Failure, "it is closed");
    assert_eq!(Client::new(&second).code(&read(&handle)), Code::Failure, "for everybody");
}

#[test]
fn a_journalled_handle_never_means_another_file() {
    let root = directory();
    let handle = Client::new(&journalled(root.path())).open("a", OpenFlags::READ);
    fs::rename(root.path().join("a"), root.path().join("old")).unwrap();
    let service = journalled(root.path());
    let mut client = Client::new(&service);
    assert_eq!(client.code(&read(&handle)), Code::Failure, "its name is gone");
    fs::write(root.path().join("a"), "another").unwrap();
    assert_eq!(client.code(&read(&handle)), Code::Failure, "it is another file");
    fs::rename(root.path().join("old"), root.path().join("a")).unwrap();
    assert_eq!(client.read(&handle, 0, 100), "contents of a");
}

#[test]
fn a_journalled_handle_never_means_another_file_with_the_same_number() {
    let root = directory();
    let handle = Client::new(&journalled(root.path())).open("a", OpenFlags::READ);
    // File systems give numbers again, many at once.
    for _ in 0..100 {
        fs::remove_file(root.path().join("a")).unwrap();
        fs::write(root.path().join("a"), "another").unwrap();
        let service = journalled(root.path());
        assert_eq!(Client::new(&service).code(&read(&handle)), Code::Failure);
    }
}

#[test]
fn a_journalled_handle_is_not_emptied_again() {
    let root = directory();
    let first = journalled(root.path());
    let mut client = Client::new(&first);
    let handle = client.open("a", OpenFlags { truncate: true, ..ALL });
    assert_eq!(client.write(&handle, 0, "new"), Code::Ok);
    drop(client);
    let second = journalled(root.path());
    assert_eq!(Client::new(&second).read(&handle, 0, 100), "new");
}
