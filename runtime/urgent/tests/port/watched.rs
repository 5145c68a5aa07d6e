//! Urgent data that the thread hears.

use std::net::{TcpListener, TcpStream};

use palco_core::RequestState;
use palco_urgent::{
    Call, Policy, ThreadSettings, Urgent, acknowledgement, of_acknowledgement, send_urgent,
    take_urgent,
};

use crate::desk::{KEY, Stage};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client =
        TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    (client, listener.accept().expect("a client").0)
}

#[test]
fn each_call_of_each_connection_is_heard() {
    let stage = Stage::new();
    let clients: Vec<_> = (0..20)
        .map(|token| {
            let (client, server) = pair();
            stage.watch(token, server);
            client
        })
        .collect();
    for call in Call::ALL {
        for (client, token) in clients.iter().zip(0_u64..) {
            send_urgent(client, call.byte()).unwrap();
            assert_eq!(stage.heard.recv().unwrap(), (token, Some(call)));
        }
    }
    assert_eq!(stage.thread.counts().heard, 60);
}

#[test]
fn all_are_heard_when_they_come_at_once() {
    let stage = Stage::new();
    let pairs: Vec<_> = (0..100).map(|_| pair()).collect();
    for ((client, server), token) in pairs.iter().zip(0_u64..) {
        stage.watch(token, server.try_clone().unwrap());
        send_urgent(client, b'H').unwrap();
    }
    let mut heard: Vec<_> = (0..100).map(|_| stage.heard.recv().unwrap()).collect();
    heard.sort_by_key(|(token, _)| *token);
    assert!(heard.iter().zip(0..).all(|(heard, token)| *heard == (token, Some(Call::Hold))));
}

#[test]
fn a_desk_that_panics_misses_no_other_call() {
    let stage = Stage::new();
    let (first, second) = (pair(), pair());
    stage.watch(666, first.1);
    stage.watch(1, second.1);
    send_urgent(&first.0, b'H').unwrap();
    send_urgent(&second.0, b'R').unwrap();
    assert_eq!(stage.heard.recv().unwrap(), (1, Some(Call::Resume)));
    assert_eq!(stage.ask(&format!("STATUS work/1.2:{KEY}")), "running");
}

#[test]
fn an_acknowledgement_comes_back_beside_the_stream() {
    let (client, server) = pair();
    send_urgent(&server, acknowledgement(RequestState::Held, true)).unwrap();
    let byte = loop {
        match take_urgent(&client).unwrap() {
            Urgent::Byte(byte) => break byte,
            Urgent::Announced | Urgent::None => {}
        }
    };
    assert_eq!(of_acknowledgement(byte), Some((RequestState::Held, true)));
}

#[test]
fn the_usual_settings_are_real_time_and_say_what_came_of_it() {
    assert_eq!(ThreadSettings::default().policy, Policy::Fifo(50));
    let stage = Stage::new();
    let obtained = stage.thread.obtained();
    assert_eq!(obtained.policy == Policy::Fifo(50), obtained.why.is_none(), "{obtained}");
}
