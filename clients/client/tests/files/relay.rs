//! Between a client and its server: connections that can be cut, and answers that never arrive.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Passes bytes on in both directions.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    server: SocketAddr,
    is_over: AtomicBool,
    /// Who connects is cut off at once.
    is_down: AtomicBool,
    /// Answers that are to be lost, with their connections.
    to_lose: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
}

impl Relay {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            is_over: AtomicBool::new(false),
            is_down: AtomicBool::new(false),
            to_lose: AtomicUsize::new(0),
            connections: Mutex::default(),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || accept(&listener, &of_thread));
        Self { address, shared, thread: Some(thread) }
    }

    /// The answers to so many requests from now on never arrive; their connections end.
    pub(crate) fn lose_answers(&self, count: usize) {
        self.shared.to_lose.store(count, Ordering::SeqCst);
    }

    /// Answers that are still to be lost.
    pub(crate) fn left_to_lose(&self) -> usize {
        self.shared.to_lose.load(Ordering::SeqCst)
    }

    /// All connections end.
    pub(crate) fn cut(&self) {
        for stream in self.shared.connections.lock().unwrap().drain(..) {
            // It may have ended.
            let _: std::io::Result<()> = stream.shutdown(Shutdown::Both);
        }
    }

    /// All connections end, and there are no new ones.
    pub(crate) fn down(&self) {
        self.shared.is_down.store(true, Ordering::SeqCst);
        self.cut();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.cut();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        let mut connections = shared.connections.lock().unwrap();
        // Under the lock, so that whoever cuts sees all that are not cut off here.
        if shared.is_down.load(Ordering::SeqCst) {
            continue;
        }
        let Ok(server) = TcpStream::connect(shared.server) else { continue };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
            connections.push(stream.try_clone().unwrap());
        }
        let (to_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let of_thread = Arc::clone(shared);
        std::thread::spawn(move || pass(client, to_server, || true));
        std::thread::spawn(move || pass(server, to_client, move || !of_thread.loses()));
    }
}

impl Shared {
    fn loses(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }
}

/// Passes on what comes as long as it may.
fn pass(mut from: TcpStream, mut to: TcpStream, may_pass: impl Fn() -> bool) {
    let mut buffer = [0; 65536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !may_pass() || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        // It may have ended.
        let _: std::io::Result<()> = stream.shutdown(Shutdown::Both);
    }
}
