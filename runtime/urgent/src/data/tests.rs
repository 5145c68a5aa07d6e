//! Urgent data over real connections, with readers that stand still.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use nix::sys::socket::{setsockopt, sockopt};
use palco_sys::is_at_mark;

use super::*;

/// A client and a server; the server holds little, the client takes much to send.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    setsockopt(&listener, sockopt::RcvBuf, &4096).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    setsockopt(&client, sockopt::SndBuf, &(1024 * 1024)).unwrap();
    (client, listener.accept().unwrap().0)
}

fn wait_for(server: &TcpStream, wanted: Urgent) {
    while take_urgent(server).unwrap() != wanted {}
}

/// Writes until about so many bytes are queued in the client, none of which the server reads.
fn queue(client: &mut TcpStream, wanted: usize) -> usize {
    client.set_nonblocking(true).unwrap();
    let mut written = 0;
    // What the server holds is acknowledged after a while, so it is looked at again and again.
    while unsent_bytes(&*client).unwrap() < wanted {
        if let Ok(count) = client.write(&[b'x'; 2048]) {
            written += count;
        }
    }
    client.set_nonblocking(false).unwrap();
    written
}

#[test]
fn an_urgent_byte_is_taken_once_and_is_not_in_the_stream() {
    let (mut client, mut server) = pair();
    assert_eq!(take_urgent(&server).unwrap(), Urgent::None);
    client.write_all(b"before").unwrap();
    send_urgent(&client, b'H').unwrap();
    client.write_all(b"after").unwrap();
    drop(client);
    wait_for(&server, Urgent::Byte(b'H'));
    assert_eq!(take_urgent(&server).unwrap(), Urgent::None);
    let mut stream = [0; 6];
    server.read_exact(&mut stream).unwrap();
    assert!(is_at_mark(&server).unwrap());
    let mut rest = String::new();
    server.read_to_string(&mut rest).unwrap();
    assert_eq!((&stream, &*rest), (b"before", "after"));
    assert_eq!(take_urgent(&server).unwrap(), Urgent::None);
}

#[test]
fn a_byte_that_nobody_takes_disturbs_nothing() {
    let (mut client, mut server) = pair();
    client.write_all(b"one").unwrap();
    send_urgent(&client, b'h').unwrap();
    client.write_all(b"two").unwrap();
    drop(client);
    let mut stream = String::new();
    server.read_to_string(&mut stream).unwrap();
    assert_eq!(stream, "onetwo");
}

#[test]
fn a_reader_that_goes_past_the_byte_loses_it() {
    let (mut client, mut server) = pair();
    send_urgent(&client, b'K').unwrap();
    client.write_all(b"x").unwrap();
    server.read_exact(&mut [0]).unwrap();
    assert_eq!(take_urgent(&server).unwrap(), Urgent::None);
}

#[test]
fn a_reader_that_stands_still_is_told_before_the_byte_can_arrive() {
    let (mut client, mut server) = pair();
    let written = queue(&mut client, 40 * 1024);
    send_urgent(&client, b'K').unwrap();
    wait_for(&server, Urgent::Announced);
    let mut bytes = vec![0; written];
    server.read_exact(&mut bytes).unwrap();
    wait_for(&server, Urgent::Byte(b'K'));
}

#[test]
fn behind_64_kib_an_urgent_byte_is_refused_and_says_why() {
    let (mut client, server) = pair();
    queue(&mut client, 80 * 1024);
    let error = send_urgent(&client, b'K').unwrap_err();
    let SendUrgentError::Silenced { queued } = error else { panic!("{error:?}") };
    assert!(queued > ANNOUNCED_PAST_MAX);
    assert!(error.to_string().contains("a separate urgent port has no such limit"), "{error}");
    assert_eq!(take_urgent(&server).unwrap(), Urgent::None);
}

#[test]
fn a_full_socket_takes_no_byte_and_does_not_block() {
    let (mut client, _server) = pair();
    setsockopt(&client, sockopt::SndBuf, &4096).unwrap();
    client.set_nonblocking(true).unwrap();
    // Full, with less than 64 KiB in it.
    while client.write(&[0; 1024]).is_ok() {}
    client.set_nonblocking(false).unwrap();
    let mut sent = 0;
    let error = loop {
        match send_urgent(&client, b'H') {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(sent < 4096 && matches!(error, SendUrgentError::Full), "{error:?}");
}

#[test]
fn what_has_no_urgent_data_is_an_error() {
    let (reader, writer) = io::pipe().unwrap();
    assert!(take_urgent(&reader).is_err());
    assert!(matches!(send_urgent(&writer, b'H'), Err(SendUrgentError::Failed(_))));
    let (client, server) = pair();
    drop(server);
    // Reset or closed, it is an error and no signal.
    while send_urgent(&client, b'H').is_ok() {}
    let (local, _peer) = UnixStream::pair().unwrap();
    assert!(!matches!(take_urgent(&local), Ok(Urgent::Byte(_))));
}

#[test]
fn calls_and_acknowledgements_are_read_as_they_are_written() {
    for call in Call::ALL {
        assert_eq!(Call::of(call.byte()), Some(call));
    }
    let known: Vec<u8> = (0..=255).filter(|byte| Call::of(*byte).is_some()).collect();
    assert_eq!(known, b"CHKRS");
    for state in RequestState::ALL {
        for reached in [true, false] {
            let byte = acknowledgement(state, reached);
            assert_eq!(of_acknowledgement(byte), Some((state, reached)));
        }
    }
    assert_eq!((0..=255).filter(|byte| of_acknowledgement(*byte).is_some()).count(), 10);
}
