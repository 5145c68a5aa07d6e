//! What is believed, and until when.

use std::fs;
use std::time::Duration;

use palco_client::files::{BLOCK_BYTES_MAX, BLOCK_BYTES_MIN};
use palco_client::{Caching, FileClient, FileError, FileProtocol};

use crate::support::{LONG, Site, bytes, until};

#[test]
fn what_is_believed_for_long_is_not_asked_again_and_may_be_old() {
    for protocol in FileProtocol::ALL {
        let site = Site::new(protocol);
        site.old_file("f", b"old");
        let mut client = site.client(Caching::Ttl(LONG));
        assert_eq!(client.read("f").unwrap(), b"old");
        fs::write(site.path("f"), b"new").unwrap();
        let before = client.counters();
        assert_eq!(client.read("f").unwrap(), b"old");
        assert_eq!(client.metadata("f").unwrap().size, 3);
        assert_eq!(client.counters().round_trips, before.round_trips);
        // Without a cache nothing is old.
        assert_eq!(site.client(Caching::None).read("f").unwrap(), b"new");
        client.put("f", b"mine").unwrap();
        assert_eq!(client.read("f").unwrap(), b"mine");
    }
}

#[test]
fn what_is_believed_no_more_is_asked_for_and_blocks_stay_if_the_file_did() {
    for protocol in FileProtocol::ALL {
        let site = Site::new(protocol);
        site.old_file("f", &bytes(100_000));
        // Its tag becomes strong, so that blocks may be kept by it.
        let mut client = site.client(Caching::Ttl(Duration::ZERO));
        until("the version is settled", || client.metadata("f").unwrap().version.is_settled());
        assert!(client.read("f").unwrap() == bytes(100_000));
        let before = client.counters();
        assert!(client.read("f").unwrap() == bytes(100_000));
        let after = client.counters();
        assert_eq!(after.round_trips - before.round_trips, 1, "{protocol:?}");
        assert!(after.bytes_received - before.bytes_received < 1000, "{protocol:?}");
        fs::write(site.path("f"), b"new").unwrap();
        assert_eq!(client.read("f").unwrap(), b"new");
        fs::write(site.path("f"), b"wen").unwrap();
        assert_eq!(client.read("f").unwrap(), b"wen", "younger than its time stamp can tell");
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_in_steps_is_never_read_from_an_older_block() {
    for protocol in FileProtocol::ALL {
        let site = Site::new(protocol);
        let mut client = site.client(Caching::Ttl(Duration::ZERO));
        site.old_file("f", &[0; 20_000]);
        let mut file = client.open("f").unwrap();
        for round in 1..50_u8 {
            fs::write(site.path("f"), [round; 20_000]).unwrap();
            let mut buffer = [0; 5000];
            for offset in [0, 7000, 15_000] {
                assert_eq!(client.read_at(&mut file, &mut buffer, offset).unwrap(), 5000);
                assert!(buffer == [round; 5000], "{protocol:?} {round}");
            }
        }
        client.close(file).unwrap();
    }
}

#[test]
fn options_out_of_bounds_are_refused() {
    let site = Site::new(FileProtocol::Http);
    let wrong = |change: &dyn Fn(&mut palco_client::FileOptions)| {
        let mut options = site.options(Caching::None);
        change(&mut options);
        let made = FileClient::new(site.address.to_string(), options);
        assert!(matches!(made, Err(FileError::Request(_))));
    };
    wrong(&|options| options.block_bytes = BLOCK_BYTES_MIN - 1);
    wrong(&|options| options.block_bytes = BLOCK_BYTES_MAX + 1);
    wrong(&|options| options.read_ahead_blocks_max = 0);
    wrong(&|options| options.read_ahead_blocks_max = 65);
}
