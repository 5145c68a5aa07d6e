//! The client of registers against nodes that fail in every way.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use palco_client::register::{Effect, Repeat, Swap, Tagged, Versioned, Watched};
use palco_client::resp::{Value, command};
use palco_client::{RegisterClient, RegisterError, RegisterOptions};

use crate::server::{expect, wait};

const TRYAGAIN: &[u8] = b"-TRYAGAIN no quorum answered in time; nothing was changed\r\n";
const UNKNOWN: &[u8] =
    b"-UNKNOWN outcome: it may have happened and may still happen, with the tag 3.n2.1.0: read the key\r\n";

/// What a node does with one connection.
type Part = Box<dyn FnOnce(TcpStream) + Send>;

/// A node that plays its parts, one connection after the other, and nothing else.
struct Node {
    address: String,
    thread: JoinHandle<()>,
    /// How many connections were made in the end.
    listener: TcpListener,
}

impl Node {
    fn new(parts: Vec<Part>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket").to_string();
        let accepting = listener.try_clone().expect("a descriptor");
        let thread = thread::spawn(move || {
            for part in parts {
                let (stream, _) = accepting.accept().expect("a client");
                stream.set_nodelay(true).expect("a TCP socket");
                part(stream);
            }
        });
        Self { address, thread, listener }
    }

    /// All parts were played, and nobody has come since.
    fn end(self) {
        self.thread.join().expect("a node that does as the test says");
        self.listener.set_nonblocking(true).expect("a listener");
        let more = self.listener.accept();
        assert!(more.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "one more came");
    }
}

/// Expects these commands and answers each with these bytes; no bytes close the connection.
fn part(steps: &[(&[&[u8]], &[u8])]) -> Part {
    let steps: Vec<_> =
        steps.iter().map(|(asked, answer)| (command(asked), answer.to_vec())).collect();
    Box::new(move |mut stream| {
        for (asked, answer) in steps {
            expect(&mut stream, &asked);
            if answer.is_empty() {
                return;
            }
            stream.write_all(&answer).expect("a client that listens");
        }
        wait(&mut stream);
    })
}

/// An address where nobody listens. The port of a client is taken, so nobody else can begin to.
fn dead() -> (TcpStream, TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("a connection");
    let address = client.local_addr().expect("bound").to_string();
    (client, listener, address)
}

fn options() -> RegisterOptions {
    RegisterOptions {
        pause_min: Duration::from_millis(1),
        pause_max: Duration::from_millis(5),
        // Against hanging only.
        within: Duration::from_secs(60),
        answer_within: Duration::from_secs(60),
        ..RegisterOptions::default()
    }
}

fn client(nodes: &[&Node]) -> RegisterClient {
    let addresses = nodes.iter().map(|node| node.address.clone());
    RegisterClient::new(addresses, options()).expect("a node at least")
}

