//! A client without a socket: what it sends and gets are bytes all the same.

use std::cell::Cell;
use std::fs;
use std::future::{self, Future};
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{
    self, Answer, Attributes, Code, Extension, OpenFlags, Remembered, Reply, Request,
};
use palco_files::sftp::{Asked, Config, Response, Session, SftpCodec, SftpService};
use palco_service::{CallContext, Codec, Host, LocalFuture, Peer, Service};
use tempfile::TempDir;

/// Blocking work runs at once; sleeps are over at once, or never.
#[derive(Default)]
pub(crate) struct TestHost {
    pub(crate) blocks: Cell<u32>,
    pub(crate) sleeps_for_ever: bool,
}

impl Host for TestHost {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, _: Duration) -> LocalFuture<'_, ()> {
        if self.sleeps_for_ever { Box::pin(future::pending()) } else { Box::pin(future::ready(())) }
    }

    fn checkpoint(&self) -> LocalFuture<'_, ()> {
        Box::pin(future::ready(()))
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) -> LocalFuture<'_, ()> {
        self.blocks.set(self.blocks.get() + 1);
        work();
        Box::pin(future::ready(()))
    }
}

/// One look at a future.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A directory with a file `a` and a directory `d`.
pub(crate) fn directory() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "contents of a").unwrap();
    fs::create_dir(root.path().join("d")).unwrap();
    root
}

pub(crate) fn service(root: &Path) -> SftpService {
    SftpService::new(Config::read_write(root)).unwrap()
}

/// One connection.
pub(crate) struct Client<'a> {
    pub(crate) service: &'a SftpService,
    pub(crate) host: TestHost,
    pub(crate) session: Session,
    pub(crate) codec: SftpCodec,
    id: u32,
}

impl<'a> Client<'a> {
    /// Says nothing yet.
    pub(crate) fn silent(service: &'a SftpService) -> Self {
        let session = service.open(&Peer::new("test:1"));
        Self { service, host: TestHost::default(), session, codec: SftpCodec::default(), id: 0 }
    }

    pub(crate) fn new(service: &'a SftpService) -> Self {
        let mut client = Self::silent(service);
        let Reply::Version { version: 3, .. } = client.ask(&Request::Init { version: 3 }) else {
            panic!("no version")
        };
        client
    }

    /// The reply to a request.
    pub(crate) fn ask(&mut self, request: &Request) -> Reply {
        self.id += 1;
        let mut bytes = BytesMut::new();
        request.encode(self.id, &mut bytes);
        let (id, reply) = self.send(bytes).unwrap();
        assert!(id == self.id || matches!(reply, Reply::Version { .. }));
        reply
    }

    /// The reply to bytes that should be one packet.
    pub(crate) fn send(&mut self, mut bytes: BytesMut) -> Option<(u32, Reply)> {
        let asked = self.codec.decode(&mut bytes).unwrap()?;
        assert!(bytes.is_empty());
        let response = self.call(asked);
        Some(self.reply(response))
    }

    /// A call that has nothing to wait for.
    pub(crate) fn call(&mut self, asked: Asked) -> Response {
        let cx = CallContext::new(&self.host);
        let call = pin!(self.service.call(&mut self.session, asked, &cx));
        match call.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => response,
            Poll::Pending => panic!("it waits"),
        }
    }

    pub(crate) fn reply(&mut self, mut response: Response) -> (u32, Reply) {
        let mut bytes = BytesMut::new();
        let _ = self.codec.encode(&mut response, &mut bytes);
        Reply::decode(wire::take(&mut bytes).unwrap().unwrap()).unwrap()
    }

    pub(crate) fn code(&mut self, request: &Request) -> Code {
        match self.ask(request) {
            Reply::Status { code, text } => {
                assert!(code == Code::Ok || !text.is_empty(), "a refusal says why");
                code
            }
            other => panic!("no status: {other:?}"),
        }
    }

    pub(crate) fn open(&mut self, path: &'static str, flags: OpenFlags) -> Bytes {
        let attributes = Attributes::default();
        match self.ask(&Request::Open { path: path.into(), flags, attributes }) {
            Reply::Handle(handle) => handle,
            other => panic!("{path} is not opened: {other:?}"),
        }
    }

    pub(crate) fn read(&mut self, handle: &Bytes, offset: u64, length: u32) -> Bytes {
        match self.ask(&Request::Read { handle: handle.clone(), offset, length }) {
            Reply::Data(data) => data,
            Reply::Status { code: Code::Eof, .. } => Bytes::new(),
            other => panic!("nothing is read: {other:?}"),
        }
    }

    pub(crate) fn write(&mut self, handle: &Bytes, offset: u64, data: &'static str) -> Code {
        self.code(&Request::Write { handle: handle.clone(), offset, data: data.into() })
    }

    pub(crate) fn close(&mut self, handle: &Bytes) -> Code {
        self.code(&Request::Close { handle: handle.clone() })
    }

    pub(crate) fn look(&mut self, path: &'static str) -> Attributes {
        match self.ask(&Request::Look { path: path.into() }) {
            Reply::Attributes(attributes) => attributes,
            other => panic!("{path} is not there: {other:?}"),
        }
    }

    pub(crate) fn remembered(&mut self) -> Remembered {
        match self.ask(&Extension::State.request()) {
            Reply::Extended(fields) => Answer::decode_state(fields).unwrap(),
            other => panic!("no state: {other:?}"),
        }
    }
}

/// To be read and written; made, if it is not there.
pub(crate) const ALL: OpenFlags = OpenFlags {
    read: true,
    write: true,
    append: false,
    create: true,
    truncate: false,
    exclusive: false,
};
