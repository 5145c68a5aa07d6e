//! Out of band, as clients see it: the urgent port, and urgent data on the connection itself.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use palco_core::{Answer, RequestState, Ticket};
use palco_models::{ServerSettings, Urgent, UrgentSettings};
use palco_service::services::echo::EchoService;
use palco_service::services::ftp::FtpService;
use palco_service::services::telnet::TelnetService;

use crate::client::Client;
use crate::stage::{LIMIT, Stage, in_every_cell, trials, until};

trials! {
    a_client_interrupts_its_request_at_the_urgent_port,
    a_wrong_key_does_nothing,
    urgent_data_holds_resumes_and_cancels_the_request_of_its_connection,
    an_urgent_byte_that_means_nothing_is_ignored,
    urgent_data_never_gets_into_the_stream_of_a_service_that_knows_none,
    a_telnet_synch_with_an_interrupt_ends_the_running_command_alone,
    an_ftp_abort_ends_the_running_command_and_is_answered,
    an_ftp_abort_that_comes_together_with_its_command_ends_it_too,
}

/// A server with an urgent port.
fn urgent(stage: &Stage) -> (Arc<Urgent>, ServerSettings) {
    let urgent = Urgent::open(UrgentSettings::default()).unwrap();
    (Arc::clone(&urgent), ServerSettings { urgent: Some(urgent), ..stage.settings() })
}

