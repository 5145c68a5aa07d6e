//! The connections of a load: when a request is due, and when it counts as begun.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, sleep_until, timeout};

use super::LiveTarget;
use super::figures::Books;
use crate::cpu;
use crate::generator::protocol::{Answer, Answers};

/// How often figures that are not counted by the request are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Over how long a rate is taken.
const RATE_OVER: Duration = Duration::from_secs(1);
/// How long the last answers may take when the time is over.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The wait after a failure doubles from the first to the last of these: a server that is gone is not hammered.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// What all connections of a load share.
struct Load {
    target: LiveTarget,
    request: Vec<u8>,
    books: Arc<Books>,
    begun: Instant,
    /// How many requests have been given out.
    given: Cell<u64>,
}

/// Asks until the time is over or `stopped` has lost its sender.
pub(super) async fn run(target: LiveTarget, books: Arc<Books>, mut stopped: watch::Receiver<()>) {
    let request = target.protocol.bytes(&target.request, target.address);
    let load = Rc::new(Load {
        target,
        request,
        books: Arc::clone(&books),
        begun: Instant::now(),
        given: Cell::new(0),
    });
    let local = LocalSet::new();
    local.spawn_local(look(Rc::clone(&load)));
    let asked = local.run_until(async {
        let mut connections = JoinSet::new();
        for _ in 0..load.target.connections {
            connections.spawn_local(ask(Rc::clone(&load)));
        }
        while connections.join_next().await.is_some() {}
    });
    let limit = load.target.lasts + LAST_ANSWERS_WITHIN;
    tokio::select! {
        // Time over with answers outstanding is no error: they are counted as failed below.
        _ = timeout(limit, asked) => {}
        // Only ever an error: nothing is sent, the sender is dropped.
        _ = stopped.changed() => {}
    }
    drop(local);
    books.note(load.begun.elapsed(), 0.0, cpu::thread_nanos());
    books.end();
}

/// Notes the rate and what this thread costs, until it is dropped.
async fn look(load: Rc<Load>) {
    let mut before = VecDeque::from([(Instant::now(), 0)]);
    loop {
        sleep(LOOK_EVERY).await;
        let (now, answers) = (Instant::now(), load.books.answers());
        before.push_back((now, answers));
        while before.len() > 2 && now.duration_since(before[1].0) >= RATE_OVER {
            before.pop_front();
        }
        let (since, then) = before[0];
        let per_s = (answers - then) as f64 / now.duration_since(since).as_secs_f64();
        load.books.note(load.begun.elapsed(), per_s, cpu::thread_nanos());
    }
}

/// One connection after the other, one request after the other, until the time is over.
async fn ask(load: Rc<Load>) {
    let mut open: Option<TcpStream> = None;
    let mut retry_after = RETRY_AFTER.0;
    while let Some(due) = load.next().await {
        load.books.sent();
        match load.exchange(&mut open).await {
            Ok(Answer::Refused(text)) => load.books.failed(&text),
            Ok(Answer::Good | Answer::GoodAndLast) => {
                load.books.answered(due.elapsed());
                retry_after = RETRY_AFTER.0;
            }
            Err(text) => {
                load.books.failed(&text);
                open = None;
                sleep(retry_after).await;
                retry_after = (retry_after * 2).min(RETRY_AFTER.1);
            }
        }
    }
}

impl Load {
    /// Waits until a request is due; when it counts as begun. None when the time is over.
    async fn next(&self) -> Option<Instant> {
        let number = self.given.get();
        self.given.set(number + 1);
        let end = self.begun + self.target.lasts;
        if self.target.rate_per_s == 0 {
            let now = Instant::now();
            return (now < end).then_some(now);
        }
        let due =
            self.begun + Duration::from_secs_f64(number as f64 / self.target.rate_per_s as f64);
        if due >= end {
            return None;
        }
        if Instant::now() >= due {
            // All connections were busy when it was due: the wait is the server's.
            return (Instant::now() < end).then_some(due);
        }
        sleep_until(due.into()).await;
        // Timers tick in milliseconds: what this one was late is not the server's.
        Some(Instant::now())
    }

    async fn exchange(&self, open: &mut Option<TcpStream>) -> Result<Answer, String> {
        let mut stream = match open.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let mut answers = self.target.protocol.answers(&self.target.request);
        stream.write_all(&self.request).await.map_err(|error| error.to_string())?;
        let answer = read(&mut stream, &mut answers).await?;
        if answer != Answer::GoodAndLast && !self.target.protocol.is_one_shot() {
            *open = Some(stream);
        }
        Ok(answer)
    }

    async fn connect(&self) -> Result<TcpStream, String> {
        let connected = timeout(CONNECT_WITHIN, TcpStream::connect(self.target.address)).await;
        let stream = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(stream)
    }
}

async fn read(stream: &mut TcpStream, answers: &mut Answers) -> Result<Answer, String> {
    let mut piece = [0; 8192];
    loop {
        let count = stream.read(&mut piece).await.map_err(|error| error.to_string())?;
        if count == 0 {
            return answers
                .finish()
                .ok_or_else(|| "the server closed before its answer was complete".to_owned());
        }
        if let Some(answer) = answers.feed(&piece[..count])? {
            return Ok(answer);
        }
    }
}
