//! Requests that arrive in parts: what is wanted comes in order and once, and what ends early is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, Bytes, BytesMut};
use palco_models::{Connection, Step};
use palco_service::{CallContext, Codec, Malformed, Next, Peer, Service};
use proptest::prelude::*;

use crate::play::{TestHost, Treatment, play, ready};

/// A byte that says how many bytes follow it; 255 is none.
#[derive(Clone, Default)]
struct Counted {
    remaining: usize,
    declined: bool,
}

/// What has been received; counted as long as it is there.
struct Received {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl Drop for Received {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Answers with what it has received, and wants no request of length 13 and nothing behind an `x`.
#[derive(Default)]
struct Collector {
    alive: Arc<AtomicUsize>,
}

/// The length by the head, and the bytes.
struct Collected(Received);

impl Service for Collector {
    type Request = (usize, Received);
    type Response = Collected;
    type Session = ();

    fn open(&self, _: &Peer) {}

    async fn wants_parts(
        &self,
        (): &mut (),
        request: &mut Self::Request,
        _: &CallContext<'_>,
    ) -> bool {
        self.alive.fetch_add(1, Ordering::SeqCst);
        request.1.alive = Arc::clone(&self.alive);
        request.0 != 13
    }

    async fn part(
        &self,
        (): &mut (),
        request: &mut Self::Request,
        part: Bytes,
        _: &CallContext<'_>,
    ) -> bool {
        assert!(!part.is_empty());
        let end = part.iter().position(|byte| *byte == b'x').unwrap_or(part.len());
        request.1.bytes.extend_from_slice(&part[..end]);
        end == part.len()
    }

    async fn call(&self, (): &mut (), request: Self::Request, _: &CallContext<'_>) -> Collected {
        Collected(request.1)
    }
}

impl Codec<Collector> for Counted {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<(usize, Received)>, Malformed> {
        let Some(length) = input.first().copied().map(usize::from) else { return Ok(None) };
        input.advance(1);
        if length == 255 {
            return Err(Malformed::Syntax("255".into()));
        }
        self.remaining = length;
        let alive = Arc::new(AtomicUsize::new(1));
        Ok(Some((length, Received { bytes: Vec::new(), alive })))
    }

    fn receives(&self) -> bool {
        self.remaining > 0
    }

    fn invite(&mut self, _: &BytesMut, output: &mut BytesMut) {
        output.extend_from_slice(b"?");
    }

    fn part(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        let part = input.split_to(input.len().min(self.remaining)).freeze();
        self.remaining -= part.len();
        Ok((!part.is_empty()).then_some(part))
    }

    fn decline(&mut self) {
        self.remaining = 0;
        self.declined = true;
    }

    fn encode(&mut self, response: &mut Collected, output: &mut BytesMut) -> Next {
        output.extend_from_slice(&response.0.bytes);
        output.extend_from_slice(b"!");
        if self.declined { Next::Close } else { Next::Keep }
    }
}

/// What the protocol says of `bytes`, read in one go.
fn expected(mut bytes: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    while let [length, rest @ ..] = bytes {
        let length = usize::from(*length);
        match length {
            255 => break,
            0 => output.extend_from_slice(b"!"),
            13 => {
                output.extend_from_slice(b"!");
                break;
            }
            _ => {
                output.push(b'?');
                let body = &rest[..length.min(rest.len())];
                if let Some(end) = body.iter().position(|byte| *byte == b'x') {
                    output.extend_from_slice(&body[..end]);
                    output.extend_from_slice(b"!");
                    break;
                }
                if body.len() < length {
                    break;
                }
                output.extend_from_slice(body);
                output.extend_from_slice(b"!");
            }
        }
        bytes = &rest[length.min(rest.len())..];
    }
    output
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![20 => 0_u8..30, 3 => 200_u8..255, 1 => Just(13_u8), 1 => Just(255)];
    let body = prop::sample::select(b"abcdefghijabcdefghijabcdefghijx".to_vec());
    let whole = length.prop_flat_map(move |length| {
        prop::collection::vec(body.clone(), usize::from(length))
            .prop_map(move |body| [&[length][..], &body].concat())
    });
    (prop::collection::vec(whole, 0..12), 0_usize..40).prop_map(|(whole, cut)| {
        let mut bytes = whole.concat();
        bytes.truncate(bytes.len().saturating_sub(cut.saturating_sub(20)));
        bytes
    })
}

proptest! {
    #[test]
    fn parts_come_whole_and_in_order(
        bytes in bytes(),
        reads in prop::collection::vec(1_usize..50, 1..8),
        writes in prop::collection::vec(1_usize..50, 1..8),
        ends in any::<bool>(),
    ) {
        let service = Collector::default();
        let alive = Arc::clone(&service.alive);
        let treatment = Treatment { reads, writes, ends };
        let outcome = play(service, Counted::default(), &bytes, &treatment);
        prop_assert_eq!(outcome.output, expected(&bytes));
        prop_assert!(!ends || outcome.last == Step::Close);
        prop_assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn a_request_is_dropped_when_its_parts_end_early() {
    let service = Arc::new(Collector::default());
    let alive = Arc::clone(&service.alive);
    let mut connection = Connection::new(service, Counted::default(), &Peer::new("test:1"));
    let host = TestHost::default();
    let cx = CallContext::new(&host);
    connection.input().extend_from_slice(&[5, b'a', b'b']);
    assert_eq!(ready(connection.advance(&cx, &())), Step::Write);
    connection.output().clear();
    assert_eq!(ready(connection.advance(&cx, &())), Step::Read);
    assert!(connection.is_receiving());
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    connection.end_of_input();
    assert_eq!(ready(connection.advance(&cx, &())), Step::Close);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn an_interrupt_ends_a_request_that_is_half_received() {
    let service = Arc::new(Collector::default());
    let alive = Arc::clone(&service.alive);
    let mut connection = Connection::new(service, Counted::default(), &Peer::new("test:1"));
    let host = TestHost::default();
    connection.input().extend_from_slice(&[5, b'a', b'b']);
    assert_eq!(ready(connection.advance(&CallContext::new(&host), &())), Step::Write);
    assert!(!connection.interrupt(), "the codec has no words for it, so the connection ends");
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}
