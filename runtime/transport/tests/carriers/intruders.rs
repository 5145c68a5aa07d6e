//! Whoever comes to the port and is no node disturbs nobody.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use palco_transport::libp2p::{Allowed, Settings};
use palco_transport::{Carrier, Lane, NodeKey};

use crate::heard::{Heard, push};
use crate::nets::{introduction, start};

pub(crate) const TESTS: &[(&str, fn())] =
    &[("intruders_at_the_port_disturb_nobody", intruders_at_the_port_disturb_nobody)];

/// What begins like the handshake, and what does not.
fn beginnings() -> Vec<Vec<u8>> {
    let select = b"\x13/multistream/1.0.0\n".to_vec();
    let noise = [&select[..], b"\x07/noise\n"].concat();
    let mut lots = 1_u8;
    let noisy: Vec<u8> = std::iter::repeat_with(|| {
        lots = lots.wrapping_mul(77).wrapping_add(13);
        lots
    })
    .take(100_000)
    .collect();
    vec![
        Vec::new(),
        noisy.clone(),
        vec![0xFF; 70_000],
        select[..5].to_vec(),
        select.clone(),
        noise.clone(),
        [&noise[..], &[0, 32], &noisy[..32]].concat(),
        [&noise[..], &[0xFF, 0xFF], &noisy].concat(),
        [&select[..], b"\xFF\xFF\xFF\x7F"].concat(),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
    ]
}

fn intruders_at_the_port_disturb_nobody() {
    let node = |heard: &std::sync::Arc<Heard>| {
        let key = NodeKey::generate();
        let settings =
            Settings { allowed: Allowed::Any, ..Settings::new(key, introduction("c", "b")) };
        start(settings, heard.clone())
    };
    let (heard_a, heard_b, heard_c) = (Heard::new(), Heard::new(), Heard::new());
    let (a, b) = (node(&heard_a), node(&heard_b));
    a.seek(b.me(), &b.addresses()).expect("its addresses");
    let (_, to_b) = heard_a.connected(b.me(), 0);
    let (of_b, _) = heard_b.connected(a.me(), 0);

    let address = b.addresses()[0].replace("/ip4/", "").replace("/tcp/", ":");
    let mut held = Vec::new();
    for beginning in beginnings() {
        for is_patient in [true, false] {
            let mut intruder = TcpStream::connect(&address).expect("it listens");
            // It may be sent away in the middle.
            let _ = intruder.write_all(&beginning);
            if is_patient {
                held.push(intruder);
            }
        }
        push(&to_b, Lane::Normal, Bytes::from(beginning)).expect("the session lasts");
    }
    let came = heard_b.frames(of_b, Lane::Normal, beginnings().len());
    assert!(came == beginnings(), "what was sent meanwhile came");
    let c = node(&heard_c);
    c.seek(b.me(), &b.addresses()).expect("its addresses");
    heard_c.connected(b.me(), 0);
    heard_b.connected(c.me(), 0);
    // Those who say nothing more are sent away in the end.
    for mut intruder in held {
        while intruder.read(&mut [0; 1024]).is_ok_and(|bytes| bytes > 0) {}
    }
    assert_eq!(heard_b.connections(a.me()), 1, "the session outlived them all");
}
