//! One client's connection: a thread that reads from it, one that sends to the server, and this one, which reads the
//! answers and connects again.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{self, Reply, Request};

use super::queue::{Queue, whole};
use super::{ProxyEvent, ProxyOptions};

/// Between two attempts to connect: at first, and at most.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Bytes that are read at a time.
const READ_BYTES: usize = 64 << 10;

/// What the three threads share.
struct Relay<'a> {
    client: &'a TcpStream,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue,
    server: Option<Arc<TcpStream>>,
    has_ended: bool,
}

impl Relay<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody needs to go on: the client has gone, or is to go.
    fn end(&self) {
        let mut state = self.state();
        state.has_ended = true;
        if let Some(server) = state.server.take() {
            let _ = server.shutdown(Shutdown::Both);
        }
        let _ = self.client.shutdown(Shutdown::Both);
        self.changed.notify_all();
    }

    /// Takes packets from the client until it goes.
    fn take_in(&self) {
        let mut packets = Packets::of(self.client);
        while let Ok(packet) = packets.next() {
            let mut state = self.state();
            while state.queue.is_full() && !state.has_ended {
                state = self.wait(state);
            }
            state.queue.push(packet);
            self.changed.notify_all();
        }
        self.end();
    }

    /// Sends what is to be sent, whenever there is a connection.
    fn send(&self) {
        loop {
            let (server, packet) = {
                let mut state = self.state();
                loop {
                    if state.has_ended {
                        return;
                    }
                    if let Some(server) = state.server.clone()
                        && let Some(packet) = state.queue.next()
                    {
                        break (server, packet);
                    }
                    state = self.wait(state);
                }
            };
            if (&*server).write_all(&whole(&packet)).is_err() {
                // Who reads from it notices too, and sends all of it again on the next.
                let _ = server.shutdown(Shutdown::Both);
                let mut state = self.state();
                while !state.has_ended
                    && state.server.as_ref().is_some_and(|it| Arc::ptr_eq(it, &server))
                {
                    state = self.wait(state);
                }
            }
        }
    }

    /// Passes answers on until a connection ends; true if it is the server's. `has_answered` is set with the first answer.
    fn answers(&self, server: &TcpStream, has_answered: &mut bool) -> bool {
        let mut packets = Packets::of(server);
        while let Ok(packet) = packets.next() {
            *has_answered = true;
            let answer = {
                let mut state = self.state();
                let answer = state.queue.answer(packet);
                self.changed.notify_all();
                answer
            };
            if (&mut &*self.client).write_all(&answer).is_err() {
                return false;
            }
        }
        !self.state().has_ended
    }
}

/// Serves `client` until it goes or the server is away for too long; which of the two it was.
pub(super) fn relay(
    client: &TcpStream,
    peer: SocketAddr,
    options: &ProxyOptions,
    tell: &dyn Fn(ProxyEvent),
) -> ProxyEvent {
    let relay = Relay { client, state: Mutex::default(), changed: Condvar::new() };
    let _ = client.set_nodelay(true);
    std::thread::scope(|scope| {
        scope.spawn(|| relay.take_in());
        scope.spawn(|| relay.send());
        let mut has_begun = false;
        let mut is_first = true;
        let mut away = Away::since_now();
        let end = loop {
            let Some(server) = connect(&relay, options, has_begun, &mut away) else {
                let has_gone = relay.state().has_ended;
                break if has_gone { ProxyEvent::Gone(peer) } else { ProxyEvent::GaveUp(peer) };
            };
            let server = Arc::new(server);
            let (answers, waiting) = {
                let mut state = relay.state();
                if state.has_ended {
                    // Nobody is left to end this connection.
                    break ProxyEvent::Gone(peer);
                }
                let answers = state.queue.again();
                state.server = Some(Arc::clone(&server));
                (answers, state.queue.len())
            };
            relay.changed.notify_all();
            if !std::mem::take(&mut is_first) {
                tell(ProxyEvent::Again(peer, waiting));
            }
            let told = answers.iter().try_for_each(|answer| (&mut &*client).write_all(answer));
            let mut has_answered = false;
            if told.is_err() || !relay.answers(&server, &mut has_answered) {
                break ProxyEvent::Gone(peer);
            }
            has_begun |= has_answered;
            let waiting = {
                let mut state = relay.state();
                state.server = None;
                state.queue.len()
            };
            relay.changed.notify_all();
            if has_answered || (has_begun && waiting == 0) {
                away = Away::since_now();
            }
            tell(ProxyEvent::Lost(peer, waiting));
        };
        relay.end();
        end
    })
}

/// The server has been away for some time. One that takes connections and ends them unanswered is away too.
struct Away {
    since: Instant,
    /// Before the next attempt, but the first.
    pause: Option<Duration>,
}

impl Away {
    fn since_now() -> Self {
        Self { since: Instant::now(), pause: None }
    }

    /// Waits before another attempt; false if there is none, by `patience` or because the client has gone.
    fn pause(&mut self, relay: &Relay<'_>, patience: Duration) -> bool {
        let Some(pause) = self.pause.replace(PAUSE_MIN) else { return !relay.state().has_ended };
        self.pause = Some((pause * 2).min(PAUSE_MAX));
        if self.since.elapsed() + pause > patience {
            return false;
        }
        // A client that goes meanwhile ends the pause.
        let waited = relay.changed.wait_timeout_while(relay.state(), pause, |it| !it.has_ended);
        !waited.unwrap_or_else(PoisonError::into_inner).0.has_ended
    }
}

/// A connection to the server, on which the conversation has begun if it had; none if that takes too long, or the client
/// has gone.
fn connect(
    relay: &Relay<'_>,
    options: &ProxyOptions,
    has_begun: bool,
    away: &mut Away,
) -> Option<TcpStream> {
    while away.pause(relay, options.patience) {
        if let Ok(server) = TcpStream::connect(&options.to)
            && server.set_nodelay(true).is_ok()
            && (!has_begun || begin(&server, options.patience).is_ok())
        {
            return Some(server);
        }
    }
    None
}

/// What the client has said at its beginning, which it does not say again.
fn begin(server: &TcpStream, within: Duration) -> io::Result<()> {
    let mut bytes = BytesMut::new();
    Request::Init { version: wire::VERSION }.encode(0, &mut bytes);
    (&mut &*server).write_all(&bytes)?;
    server.set_read_timeout(Some(within.max(PAUSE_MIN)))?;
    // Nothing else has been asked, so nothing comes behind it.
    let version = Packets::of(server).next()?;
    server.set_read_timeout(None)?;
    match Reply::decode(version) {
        Ok((_, Reply::Version { .. })) => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The packets of a connection.
struct Packets<'a> {
    stream: &'a TcpStream,
    bytes: BytesMut,
}

impl<'a> Packets<'a> {
    fn of(stream: &'a TcpStream) -> Self {
        Self { stream, bytes: BytesMut::new() }
    }

    /// The next packet, without its length.
    fn next(&mut self) -> io::Result<Bytes> {
        loop {
            let taken = wire::take(&mut self.bytes);
            let taken = taken.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if let Some(packet) = taken {
                return Ok(packet);
            }
            let start = self.bytes.len();
            self.bytes.resize(start + READ_BYTES, 0);
            let read = (&mut &*self.stream).read(&mut self.bytes[start..]);
            self.bytes.truncate(start + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
