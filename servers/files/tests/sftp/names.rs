//! Names: what is found by them, and what is not.

use std::fs;
use std::os::unix::fs::symlink;

use bytes::Bytes;
use palco_files::Dots;
use palco_files::sftp::wire::{Attributes, Code, Extension, Name, OpenFlags, Reply, Request};
use palco_files::sftp::{Config, SftpService};

use crate::client::{ALL, Client, directory, service};

fn names(client: &mut Client<'_>, path: &'static str) -> Vec<String> {
    let Reply::Handle(handle) = client.ask(&Request::OpenDirectory { path: path.into() }) else {
        panic!("{path} is not opened")
    };
    let mut found = Vec::new();
    loop {
        match client.ask(&Request::ReadDirectory { handle: handle.clone() }) {
            Reply::Names(names) => {
                assert!(!names.is_empty());
                found.extend(names.iter().map(|it| String::from_utf8_lossy(&it.name).into_owned()));
            }
            Reply::Status { code: Code::Eof, .. } => break,
            other => panic!("no names: {other:?}"),
        }
    }
    assert_eq!(client.close(&handle), Code::Ok);
    found.sort();
    found
}

#[test]
fn a_directory_is_read_in_parts() {
    let root = directory();
    for number in 0..500 {
        fs::write(root.path().join(format!("d/{number:03}")), "").unwrap();
    }
    let service = service(root.path());
    let mut client = Client::new(&service);
    let expected: Vec<String> = (0..500).map(|number| format!("{number:03}")).collect();
    assert_eq!(names(&mut client, "/d/"), expected);
    assert_eq!(names(&mut client, "/"), ["a", "d"]);
}

#[test]
fn what_is_outside_is_not_there() {
    let root = directory();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path(), root.path().join("out")).unwrap();
    symlink(outside.path().join("secret"), root.path().join("file")).unwrap();
    symlink("a", root.path().join("link")).unwrap();
    let service = service(root.path());
    let mut client = Client::new(&service);
    assert_eq!(names(&mut client, "/"), ["a", "d", "link"]);
    let long = Bytes::from("x".repeat(64 << 10));
    for (path, expected) in [
        (Bytes::from("out/secret"), Code::NoSuchFile),
        ("file".into(), Code::NoSuchFile),
        (".palco/handle-0".into(), Code::NoSuchFile),
        ("a/b".into(), Code::NoSuchFile),
        ("../../etc/passwd".into(), Code::NoSuchFile),
        ("a\0".into(), Code::BadMessage),
        (long.slice(..256), Code::BadMessage),
        (long, Code::BadMessage),
    ] {
        let (attributes, flags) = (Attributes::default(), OpenFlags::READ);
        for request in [
            Request::Look { path: path.clone() },
            Request::LookLink { path: path.clone() },
            Request::ReadLink { path: path.clone() },
            Request::Open { path: path.clone(), flags, attributes },
            Request::OpenDirectory { path: path.clone() },
            Request::Remove { path: path.clone() },
            Request::Set { path: path.clone(), attributes },
            Request::Rename { from: path.clone(), to: "new".into() },
        ] {
            assert_eq!(client.code(&request), expected, "{request:?}");
        }
    }
    let Reply::Names(target) = client.ask(&Request::ReadLink { path: "link".into() }) else {
        panic!("not read")
    };
    assert_eq!(target[0].name, "a");
}

