//! A host without time, and a connection without a socket.

#[path = "support/laws.rs"]
pub(crate) mod laws;

use std::cell::{Cell, RefCell};
use std::future::{self, Future};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use palco_core::Ticket;
use palco_service::{
    CallContext, Codec, Crash, Farewell, Host, LocalFuture, Malformed, Next, Peer, Service,
};

/// 2001-09-09 01:46:40 UTC, on every wall clock of these tests until it is set on.
pub(crate) const NOW: u64 = 1_000_000_000;

/// The ticket of the first request of every connection whose host has an urgent port.
pub(crate) const FIRST_TICKET: &str = "stage/7.1:00112233445566778899aabbccddeeff@127.0.0.1:7009";

/// The ticket of another of its requests.
pub(crate) fn ticket(number: u64) -> String {
    FIRST_TICKET.replace("7.1:", &format!("7.{number}:"))
}

/// A host whose clock moves on by 1 µs with every look at it, and by what is slept; blocking work runs at once.
#[derive(Default)]
pub(crate) struct TestHost {
    elapsed: Cell<Duration>,
    pub(crate) slept: RefCell<Vec<Duration>>,
    pub(crate) checkpoints: Cell<u32>,
    pub(crate) blocks: Cell<u32>,
    pub(crate) crashes: RefCell<Vec<Crash>>,
    /// How far the wall clock has been set on.
    pub(crate) later: Cell<Duration>,
    urgent_port: bool,
    /// The number of the request that is being answered.
    request: Cell<u64>,
}

impl TestHost {
    /// A host that has tickets for its one connection.
    pub(crate) fn with_urgent_port() -> Self {
        Self { urgent_port: true, ..Self::default() }
    }
}

impl Host for TestHost {
    fn elapsed(&self) -> Duration {
        self.elapsed.set(self.elapsed.get() + Duration::from_micros(1));
        self.elapsed.get()
    }

    fn wall_clock(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW) + self.later.get()
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        self.slept.borrow_mut().push(duration);
        self.elapsed.set(self.elapsed.get() + duration);
        Box::pin(future::ready(()))
    }

    fn checkpoint(&self) -> LocalFuture<'_, ()> {
        self.checkpoints.set(self.checkpoints.get() + 1);
        Box::pin(future::ready(()))
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) -> LocalFuture<'_, ()> {
        self.blocks.set(self.blocks.get() + 1);
        work();
        Box::pin(future::ready(()))
    }

    fn ticket(&self) -> Option<Ticket> {
        let first = self.urgent_port.then(|| FIRST_TICKET.parse::<Ticket>().unwrap());
        first.map(|ticket| ticket.with_number(self.request.get()))
    }

    /// Lives on.
    fn crash(&self, how: Crash) {
        self.crashes.borrow_mut().push(how);
    }
}

/// The result of a future that never has to wait, because its host never waits.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a future waits for something else than its host"),
    }
}

/// One connection: what a server does with a service and a codec, one step after the other.
pub(crate) struct Connection<'a, S: Service, C> {
    service: &'a S,
    host: &'a TestHost,
    codec: C,
    session: S::Session,
    receiving: Option<S::Request>,
    input: BytesMut,
    pub(crate) output: BytesMut,
    pub(crate) malformed: Option<Malformed>,
    pub(crate) closed: bool,
    /// The most bytes that were left in the input after a decode.
    pub(crate) input_peak: usize,
    /// The most bytes that one encode has appended.
    pub(crate) part_peak: usize,
}

impl<'a, S: Service, C: Codec<S>> Connection<'a, S, C> {
    pub(crate) fn open(service: &'a S, codec: C, host: &'a TestHost) -> Self {
        let mut connection = Self {
            service,
            host,
            codec,
            session: service.open(&Peer::new("test:1")),
            receiving: None,
            input: BytesMut::new(),
            output: BytesMut::new(),
            malformed: None,
            closed: false,
            input_peak: 0,
            part_peak: 0,
        };
        connection.serve();
        connection
    }

