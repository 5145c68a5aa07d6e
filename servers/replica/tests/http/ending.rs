//! The end of a gateway.

use std::future::ready;
use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use palco_rambo::{Command, Outcome, Tag};
use palco_replica::{Looking, Page, Registers, Running, Scanning};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::client::read;
use crate::gateway::Gateway;

#[test]
fn a_gateway_that_stops_ends_streams_answers_watchers_and_listens_no_more() {
    let gateway = Gateway::start();
    let address = gateway.running.address();
    let mut events = gateway.get("x").with("Accept", "text/event-stream").events();
    assert!(events.next().is_some());
    let waiting = gateway.get("x?watch=0&timeout=60s").send();
    // The connection on which this is answered stays open, and idle.
    let mut idle = gateway.ask("GET", "/v1/status").send();
    let mut head = [0; 12];
    idle.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    gateway.running.stop();
    read(waiting).refused(503, "unavailable");
    assert_eq!(events.next(), None);
    assert!(TcpStream::connect(address).is_err());
}

/// Registers whose one write ends when the test says so.
struct Held {
    asked: Sender<()>,
    may_end: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Registers for Held {
    fn run(&self, _: Vec<Command>, _: Duration) -> Running {
        let may_end = self.may_end.lock().take().expect("one write");
        self.asked.send(()).expect("a test that waits");
        Box::pin(async move {
            may_end.await.expect("a test that says so");
            vec![Outcome::Written(Tag::ZERO)]
        })
    }

    fn scan(&self, _: u64, _: usize) -> Scanning {
        Box::pin(ready(Page::default()))
    }

    fn look(&self) -> Looking {
        Box::pin(ready(Vec::new()))
    }
}

#[test]
fn what_is_under_way_is_answered_before_the_end() {
    let (asked, is_asked) = channel();
    let (end, may_end) = oneshot::channel();
    let held = Held { asked, may_end: Mutex::new(Some(may_end)) };
    let gateway = Gateway::over(Arc::new(held), |settings| {
        settings.end_within = Duration::from_secs(60);
    });
    let address = gateway.running.address();
    let waiting = gateway.put("x", "1").send();
    is_asked.recv().unwrap();
    let stopping = thread::spawn(move || gateway.running.stop());
    // From when nobody is let in any more, it is ending.
    while TcpStream::connect(address).is_ok() {}
    end.send(()).unwrap();
    read(waiting).is(204);
    stopping.join().unwrap();
}
