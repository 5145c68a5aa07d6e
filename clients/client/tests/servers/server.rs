//! A server for one connection, written down in the test that needs it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use palco_client::{Connection, Limits};

/// A ticket.
pub(crate) const TICKET: &str = "a server/17.2:00112233445566778899aabbccddeeff@127.0.0.1:7009";

/// Runs `server` with the one connection that `client` makes to the address that it is given.
///
/// Both have ended when this returns; a panic in either is the test's.
pub(crate) fn serve<R>(
    server: impl FnOnce(TcpStream) + Send + 'static,
    client: impl FnOnce(&str) -> R,
) -> R {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket").to_string();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        stream.set_nodelay(true).expect("a TCP socket");
        server(stream);
    });
    let result = client(&address);
    thread.join().expect("a server that does as the test says");
    result
}

/// A connection with the default limits.
pub(crate) fn open(address: &str) -> Connection {
    Connection::open(address, Limits::default()).expect("a server that listens")
}

/// Limits that a silent server breaks soon.
pub(crate) fn impatient() -> Limits {
    Limits { answer_within: Duration::from_millis(50), ..Limits::default() }
}

/// Reads the bytes that `request` is made of.
pub(crate) fn expect(stream: &mut TcpStream, request: &[u8]) {
    let mut came = vec![0; request.len()];
    stream.read_exact(&mut came).expect("the whole request");
    assert_eq!(came.escape_ascii().to_string(), request.escape_ascii().to_string());
}

/// Sends a byte at a time.
pub(crate) fn send_slowly(stream: &mut TcpStream, answer: &[u8]) {
    for byte in answer {
        stream.write_all(&[*byte]).expect("a client that listens");
    }
}

/// Ends the answer and waits until the client closes, so that nothing is lost in a reset.
pub(crate) fn close(mut stream: TcpStream) {
    stream.shutdown(Shutdown::Write).expect("an open connection");
    wait(&mut stream);
}

/// Waits until the client closes, however it does.
pub(crate) fn wait(stream: &mut TcpStream) {
    let mut buffer = [0; 1024];
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
}
