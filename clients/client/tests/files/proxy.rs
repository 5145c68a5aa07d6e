//! The proxy between a client and real servers whose answers are lost, and servers that are none.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use palco_client::FileProtocol;
use palco_client::proxy::{self, ProxyEvent, ProxyOptions};
use palco_files::sftp::Handles;
use palco_files::sftp::wire::{self, Attributes, Code, OpenFlags, Reply, Request};

use crate::relay::Relay;
use crate::support::Site;

/// Against hanging; nothing should come near it.
const DEADLINE: Duration = Duration::from_secs(30);

/// A proxy to `to`, until this program ends, and what it tells.
fn proxy(to: SocketAddr, patience: Duration) -> (SocketAddr, Receiver<ProxyEvent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let options = ProxyOptions { patience, ..ProxyOptions::new(to.to_string()) };
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        // Whoever is not interested any more has been told enough.
        proxy::run(&listener, &options, move |event| drop(tell.send(event)))
    });
    (address, told)
}

/// One connection.
struct Client {
    stream: TcpStream,
    bytes: BytesMut,
    id: u32,
}

impl Client {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = Self { stream, bytes: BytesMut::new(), id: 0 };
        let version = client.ask(&Request::Init { version: wire::VERSION });
        assert!(matches!(version, Reply::Version { .. }));
        client
    }

    fn ask(&mut self, request: &Request) -> Reply {
        self.id += 1;
        let mut bytes = BytesMut::new();
        request.encode(self.id, &mut bytes);
        self.stream.write_all(&bytes).unwrap();
        loop {
            if let Some(packet) = wire::take(&mut self.bytes).unwrap() {
                return Reply::decode(packet).unwrap().1;
            }
            let mut part = [0; 4096];
            let count = self.stream.read(&mut part).unwrap();
            assert!(count > 0, "the connection has ended");
            self.bytes.extend_from_slice(&part[..count]);
        }
    }

    fn code(&mut self, request: &Request) -> (Code, String) {
        match self.ask(request) {
            Reply::Status { code, text } => (code, text),
            other => panic!("no status: {other:?}"),
        }
    }

    fn open(&mut self, path: &'static str, flags: OpenFlags) -> Reply {
        let attributes = Attributes::default();
        self.ask(&Request::Open { path: path.into(), flags, attributes })
    }
}

const WRITE: OpenFlags = OpenFlags { write: true, create: true, ..OpenFlags::READ };

fn rename(from: &'static str, to: &'static str) -> Request {
    Request::Rename { from: from.into(), to: to.into() }
}

/// A client whose answers can be lost between proxy and server.
fn through(site: &Site) -> (Relay, Client) {
    let relay = Relay::new(site.address);
    let (address, _) = proxy(relay.address, DEADLINE);
    let client = Client::to(address);
    (relay, client)
}

fn site() -> Site {
    let site = Site::with(FileProtocol::Sftp, Handles::Journalled, Duration::ZERO);
    fs::write(site.path("a"), "a").unwrap();
    site
}

#[test]
fn what_was_done_is_answered_as_done_when_its_answer_is_lost() {
    let site = site();
    let (relay, mut client) = through(&site);
    let attributes = Attributes::default();
    for request in [
        Request::MakeDirectory { path: "d".into(), attributes },
        rename("a", "d/b"),
        Request::Remove { path: "d/b".into() },
        Request::RemoveDirectory { path: "d".into() },
    ] {
        relay.lose_answers(1);
        assert_eq!(client.code(&request).0, Code::Ok, "{request:?}");
        assert_eq!(relay.left_to_lose(), 0);
    }
    assert!(!site.path("a").exists() && !site.path("d").exists());
}

#[test]
fn a_rename_that_was_refused_is_not_answered_as_done() {
    let site = site();
    let (relay, mut client) = through(&site);
    relay.lose_answers(1);
    assert_eq!(client.code(&rename("a", "none/b")).0, Code::NoSuchFile);
    assert_eq!(relay.left_to_lose(), 0);
    assert!(site.path("a").exists());
}

#[test]
fn a_write_whose_answer_is_lost_is_done_and_an_append_is_done_once() {
    let site = site();
    let (relay, mut client) = through(&site);
    for (path, flags, due) in
        [("w", WRITE, Code::Ok), ("p", OpenFlags { append: true, ..WRITE }, Code::Failure)]
    {
        let Reply::Handle(handle) = client.open(path, flags) else { panic!("not opened") };
        relay.lose_answers(1);
        let data = Bytes::from("once");
        let (code, text) = client.code(&Request::Write { handle: handle.clone(), offset: 0, data });
        assert_eq!(code, due, "{path}: {text}");
        assert_eq!(client.code(&Request::Close { handle }).0, Code::Ok);
        assert_eq!(fs::read(site.path(path)).unwrap(), b"once", "{path}");
    }
}

#[test]
fn an_exclusive_open_whose_answer_is_lost_says_that_nobody_knows() {
    let site = site();
    let (relay, mut client) = through(&site);
    let exclusive = OpenFlags { exclusive: true, ..WRITE };
    let Reply::Status { code, text } = client.open("a", exclusive) else { panic!("it was there") };
    assert!(code == Code::Failure && !text.contains("connection"), "{text}");
    relay.lose_answers(1);
    let Reply::Status { code, text } = client.open("new", exclusive) else { panic!("a handle") };
    assert!(code == Code::Failure && text.contains("connection was lost"), "{text}");
    assert!(site.path("new").exists());
}

#[test]
fn a_client_that_goes_while_the_proxy_connects_again_leaves_no_connection_behind() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, told) = proxy(server.local_addr().unwrap(), DEADLINE);
    let mut version = BytesMut::new();
    Reply::Version { version: wire::VERSION, extensions: Vec::new() }.encode(0, &mut version);
    let greet = || {
        let (mut stream, _) = server.accept().unwrap();
        stream.read_exact(&mut [0; 9]).unwrap();
        stream
    };
    let client = std::thread::spawn(move || Client::to(address));
    greet().write_all(&version).unwrap();
    let mut client = client.join().unwrap().stream;
    let mut second = greet();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0, "the proxy has noticed");
    second.write_all(&version).unwrap();
    while !matches!(told.recv_timeout(DEADLINE).unwrap(), ProxyEvent::Gone(_)) {}
    // The server is not left with it either.
    second.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(second.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_server_that_accepts_and_closes_is_away() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, told) = proxy(server.local_addr().unwrap(), Duration::from_millis(100));
    std::thread::spawn(move || server.incoming().for_each(drop));
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    // Closed, not late: an error of time is another one.
    assert!(matches!(client.read(&mut [0]), Ok(0)));
    let told: Vec<_> = told.try_iter().collect();
    assert!(told.len() < 100, "it tries again and again without a pause");
}
