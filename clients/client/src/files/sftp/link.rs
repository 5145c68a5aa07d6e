//! One connection to an SFTP server: requests in a pipeline, and their replies.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{Extension, Reply, Request, Secret, VERSION, take};

use super::super::counters::{Counting, many, one};
use crate::{Connection, Error, Excerpt, Limits, Malformed, Parser, Step};

/// A connection that has said whose it is.
#[derive(Debug)]
pub(in super::super) struct Link {
    pub(in super::super) connection: Connection,
    /// What the server can do beside the draft.
    extensions: Vec<Bytes>,
    next_id: u32,
    counting: Arc<Counting>,
}

impl Link {
    /// Connects, and says whose connection it is; servers without that extension refuse it, which does no harm.
    pub(in super::super) fn open(
        address: &str,
        limits: Limits,
        client: Secret,
        counting: &Arc<Counting>,
    ) -> Result<Self, Error> {
        one(&counting.connections);
        let connection = Connection::open(address, limits)?;
        let (extensions, counting) = (Vec::new(), Arc::clone(counting));
        let mut link = Self { connection, extensions, next_id: 0, counting };
        let hello = [Request::Init { version: VERSION }, Extension::Client { client }.request()];
        let first = link.ask(&hello)?.swap_remove(0);
        if let Reply::Version { extensions, .. } = first {
            link.extensions = extensions.into_iter().map(|(name, _)| name).collect();
        }
        Ok(link)
    }

    /// Whether the server has said that it knows this extension.
    pub(in super::super) fn knows(&self, extension: &str) -> bool {
        self.extensions.iter().any(|name| name == extension)
    }

    /// Whether the server is palco's.
    pub(in super::super) fn is_palco(&self) -> bool {
        self.extensions.iter().any(|name| name.ends_with(b"@palco"))
    }

    /// Sends all of these, and then takes their replies, which are as many and in the same order.
    pub(in super::super) fn ask(&mut self, requests: &[Request]) -> Result<Vec<Reply>, Error> {
        let mut bytes = BytesMut::new();
        let mut ids = VecDeque::new();
        for request in requests {
            // A `VERSION` has no id, and is decoded as if it had the first.
            let id = if matches!(request, Request::Init { .. }) { 0 } else { self.id() };
            request.encode(id, &mut bytes);
            ids.push_back(id);
        }
        let before = self.connection.traffic;
        one(&self.counting.round_trips);
        many(&self.counting.requests, requests.len());
        let answered = self.connection.call(&bytes, Replies::new(ids));
        self.counting.add_traffic(before, self.connection.traffic);
        answered
    }

    /// Sends a request whose answers are read by [`receive`](Self::receive); its id.
    pub(in super::super) fn send(&mut self, request: &Request) -> Result<u32, Error> {
        let (id, mut bytes) = (self.id(), BytesMut::new());
        request.encode(id, &mut bytes);
        one(&self.counting.requests);
        let mut stream = &*self.connection.stream;
        let sent = stream.set_write_timeout(Some(self.connection.limits.answer_within));
        sent.and_then(|()| stream.write_all(&bytes)).map_err(|error| self.failed(error))?;
        many(&self.counting.bytes_sent, bytes.len());
        Ok(id)
    }

    /// What has come, at least one byte.
    pub(in super::super) fn receive(&mut self, piece: &mut [u8]) -> Result<usize, Error> {
        let within = self.connection.limits.answer_within;
        match self.connection.read(piece, within) {
            Ok(0) => Err(self.failed(ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                many(&self.counting.bytes_received, count);
                Ok(count)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Failed { address: self.connection.address.clone(), came: Excerpt::default(), source }
    }

    /// A number that no request before has had, or none for long.
    fn id(&mut self) -> u32 {
        // 0 is left to `INIT`.
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.next_id
    }
}

/// Takes the replies to a pipeline. Servers may answer in another order than they were asked.
struct Replies {
    input: BytesMut,
    /// In the order of the requests.
    ids: VecDeque<u32>,
    places: Vec<Option<Reply>>,
    missing: usize,
}

impl Replies {
    fn new(ids: VecDeque<u32>) -> Self {
        let (input, missing) = (BytesMut::new(), ids.len());
        Self { input, places: vec![None; missing], ids, missing }
    }

    fn next(&mut self) -> Result<Option<()>, Malformed> {
        let packet = take(&mut self.input).map_err(|error| Malformed::syntax(error.to_string()))?;
        let Some(packet) = packet else { return Ok(None) };
        let (id, reply) =
            Reply::decode(packet).map_err(|error| Malformed::syntax(error.to_string()))?;
        let place = self.ids.iter().position(|due| *due == id);
        match place.and_then(|place| self.places.get_mut(place)) {
            Some(empty @ None) => *empty = Some(reply),
            Some(Some(_)) => return Err(Malformed::syntax(format!("a second reply to {id}"))),
            None => return Err(Malformed::syntax(format!("a reply to {id}, which was not asked"))),
        }
        self.missing -= 1;
        Ok(Some(()))
    }
}

impl Parser for Replies {
    type Answer = Vec<Reply>;

    fn feed(&mut self, piece: &[u8]) -> Result<Step<Vec<Reply>>, Malformed> {
        self.input.extend_from_slice(piece);
        while self.missing > 0 {
            if self.next()?.is_none() {
                return Ok(Step::More);
            }
        }
        // What is left has come with this piece, for before it something was missing.
        let used = piece.len() - self.input.len();
        let answer = self.places.drain(..).flatten().collect();
        Ok(Step::Done { answer, used })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packets(replies: &[(u32, Reply)]) -> BytesMut {
        let mut bytes = BytesMut::new();
        for (id, reply) in replies {
            reply.encode(*id, &mut bytes);
        }
        bytes
    }

    fn data(text: &'static str) -> Reply {
        Reply::Data(Bytes::from_static(text.as_bytes()))
    }

    proptest! {
        #[test]
        fn replies_come_in_any_order_and_in_any_pieces(
            order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
            cuts in prop::collection::vec(1_usize..40, 1..40),
            behind in 0_usize..20,
        ) {
            let all = [(7, data("a")), (8, data("")), (9, data("ccc")), (10, data("dd"))];
            let sent: Vec<_> = order.iter().map(|place| all[*place].clone()).collect();
            let mut bytes = packets(&sent);
            let length = bytes.len();
            bytes.extend_from_slice(&vec![0; behind]);
            let mut replies = Replies::new((7..11).collect());
            let (mut at, mut cuts) = (0, cuts.into_iter().cycle());
            loop {
                prop_assert!(at < length);
                let end = (at + cuts.next().unwrap()).min(bytes.len());
                match replies.feed(&bytes[at..end]).unwrap() {
                    Step::More => at = end,
                    Step::Done { answer, used } => {
                        prop_assert_eq!(at + used, length);
                        let due: Vec<_> = all.iter().map(|(_, reply)| reply.clone()).collect();
                        prop_assert_eq!(answer, due);
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn replies_that_nobody_asked_for_are_refused() {
        let mut replies = Replies::new([7, 8].into());
        assert!(replies.feed(&packets(&[(9, data("a"))])).is_err());
        let mut replies = Replies::new([7, 8].into());
        assert!(replies.feed(&packets(&[(7, data("a")), (7, data("a"))])).is_err());
        assert!(Replies::new([7].into()).feed(&[0, 0, 0, 0]).is_err());
        assert!(Replies::new([7].into()).feed(&[0xff; 4]).is_err());
    }
}
