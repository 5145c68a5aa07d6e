//! A connection without a socket, and registers that do as they are told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::BytesMut;
use palco_rambo::{Command, Outcome};
use palco_replica::resp::{Gateway, RespCodec, Session, Settings};
use palco_replica::{Alone, Looking, Registers, Running, Scanning};
use palco_service::{CallContext, Codec, Farewell, Host, LocalFuture, Next, Peer, Service};
use palco_threads::block_on;

/// The real clock; nothing sleeps or blocks.
struct Clock(Instant);

impl Host for Clock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_micros(1_000_000_000_000_007)
    }

    fn sleep(&self, _duration: Duration) -> LocalFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn checkpoint(&self) -> LocalFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) -> LocalFuture<'_, ()> {
        work();
        Box::pin(std::future::ready(()))
    }
}

/// One connection: what a server does with a service and a codec, one step after the other.
pub(crate) struct Connection {
    gateway: Arc<Gateway>,
    session: Session,
    codec: RespCodec,
    input: BytesMut,
    clock: Clock,
    pub(crate) closed: bool,
}

impl Connection {
    pub(crate) fn to(gateway: &Arc<Gateway>) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            session: gateway.open(&Peer::new("test:1")),
            codec: RespCodec::new(),
            input: BytesMut::new(),
            clock: Clock(Instant::now()),
            closed: false,
        }
    }

    pub(crate) fn over(registers: impl Registers) -> Self {
        Self::to(&Arc::new(Gateway::new(Arc::new(registers), Settings::default())))
    }

    pub(crate) fn alone() -> Self {
        Self::over(Alone::new())
    }

    /// Sends, and returns what comes back.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> BytesMut {
        self.input.extend_from_slice(bytes);
        let mut output = BytesMut::new();
        while !self.closed && !self.input.is_empty() {
            match self.codec.decode(&mut self.input) {
                Ok(Some(batch)) => {
                    let cx = CallContext::new(&self.clock);
                    let mut answers = block_on(self.gateway.call(&mut self.session, batch, &cx));
                    let mut next = self.codec.encode(&mut answers, &mut output);
                    while block_on(self.gateway.more(&mut answers, &cx)) {
                        next = self.codec.encode(&mut answers, &mut output);
                    }
                    self.closed = next == Next::Close;
                }
                Ok(None) => break,
                Err(malformed) => {
                    self.codec.farewell(&Farewell::Malformed(malformed), &mut output);
                    self.closed = true;
                }
            }
        }
        output
    }

    /// Lines at once, and all that comes back, as text in which `|` stands for a line end.
    pub(crate) fn ask(&mut self, lines: &str) -> String {
        let lines: String = lines.split('\n').map(|line| format!("{line}\r\n")).collect();
        let output = self.send(lines.as_bytes());
        String::from_utf8_lossy(&output).replace("\r\n", "|")
    }

    /// One line after the other, each with its answer.
    pub(crate) fn tell(&mut self, dialogue: &[(&str, &str)]) {
        for (line, answer) in dialogue {
            assert_eq!(self.ask(line), *answer, "{line}");
        }
    }
}

/// Each time, these outcomes; then the real ones. Writes down what it was asked.
#[derive(Default)]
pub(crate) struct Scripted {
    inner: Alone,
    script: Mutex<VecDeque<Vec<Outcome>>>,
    asked: Arc<Mutex<Vec<Vec<Command>>>>,
}

impl Scripted {
    pub(crate) fn new(script: impl Into<VecDeque<Vec<Outcome>>>) -> Self {
        Self { script: Mutex::new(script.into()), ..Self::default() }
    }

    /// What it is asked.
    pub(crate) fn asked(&self) -> Asked {
        Asked(Arc::clone(&self.asked))
    }
}

/// What registers were asked, each time.
#[derive(Clone)]
pub(crate) struct Asked(Arc<Mutex<Vec<Vec<Command>>>>);

impl Asked {
    pub(crate) fn take(&self) -> Vec<Vec<Command>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Registers for Scripted {
    fn run(&self, commands: Vec<Command>, within: Duration) -> Running {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(commands.clone());
        match self.script.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
            Some(outcomes) => Box::pin(std::future::ready(outcomes)),
            None => self.inner.run(commands, within),
        }
    }

    fn scan(&self, from: u64, keys_max: usize) -> Scanning {
        self.inner.scan(from, keys_max)
    }

    fn look(&self) -> Looking {
        self.inner.look()
    }
}
