//! Urgent ports, right and wrong ones, and urgent data beside a call.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use palco_client::{Call, Error, Limits, UrgencyError, UrgentLine, urgent, work};
use palco_core::{Answer, Refusal, RequestState, Ticket, Verb};
use palco_urgent::{Urgent, acknowledgement, send_urgent, take_urgent};

use crate::server::{close, expect, open, serve, wait};

const CLAIM: &str = "work/17.2:00112233445566778899aabbccddeeff";
/// Longer than any of these tests.
const LONG: Duration = Duration::from_secs(600);

fn ticket(address: &str) -> Ticket {
    format!("{CLAIM}@{address}").parse().expect("a ticket")
}

/// A port that answers these lines, whatever is asked; and what was asked.
fn asked(answers: &'static [&str]) -> (Result<Answer, Error>, Vec<String>) {
    let (sender, lines) = mpsc::channel();
    let port = move |stream: TcpStream| {
        let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
        for answer in answers {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a command");
            sender.send(line).expect("the test listens");
            (&stream).write_all(format!("{answer}\n").as_bytes()).expect("a client that listens");
        }
        close(stream);
    };
    let answer =
        serve(port, |address| urgent::ask(&ticket(address), Verb::Hold, &Limits::default()));
    (answer, lines.iter().collect())
}

#[test]
fn a_command_is_a_line_and_so_is_its_answer() {
    let (answer, lines) = asked(&["held note: by SIGSTOP"]);
    assert_eq!(answer.unwrap(), Answer::noted(RequestState::Held, "by SIGSTOP"));
    assert_eq!(lines, [format!("hold {CLAIM}\n")]);
}

#[test]
fn a_refusal_says_what_the_port_says() {
    let (answer, _) = asked(&["error wrong-key the key does not belong to this request"]);
    let error = answer.unwrap_err();
    assert!(matches!(&error, Error::Urgent { refusal: Refusal::WrongKey, .. }), "{error:?}");
    assert!(error.to_string().ends_with("the key does not belong to this request"), "{error}");
}

#[test]
fn who_is_told_to_wait_asks_once_more() {
    let wait = "error wait 1 ms: too many wrong keys came from this address";
    let (answer, lines) = asked(&["error wait 1 ms: too many", "finished"]);
    assert_eq!(answer.unwrap(), Answer::reached(RequestState::Finished));
    assert_eq!(lines.len(), 2);
    let (answer, _) = asked(&["error wait 1 ms: too many", "error wait 1 ms: too many"]);
    assert!(answer.unwrap_err().to_string().ends_with(wait));
    let (answer, lines) = asked(&["error wait 999999999 ms: too many"]);
    assert!(matches!(answer, Err(Error::Urgent { refusal: Refusal::Wait(999_999_999), .. })));
    assert_eq!(lines.len(), 1);
}

#[test]
fn what_is_no_urgent_port_is_quoted() {
    let (answer, _) = asked(&["HTTP/1.1 400 Bad Request"]);
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    assert!(error.to_string().contains("HTTP/1.1 400"), "{error}");
}

#[test]
fn several_commands_share_a_connection_and_a_ticket_of_another_port_is_not_shown() {
    let port = |mut stream: TcpStream| {
        for verb in ["status", "priority 10"] {
            expect(&mut stream, format!("{verb} {CLAIM}\n").as_bytes());
            stream.write_all(b"running\n").unwrap();
        }
        wait(&mut stream);
    };
    serve(port, |address| {
        let ticket = ticket(address);
        let mut line = UrgentLine::open(ticket.address, Limits::default()).unwrap();
        for verb in [Verb::Status, Verb::Priority("10".parse().unwrap())] {
            assert_eq!(line.ask(&ticket, verb).unwrap(), Answer::reached(RequestState::Running));
        }
        let other = Ticket { address: "127.0.0.1:1".parse().unwrap(), ..ticket };
        assert!(matches!(line.ask(&other, Verb::Cancel), Err(Error::Request(_))));
    });
}

/// Waits for an urgent byte as a server does: not in `read`.
fn heard(stream: &TcpStream) -> Option<Call> {
    loop {
        match take_urgent(stream).expect("a socket") {
            Urgent::Byte(byte) => return Call::of(byte),
            Urgent::Announced | Urgent::None => {}
        }
    }
}

#[test]
fn a_call_is_held_and_resumed_while_it_waits_for_its_answer() {
    let server = |mut stream: TcpStream, has_come: Sender<()>| {
        expect(&mut stream, b"work\n");
        has_come.send(()).unwrap();
        assert_eq!(heard(&stream), Some(Call::Hold));
        send_urgent(&stream, acknowledgement(RequestState::Held, true)).unwrap();
        assert_eq!(heard(&stream), Some(Call::Resume));
        // The answer is right behind the acknowledgement.
        send_urgent(&stream, acknowledgement(RequestState::Running, false)).unwrap();
        stream.write_all(b"done\n").unwrap();
        wait(&mut stream);
    };
    for _ in 0..50 {
        let (has_come, request) = mpsc::channel();
        let server = move |stream| server(stream, has_come);
        serve(server, |address| {
            let mut connection = open(address);
            let urgency = connection.urgent();
            let beside = thread::spawn(move || {
                request.recv().unwrap();
                urgency.send(Call::Hold).unwrap();
                let held = urgency.acknowledged(LONG);
                urgency.send(Call::Resume).unwrap();
                (held, urgency.acknowledged(LONG))
            });
            let answer = work::call(&mut connection, "work").unwrap();
            let said = beside.join().unwrap();
            assert_eq!(
                said,
                (Some((RequestState::Held, true)), Some((RequestState::Running, false)))
            );
            assert_eq!(answer, "done");
        });
    }
}

#[test]
fn no_second_call_is_sent_before_the_first_is_acknowledged() {
    let server = |mut stream: TcpStream| {
        assert_eq!(heard(&stream), Some(Call::Hold));
        let mut go = [0];
        stream.read_exact(&mut go).unwrap();
        send_urgent(&stream, acknowledgement(RequestState::Held, true)).unwrap();
        assert_eq!(heard(&stream), Some(Call::Cancel));
    };
    serve(server, |address| {
        let mut connection = open(address);
        let urgency = connection.urgent();
        urgency.send(Call::Hold).unwrap();
        assert!(matches!(connection.urgent().send(Call::Resume), Err(UrgencyError::Busy)));
        assert_eq!(urgency.acknowledged(Duration::ZERO), None);
        // Asked for nothing, the connection's own data still goes out.
        let beside = thread::spawn(move || {
            assert_eq!(urgency.acknowledged(LONG), Some((RequestState::Held, true)));
            urgency.send(Call::Cancel).unwrap();
            urgency.acknowledged(LONG)
        });
        let _ = work::call(&mut connection, "x");
        drop(connection);
        assert_eq!(beside.join().unwrap(), None);
    });
}
