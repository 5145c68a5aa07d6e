//! `--idle-exit`: the end of a server that nobody uses.

use std::thread;
use std::time::{Duration, Instant};

use palco_models::Server;
use palco_threads::block_on;

/// How often one looks, at the least and at the most. What happens between two looks is not missed: it is counted.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Returns when no connection has been open for `idle`, up to an eighth later; the server has been drained then.
pub(super) fn wait(server: &Server, idle: Duration) {
    let look_every = (idle / 8).clamp(LOOK_EVERY.0, LOOK_EVERY.1);
    let (mut seen, mut since) = (server.scores(), Instant::now());
    loop {
        thread::sleep(look_every);
        let now = server.scores();
        if now.active > 0 || now != seen {
            (seen, since) = (now, Instant::now());
        } else if since.elapsed() >= idle && block_on(server.drain_unless_used(&seen)).is_some() {
            return;
        }
    }
}
