//! Fuzzing: whatever bytes a client sends over SFTP, nothing panics and what is remembered stays bounded.
//!
//! `cargo test` plays some thousand inputs of chance. With coverage, for as long as it is let:
//! `cargo bolero test -p palco-files fuzz_sftp --sanitizer NONE` (cargo-bolero, nightly).

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing, its support too")]

#[expect(dead_code, reason = "it is the client of other tests too")]
#[path = "../sftp/client.rs"]
mod client;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::BytesMut;
use palco_files::sftp::wire::{Extension, OpenFlags, Reply, Request};
use palco_files::sftp::{Config, Handles, SftpService};
use palco_service::Codec;

use client::Client;

/// What a connection may make the server remember.
const STATE_BYTES_MAX: usize = 64 << 10;

fn main() {
    let root = client::directory();
    let services = [Handles::Volatile, Handles::Journalled].map(|handles| {
        let lease_term = Some(Duration::from_millis(1));
        let state_bytes_max = STATE_BYTES_MAX;
        let config = Config::read_write(root.path());
        SftpService::new(Config { handles, lease_term, state_bytes_max, ..config }).unwrap()
    });
    // A panic ends the run: nobody looks at the services afterwards.
    let services = AssertUnwindSafe(services);
    bolero::check!().with_iterations(20_000).for_each(|input: &[u8]| {
        let services = &*services;
        let (chosen, bytes) =
            input.split_first().map_or((0, input), |(first, rest)| (*first, rest));
        let mut connection = Client::new(&services[usize::from(chosen & 1)]);
        // Half of the inputs get to the fields behind a handle.
        let mut stream = BytesMut::new();
        if chosen & 2 != 0 {
            let handle = connection.open("a", OpenFlags { append: chosen & 4 != 0, ..client::ALL });
            Request::Read { handle: handle.clone(), offset: 0, length: 9 }.encode(1, &mut stream);
            Extension::Sync { handle }.request().encode(2, &mut stream);
            let at = usize::from(chosen) % stream.len();
            stream.truncate(at);
        }
        stream.extend_from_slice(bytes);
        while let Ok(Some(asked)) = connection.codec.decode(&mut stream) {
            let mut response = connection.call(asked);
            let mut sent = BytesMut::new();
            let _ = connection.codec.encode(&mut response, &mut sent);
            if !sent.is_empty() {
                let packet = palco_files::sftp::wire::take(&mut sent).unwrap().unwrap();
                Reply::decode(packet).unwrap();
            }
        }
        assert!(connection.remembered().bytes <= STATE_BYTES_MAX as u64);
    });
}
