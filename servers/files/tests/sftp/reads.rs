//! Reading: at its end, beyond it, ahead, and after somebody else has written.

use std::fs;

use palco_files::sftp::wire::{Code, DATA_BYTES_MAX, OpenFlags, Reply, Request};

use crate::client::{ALL, Client, directory, service};

#[test]
fn a_read_ends_where_the_file_does() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let handle = client.open("a", OpenFlags::READ);
    assert_eq!(client.read(&handle, 9, 100), "of a");
    for offset in [13, 14, u64::MAX] {
        let read = Request::Read { handle: handle.clone(), offset, length: 1 };
        assert_eq!(client.code(&read), Code::Eof, "{offset}");
    }
}

#[test]
fn no_reply_is_longer_than_a_packet() {
    let root = directory();
    fs::write(root.path().join("long"), vec![1; 1 << 20]).unwrap();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let handle = client.open("long", OpenFlags::READ);
    assert_eq!(client.read(&handle, 0, u32::MAX).len(), DATA_BYTES_MAX);
}

#[test]
fn reads_in_a_row_are_answered_from_what_was_read_ahead() {
    let root = directory();
    let contents: Vec<u8> = (0..1_u32 << 20).map(|at| (at % 251) as u8).collect();
    fs::write(root.path().join("long"), &contents).unwrap();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let handle = client.open("long", OpenFlags::READ);
    for (number, expected) in contents.chunks(4096).enumerate() {
        assert!(client.read(&handle, number as u64 * 4096, 4096) == expected, "{number}");
    }
    let remembered = client.remembered();
    assert_eq!(remembered.reads, 256);
    assert!(remembered.reads_ahead > 240, "{remembered:?}");
    for number in (0..256).rev() {
        client.read(&handle, number * 4096, 4096);
    }
    let again = client.remembered();
    assert_eq!(again.reads_ahead, remembered.reads_ahead, "backwards nothing is read ahead");
    assert_eq!(client.close(&handle), Code::Ok);
    assert_eq!(client.remembered().bytes, 0);
}

#[test]
fn what_others_write_is_read_at_once_however_late_it_is() {
    let root = directory();
    fs::write(root.path().join("long"), vec![b'.'; 1 << 20]).unwrap();
    let service = service(root.path());
    let (mut reader, mut writer) = (Client::new(&service), Client::new(&service));
    let (read, write) = (reader.open("long", OpenFlags::READ), writer.open("long", ALL));
    for number in 0..64 {
        let offset = number * 4096;
        if number > 1 {
            assert_eq!(writer.write(&write, offset, "written"), Code::Ok);
            assert!(reader.read(&read, offset, 4096).starts_with(b"written"), "{number}");
        } else {
            reader.read(&read, offset, 4096);
        }
    }
    // And what somebody writes who is not served by this at all.
    let path = root.path().join("long");
    reader.read(&read, 64 * 4096, 4096);
    fs::write(path, vec![b'!'; 1 << 20]).unwrap();
    assert!(reader.read(&read, 65 * 4096, 4096).starts_with(b"!!!"));
}

#[test]
fn attributes_count_what_is_late() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let handle = client.open("new", ALL);
    assert_eq!(client.write(&handle, 0, "12345"), Code::Ok);
    assert_eq!(client.remembered().writes_behind, 1);
    assert_eq!(fs::metadata(root.path().join("new")).unwrap().len(), 0, "it is late");
    assert_eq!(client.look("new").size, Some(5));
    assert_eq!(client.write(&handle, 5, "6"), Code::Ok);
    let Reply::Attributes(attributes) = client.ask(&Request::LookOpen { handle }) else {
        panic!("no attributes")
    };
    assert_eq!(attributes.size, Some(6));
}
