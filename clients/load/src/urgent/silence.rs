//! Urgent data behind bytes that a reader does not take: whether it is announced, and when. The urgent pointer has 16 bits
//! (RFC 9293, 3.8.5), and while the window has no room only probes are sent (3.8.6.1).

use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use palco_sys::unsent_bytes;
use palco_urgent::{Call, SendUrgentError, Urgent, Watch, send_urgent};
use socket2::{Domain, SockRef, Socket, Type};

use super::sender::promptly;

/// The receiver's buffer, in bytes: it is full soon.
const RECEIVED_BYTES: usize = 4096;

/// The sender's buffer, in bytes: all that is queued has room.
const SENT_BYTES: usize = 1024 * 1024;

/// Bytes that are written at once.
const PIECE_BYTES: usize = 2048;

/// So long the number of bytes that are not acknowledged must stay the same: longer than an acknowledgement is
/// delayed (40 ms).
const SETTLED: Duration = Duration::from_millis(60);

/// After the announcement the byte itself is looked for so long.
const GRACE: Duration = Duration::from_millis(50);

/// Against hanging only.
const LIMIT: Duration = Duration::from_secs(5);

/// The pause between two looks while the queue settles.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The same while an urgent byte is looked for.
const LOOK_CLOSELY: Duration = Duration::from_micros(20);

/// One urgent byte behind bytes that nobody reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    /// Bytes that were not acknowledged when it was sent.
    pub(super) queued: usize,
    /// How long the receiver had not read then.
    pub(super) stood: Duration,
    /// When the receiver was told that there is one.
    pub(super) announced: Option<Duration>,
    /// When `EPOLLPRI` was raised.
    pub(super) raised: Option<Duration>,
    /// When the byte itself could be taken.
    pub(super) arrived: Option<Duration>,
    /// What `send_urgent` said.
    pub(super) said: Said,
}

/// What `send_urgent` said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It has sent it.
    Sent,
    /// It would stay silent.
    Silenced,
}

/// A sender with `wanted` bytes queued, and a receiver that reads none of them; neither is closed before it is dropped.
pub(super) struct Stalled {
    client: TcpStream,
    server: TcpStream,
    since: Instant,
}

impl Stalled {
    /// Returns when it has been so at least as long as `stood`.
    pub(super) fn new(wanted: usize, stood: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        SockRef::from(&listener).set_recv_buffer_size(RECEIVED_BYTES)?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_send_buffer_size(SENT_BYTES)?;
        socket.connect(&listener.local_addr()?.into())?;
        let (server, _) = listener.accept()?;
        let mut stalled = Self { client: socket.into(), server, since: Instant::now() };
        stalled.client.set_nodelay(true)?;
        stalled.fill(wanted)?;
        thread::sleep(stood.saturating_sub(stalled.since.elapsed()));
        Ok(stalled)
    }

    /// What the receiver holds is acknowledged after a while, so it is looked at again and again.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if wanted == 0 {
            return Ok(());
        }
        self.client.set_nonblocking(true)?;
        let (begun, mut since) = (Instant::now(), Instant::now());
        while since.elapsed() < SETTLED {
            if begun.elapsed() > LIMIT {
                return Err(io::Error::other(format!("{wanted} bytes cannot be queued")));
            }
            let queued = unsent_bytes(&self.client)?;
            if queued >= wanted {
                thread::sleep(LOOK_EVERY);
                continue;
            }
            since = Instant::now();
            match self.client.write(&[b'x'; PIECE_BYTES][..PIECE_BYTES.min(wanted - queued)]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK_EVERY),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends an urgent byte, and looks for it on the other side for so long, and for as long as the reader has stood still:
    /// it is announced by the next probe of a window without room, and each comes after twice the time.
    pub(super) fn send(&self, within: Duration) -> io::Result<Try> {
        let watch = Watch::new()?;
        watch.add(&self.server, 1)?;
        promptly(|| {
            let (queued, stood) = (unsent_bytes(&self.client)?, self.since.elapsed());
            let sent = Instant::now();
            let said = match send_urgent(&self.client, Call::Hold.byte()) {
                Ok(()) => Said::Sent,
                Err(SendUrgentError::Silenced { .. }) => {
                    // Whether that is true: sent as it is, without palco.
                    SockRef::from(&self.client).send_out_of_band(&[Call::Hold.byte()])?;
                    Said::Silenced
                }
                Err(error) => return Err(io::Error::other(error)),
            };
            let [announced, raised, arrived] = look(&self.server, &watch, sent, within + stood)?;
            Ok(Try { queued, stood, announced, raised, arrived, said })
        })
        .map(|(tried, _)| tried)
    }
}

/// When the byte was announced, `EPOLLPRI` raised, the byte there.
fn look(
    server: &TcpStream,
    watch: &Watch,
    sent: Instant,
    within: Duration,
) -> io::Result<[Option<Duration>; 3]> {
    let [mut announced, mut raised, mut arrived] = [None; 3];
    let mut tokens = Vec::new();
    let until = |announced: Option<Duration>| announced.map_or(within, |at| at + GRACE);
    while (raised.is_none() || arrived.is_none()) && sent.elapsed() < until(announced) {
        let there = peek(server)?;
        let now = Some(sent.elapsed());
        match there {
            Urgent::None => {}
            Urgent::Announced => announced = announced.or(now),
            Urgent::Byte(_) => {
                announced = announced.or(now);
                arrived = arrived.or(now);
            }
        }
        watch.take(1, &mut tokens)?;
        if !tokens.is_empty() {
            raised = raised.or(Some(sent.elapsed()));
        }
        // Who looks is in real time, and is not to keep a processor from everybody else.
        thread::sleep(LOOK_CLOSELY);
    }
    Ok([announced, raised, arrived])
}

/// As [`take_urgent`](palco_urgent::take_urgent), but the byte stays, or `EPOLLPRI` would fall before it was seen.
fn peek(socket: &TcpStream) -> io::Result<Urgent> {
    let mut byte = [0];
    let flags = MsgFlags::MSG_OOB | MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    match recv(socket.as_raw_fd(), &mut byte, flags) {
        Ok(0) | Err(Errno::EINVAL | Errno::EINTR) => Ok(Urgent::None),
        Ok(_) => Ok(Urgent::Byte(byte[0])),
        Err(Errno::EAGAIN) => Ok(Urgent::Announced),
        Err(errno) => Err(errno.into()),
    }
}
