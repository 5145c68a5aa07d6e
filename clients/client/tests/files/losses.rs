//! Connections and servers that go away, over both protocols.

use std::fs;
use std::time::Duration;

use palco_client::{Caching, FileClient, FileError, FileOptions, FileProtocol};
use palco_files::sftp::Handles;

use crate::relay::Relay;
use crate::support::{Site, WAYS, bytes};

fn through(relay: &Relay, options: FileOptions) -> FileClient {
    FileClient::new(relay.address.to_string(), options).unwrap()
}

fn read_block(
    client: &mut FileClient,
    file: &mut palco_client::OpenFile,
    number: usize,
) -> Result<Vec<u8>, FileError> {
    let mut buffer = vec![0; 4096];
    let count = client.read_at(file, &mut buffer, number as u64 * 4096)?;
    buffer.truncate(count);
    Ok(buffer)
}

#[test]
fn over_http_an_open_file_outlives_its_server() {
    let mut site = Site::new(FileProtocol::Http);
    let due = bytes(40_000);
    site.old_file("f", &due);
    let mut client = site.client(Caching::None);
    let mut file = client.open("f").unwrap();
    for (number, block) in due.chunks(4096).enumerate() {
        if number % 3 == 1 {
            site.stop();
            site.start();
        }
        assert!(read_block(&mut client, &mut file, number).unwrap() == block);
    }
    assert!(client.counters().connections >= 3);
}

#[test]
fn over_sftp_a_journalled_handle_outlives_its_server_and_a_volatile_one_is_lost() {
    let due = bytes(40_000);
    for handles in [Handles::Journalled, Handles::Volatile] {
        let mut site = Site::with(FileProtocol::Sftp, handles, Duration::from_secs(10));
        site.old_file("f", &due);
        let mut client = site.client(Caching::None);
        let mut file = client.open("f").unwrap();
        assert!(read_block(&mut client, &mut file, 0).unwrap() == due[..4096]);
        site.stop();
        site.start();
        let read = read_block(&mut client, &mut file, 1);
        match handles {
            Handles::Journalled => assert!(read.unwrap() == due[4096..8192]),
            Handles::Volatile => {
                assert!(matches!(read, Err(FileError::HandleLost { .. })), "{read:?}");
            }
        }
        client.close(file).unwrap();
    }
}

#[test]
fn a_handle_that_was_lost_is_opened_again_if_that_is_wanted_and_nothing_was_written() {
    let mut site = Site::new(FileProtocol::Sftp);
    let due = bytes(40_000);
    site.old_file("f", &due);
    let options = FileOptions { reopen: true, ..site.options(Caching::None) };
    let mut client = FileClient::new(site.address.to_string(), options).unwrap();
    let mut file = client.open_with("f", palco_client::files::Opening::Write).unwrap();
    for number in 0..4 {
        site.stop();
        site.start();
        assert!(
            read_block(&mut client, &mut file, number).unwrap() == due[number * 4096..][..4096]
        );
    }
    assert_eq!(client.counters().handles_reopened, 4);
    client.write_at(&mut file, b"x", 0).unwrap();
    site.stop();
    site.start();
    let lost = client.sync(&mut file);
    assert!(matches!(lost, Err(FileError::HandleLost { .. })), "{lost:?}");
    assert!(matches!(client.close(file), Err(FileError::HandleLost { .. })));
}

#[test]
fn reads_that_lose_their_answers_are_asked_again() {
    for (protocol, caching) in WAYS {
        let site = Site::with(protocol, Handles::Journalled, Duration::from_secs(10));
        let relay = Relay::new(site.address);
        let due = bytes(100_000);
        site.old_file("f", &due);
        site.old_file("g", &due);
        let mut client = through(&relay, site.options(caching));
        let mut file = client.open("f").unwrap();
        for (number, block) in due.chunks(4096).enumerate() {
            match number % 4 {
                0 => relay.lose_answers(1),
                2 => relay.cut(),
                _ => {}
            }
            let read = read_block(&mut client, &mut file, number).unwrap();
            assert!(read == block, "{number} {protocol:?} {caching:?}");
        }
        relay.lose_answers(2);
        assert!(client.read("g").unwrap() == due);
        client.close(file).unwrap();
        let counters = client.counters();
        assert!(counters.retries >= 1, "{protocol:?} {caching:?} {counters:?}");
    }
}

#[test]
fn appends_that_lose_their_answers_happen_once_over_http_and_are_unknown_over_sftp() {
    let site = Site::new(FileProtocol::Http);
    let relay = Relay::new(site.address);
    fs::write(site.path("log"), "").unwrap();
    let mut client = through(&relay, site.options(Caching::None));
    let mut due = String::new();
    for number in 0..60 {
        relay.lose_answers(number % 3);
        let line = format!("line {number}\n");
        assert_eq!(client.append("log", line.as_bytes()).unwrap(), due.len() as u64);
        due.push_str(&line);
    }
    assert_eq!(fs::read_to_string(site.path("log")).unwrap(), due);
    assert_eq!(client.counters().retries, 60);

    let site = Site::new(FileProtocol::Sftp);
    let relay = Relay::new(site.address);
    fs::write(site.path("log"), "").unwrap();
    let mut client = through(&relay, site.options(Caching::None));
    let mut unknown = 0;
    for lost in 0..6 {
        // Open, look, write, close: the third answer is that of the write.
        let before = fs::read(site.path("log")).unwrap().len();
        client.metadata("log").unwrap();
        let mut file = client.open("log").unwrap();
        let mut buffer = [0; 1];
        client.read_at(&mut file, &mut buffer, 0).unwrap();
        client.close(file).unwrap();
        relay.lose_answers(lost % 2);
        match client.append("log", b"x") {
            Ok(at) => assert_eq!(at, before as u64),
            Err(FileError::Unknown { .. } | FileError::HandleLost { .. }) => unknown += 1,
            Err(other) => panic!("{other}"),
        }
        relay.lose_answers(0);
    }
    assert!(unknown <= 3);
}

#[test]
fn what_may_not_be_done_twice_is_unknown_after_its_answer_is_lost() {
    let site = Site::new(FileProtocol::Sftp);
    let relay = Relay::new(site.address);
    let mut client = through(&relay, site.options(Caching::None));
    client.list("/").unwrap();
    relay.lose_answers(1);
    let made = client.make_directory("d");
    assert!(matches!(made, Err(FileError::Unknown { .. })), "{made:?}");
    assert_eq!(relay.left_to_lose(), 0);
    assert!(site.path("d").is_dir());
    site.old_file("f", b"x");
    client.list("/").unwrap();
    relay.lose_answers(1);
    let renamed = client.rename("f", "g");
    assert!(matches!(renamed, Err(FileError::Unknown { .. })), "{renamed:?}");
    client.list("/").unwrap();
    relay.lose_answers(1);
    client.remove("g").unwrap();
    assert!(!site.path("g").exists());
}

#[test]
fn a_server_that_is_not_there_is_given_up() {
    for protocol in FileProtocol::ALL {
        let mut site = Site::new(protocol);
        site.old_file("f", b"x");
        let within = Duration::from_millis(50);
        let options = FileOptions { within, ..site.options(Caching::None) };
        let mut client = FileClient::new(site.address.to_string(), options).unwrap();
        client.read("f").unwrap();
        site.stop();
        let given_up = client.read("f");
        assert!(matches!(given_up, Err(FileError::Unavailable { .. })), "{given_up:?}");
        site.start();
        assert_eq!(client.read("f").unwrap(), b"x");
    }
}
