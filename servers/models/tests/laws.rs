//! Laws of the sans-I/O [`Connection`]: how bytes come and go does not matter, no bytes make it panic or hoard.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing, its support too")]

use std::cell::Cell;
use std::fs;
use std::future::{self, Future};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use palco_models::{Connection, Step};
use palco_service::services::echo::{EchoCodec, EchoService};
use palco_service::services::http::{HttpCodec, HttpService};
use palco_service::services::kv::{KvService, RespCodec};
use palco_service::services::time::{TimeCodec, TimeFormat, TimeService};
use palco_service::services::work::{WorkCodec, WorkService};
use palco_service::{
    CallContext, Codec, Farewell, Host, LocalFuture, Malformed, Next, Peer, Service,
};
use proptest::prelude::*;

/// Its clock moves on by 1 µs with every look; nothing waits, unless it is told to.
#[derive(Default)]
struct TestHost {
    elapsed: Cell<Duration>,
    sleeps_for_ever: bool,
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
struct Treatment {
    reads: Vec<usize>,
    writes: Vec<usize>,
    ends: bool,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    output: Vec<u8>,
    malformed: Option<Malformed>,
    last: Step,
}

/// The documented bound, with room for last words.
const OUTPUT_BYTES_HIGH: usize = 64 << 10;
const WORDS_BYTES_MAX: usize = 1 << 10;

fn play<S: Service, C: Codec<S>>(
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
        let step = ready(connection.advance(&CallContext::new(&host)));
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
            Step::Read | Step::Close => usize::MAX,
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
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a future waits for something else than its host"),
    }
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![3 => 1_usize..9, 2 => 1_usize..5000, 1 => Just(1 << 20)];
    prop::collection::vec(size, 1..12)
}

fn treatments() -> impl Strategy<Value = Treatment> {
    (sizes(), sizes(), any::<bool>()).prop_map(|(reads, writes, ends)| Treatment {
        reads,
        writes,
        ends,
    })
}

/// All at once.
fn whole(ends: bool) -> Treatment {
    Treatment { reads: vec![usize::MAX], writes: vec![usize::MAX], ends }
}

fn script(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let garbage = prop::collection::vec(any::<u8>(), 0..20);
    let piece = prop_oneof![
        30 => prop::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => garbage,
    ];
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.concat())
}

const KV: &[&str] = &[
    "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n",
    "APPEND k 0123456789012345678901234567890123456789\r\n",
    "MGET k k k k k k k k k k k k k k k k k k k k k k k k k k k k k k k k\r\n",
    "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
    "INCR n\r\n",
    "COMMAND\r\n",
    "PING\r\n",
    "PI",
    "QUIT\r\n",
];
const WORK: &[&str] =
    &["cpu 3\n", "hog 2\r\n", "sleep 5\n", "offload 0\r\n", "alloc 8\n", "help\n", "\n", "he"];
const HTTP: &[&str] = &[
    "GET /large HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /small HTTP/1.1\r\nHost: h\r\n\r\n",
    "HEAD /large HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /none HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
    "GET /small HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "GET /sm",
];

macro_rules! treatment_does_not_matter {
    ($service:expr, $codec:expr, $bytes:expr, $treatment:expr) => {
        let expected = play($service, $codec, $bytes, &whole($treatment.ends));
        let outcome = play($service, $codec, $bytes, $treatment);
        prop_assert!(outcome.output == expected.output, "the output differs");
        prop_assert_eq!(outcome.malformed, expected.malformed);
        prop_assert_eq!(outcome.last, expected.last);
        prop_assert!(!$treatment.ends || outcome.last == Step::Close);
    };
}

