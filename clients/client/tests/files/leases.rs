//! Leases: what is read from a cache is never older than a write that is done.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use palco_client::{Caching, FileClient, FileError, FileOptions, FileProtocol};
use palco_files::sftp::Handles;

use crate::relay::Relay;
use crate::support::{Site, bytes, until};

const LEASES: Caching = Caching::Leases { wanted: Duration::ZERO };
/// Reads a file until the client knows that its path leads to it.
fn read_twice(client: &mut FileClient, path: &str) -> Vec<u8> {
    client.read(path).unwrap();
    client.read(path).unwrap()
}

const SHORT: Duration = Duration::from_millis(300);

/// The number that a file is full of.
fn number_in(bytes: &[u8]) -> u64 {
    let numbers: Vec<u64> =
        bytes.chunks_exact(8).map(|eight| u64::from_be_bytes(eight.try_into().unwrap())).collect();
    // A write in place is seen block by block.
    numbers.into_iter().min().unwrap()
}

fn full_of(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(2500)
}

#[test]
fn after_every_write_of_another_the_new_bytes_are_read() {
    let site = Site::new(FileProtocol::Sftp);
    site.old_file("f", &full_of(0));
    let (mut reader, mut writer) = (site.client(LEASES), site.client(Caching::None));
    let mut read = reader.open("f").unwrap();
    let mut written = writer.open_with("f", palco_client::files::Opening::Write).unwrap();
    let mut buffer = vec![0; 20_000];
    for round in 1..200 {
        writer.write_at(&mut written, &full_of(round), 0).unwrap();
        for _ in 0..4 {
            assert_eq!(reader.read_at(&mut read, &mut buffer, 0).unwrap(), 20_000);
            assert_eq!(number_in(&buffer), round);
            assert!(reader.read("f").unwrap() == buffer);
        }
    }
    let counters = reader.counters();
    assert!(counters.cache_hits > 200 && counters.leases_revoked > 20, "{counters:?}");
    reader.close(read).unwrap();
    writer.close(written).unwrap();
}

#[test]
fn while_others_write_no_read_is_older_than_a_write_that_is_done() {
    let site = Site::new(FileProtocol::Sftp);
    site.old_file("f", &full_of(0));
    let (done, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = site.client(LEASES);
            let mut file = writer.open_with("f", palco_client::files::Opening::Write).unwrap();
            for number in 1..=150 {
                writer.write_at(&mut file, &full_of(number), 0).unwrap();
                done.store(number, Ordering::SeqCst);
            }
            writer.close(file).unwrap();
            is_over.store(true, Ordering::SeqCst);
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let mut reader = site.client(LEASES);
                let mut file = reader.open("f").unwrap();
                let mut buffer = vec![0; 20_000];
                while !is_over.load(Ordering::SeqCst) {
                    let at_least = done.load(Ordering::SeqCst);
                    assert_eq!(reader.read_at(&mut file, &mut buffer, 0).unwrap(), 20_000);
                    let found = number_in(&buffer);
                    assert!(found >= at_least, "{found} after {at_least} was written");
                }
                // While somebody writes a lease may be wanted back before it has come; afterwards there is one to be had.
                loop {
                    reader.read_at(&mut file, &mut buffer, 0).unwrap();
                    assert_eq!(number_in(&buffer), 150);
                    if reader.counters().leases_granted > 0 {
                        break;
                    }
                }
                reader.close(file).unwrap();
            });
        }
    });
}

#[test]
fn while_a_lease_is_held_it_is_renewed_and_reads_cost_nothing() {
    let site = Site::with(FileProtocol::Sftp, Handles::Volatile, Duration::from_secs(2));
    site.old_file("f", &bytes(50_000));
    let mut client = site.client(LEASES);
    assert!(read_twice(&mut client, "f") == bytes(50_000));
    let misses = client.counters().cache_misses;
    until("it is renewed twice", || {
        assert!(client.read("f").unwrap() == bytes(50_000));
        client.counters().leases_renewed >= 2
    });
    let counters = client.counters();
    assert_eq!(counters.leases_expired, 0, "{counters:?}");
    assert_eq!(counters.cache_misses, misses, "{counters:?}");
}

#[test]
fn a_client_that_is_cut_off_delays_a_writer_for_its_term_and_then_reads_nothing_old() {
    let site = Site::with(FileProtocol::Sftp, Handles::Journalled, Duration::from_secs(6));
    site.old_file("f", b"old");
    let relay = Relay::new(site.address);
    let within = Duration::from_millis(50);
    let options = FileOptions { within, ..site.options(LEASES) };
    let mut reader = FileClient::new(relay.address.to_string(), options).unwrap();
    assert_eq!(read_twice(&mut reader, "f"), b"old");
    relay.down();
    assert_eq!(reader.read("f").unwrap(), b"old", "the lease holds without its server");
    site.client(Caching::None).put("f", b"new").unwrap();
    let refused = reader.read("f");
    assert!(matches!(refused, Err(FileError::Unavailable { .. })), "{refused:?}");
    assert_eq!(reader.counters().leases_revoked, 0);
}

