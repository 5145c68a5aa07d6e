//! A desk of one connection, a thread that works for it, and a client that speaks to it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use palco_core::{Answer, Key, RequestId, RequestState, Verb};
use palco_urgent::{
    Bound, Call, Desk, PortSettings, Soon, ThreadSettings, Urgent, UrgentThread, Watch, take_urgent,
};

pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff";
pub(crate) const OTHER: &str = "ffffffffffffffffffffffffffffffff";

/// Knows the requests of connection 1 of `work`, of which the second is being served. One called number 666 makes it
/// panic, one called 99 is acted on for ever.
pub(crate) struct OneConnection {
    sockets: Mutex<HashMap<u64, TcpStream>>,
    heard: Mutex<Sender<(u64, Option<Call>)>>,
}

impl Desk for OneConnection {
    fn admits(&self, request: &RequestId, key: &Key) -> bool {
        (&*request.server, request.connection) == ("work", 1) && key.to_string() == KEY
    }

    fn act(&self, request: RequestId, verb: Verb) -> Soon<Answer> {
        assert_ne!(request.number, 666, "as the test says");
        Box::pin(async move {
            match (request.number, verb) {
                (1, _) => Answer::reached(RequestState::Finished),
                (2, Verb::Hold) => Answer::noted(RequestState::Held, "as the test says"),
                (2, Verb::Priority(nice)) => {
                    Answer::noted(RequestState::Running, format!("nice {nice}"))
                }
                (2, _) => Answer::reached(RequestState::Running),
                (99, _) => std::future::pending().await,
                (_, _) => Answer::reached(RequestState::Queued),
            }
        })
    }

    fn heard(&self, token: u64) -> Soon<()> {
        assert_ne!(token, 666, "as the test says");
        let byte = self.sockets.lock().expect("nobody panics with it").get(&token).map(take_urgent);
        let call = match byte {
            Some(Ok(Urgent::Byte(byte))) => Call::of(byte),
            Some(_) | None => None,
        };
        self.heard
            .lock()
            .expect("nobody panics with it")
            .send((token, call))
            .expect("the test listens");
        Box::pin(async {})
    }
}

/// A thread with a port, and what its desk hears.
pub(crate) struct Stage {
    pub(crate) thread: UrgentThread,
    pub(crate) watch: Arc<Watch>,
    pub(crate) heard: Receiver<(u64, Option<Call>)>,
    desk: Arc<OneConnection>,
}

impl Stage {
    pub(crate) fn with(port: PortSettings) -> Self {
        let (sender, heard) = mpsc::channel();
        let desk = Arc::new(OneConnection { sockets: Mutex::default(), heard: Mutex::new(sender) });
        let watch = Arc::new(Watch::new().expect("a free descriptor"));
        let bound = Bound::bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let settings = ThreadSettings { port, ..ThreadSettings::default() };
        let as_desk = Arc::clone(&desk) as Arc<dyn Desk>;
        let thread = UrgentThread::start(settings, as_desk, Arc::clone(&watch), Some(bound))
            .expect("a thread");
        Self { thread, watch, heard, desk }
    }

    pub(crate) fn new() -> Self {
        Self::with(PortSettings::default())
    }

    pub(crate) fn watch(&self, token: u64, socket: TcpStream) {
        let mut sockets = self.desk.sockets.lock().expect("nobody panics with it");
        let socket = sockets.entry(token).insert_entry(socket);
        self.watch.add(socket.get(), token).expect("a socket");
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let address = self.thread.address().expect("it has a port");
        TcpStream::connect(address).expect("it listens")
    }

    pub(crate) fn client(&self) -> Client {
        Client(BufReader::new(self.connect()))
    }

    /// The answer to one command on a connection of its own.
    pub(crate) fn ask(&self, line: &str) -> String {
        self.client().ask(line)
    }
}

/// A connection to the port.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("it listens");
    }

    /// The next line; empty at the end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer or the end");
        line.trim_end_matches('\n').to_owned()
    }

    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\n").as_bytes());
        self.line()
    }
}