proptest! {
    #[test]
    fn treatment_does_not_matter_to_echo(
        bytes in prop::collection::vec(any::<u8>(), 0..100_000),
        treatment in treatments(),
    ) {
        treatment_does_not_matter!(EchoService, EchoCodec, &bytes, &treatment);
        prop_assert!(play(EchoService, EchoCodec, &bytes, &treatment).output == bytes);
    }

    #[test]
    fn treatment_does_not_matter_to_time(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        treatment in treatments(),
    ) {
        for format in [TimeFormat::Binary, TimeFormat::Line] {
            treatment_does_not_matter!(TimeService, TimeCodec::new(format), &bytes, &treatment);
        }
    }

    #[test]
    fn treatment_does_not_matter_to_kv(bytes in script(KV), treatment in treatments()) {
        treatment_does_not_matter!(
            KvService::default(), RespCodec::default(), &bytes, &treatment
        );
    }

    #[test]
    fn treatment_does_not_matter_to_work(bytes in script(WORK), treatment in treatments()) {
        treatment_does_not_matter!(
            WorkService::default(), WorkCodec::default(), &bytes, &treatment
        );
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        treatment in treatments(),
    ) {
        play(EchoService, EchoCodec, &bytes, &treatment);
        play(KvService::default(), RespCodec::default(), &bytes, &treatment);
        play(WorkService::default(), WorkCodec::default(), &bytes, &treatment);
        play(TimeService, TimeCodec::new(TimeFormat::Line), &bytes, &treatment);
        play(HttpService::new("/").unwrap(), HttpCodec::default(), &bytes, &treatment);
    }
}

#[test]
fn treatment_does_not_matter_to_http() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("small"), "small").unwrap();
    fs::write(root.path().join("large"), "large ".repeat(40_000)).unwrap();
    let service = || HttpService::new(root.path()).unwrap();
    proptest!(ProptestConfig::with_cases(64), |(bytes in script(HTTP), treatment in treatments())| {
        treatment_does_not_matter!(service(), HttpCodec::default(), &bytes, &treatment);
    });
}

/// The bound is seen to be needed: without draining, much more is asked for than is ever held.
#[test]
fn answers_are_not_made_ahead_of_a_reader() {
    let bytes = [&b"SET k "[..], &[b'v'; 40_000], b"\r\n", &b"GET k\r\n".repeat(1000)].concat();
    let treatment = Treatment { writes: vec![1000], ..whole(true) };
    let outcome = play(KvService::default(), RespCodec::default(), &bytes, &treatment);
    assert!(outcome.output.len() > 40_000_000);
}

/// Counts its sessions.
#[derive(Default)]
struct Counting {
    open: AtomicUsize,
    closed: AtomicUsize,
}

impl Service for Counting {
    type Request = Bytes;
    type Response = Bytes;
    type Session = ();

    fn open(&self, _: &Peer) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    async fn call(&self, (): &mut (), request: Bytes, cx: &CallContext<'_>) -> Bytes {
        cx.sleep(Duration::ZERO).await;
        request
    }

    fn close(&self, (): ()) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_session_is_closed_once_also_when_its_call_is_given_up() {
    let service = Arc::new(Counting::default());
    let host = TestHost { sleeps_for_ever: true, ..TestHost::default() };
    let mut connection = Connection::new(Arc::clone(&service), EchoCodec, &Peer::new("test:1"));
    connection.input().extend_from_slice(b"x");
    let cx = CallContext::new(&host);
    let polled = pin!(connection.advance(&cx)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(connection);
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    assert_eq!((count(&service.open), count(&service.closed)), (1, 1));
}

#[test]
fn a_call_that_is_given_up_leaves_what_was_answered_and_last_words() {
    let host = TestHost { sleeps_for_ever: true, ..TestHost::default() };
    let cx = CallContext::new(&host);
    let service = Arc::new(WorkService::default());
    let mut connection = Connection::new(service, WorkCodec::default(), &Peer::new("test:1"));
    assert!(!connection.is_calling());
    connection.input().extend_from_slice(b"what\nsleep 1\nhelp\n");
    let polled = pin!(connection.advance(&cx)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending() && connection.is_calling());
    connection.bid_farewell(&Farewell::Interrupted);
    assert_eq!(ready(connection.advance(&cx)), Step::Close);
    let output = String::from_utf8(connection.output().to_vec()).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].starts_with("error: unknown verb") && lines.len() == 2, "{output}");
    assert_eq!(lines[1], "error: the call was interrupted");
}