/// One command at the urgent port, and the line that answers it.
fn command(urgent: &Urgent, line: &str) -> String {
    let mut stream = TcpStream::connect_timeout(&urgent.address(), LIMIT).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

fn ticket(client: &mut Client) -> Ticket {
    client.say("ticket\n");
    client.line().trim_end().strip_prefix("ok ticket ").unwrap().parse().unwrap()
}

fn a_client_interrupts_its_request_at_the_urgent_port() {
    in_every_cell(|stage| {
        let (urgent, settings) = urgent(stage);
        let (server, begun) = stage.work(settings);
        let mut client = Client::of(&server);
        let ticket = ticket(&mut client);
        assert_eq!((ticket.address, ticket.request.number), (urgent.address(), 2));
        client.say("cpu 60000000\n");
        begun.until(2);
        let claim = ticket.claim();
        let state =
            |line: String| line.parse::<Answer>().unwrap_or_else(|_| panic!("{line}")).state;
        until("it is running", || {
            state(command(&urgent, &format!("STATUS {claim}"))) == RequestState::Running
        });
        assert_eq!(command(&urgent, &format!("hold {claim}")), "held");
        assert!(command(&urgent, &format!("STATUS {claim}")).starts_with("held"));
        assert_eq!(command(&urgent, &format!("resume {claim}")), "running");
        let answer = command(&urgent, &format!("priority 5 {claim}"));
        assert!(answer.starts_with("running "), "{answer}");
        assert!(command(&urgent, &format!("CANCEL {claim}")).starts_with("finished"));
        assert_eq!(client.rest(), "error: the call was interrupted\n");
        assert!(command(&urgent, &format!("hold {claim}")).starts_with("finished"));
        drop(client);
        until("its connection has ended", || server.scores().active == 0);
        let never = ticket.with_number(1_000_000).claim();
        assert_eq!(command(&urgent, &format!("hold {never}")), "finished");
        assert!(urgent.status().counts.port.commands >= 7);
    });
}

fn a_wrong_key_does_nothing() {
    in_every_cell(|stage| {
        let (urgent, settings) = urgent(stage);
        let (server, begun) = stage.work(settings);
        let mut client = Client::of(&server);
        let ticket = ticket(&mut client);
        client.say("sleep 60000\n");
        begun.until(2);
        let request = &ticket.request;
        let mut other = request.clone();
        other.connection += 1;
        let wrong = "0".repeat(32);
        for claim in [
            format!("{request}:{wrong}"),
            format!("{other}:{}", ticket.key),
            format!("none/1.1:{wrong}"),
        ] {
            let answer = command(&urgent, &format!("CANCEL {claim}"));
            assert!(answer.starts_with("error wrong-key"), "{claim}: {answer}");
        }
        assert!(
            command(&urgent, &format!("EXPLODE {}", ticket.claim()))
                .starts_with("error unknown-verb")
        );
        assert!(client.is_silent());
        assert!(command(&urgent, &format!("CANCEL {}", ticket.claim())).starts_with("finished"));
        client.rest();
    });
}

fn urgent_data_holds_resumes_and_cancels_the_request_of_its_connection() {
    in_every_cell(|stage| {
        let (_urgent, settings) = urgent(stage);
        let (server, begun) = stage.work(settings);
        let mut client = Client::of(&server);
        client.say("sleep 0\n");
        assert!(client.line().starts_with("ok sleep 0 "));
        client.say("cpu 60000000\n");
        begun.until(2);
        until("it is running", || server.requests(1).iter().any(|view| view.request.number == 2));
        assert_eq!(client.call_urgently(b'H'), b'h');
        assert_eq!(server.requests(1)[0].state, RequestState::Held);
        assert_eq!(client.call_urgently(b'S'), b'h', "twice is as once");
        assert_eq!(client.call_urgently(b'C'), b'r');
        assert_eq!(server.requests(1)[0].state, RequestState::Running);
        // What answers this one is what the protocol says.
        client.say_urgently(b'K');
        assert_eq!(client.rest(), "error: the call was interrupted\n");
        drop(client);
        let mut next = Client::of(&server);
        next.say("sleep 0\n");
        assert!(next.line().starts_with("ok sleep 0 "));
    });
}

fn an_urgent_byte_that_means_nothing_is_ignored() {
    in_every_cell(|stage| {
        let (_urgent, settings) = urgent(stage);
        let (server, begun) = stage.work(settings);
        let mut client = Client::of(&server);
        client.say("sleep 300\n");
        begun.until(1);
        for byte in [b'?', 0, 0xff, b'?'] {
            client.say_urgently(byte);
        }
        assert!(client.line().starts_with("ok sleep 300 "));
        client.say("sleep 0\n");
        assert!(client.line().starts_with("ok sleep 0 "));
    });
}

fn urgent_data_never_gets_into_the_stream_of_a_service_that_knows_none() {
    in_every_cell(|stage| {
        let (_urgent, settings) = urgent(stage);
        let server = stage.serve::<EchoService>(settings, ());
        let mut client = Client::of(&server);
        for round in 0..20 {
            client.say(format!("before {round},"));
            client.say_urgently(b"HRKx?"[round % 5]);
            client.say("after;");
            let expected = format!("before {round},after;");
            assert_eq!(client.exactly(expected.len()), expected.as_bytes());
        }
    });
}

fn a_telnet_synch_with_an_interrupt_ends_the_running_command_alone() {
    in_every_cell(|stage| {
        let (_urgent, settings) = urgent(stage);
        let server = stage.serve::<TelnetService>(settings, ());
        let mut client = Client::of(&server);
        client.say("sleep 60000\r\nhelp\r\n");
        until("it is running", || server.requests(1).iter().any(|view| view.request.number == 2));
        // What inetutils' telnet sends for `send ip` and `send synch`: the urgent byte is IAC, DM follows in band.
        client.say([0xff, 0xf4]);
        client.say_urgently(0xff);
        client.say([0xf2]);
        client.hear(|heard| heard.windows(13).any(|window| window == b"[interrupted]"));
        client.say("quit\r\n");
        let (heard, _) = client.everything();
        // Typed ahead, and discarded by the Synch.
        assert!(!String::from_utf8_lossy(&heard).contains("commands"), "{}", heard.escape_ascii());
    });
}

fn an_ftp_abort_ends_the_running_command_and_is_answered() {
    in_every_cell(|stage| {
        let (_urgent, settings) = urgent(stage);
        let server = stage.serve::<FtpService>(settings, ());
        let mut client = Client::of(&server);
        assert!(client.line().starts_with("220 "));
        client.say("USER anyone\r\n");
        assert!(client.line().starts_with("230 "));
        client.say("SITE SLEEP 60000\r\n");
        until("it is running", || server.requests(1).iter().any(|view| view.request.number == 3));
        // What Python's ftplib sends.
        client.say("ABOR\r");
        client.say_urgently(b'\n');
        assert!(client.line().starts_with("426 "));
        assert!(client.line().starts_with("226 "));
        client.say("NOOP\r\n");
        assert!(client.line().starts_with("200 "));
    });
}

fn an_ftp_abort_that_comes_together_with_its_command_ends_it_too() {
    in_every_cell(|stage| {
        let (_urgent, settings) = urgent(stage);
        let server = stage.serve::<FtpService>(settings, ());
        for _ in 0..5 {
            let mut client = Client::of(&server);
            assert!(client.line().starts_with("220 "));
            client.say("SITE SLEEP 60000\r\nABOR\r");
            client.say_urgently(b'\n');
            assert!(client.line().starts_with("426 "));
            assert!(client.line().starts_with("226 "));
            client.say("NOOP\r\n");
            assert!(client.line().starts_with("200 "));
        }
    });
}
