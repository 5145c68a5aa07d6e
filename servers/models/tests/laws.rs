//! Laws of the sans-I/O [`Connection`]: how bytes come and go does not matter, no bytes make it panic or hoard.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing, its support too")]

#[path = "laws/parts.rs"]
mod parts;
#[path = "laws/play.rs"]
mod play;

use std::fs;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use palco_files::http::{Config, HttpCodec, HttpService};
use palco_models::{Connection, Step};
use palco_service::services::echo::{EchoCodec, EchoService};
use palco_service::services::kv::{KvService, RespCodec};
use palco_service::services::time::{TimeCodec, TimeFormat, TimeService};
use palco_service::services::work::{WorkCodec, WorkService};
use palco_service::{CallContext, Farewell, Peer, Service};
use play::{TestHost, Treatment, play, ready};
use proptest::prelude::*;

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
        bytes in prop::collection::vec(any::<u8>(), 0..20_000),
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
        play(HttpService::new(Config::read_only("/")).unwrap(), HttpCodec::default(), &bytes, &treatment);
    }
}

#[test]
fn treatment_does_not_matter_to_http() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("small"), "small").unwrap();
    fs::write(root.path().join("large"), "large ".repeat(40_000)).unwrap();
    let service = || HttpService::new(Config::read_only(root.path())).unwrap();
    // The entity tag of a file that has just been made is weak, and becomes strong.
    let both = b"GET /small HTTP/1.1\r\nHost: h\r\n\r\nGET /large HTTP/1.1\r\nHost: h\r\n\r\n";
    while play(service(), HttpCodec::default(), both, &whole(true))
        .output
        .windows(3)
        .any(|bytes| bytes == b"W/\"")
    {}
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
    let host = TestHost::asleep();
    let mut connection = Connection::new(Arc::clone(&service), EchoCodec, &Peer::new("test:1"));
    connection.input().extend_from_slice(b"x");
    let cx = CallContext::new(&host);
    let polled = pin!(connection.advance(&cx, &())).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(connection);
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    assert_eq!((count(&service.open), count(&service.closed)), (1, 1));
}

#[test]
fn who_stops_says_so_behind_what_has_been_asked() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("small"), "tiny").unwrap();
    let host = TestHost::stopping();
    let cx = CallContext::new(&host);
    let service = Arc::new(HttpService::new(Config::read_only(root.path())).unwrap());
    let mut connection = Connection::new(service, HttpCodec::default(), &Peer::new("test:1"));
    connection.input().extend_from_slice(&b"GET /small HTTP/1.1\r\nHost: h\r\n\r\n".repeat(2));
    assert_eq!(ready(connection.advance(&cx, &())), Step::Close);
    let output = String::from_utf8(connection.output().split().to_vec()).unwrap();
    let (first, last) = output.split_at(output.find("tiny").unwrap());
    assert!(!first.contains("Connection: close") && last.contains("Connection: close"), "{output}");
}

#[test]
fn what_was_answered_is_written_before_a_call_that_may_take_its_time() {
    let host = TestHost::asleep();
    let cx = CallContext::new(&host);
    let service = Arc::new(WorkService::default());
    let mut connection = Connection::new(service, WorkCodec::default(), &Peer::new("test:1"));
    connection.input().extend_from_slice(b"what\nhelp\nsleep 1\nhelp\n");
    assert_eq!(ready(connection.advance(&cx, &())), Step::Write);
    let output = String::from_utf8(connection.output().split().to_vec()).unwrap();
    assert_eq!(output.lines().count(), 2, "{output}");
    let polled = pin!(connection.advance(&cx, &())).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending() && connection.is_calling());
    connection.bid_farewell(&Farewell::Interrupted);
    assert_eq!(ready(connection.advance(&cx, &())), Step::Close);
    assert_eq!(&connection.output()[..], b"error: the call was interrupted\n");
}
