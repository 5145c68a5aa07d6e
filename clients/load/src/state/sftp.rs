//! A client of SFTP that counts: one connection, one question at a time or several at once, nothing kept.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{
    self, Answer, Attributes, Code, Extension, OpenFlags, Remembered, Reply, Request, Secret,
};

/// Who does not answer by then does not answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// What went over the wire, and how often the client waited for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// A new connection is one, and so are all questions that are sent together.
    pub(super) round_trips: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
}

/// A file that is read.
pub(super) const READ: OpenFlags = OpenFlags::READ;

/// A file that is read and written, and made.
pub(super) const WRITE: OpenFlags = OpenFlags {
    read: true,
    write: true,
    append: false,
    create: true,
    truncate: false,
    exclusive: false,
};

/// One connection.
#[derive(Debug)]
pub(super) struct Sftp {
    stream: TcpStream,
    input: BytesMut,
    id: u32,
    pub(super) tally: Tally,
}

impl Sftp {
    /// Connects and says hello.
    pub(super) fn connect(address: SocketAddr) -> Result<Self, String> {
        let stream = stream(address)?;
        let tally = Tally { round_trips: 1, ..Tally::default() };
        let mut client = Self { stream, input: BytesMut::new(), id: 0, tally };
        client.send(&[Request::Init { version: wire::VERSION }])?;
        match client.receive()? {
            (_, Reply::Version { version: wire::VERSION, .. }) => Ok(client),
            (_, other) => Err(format!("no version: {other:?}")),
        }
    }

    /// Sends these and waits for nothing.
    pub(super) fn send(&mut self, requests: &[Request]) -> Result<(), String> {
        let mut output = BytesMut::new();
        for request in requests {
            self.id = self.id.wrapping_add(1);
            request.encode(self.id, &mut output);
        }
        self.tally.round_trips += 1;
        self.tally.sent += output.len() as u64;
        self.stream.write_all(&output).map_err(|error| format!("cannot send: {error}"))
    }

    /// The next reply.
    pub(super) fn receive(&mut self) -> Result<(u32, Reply), String> {
        loop {
            match wire::take(&mut self.input) {
                Ok(Some(packet)) => {
                    return Reply::decode(packet).map_err(|error| error.to_string());
                }
                Ok(None) => {}
                Err(error) => return Err(error.to_string()),
            }
            let before = self.input.len();
            self.input.resize(before + READ_BYTES, 0);
            let read = self.stream.read(&mut self.input[before..]);
            let count = *read.as_ref().unwrap_or(&0);
            self.input.truncate(before + count);
            self.tally.received += count as u64;
            match read {
                Ok(0) => return Err("the server has closed the connection".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("no answer: {error}")),
            }
        }
    }

    /// The replies to requests that are sent together.
    pub(super) fn ask_all(&mut self, requests: &[Request]) -> Result<Vec<Reply>, String> {
        let first = self.id.wrapping_add(1);
        self.send(requests)?;
        let mut replies = vec![None; requests.len()];
        for _ in requests {
            let (id, reply) = self.receive()?;
            let place = usize::try_from(id.wrapping_sub(first)).ok();
            let place = place.and_then(|place| replies.get_mut(place));
            *place.ok_or_else(|| format!("a reply to {id}, which was not asked"))? = Some(reply);
        }
        let all: Option<Vec<_>> = replies.into_iter().collect();
        all.ok_or_else(|| "a request was answered twice, another not at all".to_owned())
    }

    /// The reply to one request.
    pub(super) fn ask(&mut self, request: Request) -> Result<Reply, String> {
        let replies = self.ask_all(&[request])?;
        replies.into_iter().next().ok_or_else(|| "no reply".to_owned())
    }

    /// A handle of this file.
    pub(super) fn open(&mut self, path: &str, flags: OpenFlags) -> Result<Bytes, String> {
        let path = Bytes::copy_from_slice(path.as_bytes());
        let attributes = Attributes::default();
        match self.ask(Request::Open { path, flags, attributes })? {
            Reply::Handle(handle) => Ok(handle),
            other => Err(refused("open", &other)),
        }
    }

    /// Bytes of an open file.
    pub(super) fn read(
        &mut self,
        handle: &Bytes,
        offset: u64,
        length: u32,
    ) -> Result<Bytes, String> {
        let reply = self.ask(Request::Read { handle: handle.clone(), offset, length })?;
        data(reply)
    }

    /// Something that is only to be done.
    pub(super) fn done(&mut self, what: &str, request: Request) -> Result<(), String> {
        match self.ask(request)? {
            Reply::Status { code: Code::Ok, .. } => Ok(()),
            other => Err(refused(what, &other)),
        }
    }

    /// The handle is needed no more.
    pub(super) fn close(&mut self, handle: &Bytes) -> Result<(), String> {
        self.done("close", Request::Close { handle: handle.clone() })
    }

    /// What the server remembers about this connection.
    pub(super) fn remembered(&mut self) -> Result<Remembered, String> {
        let fields = self.extended("state", &Extension::State)?;
        Answer::decode_state(fields).map_err(|error| error.to_string())
    }

    /// Whose connection this is.
    pub(super) fn introduce(&mut self, client: Secret) -> Result<(), String> {
        self.done("client", Extension::Client { client }.request())
    }

    /// The version of a file that a lease was given on; nothing if it was not.
    pub(super) fn lease(&mut self, handle: &Bytes) -> Result<Option<u64>, String> {
        let extension = Extension::Lease { handle: handle.clone(), wanted_ms: 0 };
        let fields = self.extended("lease", &extension)?;
        granted(fields)
    }

    /// Whether a lease that an earlier server gave holds again.
    pub(super) fn reclaim(&mut self, path: &str, version: u64) -> Result<bool, String> {
        let path = Bytes::copy_from_slice(path.as_bytes());
        let fields =
            self.extended("reclaim", &Extension::Reclaim { path, version, wanted_ms: 0 })?;
        Ok(granted(fields)? == Some(version))
    }

    fn extended(&mut self, what: &str, extension: &Extension) -> Result<Bytes, String> {
        match self.ask(extension.request())? {
            Reply::Extended(fields) => Ok(fields),
            other => Err(refused(what, &other)),
        }
    }
}

/// A connection that does not wait for more to send, and not for ever for an answer.
pub(super) fn stream(address: SocketAddr) -> Result<TcpStream, String> {
    let stream = TcpStream::connect(address).map_err(|error| format!("cannot connect: {error}"))?;
    let set = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(ANSWER_WITHIN)));
    set.map_err(|error| format!("cannot be set up: {error}"))?;
    Ok(stream)
}

/// What was read.
pub(super) fn data(reply: Reply) -> Result<Bytes, String> {
    match reply {
        Reply::Data(data) => Ok(data),
        other => Err(refused("read", &other)),
    }
}

fn granted(fields: Bytes) -> Result<Option<u64>, String> {
    match Answer::decode_lease(fields).map_err(|error| error.to_string())? {
        Answer::Lease { granted_ms, version, .. } => Ok((granted_ms > 0).then_some(version)),
        other => Err(format!("no lease: {other:?}")),
    }
}

fn refused(what: &str, reply: &Reply) -> String {
    match reply {
        Reply::Status { code, text } => format!("{what}: {code:?}: {text}"),
        other => format!("{what}: another reply: {other:?}"),
    }
}
