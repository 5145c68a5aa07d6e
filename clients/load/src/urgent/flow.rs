//! The bytes of an answer that is read as fast as it comes: before, during and after a hold.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use palco_core::RequestState;
use palco_urgent::Call;

use super::kinds::Solution;
use super::stage::{LIMIT, LOOK_EVERY, Running};

/// An answer that does not end.
const REQUEST: &str = "count 1000000000";

/// After so long without a byte, what was in flight has been read.
const SILENCE: Duration = Duration::from_millis(50);

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// One hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// Bytes a second before it.
    pub(super) before: f64,
    /// Bytes that were still on their way when it was called.
    pub(super) in_flight: u64,
    /// Bytes while it was held.
    pub(super) held_bytes: u64,
    /// For so long.
    pub(super) held_for: Duration,
    /// Bytes a second after it.
    pub(super) after: f64,
}

/// Holds and resumes one answer; `window` is how long it is looked at before and after, `hold` while it is held.
pub(super) fn turn(
    server: SocketAddr,
    solution: Solution,
    window: Duration,
    hold: Duration,
) -> io::Result<Flow> {
    let mut running = Running::begin(server, REQUEST)?;
    let reader = running.stream.try_clone()?;
    let bytes = AtomicU64::new(0);
    thread::scope(|scope| {
        let reading = scope.spawn(|| read(reader, &bytes));
        let flow = watch(&mut running, solution, &bytes, window, hold);
        // Whatever went wrong, the reader is to end.
        let cancelled = running.cancel();
        let _ = running.stream.shutdown(Shutdown::Both);
        let read = reading.join().unwrap_or_else(|_| Err(io::Error::other("the reader panicked")));
        let flow = flow?;
        cancelled.and(read).map(|()| flow)
    })
}

fn watch(
    running: &mut Running,
    solution: Solution,
    bytes: &AtomicU64,
    window: Duration,
    hold: Duration,
) -> io::Result<Flow> {
    let count = || bytes.load(Ordering::Relaxed);
    until("the answer flows", || count() > 0)?;
    let before = rate(bytes, window);
    let called = count();
    running.call_only(solution, Call::Hold)?;
    running.until(RequestState::Held)?;
    let (mut last, mut since) = (count(), Instant::now());
    // An answer that does not fall silent is counted below.
    let _ = until("what was in flight has come", || {
        let now = count();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        since.elapsed() >= SILENCE
    });
    let (held_from, begun) = (count(), Instant::now());
    thread::sleep(hold);
    let (held_bytes, held_for) = (count() - held_from, begun.elapsed());
    running.call_only(solution, Call::Resume)?;
    let resumed = count();
    until("the answer flows again", || count() > resumed)?;
    let after = rate(bytes, window);
    Ok(Flow { before, in_flight: held_from - called, held_bytes, held_for, after })
}

fn rate(bytes: &AtomicU64, window: Duration) -> f64 {
    let (from, begun) = (bytes.load(Ordering::Relaxed), Instant::now());
    thread::sleep(window);
    (bytes.load(Ordering::Relaxed) - from) as f64 / begun.elapsed().as_secs_f64()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> io::Result<()> {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > LIMIT {
            return Err(io::Error::other(format!("never: {what}")));
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Reads to the end and counts.
fn read(mut stream: TcpStream, bytes: &AtomicU64) -> io::Result<()> {
    stream.set_read_timeout(None)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                bytes.fetch_add(count as u64, Ordering::Relaxed);
            }
            // A process that was killed resets its connection.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
