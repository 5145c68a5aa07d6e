//! Every limit, and what is beyond it.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use palco_rambo::{CAS_VALUE_BYTES_MAX, VALUE_BYTES_MAX};

use crate::client::read;
use crate::gateway::Gateway;

#[test]
fn the_largest_value_fits_and_one_byte_more_does_not() {
    let gateway = Gateway::start();
    for (key, limit) in [("x", VALUE_BYTES_MAX), ("cas:x", CAS_VALUE_BYTES_MAX)] {
        let value = vec![7; limit];
        gateway.put(key, "").body(value.clone()).answer();
        assert!(gateway.get(key).answer().is(200).body == value);
        let problem = gateway.put(key, "").body(vec![7; limit + 1]).answer();
        let problem = problem.refused(413, "too-large");
        assert_eq!(problem["limit"], limit);
    }
}

#[test]
fn a_body_without_a_length_is_cut_off_at_the_limit() {
    let gateway = Gateway::start();
    let ask = gateway.ask("PUT", "/v1/registers/x").with("Transfer-Encoding", "chunked");
    let reader = ask.send();
    let mut stream = reader.get_ref().try_clone().unwrap();
    let chunk = [b"10000\r\n", &vec![b'x'; 0x10000][..], b"\r\n"].concat();
    for _ in 0..16 {
        stream.write_all(&chunk).unwrap();
    }
    // One chunk more than there may be; the gateway may close before it has taken all of it.
    let _ = stream.write_all(&chunk);
    let answer = read(reader);
    assert_eq!(answer.refused(413, "too-large")["limit"], VALUE_BYTES_MAX);
    gateway.get("x").answer().refused(404, "absent");
}

#[test]
fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let gateway = Gateway::start();
    let length = (VALUE_BYTES_MAX + 1).to_string();
    let ask = gateway.ask("PUT", "/v1/registers/x").with("Content-Length", &length);
    read(ask.send()).refused(413, "too-large");
}

#[test]
fn a_body_that_does_not_come_is_given_up_and_others_are_answered_meanwhile() {
    let gateway = Gateway::with(|settings| settings.body_within = Duration::from_millis(50));
    let slow = gateway.ask("PUT", "/v1/registers/x").with("Content-Length", "10").send();
    gateway.put("y", "1").answer().is(204);
    let mut stream: TcpStream = slow.get_ref().try_clone().unwrap();
    stream.write_all(b"1234").unwrap();
    read(slow).refused(408, "slow-body");
    gateway.get("x").answer().refused(404, "absent");
}

#[test]
fn a_body_that_is_cut_writes_nothing() {
    let gateway = Gateway::start();
    let cut = gateway.put("x", "1234").with("Content-Length", "10").send();
    drop(cut);
    // A whole request behind it on another connection is answered after the first was given up or refused.
    gateway.put("y", "1").answer().is(204);
    gateway.get("x").answer().refused(404, "absent");
}

#[test]
fn too_many_watchers_are_refused_until_one_has_gone() {
    let gateway = Gateway::with(|settings| settings.watchers_max = 2);
    let stream = || gateway.get("x").with("Accept", "text/event-stream");
    let (mut first, mut second) = (stream().events(), stream().events());
    assert!(first.next().is_some() && second.next().is_some());
    let refused = gateway.get("y?watch=0").answer();
    let problem = refused.refused(429, "too-many-watchers");
    assert_eq!(problem["detail"], "2 watch already");
    assert!(refused.header("retry-after").is_some());
    // Plain reads are not watchers.
    gateway.get("x").answer().refused(404, "absent");
    drop(first);
    gateway.put("x", "1").answer().is(204);
    // Gone is who no longer takes what is sent: the gateway notices when it writes.
    while gateway.get("x?watch=0&timeout=0s").answer().status == 429 {
        gateway.put("x", "2").answer().is(204);
    }
    assert!(second.next().is_some());
}

#[test]
fn too_many_watched_keys_are_refused_and_watchers_of_one_key_share_it() {
    let gateway = Gateway::with(|settings| settings.watched_keys_max = 1);
    let stream = |key: &str| gateway.get(key).with("Accept", "text/event-stream");
    let (mut first, mut second) = (stream("x").events(), stream("x").events());
    assert!(first.next().is_some() && second.next().is_some());
    let problem = stream("y").answer().refused(429, "too-many-watchers");
    assert_eq!(problem["detail"], "1 keys are watched already");
}