#[test]
fn leases_are_reclaimed_from_a_server_that_was_started_again_and_writers_wait_for_them() {
    // Long enough for a slow machine to start a server, and waited out by the writer at the end.
    let term = Duration::from_secs(12);
    let mut site = Site::with(FileProtocol::Sftp, Handles::Journalled, term);
    site.old_file("f", b"old");
    site.old_file("g", b"g");
    let mut reader = site.client(LEASES);
    assert_eq!(read_twice(&mut reader, "f"), b"old");
    assert_eq!(read_twice(&mut reader, "g"), b"g");
    let before = reader.counters();
    site.stop();
    assert_eq!(reader.read("f").unwrap(), b"old", "the lease holds without its server");
    site.start();
    until("both are reclaimed", || reader.counters().leases_reclaimed == 2);
    assert_eq!(reader.read("f").unwrap(), b"old");
    let after = reader.counters();
    assert_eq!((after.cache_misses, after.leases_expired), (before.cache_misses, 0), "{after:?}");
    site.client(Caching::None).put("f", b"new").unwrap();
    assert_eq!(reader.read("f").unwrap(), b"new");
    assert!(reader.counters().leases_revoked >= 1);
}

#[test]
fn a_file_that_was_changed_while_its_server_was_away_is_read_anew() {
    let mut site = Site::with(FileProtocol::Sftp, Handles::Journalled, SHORT);
    site.old_file("f", b"old");
    let mut reader = site.client(LEASES);
    assert_eq!(reader.read("f").unwrap(), b"old");
    site.stop();
    until("its lease has ended", || reader.counters().leases_expired == 1);
    assert_eq!(reader.cache_bytes(), 0);
    std::fs::write(site.path("f"), "new").unwrap();
    site.start();
    assert_eq!(reader.read("f").unwrap(), b"new");
}

#[test]
fn a_client_that_ends_gives_its_leases_back() {
    let site = Site::with(FileProtocol::Sftp, Handles::Volatile, Duration::from_secs(3600));
    site.old_file("f", b"new");
    let mut writer = site.client(Caching::None);
    // Often, for a client may end before or after its keeper has connections.
    for _ in 0..50 {
        let mut reader = site.client(LEASES);
        assert_eq!(reader.read("f").unwrap(), b"new");
        drop(reader);
        // With the lease it would wait for an hour.
        writer.put("f", b"new").unwrap();
    }
    let mut own = site.client(LEASES);
    assert_eq!(own.read("f").unwrap(), b"new");
    own.put("f", b"newer").unwrap();
    assert_eq!(own.read("f").unwrap(), b"newer");
}

#[test]
fn a_path_that_leads_to_another_file_is_followed_again_and_what_is_open_stays_what_it_was() {
    let site = Site::new(FileProtocol::Sftp);
    let (mut reader, mut other) = (site.client(LEASES), site.client(Caching::None));
    site.old_file("f", b"old");
    let mut first = reader.open("f").unwrap();
    let mut buffer = [0; 10];
    for round in 0..40 {
        if round % 2 == 0 {
            assert_eq!(reader.read_at(&mut first, &mut buffer, 0).unwrap(), 3);
        }
        let due = format!("round {round}");
        site.old_file("new", due.as_bytes());
        match round % 3 {
            0 => other.rename("new", "f").unwrap(),
            1 => {
                other.remove("f").unwrap();
                other.rename("new", "f").unwrap();
            }
            _ => {
                other.rename("f", &format!("away {round}")).unwrap();
                other.rename("new", "f").unwrap();
            }
        }
        if round % 4 < 2 {
            assert_eq!(reader.read_at(&mut first, &mut buffer, 0).unwrap(), 3);
            assert_eq!(&buffer[..3], b"old");
        }
        for _ in 0..4 {
            assert_eq!(String::from_utf8(reader.read("f").unwrap()).unwrap(), due);
        }
        let mut now = reader.open("f").unwrap();
        let count = reader.read_at(&mut now, &mut buffer, 0).unwrap();
        assert_eq!(&buffer[..count], due.as_bytes());
        reader.close(now).unwrap();
    }
    assert!(reader.counters().cache_hits > 80, "{:?}", reader.counters());
    reader.make_directory("d").unwrap();
    other.put("d/f", b"in d").unwrap();
    assert_eq!(read_twice(&mut reader, "d/f"), b"in d");
    reader.rename("d", "e").unwrap();
    assert!(matches!(reader.read("d/f"), Err(FileError::NotFound { .. })));
}
