//! Reads over both protocols and with every cache: the bytes of the file, and how often they are asked for.

use palco_client::files::{FileCounters, FileKind};
use palco_client::{Caching, FileClient, FileError, FileProtocol};
use proptest::prelude::*;

use crate::support::{LONG, Site, WAYS, bytes};

/// Reads a whole file in steps.
fn read_in_steps(client: &mut FileClient, path: &str, step: usize) -> Vec<u8> {
    let mut file = client.open(path).unwrap();
    let (mut whole, mut buffer) = (Vec::new(), vec![0; step]);
    loop {
        let count = client.read_at(&mut file, &mut buffer, whole.len() as u64).unwrap();
        whole.extend_from_slice(&buffer[..count]);
        if count < step {
            client.close(file).unwrap();
            return whole;
        }
    }
}

#[test]
fn files_of_any_length_are_read_as_they_are() {
    for (protocol, caching) in WAYS {
        let site = Site::new(protocol);
        let mut client = site.client(caching);
        for length in [0, 1, 4095, 4096, 4097, 8192, 40_000, 300_000] {
            let due = bytes(length);
            let path = format!("file {length}");
            site.old_file(&path, &due);
            for _ in 0..2 {
                assert!(client.read(&path).unwrap() == due, "{path} {protocol:?} {caching:?}");
                let stepped = read_in_steps(&mut client, &path, 1000);
                assert!(stepped == due, "{path} {protocol:?} {caching:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn reads_here_and_there_give_what_is_there(
        length in 0_usize..100_000,
        reads in prop::collection::vec((0_u64..110_000, 0_usize..20_000), 1..40),
        cache_bytes_max in 0_usize..60_000,
        read_ahead_blocks_max in 1_usize..16,
        way in 0_usize..WAYS.len(),
    ) {
        let (protocol, caching) = WAYS[way];
        let site = Site::new(protocol);
        let whole = bytes(length);
        site.old_file("f", &whole);
        let mut options = site.options(caching);
        options.cache_bytes_max = cache_bytes_max;
        options.read_ahead_blocks_max = read_ahead_blocks_max;
        let mut client = FileClient::new(site.address.to_string(), options).unwrap();
        let mut file = client.open("/f").unwrap();
        for (offset, count) in reads {
            let mut buffer = vec![0; count];
            let read = client.read_at(&mut file, &mut buffer, offset).unwrap();
            let start = usize::try_from(offset).unwrap().min(length);
            let due = &whole[start..length.min(start + count)];
            prop_assert!(&buffer[..read] == due, "{count} at {offset} {:?}", WAYS[way]);
            prop_assert!(client.cache_bytes() <= cache_bytes_max);
        }
        client.close(file).unwrap();
    }
}

/// What reading a megabyte in steps of 4 KiB takes: the first time, and once more.
fn cold_and_warm(protocol: FileProtocol, caching: Caching) -> (FileCounters, FileCounters) {
    let site = Site::new(protocol);
    let due = bytes(1 << 20);
    site.old_file("f", &due);
    let mut options = site.options(caching);
    options.block_bytes = 32 << 10;
    let mut client = FileClient::new(site.address.to_string(), options).unwrap();
    assert!(read_in_steps(&mut client, "f", 4096) == due);
    let cold = client.counters();
    let mut file = client.open("f").unwrap();
    let opened = client.counters().round_trips;
    let mut buffer = [0; 4096];
    for number in 0..256 {
        client.read_at(&mut file, &mut buffer, number * 4096).unwrap();
    }
    let mut warm = client.counters();
    warm.round_trips -= opened;
    (cold, warm)
}

#[test]
fn without_a_cache_every_read_is_a_round_trip() {
    for protocol in FileProtocol::ALL {
        let (cold, warm) = cold_and_warm(protocol, Caching::None);
        assert!(cold.round_trips >= 257 && warm.round_trips == 256, "{cold:?} {warm:?}");
        assert_eq!((warm.cache_hits, warm.cache_misses), (0, 0));
    }
}

#[test]
fn reads_in_a_row_are_read_ahead_and_a_second_time_nothing_is_asked() {
    for (protocol, caching) in WAYS {
        if caching == Caching::None {
            continue;
        }
        let (cold, warm) = cold_and_warm(protocol, caching);
        // 32 blocks by windows of 1, 2, 4 and then 8 are 7 round trips; others open, close, connect and get a lease.
        assert!((7..=15).contains(&cold.round_trips), "{protocol:?} {caching:?}: {cold:?}");
        assert!(cold.blocks_ahead >= 24, "{protocol:?} {caching:?}: {cold:?}");
        assert_eq!(cold.blocks_ahead, cold.blocks_ahead_used, "{protocol:?} {caching:?}");
        let renewals = u64::from(matches!(caching, Caching::Leases { .. }));
        assert!(warm.round_trips <= renewals, "{protocol:?} {caching:?}: {warm:?}");
        assert!((1 << 20..(1 << 20) + 20_000).contains(&cold.bytes_received), "{cold:?}");
    }
}

#[test]
fn many_files_are_fetched_in_their_order_by_any_number_of_threads() {
    for protocol in FileProtocol::ALL {
        let site = Site::new(protocol);
        for number in 0..40_usize {
            site.old_file(&format!("f{number}"), &bytes(number * 100));
        }
        let paths: Vec<String> = (0..41).map(|number| format!("f{number}")).collect();
        let client = site.client(Caching::Ttl(LONG));
        for parallel in [1, 3, 64] {
            let fetched = client.fetch_all(&paths, parallel).unwrap();
            for (number, found) in fetched.iter().enumerate().take(40) {
                assert!(*found.as_ref().unwrap() == bytes(number * 100), "{number}");
            }
            assert!(matches!(&fetched[40], Err(FileError::NotFound { .. })), "{:?}", fetched[40]);
        }
        // With 64 threads there are as many connections as paths.
        assert!((1 + 3 + 2..=1 + 3 + 41).contains(&client.counters().connections));
        assert!(client.fetch_all(&paths, 0).is_err());
        assert!(client.fetch_all::<&str>(&[], 4).unwrap().is_empty());
    }
}

#[test]
fn what_is_not_a_file_is_refused_with_the_reason() {
    for (protocol, caching) in WAYS {
        let site = Site::new(protocol);
        std::fs::create_dir(site.path("d")).unwrap();
        site.old_file("d/big", &bytes(100_000));
        let mut client = site.client(caching);
        assert!(matches!(client.read("none"), Err(FileError::NotFound { .. })));
        assert!(matches!(client.open("none"), Err(FileError::NotFound { .. })));
        assert!(matches!(client.metadata("none"), Err(FileError::NotFound { .. })));
        assert!(matches!(client.read("../etc/passwd"), Err(FileError::Request(_))));
        assert!(client.read("d").is_err());
        assert_eq!(client.metadata("d").unwrap().kind, FileKind::Directory);
        assert_eq!(client.metadata("/").unwrap().kind, FileKind::Directory);
        let mut options = site.options(caching);
        options.file_bytes_max = 50_000;
        let mut small = FileClient::new(site.address.to_string(), options).unwrap();
        for _ in 0..2 {
            let refused = small.read("d/big");
            assert!(matches!(refused, Err(FileError::TooLarge { .. })), "{refused:?}");
        }
        client.read("d/big").unwrap();
        // So large that its length alone is refused.
        site.old_file("larger", &vec![0; 18 << 20]);
        let refused = small.read("larger");
        assert!(matches!(refused, Err(FileError::TooLarge { .. })), "{refused:?}");
    }
}
