//! A connection without a socket, treated in any way that an owner may treat it.

use std::cell::Cell;
use std::future::{self, Future};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use palco_models::{Connection, Step};
use palco_service::{
    CallContext, Codec, Farewell, Host, LocalFuture, Malformed, Next, Peer, Service,
};

/// Its clock moves on by 1 µs with every look; nothing waits, unless it is told to.
#[derive(Default)]
pub(crate) struct TestHost {
    elapsed: Cell<Duration>,
    sleeps_for_ever: bool,
    stops: bool,
}

impl TestHost {
    /// One whose sleeps never end.
    pub(crate) fn asleep() -> Self {
        Self { sleeps_for_ever: true, ..Self::default() }
    }

    /// One that stops.
    pub(crate) fn stopping() -> Self {
        Self { stops: true, ..Self::default() }
    }
}

impl Host for TestHost {
    fn elapsed(&self) -> Duration {
        self.elapsed.set(self.elapsed.get() + Duration::from_micros(1));
        self.elapsed.get()
    }

    fn wall_clock(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000_000)
    }

    fn sleep(&self, _: Duration) -> LocalFuture<'_, ()> {
        if self.sleeps_for_ever { Box::pin(future::pending()) } else { Box::pin(future::ready(())) }
    }

    fn checkpoint(&self) -> LocalFuture<'_, ()> {
        Box::pin(future::ready(()))
    }

    fn is_last(&self, _: u64) -> bool {
        self.stops
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) -> LocalFuture<'_, ()> {
        work();
        Box::pin(future::ready(()))
    }
}

/// A codec, and the most bytes it has appended at once.
#[derive(Clone)]
struct Measured<C> {
    codec: C,
    largest: Arc<AtomicUsize>,
}

impl<S: Service, C: Codec<S>> Codec<S> for Measured<C> {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<S::Request>, Malformed> {
        self.codec.decode(input)
    }

    fn receives(&self) -> bool {
        self.codec.receives()
    }

    fn invite(&mut self, input: &BytesMut, output: &mut BytesMut) {
        self.codec.invite(input, output);
    }

    fn part(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        self.codec.part(input)
    }

    fn decline(&mut self) {
        self.codec.decline();
    }

    fn encode(&mut self, response: &mut S::Response, output: &mut BytesMut) -> Next {
        let before = output.len();
        let next = self.codec.encode(response, output);
        self.largest.fetch_max(output.len() - before, Ordering::Relaxed);
        next
    }

    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        self.codec.farewell(why, output);
    }
}

/// How a connection is treated: sizes of what is read and written, over and over; whether the input ends.
#[derive(Clone, Debug)]
pub(crate) struct Treatment {
    pub(crate) reads: Vec<usize>,
    pub(crate) writes: Vec<usize>,
    pub(crate) ends: bool,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) output: Vec<u8>,
    pub(crate) malformed: Option<Malformed>,
    pub(crate) last: Step,
}

/// The documented bound, with room for last words.
const OUTPUT_BYTES_HIGH: usize = 64 << 10;
const WORDS_BYTES_MAX: usize = 1 << 10;

pub(crate) fn play<S: Service, C: Codec<S>>(
    service: S,
    codec: C,
    bytes: &[u8],
    treatment: &Treatment,
) -> Outcome {
    let host = TestHost::default();
    let largest = Arc::default();
    let codec = Measured { codec, largest: Arc::clone(&largest) };
    let mut connection = Connection::new(Arc::new(service), codec, &Peer::new("test:1"));
    let (mut rest, mut output, mut ended) = (bytes, Vec::new(), false);
    let mut reads = treatment.reads.iter().cycle();
    let mut writes = treatment.writes.iter().cycle();
    loop {
        let step = ready(connection.advance(&CallContext::new(&host), &()));
        let bound = OUTPUT_BYTES_HIGH + largest.load(Ordering::Relaxed) + WORDS_BYTES_MAX;
        assert!(connection.output().len() <= bound, "{connection:?} exceeds {bound}");
        let written = match step {
            Step::Write => *writes.next().unwrap(),
            Step::Read if !rest.is_empty() => {
                let (piece, after) = rest.split_at((*reads.next().unwrap()).min(rest.len()));
                connection.input().extend_from_slice(piece);
                rest = after;
                continue;
            }
            Step::Read if treatment.ends && !ended => {
                ended = true;
                connection.end_of_input();
                continue;
            }
            Step::Read | Step::Close | Step::Interrupted | Step::Paused => usize::MAX,
        };
        let written = written.min(connection.output().len());
        output.extend_from_slice(&connection.output().split_to(written));
        if step != Step::Write {
            let malformed = connection.malformed().cloned();
            return Outcome { output, malformed, last: step };
        }
    }
}

/// The result of a future that never has to wait.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a future waits for something else than its host"),
    }
}