/// The one attempt of a write ended so: it is unknown, and nobody was asked again.
fn is_unknown<T: std::fmt::Debug>(result: Result<T, RegisterError>) -> Option<String> {
    match result {
        Err(error @ RegisterError::Unknown { .. }) => {
            assert_eq!(error.effect(), Effect::Unknown);
            let RegisterError::Unknown { tag, .. } = error else { return None };
            tag
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_command_is_sent_and_its_answer_understood() {
    let node = Node::new(vec![part(&[
        (&[b"SET", b"x", b"1"], b"+OK\r\n"),
        (&[b"GET", b"x"], b"$1\r\n1\r\n"),
        (&[b"PALCO.TAG", b"x"], b"$8\r\n1.n1.1.0\r\n"),
        (&[b"DEL", b"x"], b":1\r\n"),
        (&[b"GET", b"x"], b"$-1\r\n"),
        (&[b"PALCO.GETV", b"cas:x"], b"*2\r\n:0\r\n$-1\r\n"),
        (&[b"PALCO.CASV", b"cas:x", b"0", b"1"], b":1\r\n"),
        (&[b"PALCO.CASV", b"cas:x", b"0", b"1"], b"$-1\r\n"),
        (&[b"PALCO.DELV", b"cas:x", b"1"], b":2\r\n"),
        (&[b"INCRBY", b"counter:x", b"-5"], b":-5\r\n"),
        (&[b"APPEND", b"cas:x", b"ab"], b":2\r\n"),
        (&[b"INFO"], b"$7\r\n# Node\n\r\n"),
        (&[b"DBSIZE"], b":3\r\n"),
    ])]);
    let mut client = client(&[&node]);
    client.set(b"x", b"1").unwrap();
    assert_eq!(client.get(b"x").unwrap(), Some(b"1".to_vec()));
    assert_eq!(client.tag(b"x").unwrap().as_deref(), Some("1.n1.1.0"));
    assert!(client.delete(b"x").unwrap());
    assert_eq!(client.get(b"x").unwrap(), None);
    assert_eq!(client.get_versioned(b"cas:x").unwrap(), Versioned::default());
    assert_eq!(client.compare_and_swap(b"cas:x", 0, Some(b"1")).unwrap(), Swap::Done(1));
    assert_eq!(client.compare_and_swap(b"cas:x", 0, Some(b"1")).unwrap(), Swap::Mismatch);
    assert_eq!(client.compare_and_swap(b"cas:x", 1, None).unwrap(), Swap::Done(2));
    assert_eq!(client.increment(b"counter:x", -5).unwrap(), -5);
    assert_eq!(client.append(b"cas:x", b"ab").unwrap(), 2);
    assert_eq!(client.status().unwrap(), "# Node\n");
    assert_eq!(client.call(Repeat::Freely, &[b"DBSIZE"]).unwrap(), Value::Integer(3));
    drop(client);
    node.end();
}

#[test]
fn a_write_whose_answer_is_lost_is_unknown_and_never_sent_again() {
    for cut in [true, false] {
        let lost: Part = Box::new(move |mut stream| {
            expect(&mut stream, &command(&[b"SET", b"x", b"1"]));
            // Half an answer is none.
            let half: &[u8] = if cut { b"" } else { b"+O" };
            stream.write_all(half).unwrap();
        });
        let (first, second) = (Node::new(vec![lost]), Node::new(Vec::new()));
        let tag = is_unknown(client(&[&first, &second]).set(b"x", b"1"));
        assert_eq!(tag, None);
        first.end();
        second.end();
    }
}

#[test]
fn a_write_that_is_not_answered_in_time_is_unknown() {
    let silent: Part = Box::new(|mut stream| wait(&mut stream));
    let (first, second) = (Node::new(vec![silent]), Node::new(Vec::new()));
    let options = RegisterOptions { answer_within: Duration::from_millis(50), ..options() };
    let addresses = [first.address.clone(), second.address.clone()];
    let mut client = RegisterClient::new(addresses, options).unwrap();
    is_unknown(client.increment(b"counter:x", 1));
    first.end();
    second.end();
}

#[test]
fn a_write_that_the_node_calls_unknown_is_so_with_its_tag_and_the_client_goes_on() {
    let first = Node::new(vec![part(&[(&[b"SET", b"x", b"1"], UNKNOWN)])]);
    let second = Node::new(Vec::new());
    let mut client = client(&[&first, &second]);
    let error = client.set(b"x", b"1");
    assert!(error.as_ref().unwrap_err().to_string().contains("may have happened"), "{error:?}");
    assert_eq!(is_unknown(error).as_deref(), Some("3.n2.1.0"));
    drop(client);
    first.end();
    second.end();
}

#[test]
fn what_certainly_did_not_happen_is_tried_again_at_the_next_node() {
    let set: &[&[u8]] = &[b"SET", b"x", b"1"];
    let first = Node::new(vec![part(&[(set, TRYAGAIN), (set, TRYAGAIN)])]);
    let second = Node::new(vec![part(&[(set, TRYAGAIN), (set, b"+OK\r\n")])]);
    let mut client = client(&[&first, &second]);
    client.set(b"x", b"1").unwrap();
    assert_eq!(client.address(), second.address);
    drop(client);
    first.end();
    second.end();
}

#[test]
fn a_node_that_is_not_there_is_passed_over_and_remembered() {
    let set: &[&[u8]] = &[b"SET", b"x", b"1"];
    let (_client, _listener, nobody) = dead();
    let node = Node::new(vec![part(&[(set, b"+OK\r\n"), (set, b"+OK\r\n")])]);
    let addresses = [nobody, "no address".to_owned(), node.address.clone()];
    let mut client = RegisterClient::new(addresses, options()).unwrap();
    client.set(b"x", b"1").unwrap();
    assert_eq!(client.address(), node.address);
    client.set(b"x", b"1").unwrap();
    drop(client);
    node.end();
}

#[test]
fn a_read_is_asked_again_until_somebody_answers() {
    let get: &[&[u8]] = &[b"GET", b"x"];
    let first = Node::new(vec![part(&[(get, b"")]), part(&[(get, b"$1\r\n1\r\n")])]);
    let second = Node::new(vec![part(&[(get, UNKNOWN)])]);
    let third = Node::new(vec![part(&[(get, b"HTTP/1.1 400 Bad Request\r\n")])]);
    let mut client = client(&[&first, &second, &third]);
    assert_eq!(client.get(b"x").unwrap(), Some(b"1".to_vec()));
    drop(client);
    for node in [first, second, third] {
        node.end();
    }
}

#[test]
fn a_comparison_may_be_sent_again_and_one_that_finds_its_version_was_made_once() {
    let swap: &[&[u8]] = &[b"PALCO.CASV", b"cas:x", b"3", b"1"];
    let first = Node::new(vec![part(&[(swap, b"")])]);
    let second = Node::new(vec![part(&[(swap, TRYAGAIN)])]);
    let third = Node::new(vec![part(&[(swap, b":4\r\n")])]);
    let mut client = client(&[&first, &second, &third]);
    assert_eq!(client.compare_and_swap(b"cas:x", 3, Some(b"1")).unwrap(), Swap::Done(4));
    drop(client);
    for node in [first, second, third] {
        node.end();
    }
}

#[test]
fn a_comparison_that_fails_after_an_attempt_was_lost_is_unknown() {
    let swap: &[&[u8]] = &[b"PALCO.CASV", b"cas:x", b"3", b"1"];
    for last in [&b"$-1\r\n"[..], b"-WRONGTYPE it is not\r\n", b"+what?\r\n"] {
        let first = Node::new(vec![part(&[(swap, UNKNOWN)])]);
        let second = Node::new(vec![part(&[(swap, last)])]);
        let mut client = client(&[&first, &second]);
        is_unknown(client.compare_and_swap(b"cas:x", 3, Some(b"1")));
        drop(client);
        first.end();
        second.end();
    }
}

#[test]
fn a_refusal_is_final_and_changes_nothing() {
    let node = Node::new(vec![part(&[
        (&[b"INCRBY", b"x", b"1"], b"-WRONGTYPE INCRBY: 'x' is a plain register\r\n"),
        (&[b"GET", b"x"], b"$-1\r\n"),
    ])]);
    let mut client = client(&[&node]);
    let error = client.increment(b"x", 1).unwrap_err();
    assert!(matches!(error, RegisterError::Refused { .. }), "{error:?}");
    assert_eq!(error.effect(), Effect::Nothing);
    assert!(error.to_string().contains("is a plain register"), "{error}");
    // The connection is as good as before.
    client.get(b"x").unwrap();
    drop(client);
    node.end();
}

#[test]
fn when_time_is_over_it_is_said_whether_anything_may_have_happened() {
    let (_client, _listener, nobody) = dead();
    let hurried = RegisterOptions { within: Duration::from_millis(30), ..options() };
    let mut client = RegisterClient::new([nobody.clone()], hurried).unwrap();
    for error in [client.set(b"x", b"1").unwrap_err(), client.get(b"x").unwrap_err()] {
        assert!(matches!(error, RegisterError::Unavailable { .. }), "{error:?}");
        assert_eq!(error.effect(), Effect::Nothing);
        assert!(error.to_string().contains("nothing listens"), "{error}");
    }
    let node = Node::new(vec![part(&[(&[b"PALCO.DELV", b"cas:x", b"1"], b"")])]);
    let addresses = [node.address.clone(), nobody.clone(), nobody];
    // The pause is longer than the time there is.
    let pause = Duration::from_secs(600);
    let options = RegisterOptions { pause_min: pause, pause_max: pause, ..options() };
    let mut client = RegisterClient::new(addresses, options).unwrap();
    is_unknown(client.compare_and_swap(b"cas:x", 1, None));
    node.end();
}

#[test]
fn a_connection_that_was_closed_while_idle_is_made_anew_before_anything_is_sent() {
    let set: &[&[u8]] = &[b"SET", b"x", b"1"];
    let (closed, has_closed): (_, Receiver<()>) = channel();
    let first: Part = Box::new(move |mut stream| {
        expect(&mut stream, &command(&[b"SET", b"x", b"1"]));
        stream.write_all(b"+OK\r\n").unwrap();
        drop(stream);
        closed.send(()).unwrap();
    });
    let node = Node::new(vec![first, part(&[(set, b"+OK\r\n")])]);
    let mut client = client(&[&node]);
    client.set(b"x", b"1").unwrap();
    has_closed.recv().unwrap();
    client.set(b"x", b"1").unwrap();
    drop(client);
    node.end();
}

#[test]
fn the_password_is_said_first_and_a_wrong_one_is_final() {
    let node = Node::new(vec![
        part(&[(&[b"AUTH", b"secret"], b"+OK\r\n"), (&[b"GET", b"x"], b"$-1\r\n")]),
        part(&[(&[b"AUTH", b"wrong"], b"-WRONGPASS invalid password\r\n")]),
    ]);
    let ask = |password: &str| {
        let options = RegisterOptions { password: Some(password.to_owned()), ..options() };
        assert!(!format!("{options:?}").contains(password));
        RegisterClient::new([node.address.clone()], options).unwrap().get(b"x")
    };
    assert_eq!(ask("secret").unwrap(), None);
    let error = ask("wrong").unwrap_err();
    assert!(matches!(error, RegisterError::Refused { .. }), "{error:?}");
    node.end();
}

#[test]
fn a_watcher_sees_what_is_new_or_that_nothing_is() {
    const SAME: &[u8] = b"*2\r\n$1\r\na\r\n$1\r\n1\r\n";
    const AGAIN: &[u8] = b"*2\r\n$1\r\nb\r\n$1\r\n1\r\n";
    let get: &[&[u8]] = &[b"PALCO.GET", b"x"];
    let node = Node::new(vec![
        part(&[(get, SAME), (get, TRYAGAIN), (get, SAME), (get, AGAIN)]),
        Box::new(move |mut stream| {
            // As often as it is asked.
            let mut asked = vec![0; command(&[b"PALCO.GET", b"x"]).len()];
            while stream.read_exact(&mut asked).is_ok() {
                stream.write_all(b"*2\r\n$-1\r\n$-1\r\n").unwrap();
            }
        }),
    ]);
    let mut one = client(&[&node]);
    let hour = Duration::from_secs(3600);
    // The same value, written again.
    let new = Tagged { tag: Some("b".to_owned()), value: Some(b"1".to_vec()) };
    assert_eq!(one.watch(b"x", Some("a"), hour).unwrap(), Watched::Changed(new));
    drop(one);
    let mut other = client(&[&node]);
    let seen = other.watch(b"x", None, Duration::from_millis(50)).unwrap();
    assert_eq!(seen, Watched::Unchanged);
    drop(other);
    node.end();
}

#[test]
fn an_answer_that_is_none_is_named() {
    let node = Node::new(vec![part(&[(&[b"GET", b"x"], b":7\r\n")])]);
    let mut client = client(&[&node]);
    let error = client.get(b"x").unwrap_err();
    assert!(matches!(error, RegisterError::Unexpected { .. }), "{error:?}");
    drop(client);
    node.end();
    let none: [&str; 0] = [];
    let error = RegisterClient::new(none, options()).unwrap_err();
    assert!(matches!(error, RegisterError::NoNodes), "{error:?}");
}

#[test]
fn an_answer_beyond_the_limit_is_not_asked_for_again() {
    let node = Node::new(vec![Box::new(|mut stream: TcpStream| {
        expect(&mut stream, &command(&[b"GET", b"x"]));
        stream.write_all(b"$999999\r\n").unwrap();
        wait(&mut stream);
    })]);
    let options = RegisterOptions { answer_bytes_max: 1000, ..options() };
    let mut client = RegisterClient::new([node.address.clone()], options).unwrap();
    let error = client.get(b"x").unwrap_err();
    assert!(matches!(error, RegisterError::Unexpected { .. }), "{error:?}");
    node.end();
}
