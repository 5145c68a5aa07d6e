//! A dashboard that runs: its thread, its socket, its end.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::rt::System;
use actix_web::{App, HttpServer, rt, web};
use palco_models::holder_of_port;
use palco_replica::http::{Token, bound};
use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};

use crate::guards::{headers, host, token};
use crate::house::House;
use crate::shared::Shared;
use crate::{registers, routes};

/// Connections at once; more wait in the kernel's backlog.
const CONNECTIONS_MAX: usize = 256;
/// A request's head must come within this.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long the end of a dashboard is waited for.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How to run a dashboard.
#[derive(Clone, Debug)]
pub struct DashboardSettings {
    /// Where to listen; port 0 takes a free one. On an address that other machines reach, reading needs the token too.
    pub listen: SocketAddr,
    /// The secret of those who may act.
    pub token: Token,
    /// Names beside `localhost` and the address itself under which browsers may ask, without a port.
    pub also_called: Vec<String>,
    /// A client whose socket takes no bytes for so long is dropped.
    pub stalled_after: Duration,
}

impl DashboardSettings {
    /// On port 7070 of 127.0.0.1.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            token,
            also_called: Vec::new(),
            stalled_after: Duration::from_secs(30),
        }
    }
}

/// A dashboard that runs until it is dropped.
#[derive(Debug)]
pub struct Dashboard {
    address: SocketAddr,
    token: Token,
    ending: Arc<AtomicBool>,
    handle: ServerHandle,
    ended: Receiver<()>,
}

/// Why a dashboard cannot be started.
#[derive(thiserror::Error, Debug)]
pub enum StartError {
    /// The port is taken.
    #[error("{address} is in use{}", holder.as_ref().map(|by| format!(" by {by}")).unwrap_or_default())]
    InUse {
        /// What was asked for.
        address: SocketAddr,
        /// Who holds it, as `process (pid 17)`, if that is visible.
        holder: Option<String>,
    },
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// The kernel's error.
        #[source]
        source: io::Error,
    },
    /// It has no thread, or its event loop cannot be started.
    #[error("cannot run the dashboard")]
    Run(#[source] io::Error),
}

impl Dashboard {
    /// Binds, then answers from a thread of its own. Clients that connect from now on are answered.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub fn start(settings: DashboardSettings, house: House) -> Result<Self, StartError> {
        let listener = bind(settings.listen)?;
        let address = listener.local_addr().map_err(StartError::Run)?;
        let token = settings.token.clone();
        let ending = Arc::new(AtomicBool::new(false));
        let shared =
            Shared::new(house, settings.token, address, &settings.also_called, Arc::clone(&ending));
        let (started, has_started) = channel();
        let (end, ended) = channel();
        let stalled_after = settings.stalled_after;
        let run = move || {
            // Dropped at the end, however that comes about.
            let _end: Sender<()> = end;
            serve(listener, shared, stalled_after, &started);
        };
        spawn_named("palco-dashboard", STACK_BYTES_DEFAULT, run).map_err(StartError::Run)?;
        let gone = |_| io::Error::other("its thread has ended");
        let handle = has_started.recv().map_err(gone).and_then(|started| started);
        let handle = handle.map_err(StartError::Run)?;
        Ok(Self { address, token, ending, handle, ended })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address to open in a browser that may act. It holds the secret.
    #[must_use]
    pub fn url_with_token(&self) -> String {
        format!("http://{}/?token={}", self.address, self.token.reveal())
    }

    /// The stage is about to end: from now on nothing new is begun for anybody (503). What is shown stays.
    pub fn refuse_actions(&self) {
        self.ending.store(true, Ordering::Release);
    }
}

impl Drop for Dashboard {
    /// Closes all connections; waits for that, but not for long.
    fn drop(&mut self) {
        // The command is sent by the call; the future only tells when it is done.
        drop(self.handle.stop(false));
        if self.ended.recv_timeout(END_WITHIN) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("the dashboard does not end; it is left behind");
        }
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => {
            StartError::InUse { address, holder: holder_of_port(address.port()) }
        }
        _ => StartError::Listen { address, source },
    })
}

/// Answers until it is told to stop. Says first whether it can.
fn serve(
    listener: TcpListener,
    shared: Shared,
    stalled_after: Duration,
    started: &Sender<io::Result<ServerHandle>>,
) {
    let shared = web::Data::new(shared);
    let watched = shared.clone();
    let app = move || {
        App::new()
            .app_data(shared.clone())
            // The last one is the first that a request passes.
            .wrap(from_fn(token::check))
            .wrap(from_fn(host::check))
            .wrap(from_fn(headers::add))
            .configure(routes::add)
    };
    System::new().block_on(async move {
        rt::spawn(registers::watch(watched));
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .max_connections(CONNECTIONS_MAX)
            .client_request_timeout(HEAD_WITHIN)
            .on_connect(move |connection, _| bound(connection, stalled_after))
            .listen(listener);
        let server = match server {
            Ok(server) => server.run(),
            Err(error) => return drop(started.send(Err(error))),
        };
        // Who waits for it cannot have gone.
        let _ = started.send(Ok(server.handle()));
        if let Err(error) = server.await {
            tracing::error!(%error, "the dashboard has ended");
        }
    });
}
