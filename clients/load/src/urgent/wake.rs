//! How long the urgent thread takes to have what was sent: from the moment before the send to its desk.

use std::future::ready;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use palco_core::{Answer, Key, RequestId, RequestState, Ticket, Verb};
use palco_urgent::{
    Bound, Call, Desk, Obtained, Policy, Soon, ThreadSettings, Urgent, UrgentThread, Watch,
    acknowledgement, send_urgent, take_urgent,
};
use parking_lot::Mutex;
use socket2::SockRef;

use super::kinds::Solution;
use super::sender::promptly;
use super::stage::wait_urgent;

/// Against hanging only: the longest wait for a processor is far from it.
const LIMIT: Duration = Duration::from_secs(10);

/// The pause after a sample is one of these, in turn: the thread sleeps again, and no rhythm of the kernel's is met.
const PAUSES: [Duration; 5] = [
    Duration::from_micros(700),
    Duration::from_micros(1_900),
    Duration::from_micros(1_100),
    Duration::from_micros(2_300),
    Duration::from_micros(1_500),
];

/// An urgent thread of one policy, with a desk that looks at the clock.
pub(super) struct Rig {
    pub(super) policy: Policy,
    thread: UrgentThread,
    port: SocketAddr,
    watch: Arc<Watch>,
    bell: Arc<Bell>,
    heard: Receiver<Instant>,
}

/// The desk: says when it was reached.
struct Bell {
    heard: Sender<Instant>,
    /// The server's end of the connection that is watched.
    connection: Mutex<Option<TcpStream>>,
}

impl Desk for Bell {
    fn admits(&self, _request: &RequestId, _key: &Key) -> bool {
        true
    }

    fn act(&self, _request: RequestId, _verb: Verb) -> Soon<Answer> {
        // Nobody listens after a sample that has taken too long.
        let _ = self.heard.send(Instant::now());
        Box::pin(ready(Answer::reached(RequestState::Held)))
    }

    fn heard(&self, _token: u64) -> Soon<()> {
        let now = Instant::now();
        if let Some(connection) = &mut *self.connection.lock()
            && matches!(take_urgent(&*connection), Ok(Urgent::Byte(_)))
        {
            // Past the byte, so that such bytes do not pile up in the socket; there is nothing else to read.
            let _ = connection.read(&mut [0]);
            // As a server does. Without it TCP would acknowledge late, and the next byte would wait for that.
            let _ = send_urgent(&*connection, acknowledgement(RequestState::Held, true));
            let _ = self.heard.send(now);
        }
        Box::pin(ready(()))
    }
}

impl Rig {
    pub(super) fn start(policy: Policy) -> io::Result<Self> {
        let (heard_at, heard) = channel();
        let bell = Arc::new(Bell { heard: heard_at, connection: Mutex::new(None) });
        let watch = Arc::new(Watch::new()?);
        let bound = Bound::bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(io::Error::other)?;
        let port = bound.address();
        let settings = ThreadSettings { policy, ..ThreadSettings::default() };
        let desk = Arc::clone(&bell) as Arc<dyn Desk>;
        let thread = UrgentThread::start(settings, desk, Arc::clone(&watch), Some(bound))
            .map_err(io::Error::other)?;
        Ok(Self { policy, thread, port, watch, bell, heard })
    }

    /// How its thread is scheduled now.
    pub(super) fn obtained(&self) -> Obtained {
        self.thread.obtained()
    }

    /// So many samples, in nanoseconds, and how their sender was scheduled.
    pub(super) fn turn(
        &mut self,
        solution: Solution,
        samples: usize,
    ) -> io::Result<(Vec<u64>, Obtained)> {
        promptly(|| match solution {
            Solution::Port => self.at_the_port(samples),
            Solution::Data => self.by_urgent_data(samples),
        })
    }

    fn at_the_port(&mut self, samples: usize) -> io::Result<Vec<u64>> {
        let mut stream = TcpStream::connect(self.port)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let mut answers = BufReader::new(stream.try_clone()?);
        let request = RequestId { server: "bench".into(), connection: 1, number: 1 };
        let ticket = Ticket { request, key: Key::new([0; 16]), address: self.port };
        let command = format!("HOLD {}\n", ticket.claim());
        self.sample(
            samples,
            || {
                let sent = Instant::now();
                stream.write_all(command.as_bytes())?;
                Ok(sent)
            },
            || answers.read_line(&mut String::new()).map(drop),
        )
    }

    fn by_urgent_data(&mut self, samples: usize) -> io::Result<Vec<u64>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        let (server, _) = listener.accept()?;
        server.set_nonblocking(true)?;
        self.watch.add(&server, 1)?;
        *self.bell.connection.lock() = Some(server);
        let socket = SockRef::from(&client);
        let taken = self.sample(
            samples,
            || {
                let sent = Instant::now();
                socket.send_out_of_band(&[Call::Hold.byte()])?;
                Ok(sent)
            },
            || wait_urgent(&client, LIMIT).map(drop),
        );
        *self.bell.connection.lock() = None;
        taken
    }

    /// Sends, waits until it was heard, and ends the exchange, time after time.
    fn sample(
        &mut self,
        samples: usize,
        mut send: impl FnMut() -> io::Result<Instant>,
        mut end: impl FnMut() -> io::Result<()>,
    ) -> io::Result<Vec<u64>> {
        let mut taken = Vec::with_capacity(samples);
        for pause in PAUSES.into_iter().cycle().take(samples) {
            let sent = send()?;
            let heard = self.heard.recv_timeout(LIMIT).map_err(io::Error::other)?;
            let nanos = heard.saturating_duration_since(sent).as_nanos();
            taken.push(u64::try_from(nanos).unwrap_or(u64::MAX));
            end()?;
            thread::sleep(pause);
        }
        Ok(taken)
    }
}
