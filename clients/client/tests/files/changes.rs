//! Changes over both protocols.

use std::fs;

use palco_client::files::{FileKind, Opening};
use palco_client::{Caching, FileError, FileProtocol};

use crate::support::{LONG, Site, WAYS, bytes};

#[test]
fn what_was_put_and_appended_is_read() {
    for (protocol, caching) in WAYS {
        let site = Site::new(protocol);
        let mut client = site.client(caching);
        let mut due = bytes(3_000_000);
        client.put("a b", &due).unwrap();
        assert!(client.read("a b").unwrap() == due, "{protocol:?} {caching:?}");
        assert_eq!(client.append("a b", b"more").unwrap(), 3_000_000);
        due.extend_from_slice(b"more");
        assert!(client.read("a b").unwrap() == due, "{protocol:?} {caching:?}");
        client.put("a b", b"less").unwrap();
        assert_eq!(client.read("a b").unwrap(), b"less");
        assert_eq!(client.metadata("a b").unwrap().size, 4);
        client.remove("a b").unwrap();
        assert!(matches!(client.read("a b"), Err(FileError::NotFound { .. })));
        assert!(matches!(client.remove("a b"), Err(FileError::NotFound { .. })));
        assert!(matches!(client.append("a b", b"x"), Err(FileError::NotFound { .. })));
    }
}

#[test]
fn directories_are_listed_alike() {
    let mut listings = Vec::new();
    for protocol in FileProtocol::ALL {
        let site = Site::new(protocol);
        let mut client = site.client(Caching::None);
        fs::create_dir_all(site.path("d/inner")).unwrap();
        for number in 0..300 {
            fs::write(site.path(&format!("d/ä {number}")), bytes(number)).unwrap();
        }
        let listing = client.list("/d").unwrap();
        assert!(listing.is_complete);
        let shown: Vec<_> =
            listing.entries.into_iter().map(|it| (it.name, it.kind, it.size)).collect();
        assert_eq!(shown.len(), 301);
        assert!(shown.contains(&("inner".to_owned(), FileKind::Directory, 0)));
        listings.push(shown);
        assert!(matches!(client.list("none"), Err(FileError::NotFound { .. })));
        assert!(client.list("/").unwrap().entries.iter().any(|entry| entry.name == "d"));
    }
    assert_eq!(listings[0], listings[1]);
}

#[test]
fn over_sftp_files_are_written_in_place_renamed_and_put_into_new_directories() {
    for caching in [Caching::None, Caching::Ttl(LONG), Caching::Leases { wanted: LONG }] {
        let site = Site::new(FileProtocol::Sftp);
        let mut client = site.client(caching);
        client.make_directory("d").unwrap();
        let mut file = client.open_with("d/f", Opening::Create).unwrap();
        assert_eq!(file.path(), "/d/f");
        let mut due = bytes(100_000);
        client.write_at(&mut file, &due, 0).unwrap();
        let mut buffer = vec![0; 100_001];
        assert_eq!(client.read_at(&mut file, &mut buffer, 0).unwrap(), 100_000);
        assert!(buffer[..100_000] == due, "{caching:?}");
        client.write_at(&mut file, b"in the middle", 50_000).unwrap();
        due[50_000..50_013].copy_from_slice(b"in the middle");
        assert_eq!(client.read_at(&mut file, &mut buffer, 0).unwrap(), 100_000);
        assert!(buffer[..100_000] == due, "{caching:?}");
        client.sync(&mut file).unwrap();
        client.close(file).unwrap();
        assert!(fs::read(site.path("d/f")).unwrap() == due);
        client.rename("d/f", "d/g").unwrap();
        assert!(client.read("d/g").unwrap() == due, "{caching:?}");
        assert!(matches!(client.read("d/f"), Err(FileError::NotFound { .. })));
        let read_only = client.open("d/g").unwrap();
        client.close(read_only).unwrap();
        assert!(client.make_directory("d").is_err());
    }
}

#[test]
fn what_http_has_no_words_for_is_unsupported_and_says_what_to_do() {
    let site = Site::new(FileProtocol::Http);
    site.old_file("f", b"x");
    let mut client = site.client(Caching::None);
    let mut file = client.open("f").unwrap();
    let refused = [
        client.write_at(&mut file, b"x", 0).unwrap_err(),
        client.sync(&mut file).unwrap_err(),
        client.rename("f", "g").unwrap_err(),
        client.make_directory("d").unwrap_err(),
        client.open_with("f", Opening::Write).unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, FileError::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains("over http; "), "{error}");
    }
    let leases = site.options(Caching::Leases { wanted: LONG });
    let none = palco_client::FileClient::new(site.address.to_string(), leases);
    assert!(matches!(none, Err(FileError::Request(_))));
}

#[test]
fn a_key_makes_an_append_happen_once_also_for_another_client() {
    let site = Site::new(FileProtocol::Http);
    site.old_file("log", b"");
    for _ in 0..3 {
        let mut client = site.client(Caching::None);
        assert_eq!(client.append_with_key("log", b"line\n", "key-1").unwrap(), 0);
    }
    assert_eq!(fs::read(site.path("log")).unwrap(), b"line\n");
    let mut client = site.client(Caching::None);
    let other = client.append_with_key("log", b"another\n", "key-1");
    assert!(matches!(other, Err(FileError::Refused { .. })), "{other:?}");
    for key in ["", "a\"b", "a\r\nb"] {
        assert!(matches!(client.append_with_key("log", b"", key), Err(FileError::Request(_))));
    }
}
