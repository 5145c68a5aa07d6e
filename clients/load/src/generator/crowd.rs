//! Clients that only disturb: on a thread of their own, so that they are not what makes requests late.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use serde::Serialize;
use socket2::SockRef;

use super::connection::connect;
use super::{CONNECTIONS_MAX, Plan, Protocol, Talk};

/// The shortest time between two steps of a slow client.
const EVERY_MIN: Duration = Duration::from_millis(1);
/// The most connections a second that go away.
const DISCONNECTS_PER_S_MAX: f64 = 10_000.0;
/// How often connections that do nothing are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a connection that goes away may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// What a slow reader's kernel keeps of an answer, in bytes: little, so that the server feels it.
const RECEIVE_BYTES: usize = 4096;
/// A header that never ends the head of a request.
const HEADER: &[u8] = b"X-Slow: 1\r\n";

/// Clients that only disturb. A connection that the server closes is made again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Crowd {
    /// So many connections that say nothing.
    Idle(usize),
    /// Requests that never end (slowloris).
    SlowWriters {
        /// How many.
        connections: usize,
        /// One byte each time, at least 1 ms.
        every: Duration,
    },
    /// Clients that ask faster than they read.
    SlowReaders {
        /// How many.
        connections: usize,
        /// Bytes read each time, at least 1.
        bytes: usize,
        /// One request, and so many bytes, each time; at least 1 ms.
        every: Duration,
    },
    /// Connections that go away in the middle of a request: every second by FIN, the others by RST.
    Disconnects {
        /// How many a second, above 0, at most 10,000.
        per_s: f64,
    },
}

/// What a crowd did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CrowdCounts {
    /// Connections begun.
    pub opened: u64,
    /// Connections that could not be made.
    pub refused: u64,
    /// Connections that the server closed.
    pub closed_by_server: u64,
    /// Connections that went away by FIN.
    pub left_by_fin: u64,
    /// Connections that went away by RST.
    pub left_by_rst: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Bytes read.
    pub bytes_in: u64,
}

impl Crowd {
    /// How many connections it holds at once.
    #[must_use]
    pub fn connections(&self) -> usize {
        match self {
            Self::Idle(connections)
            | Self::SlowWriters { connections, .. }
            | Self::SlowReaders { connections, .. } => *connections,
            Self::Disconnects { .. } => 0,
        }
    }

    pub(super) fn check(&self, talk: &Talk) -> Result<(), String> {
        let asks = !talk.protocol().is_one_shot() && talk.protocol() != Protocol::Sftp;
        match self {
            Self::SlowWriters { .. } | Self::SlowReaders { .. } | Self::Disconnects { .. }
                if !asks =>
            {
                let protocol = talk.protocol();
                Err(format!(
                    "crowd: `{protocol}` has no request that is always the same; only idle clients"
                ))
            }
            Self::Disconnects { per_s } if !(*per_s > 0.0 && *per_s <= DISCONNECTS_PER_S_MAX) => {
                let most = DISCONNECTS_PER_S_MAX;
                Err(format!("crowd: disconnects above 0, at most {most} a second, not {per_s}"))
            }
            Self::Disconnects { .. } => Ok(()),
            Self::SlowWriters { every, .. } | Self::SlowReaders { every, .. }
                if *every < EVERY_MIN =>
            {
                Err(format!("crowd: slow clients do something every {EVERY_MIN:?} at most"))
            }
            Self::SlowReaders { bytes: 0, .. } => {
                Err("crowd: slow readers read at least 1 byte each time".to_owned())
            }
            Self::Idle(count)
            | Self::SlowWriters { connections: count, .. }
            | Self::SlowReaders { connections: count, .. } => {
                let good = (1..=CONNECTIONS_MAX).contains(count);
                let text = || format!("crowd: 1 to {CONNECTIONS_MAX} connections, not {count}");
                good.then_some(()).ok_or_else(text)
            }
        }
    }

    fn every(&self) -> Duration {
        match self {
            Self::Idle(_) => LOOK_EVERY,
            Self::SlowWriters { every, .. } | Self::SlowReaders { every, .. } => *every,
            Self::Disconnects { per_s } => Duration::from_secs_f64(1.0 / per_s),
        }
    }
}

/// One group of a crowd.
struct Group<'a> {
    crowd: Crowd,
    address: SocketAddr,
    request: &'a [u8],
    is_http: bool,
    /// What is open, and how many bytes of a request were sent on it.
    members: Vec<(TcpStream, usize)>,
    /// Connections that will go away, and when they were begun.
    leaving: Vec<(TcpStream, Instant)>,
    due: Instant,
    left: u64,
}

