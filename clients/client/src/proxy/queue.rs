//! Requests that have no answer yet, in their order.

use std::collections::{HashSet, VecDeque};

use bytes::{Bytes, BytesMut};
use palco_files::sftp::NO_PARENT;
use palco_files::sftp::wire::{Code, Extension, Reply, Request};

/// The most requests without an answer, and the most bytes of them: 64 MiB.
const REQUESTS_MAX: usize = 4096;
const BYTES_MAX: usize = 64 << 20;

/// Requests, the first of them sent already.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// How many of them have been sent.
    sent: usize,
    bytes: usize,
    /// Handles that were opened to append.
    appending: HashSet<Bytes>,
}

#[derive(Debug)]
struct Waiting {
    id: u32,
    packet: Bytes,
    kind: Kind,
    /// It was sent on an earlier connection, and may have been done.
    is_again: bool,
}

/// What a request does if it is done twice.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// The same.
    Harmless,
    /// The beginning of the conversation, whose answer has no id.
    Begin,
    /// It gives a handle, to append or not; the second time an exclusive one finds what the first has made.
    Open { appends: bool, is_exclusive: bool },
    /// The second time it is not there any more.
    Removal,
    /// The second time it has another name.
    Renaming,
    /// The second time it is there already.
    Making,
    /// The second time the handle is none.
    Close(Bytes),
    /// It goes through a handle.
    Write(Bytes),
}

impl Kind {
    fn of(request: &Request) -> Self {
        match request {
            Request::Init { .. } => Self::Begin,
            Request::Open { flags, .. } => {
                Self::Open { appends: flags.append, is_exclusive: flags.exclusive }
            }
            Request::Remove { .. } | Request::RemoveDirectory { .. } => Self::Removal,
            Request::Rename { .. } => Self::Renaming,
            Request::MakeDirectory { .. } => Self::Making,
            Request::Close { handle } => Self::Close(handle.clone()),
            Request::Write { handle, .. } => Self::Write(handle.clone()),
            Request::Extended { name, fields } => match Extension::decode(name, fields.clone()) {
                Ok(Some(Extension::RenameOver { .. })) => Self::Renaming,
                _ => Self::Harmless,
            },
            _ => Self::Harmless,
        }
    }

    /// Whether this answer to a repetition is what a first attempt that was done leaves.
    fn was_done(&self, code: Code, text: &str) -> bool {
        match self {
            Self::Removal => code == Code::NoSuchFile,
            // The same code says that there is no directory for the new name, which no success leaves.
            Self::Renaming => code == Code::NoSuchFile && text != NO_PARENT,
            Self::Making => is_there(code, text),
            Self::Close(_) => code == Code::Failure,
            Self::Harmless | Self::Begin | Self::Open { .. } | Self::Write(_) => false,
        }
    }

    /// Whether this answer to a repetition is that of a file which the first attempt, or somebody else, has made.
    fn is_unclear(&self, code: Code, text: &str) -> bool {
        matches!(self, Self::Open { is_exclusive: true, .. }) && is_there(code, text)
    }
}

/// Whether a name is refused because it is taken. Version 3 has no code for that.
fn is_there(code: Code, text: &str) -> bool {
    code == Code::Failure && text.contains("exists")
}

impl Queue {
    /// Whether no more may come before something is answered.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= REQUESTS_MAX || self.bytes >= BYTES_MAX
    }

    /// How many have no answer.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// A packet of the client, without its length. What is no request is passed on all the same, for the server to say so.
    pub(super) fn push(&mut self, packet: Bytes) {
        let (id, kind) = match Request::decode(packet.clone()) {
            Ok((id, request)) => (id, Kind::of(&request)),
            Err((id, _)) => (id.unwrap_or_default(), Kind::Harmless),
        };
        self.bytes += packet.len();
        self.waiting.push_back(Waiting { id, packet, kind, is_again: false });
    }

    /// The next to be sent, which counts as sent from now on.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let next = self.waiting.get(self.sent)?;
        self.sent += 1;
        Some(next.packet.clone())
    }

    /// The connection is another one: everything is to be sent again but appends, for which these are the answers.
    pub(super) fn again(&mut self) -> Vec<Bytes> {
        let mut answers = Vec::new();
        for (place, waiting) in self.waiting.iter_mut().enumerate() {
            waiting.is_again |= place < self.sent;
        }
        self.sent = 0;
        let appending = &self.appending;
        self.waiting.retain(|waiting| {
            let is_append = matches!(&waiting.kind, Kind::Write(to) if appending.contains(to));
            if is_append && waiting.is_again {
                answers.push(unknown(waiting.id));
            }
            !(is_append && waiting.is_again)
        });
        self.bytes = self.waiting.iter().map(|waiting| waiting.packet.len()).sum();
        answers
    }

    /// A packet of the server, without its length; what the client gets instead, whole.
    pub(super) fn answer(&mut self, packet: Bytes) -> Bytes {
        let Ok((id, reply)) = Reply::decode(packet.clone()) else { return whole(&packet) };
        let is_begin = matches!(reply, Reply::Version { .. });
        let is_its = |waiting: &Waiting| match is_begin {
            true => waiting.kind == Kind::Begin,
            false => waiting.id == id && waiting.kind != Kind::Begin,
        };
        let Some(place) = self.waiting.iter().position(is_its) else { return whole(&packet) };
        let waiting = self.waiting.remove(place).expect("it is there");
        self.bytes -= waiting.packet.len();
        self.sent -= usize::from(place < self.sent);
        match (&reply, &waiting.kind) {
            (Reply::Handle(handle), Kind::Open { appends: true, .. }) => {
                self.appending.insert(handle.clone());
            }
            (_, Kind::Close(handle)) => {
                self.appending.remove(handle);
            }
            _ => {}
        }
        match reply {
            Reply::Status { code, text }
                if waiting.is_again && waiting.kind.was_done(code, &text) =>
            {
                status(id, Code::Ok, "it was done before the connection was lost")
            }
            Reply::Status { code, text }
                if waiting.is_again && waiting.kind.is_unclear(code, &text) =>
            {
                status(
                    id,
                    code,
                    "the connection was lost: the file is there, made by this or by somebody else",
                )
            }
            _ => whole(&packet),
        }
    }
}

/// Nobody knows what became of it.
fn unknown(id: u32) -> Bytes {
    status(id, Code::Failure, "the connection was lost: it may have been appended, or not")
}

fn status(id: u32, code: Code, text: &str) -> Bytes {
    let mut bytes = BytesMut::new();
    Reply::Status { code, text: text.to_owned() }.encode(id, &mut bytes);
    bytes.freeze()
}

/// With its length.
pub(super) fn whole(packet: &[u8]) -> Bytes {
    let length = u32::try_from(packet.len()).expect("a packet is no longer than its bound");
    [&length.to_be_bytes()[..], packet].concat().into()
}

#[cfg(test)]
mod tests;
