//! One file over SFTP: opened, read to its end in blocks, closed. One question at a time, as `get` of a plain client.

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{self, Attributes, Code, OpenFlags, Reply, Request};

use super::protocol::Answer;

/// Bytes asked for at once.
const BLOCK_BYTES: u32 = 32 << 10;

/// What the server owes an answer to.
#[derive(Debug)]
enum Owed {
    /// Nothing: hello has not been said.
    Nothing,
    /// Hello, and with it the opening.
    Version,
    Handle,
    /// A block of the file, from this offset on.
    Data(Bytes, u64),
    /// The end of the handle.
    Closed,
}

/// The client's side of one connection.
#[derive(Debug)]
pub(crate) struct Get {
    path: Bytes,
    input: BytesMut,
    id: u32,
    owed: Owed,
}

impl Get {
    pub(crate) fn new(path: &str) -> Self {
        let path = Bytes::copy_from_slice(path.as_bytes());
        Self { path, input: BytesMut::new(), id: 0, owed: Owed::Nothing }
    }

    /// On a new connection.
    pub(crate) fn connect(&mut self) {
        self.input.clear();
        self.owed = Owed::Nothing;
    }

    /// What is sent first for one more file.
    pub(crate) fn begin(&mut self) -> Vec<u8> {
        let mut output = BytesMut::new();
        if let Owed::Nothing = self.owed {
            Request::Init { version: wire::VERSION }.encode(0, &mut output);
            self.owed = Owed::Version;
        } else {
            self.owed = Owed::Handle;
        }
        let (path, attributes) = (self.path.clone(), Attributes::default());
        self.say(&Request::Open { path, flags: OpenFlags::READ, attributes }, &mut output);
        output.into()
    }

    /// Takes a piece. An error is bytes that are no answer.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<Option<Answer>, String> {
        self.input.extend_from_slice(piece);
        while let Some(packet) = wire::take(&mut self.input).map_err(|error| error.to_string())? {
            let (id, reply) = Reply::decode(packet).map_err(|error| error.to_string())?;
            if let (Owed::Version, Reply::Version { version: wire::VERSION, .. }) =
                (&self.owed, &reply)
            {
                self.owed = Owed::Handle;
                continue;
            }
            if id != self.id {
                return Err(format!("a reply to {id}, and {} was asked", self.id));
            }
            let answer = self.hear(reply)?;
            return match self.input.is_empty() {
                true => Ok(Some(answer)),
                false => Err("more came than was asked for".to_owned()),
            };
        }
        Ok(None)
    }

    fn hear(&mut self, reply: Reply) -> Result<Answer, String> {
        let owed = std::mem::replace(&mut self.owed, Owed::Closed);
        let next = match (owed, reply) {
            (Owed::Handle, Reply::Handle(handle)) => self.read(handle, 0),
            (Owed::Handle, Reply::Status { code, text }) => {
                return Ok(Answer::Refused(format!("open: {code:?}: {text}")));
            }
            (Owed::Data(handle, offset), Reply::Data(data)) => {
                self.read(handle, offset + data.len() as u64)
            }
            (Owed::Data(handle, _), Reply::Status { code: Code::Eof, .. }) => {
                Request::Close { handle }
            }
            (Owed::Closed, Reply::Status { code: Code::Ok, .. }) => return Ok(Answer::Good),
            (owed, reply) => return Err(format!("{owed:?} was owed, and {reply:?} came")),
        };
        let mut output = BytesMut::new();
        self.say(&next, &mut output);
        Ok(Answer::Continue(output.into()))
    }

    fn read(&mut self, handle: Bytes, offset: u64) -> Request {
        self.owed = Owed::Data(handle.clone(), offset);
        Request::Read { handle, offset, length: BLOCK_BYTES }
    }

    fn say(&mut self, request: &Request, output: &mut BytesMut) {
        self.id = self.id.wrapping_add(1);
        request.encode(self.id, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies(all: &[(u32, Reply)]) -> Vec<u8> {
        let mut output = BytesMut::new();
        for (id, reply) in all {
            reply.encode(*id, &mut output);
        }
        output.into()
    }

    fn status(code: Code) -> Reply {
        Reply::Status { code, text: String::new() }
    }

    #[test]
    fn a_file_is_opened_read_to_its_end_and_closed() {
        let mut get = Get::new("/a");
        assert!(!get.begin().is_empty());
        let handle = Reply::Handle(Bytes::from_static(b"h"));
        let version = Reply::Version { version: wire::VERSION, extensions: Vec::new() };
        let goes_on = |answer| matches!(answer, Ok(Some(Answer::Continue(_))));
        assert!(goes_on(get.feed(&replies(&[(0, version), (1, handle.clone())]))));
        assert!(goes_on(get.feed(&replies(&[(2, Reply::Data(Bytes::from_static(b"xyz")))]))));
        assert!(goes_on(get.feed(&replies(&[(3, status(Code::Eof))]))));
        assert_eq!(get.feed(&replies(&[(4, status(Code::Ok))])), Ok(Some(Answer::Good)));
        // Hello is said once.
        assert!(get.begin().len() < 40);
        let refused = get.feed(&replies(&[(5, status(Code::NoSuchFile))]));
        assert!(matches!(refused, Ok(Some(Answer::Refused(_)))), "{refused:?}");
        get.begin();
        assert!(get.feed(&replies(&[(9, handle)])).is_err(), "nobody asked 9");
    }
}