/// Disturbs until `over` is set; says on `ready` when all connections have been begun.
pub(super) fn run(plan: &Plan, over: &AtomicBool, ready: &SyncSender<()>) -> CrowdCounts {
    let request = plan.talk.bytes(plan.address, false);
    let mut counts = CrowdCounts::default();
    let mut groups: Vec<_> = plan
        .crowd
        .iter()
        .map(|crowd| Group {
            crowd: *crowd,
            address: plan.address,
            request: &request,
            is_http: plan.talk.protocol() == Protocol::Http,
            members: Vec::new(),
            leaving: Vec::new(),
            due: Instant::now(),
            left: 0,
        })
        .collect();
    for group in &mut groups {
        group.fill(&mut counts);
    }
    // Only ever an error if nobody wants to know.
    let _ = ready.send(());
    while !over.load(Ordering::Acquire) {
        let now = Instant::now();
        for group in &mut groups {
            if now >= group.due {
                group.step(now, &mut counts);
                // What was missed is not made up for, except by those that have a rate.
                let next = group.due + group.crowd.every();
                let has_rate = matches!(group.crowd, Crowd::Disconnects { .. });
                group.due = if has_rate { next } else { next.max(now) };
            }
        }
        let due = groups.iter().map(|group| group.due).min().unwrap_or(now + LOOK_EVERY);
        std::thread::park_timeout(due.saturating_duration_since(Instant::now()));
    }
    counts
}

impl Group<'_> {
    fn fill(&mut self, counts: &mut CrowdCounts) {
        while self.members.len() < self.crowd.connections() {
            let Some(socket) = self.open(counts) else { return };
            self.members.push((socket, 0));
        }
    }

    fn open(&self, counts: &mut CrowdCounts) -> Option<TcpStream> {
        match connect(self.address) {
            Ok(socket) => {
                if matches!(self.crowd, Crowd::SlowReaders { .. }) {
                    // A larger one only makes the server feel it later.
                    let _ = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BYTES);
                }
                counts.opened += 1;
                Some(socket)
            }
            Err(_) => {
                counts.refused += 1;
                None
            }
        }
    }

    fn step(&mut self, now: Instant, counts: &mut CrowdCounts) {
        if matches!(self.crowd, Crowd::Disconnects { .. }) {
            self.disconnect(now, counts);
            return;
        }
        let (crowd, request, is_http) = (self.crowd, self.request, self.is_http);
        self.members.retain_mut(|(socket, sent)| {
            let lives = match crowd {
                Crowd::SlowWriters { .. } => {
                    write_slowly(socket, sent, request, is_http, counts)
                        && hears(socket, 64, counts)
                }
                Crowd::SlowReaders { bytes, .. } => {
                    ask(socket, request, sent, counts) && hears(socket, bytes, counts)
                }
                Crowd::Idle(_) | Crowd::Disconnects { .. } => hears(socket, 64, counts),
            };
            counts.closed_by_server += u64::from(!lives);
            lives
        });
        self.fill(counts);
    }

    fn disconnect(&mut self, now: Instant, counts: &mut CrowdCounts) {
        if let Some(socket) = self.open(counts) {
            self.leaving.push((socket, now));
        }
        let half = &self.request[..self.request.len().div_ceil(2)];
        let left = &mut self.left;
        self.leaving.retain_mut(|(socket, begun)| {
            if socket.peer_addr().is_err() {
                let waits = now.duration_since(*begun) < CONNECT_WITHIN;
                counts.refused += u64::from(!waits);
                return waits;
            }
            counts.bytes_out += socket.write(half).unwrap_or(0) as u64;
            *left += 1;
            if left.is_multiple_of(2) {
                let _ = SockRef::from(&*socket).set_linger(Some(Duration::ZERO));
                counts.left_by_rst += 1;
            } else {
                let _ = socket.shutdown(Shutdown::Write);
                counts.left_by_fin += 1;
            }
            false
        });
    }
}

/// One more byte; the request never ends. Whether the connection lives.
fn write_slowly(
    socket: &mut TcpStream,
    sent: &mut usize,
    request: &[u8],
    is_http: bool,
    counts: &mut CrowdCounts,
) -> bool {
    // Before the empty line of a head, or before the last byte of any other request.
    let before = request.len().saturating_sub(if is_http { 2 } else { 1 });
    let byte = match request[..before].get(*sent) {
        Some(byte) => *byte,
        None if is_http => HEADER[(*sent - before) % HEADER.len()],
        None => return true,
    };
    match socket.write(&[byte]) {
        Ok(count) => {
            *sent += count;
            counts.bytes_out += count as u64;
            true
        }
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// One more request, as far as there is room. Whether the connection lives.
fn ask(socket: &mut TcpStream, request: &[u8], sent: &mut usize, counts: &mut CrowdCounts) -> bool {
    match socket.write(&request[*sent..]) {
        Ok(count) => {
            *sent = (*sent + count) % request.len();
            counts.bytes_out += count as u64;
            true
        }
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// Reads at most so many bytes. Whether the connection lives.
fn hears(socket: &mut TcpStream, bytes: usize, counts: &mut CrowdCounts) -> bool {
    let mut piece = [0; 4096];
    let most = bytes.min(piece.len());
    match socket.read(&mut piece[..most]) {
        Ok(count) => {
            counts.bytes_in += count as u64;
            count > 0
        }
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected),
    }
}