#[test]
fn nothing_is_made_outside_or_hidden() {
    let root = directory();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), root.path().join("out")).unwrap();
    symlink(outside.path().join("new"), root.path().join("dangling")).unwrap();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let attributes = Attributes::default();
    for (path, expected) in [
        ("out/new", Code::NoSuchFile),
        (".palco/new", Code::PermissionDenied),
        (".palco-new", Code::PermissionDenied),
        ("none/new", Code::NoSuchFile),
    ] {
        let open = Request::Open { path: path.into(), flags: ALL, attributes };
        assert_eq!(client.code(&open), expected, "{path}");
        let rename = Request::Rename { from: "a".into(), to: path.into() };
        assert_eq!(client.code(&rename), expected, "{path}");
        let make = Request::MakeDirectory { path: path.into(), attributes };
        assert_eq!(client.code(&make), expected, "{path}");
    }
    let open = Request::Open { path: "dangling".into(), flags: ALL, attributes };
    assert_eq!(client.code(&open), Code::NoSuchFile);
    let rename = Request::Rename { from: "a".into(), to: "dangling".into() };
    assert_eq!(client.code(&rename), Code::Failure, "the link has the name");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn names_come_move_and_go() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let attributes = Attributes::default();
    let path = |path: &'static str| Bytes::from(path);
    let rename = |from, to| Request::Rename { from: path(from), to: path(to) };
    for (request, expected) in [
        (Request::MakeDirectory { path: path("e"), attributes }, Code::Ok),
        (Request::MakeDirectory { path: path("e"), attributes }, Code::Failure),
        (rename("a", "e/b"), Code::Ok),
        (rename("a", "e/c"), Code::NoSuchFile),
        (Request::RemoveDirectory { path: path("e") }, Code::Failure),
        (Request::Remove { path: path("e") }, Code::Failure),
        (rename("e/b", "d"), Code::Failure),
        (Request::Remove { path: path("e/b") }, Code::Ok),
        (Request::Remove { path: path("e/b") }, Code::NoSuchFile),
        (Request::RemoveDirectory { path: path("e") }, Code::Ok),
        (Request::RemoveDirectory { path: path("/") }, Code::Failure),
    ] {
        assert_eq!(client.code(&request), expected, "{request:?}");
    }
    assert_eq!(names(&mut client, "/"), ["d"]);
}

#[test]
fn a_file_takes_the_place_of_another_only_if_that_is_meant() {
    let root = directory();
    fs::write(root.path().join("b"), "b").unwrap();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let (from, to) = (Bytes::from("b"), Bytes::from("a"));
    let rename = Request::Rename { from: from.clone(), to: to.clone() };
    assert_eq!(client.code(&rename), Code::Failure);
    assert_eq!(client.code(&Extension::RenameOver { from, to }.request()), Code::Ok);
    assert_eq!(fs::read_to_string(root.path().join("a")).unwrap(), "b");
}

#[test]
fn real_paths_have_no_dots() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    for (path, expected) in [(".", "/"), ("", "/"), ("d/../a/.", "/a"), ("../..", "/")] {
        let Reply::Names(found) = client.ask(&Request::RealPath { path: path.into() }) else {
            panic!("no name")
        };
        assert_eq!(found[0].name, expected);
    }
}

#[test]
fn the_line_of_a_name_is_that_of_ls() {
    let root = directory();
    let service = service(root.path());
    let mut client = Client::new(&service);
    let Reply::Handle(handle) = client.ask(&Request::OpenDirectory { path: "/".into() }) else {
        panic!("not opened")
    };
    let Reply::Names(names) = client.ask(&Request::ReadDirectory { handle }) else {
        panic!("no names")
    };
    for Name { name, line, attributes } in names {
        let line = String::from_utf8(line.to_vec()).unwrap();
        assert!(line.starts_with(if name == "d" { "drwx" } else { "-rw-" }), "{line}");
        assert!(line.ends_with(&format!(" {}", String::from_utf8_lossy(&name))), "{line}");
        assert!(attributes.size.is_some() && attributes.times.is_some());
    }
}

#[test]
fn names_with_dots_are_there_unless_they_are_hidden() {
    let root = directory();
    fs::write(root.path().join(".dot"), "dot").unwrap();
    let shown = service(root.path());
    assert_eq!(names(&mut Client::new(&shown), "/"), [".dot", "a", "d"]);
    let config = Config { dots: Dots::Hidden, ..Config::read_write(root.path()) };
    let hidden = SftpService::new(config).unwrap();
    let mut client = Client::new(&hidden);
    assert_eq!(names(&mut client, "/"), ["a", "d"]);
    assert_eq!(client.code(&Request::Look { path: ".dot".into() }), Code::NoSuchFile);
    let open = Request::Open { path: ".new".into(), flags: ALL, attributes: Attributes::default() };
    assert_eq!(client.code(&open), Code::PermissionDenied);
}