    /// Bytes arrive; after the end they are dropped, as a closed socket drops them.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if !self.closed {
            self.input.extend_from_slice(bytes);
            self.serve();
        }
    }

    /// Sends, and returns all that has come back since the last time, as text.
    pub(crate) fn ask(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.send(bytes.as_ref());
        String::from_utf8_lossy(&self.output.split()).into_owned()
    }

    /// Urgent data arrives, the last of `bytes` being the urgent one, and nothing runs.
    pub(crate) fn urgent(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.codec.urgent(&mut self.input);
        self.serve();
    }

    /// The same while the request of `line` runs. Whether that was the end of the request.
    pub(crate) fn urgent_during(&mut self, line: &[u8], bytes: &[u8]) -> bool {
        self.input.extend_from_slice(line);
        let request = self.codec.decode(&mut self.input).unwrap().expect("one whole request");
        let interrupts = self.codec.interrupts(bytes);
        if interrupts {
            drop(request);
            self.closed = self.codec.interrupted(&mut self.output) == Next::Close;
        } else {
            self.answer(request);
        }
        self.urgent(bytes);
        interrupts
    }

    fn serve(&mut self) {
        while !self.closed {
            if self.receiving.is_some() {
                if !self.receive() {
                    break;
                }
                continue;
            }
            let decoded = self.codec.decode(&mut self.input);
            self.input_peak = self.input_peak.max(self.input.len());
            match decoded {
                Ok(Some(request)) if self.codec.receives() => self.prepare(request),
                Ok(Some(request)) => self.answer(request),
                Ok(None) => break,
                Err(malformed) => self.refuse(malformed),
            }
            if self.input.is_empty() && self.receiving.is_none() {
                break;
            }
        }
    }

    fn refuse(&mut self, malformed: Malformed) {
        self.codec.farewell(&Farewell::Malformed(malformed.clone()), &mut self.output);
        self.malformed = Some(malformed);
        self.receiving = None;
        self.closed = true;
    }

    fn prepare(&mut self, mut request: S::Request) {
        let cx = CallContext::new(self.host);
        if ready(self.service.wants_parts(&mut self.session, &mut request, &cx)) {
            self.codec.invite(&self.input, &mut self.output);
            self.receiving = Some(request);
        } else {
            self.codec.decline();
            self.answer(request);
        }
    }

    /// Takes one part, or answers; false if more bytes are needed.
    fn receive(&mut self) -> bool {
        let cx = CallContext::new(self.host);
        let request = self.receiving.as_mut().expect("it is being received");
        let done = match self.codec.part(&mut self.input) {
            Ok(Some(part)) => {
                let wanted = ready(self.service.part(&mut self.session, request, part, &cx));
                if !wanted {
                    self.codec.decline();
                }
                !wanted
            }
            Ok(None) if self.codec.receives() => return false,
            Ok(None) => true,
            Err(malformed) => {
                self.refuse(malformed);
                return true;
            }
        };
        if done {
            let request = self.receiving.take().expect("it is being received");
            self.answer(request);
        }
        true
    }

    fn answer(&mut self, request: S::Request) {
        self.host.request.set(self.host.request.get() + 1);
        let cx = CallContext::new(self.host);
        let mut response = ready(self.service.call(&mut self.session, request, &cx));
        loop {
            let before = self.output.len();
            let next = self.codec.encode(&mut response, &mut self.output);
            self.part_peak = self.part_peak.max(self.output.len() - before);
            if !ready(self.service.more(&mut response, &cx)) {
                self.closed = next == Next::Close;
                return;
            }
        }
    }
}

/// What a client sees of a whole connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transcript {
    pub(crate) output: Vec<u8>,
    pub(crate) malformed: Option<Malformed>,
    pub(crate) closed: bool,
}

/// Plays `bytes`, cut into pieces of the sizes in `cuts`, over and over.
pub(crate) fn play<S: Service, C: Codec<S>>(
    service: &S,
    codec: C,
    bytes: &[u8],
    cuts: &[usize],
) -> Transcript {
    let host = TestHost::default();
    let mut connection = Connection::open(service, codec, &host);
    let mut rest = bytes;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*cut).clamp(1, rest.len()));
        connection.send(piece);
        rest = after;
    }
    Transcript {
        output: connection.output.to_vec(),
        malformed: connection.malformed,
        closed: connection.closed,
    }
}

/// The protocol's last words on a fresh connection.
pub(crate) fn farewell<S: Service, C: Codec<S>>(codec: &C, why: &Farewell) -> String {
    let mut output = BytesMut::new();
    codec.farewell(why, &mut output);
    String::from_utf8(output.to_vec()).unwrap()
}
