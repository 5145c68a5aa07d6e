//! A proxy that keeps connections of SFTP clients alive while their server is away.
//!
//! A client such as sshfs gives up what it has open when its connection ends, also where the server would know the handle
//! again ([journalled handles](palco_files::sftp::Handles::Journalled)). So somebody stands between them whose connection to
//! the client does not end: it remembers which requests have no answer yet, connects to the server again, and sends them
//! again in their order. The client sees an answer that takes its time.
//!
//! Most requests of SFTP say where and what, and can be done twice. For the others a repetition is told from a first attempt by
//! its answer: a name that is not there any more to be removed, or already there to be made, has been removed or made by the
//! first. That is what NFS clients have always done, and it is as good: if somebody else did it meanwhile, nobody learns of
//! it. An append is never sent twice: the client is told that nobody knows. An exclusive open whose file is there the second
//! time is refused, for who made it is not known.
//!
//! | file | what |
//! |---|---|
//! | `queue.rs` | requests without an answer; no sockets |
//! | `relay.rs` | one client's connection: three threads and the connections to the server |
//!
//! Limits: 256 clients, and for each 4096 requests or 64 MiB without an answer; then it reads no more from that client.
//! Directories that are being read when the server ends are lost: their handles are never journalled.

mod queue;
mod relay;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The most clients at once: 256.
pub const CLIENTS_MAX: usize = 256;

/// To whom a proxy connects, and for how long it tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyOptions {
    /// The server, as `host:port`.
    pub to: String,
    /// How long a server may be away, or end connections without an answer, before its clients are told. A minute by
    /// default.
    pub patience: Duration,
}

impl ProxyOptions {
    /// For the server at `to`.
    pub fn new(to: impl Into<String>) -> Self {
        Self { to: to.into(), patience: Duration::from_secs(60) }
    }
}

/// What a proxy has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyEvent {
    /// A client has come.
    Came(SocketAddr),
    /// The connection to the server is lost; so many requests have no answer.
    Lost(SocketAddr, usize),
    /// There is another one, and so many requests are sent again.
    Again(SocketAddr, usize),
    /// The server was away for too long: the client's connection is closed.
    GaveUp(SocketAddr),
    /// The client has gone.
    Gone(SocketAddr),
    /// There are as many clients as there may be: this one was sent away.
    Full(SocketAddr),
}

impl fmt::Display for ProxyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Came(client) => write!(f, "{client} has come"),
            Self::Lost(client, open) => {
                write!(f, "the server is away; {client} waits for {open} answers")
            }
            Self::Again(client, open) => {
                write!(f, "the server is back; {open} requests of {client} are sent again")
            }
            Self::GaveUp(client) => {
                write!(f, "the server was away for too long: the connection of {client} is closed")
            }
            Self::Gone(client) => write!(f, "{client} has gone"),
            Self::Full(client) => {
                write!(f, "{client} is sent away: there are {CLIENTS_MAX} clients")
            }
        }
    }
}

/// Keeps the connections that come to `listener`, each on threads of its own, and tells what happens. Does not return
/// while connections can be accepted.
///
/// # Errors
/// Accepting failed for another reason than a client that has gone again.
pub fn run(
    listener: &TcpListener,
    options: &ProxyOptions,
    tell: impl Fn(ProxyEvent) + Send + Sync + 'static,
) -> io::Result<()> {
    let (clients, tell) = (Arc::new(AtomicUsize::new(0)), Arc::new(tell));
    loop {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        if clients.load(Ordering::Relaxed) >= CLIENTS_MAX {
            tell(ProxyEvent::Full(peer));
            continue;
        }
        clients.fetch_add(1, Ordering::Relaxed);
        let (options, tell) = (options.clone(), Arc::clone(&tell));
        let leaving = Leaving(Arc::clone(&clients));
        std::thread::Builder::new().name("palco-proxy".to_owned()).spawn(move || {
            let _leaving = leaving;
            tell(ProxyEvent::Came(peer));
            tell(relay::relay(&stream, peer, &options, &*tell));
        })?;
    }
}

/// One of the clients, until this is dropped.
struct Leaving(Arc<AtomicUsize>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
