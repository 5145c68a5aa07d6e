//! A gateway that runs: its thread, its socket, its end.

use std::any::Any;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::rt::System;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, web};
use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};
use parking_lot::Mutex;
use socket2::SockRef;
use tokio::sync::watch;

use super::identities::Identities;
use super::shared::Shared;
use super::watches::Watches;
use super::{Settings, guards, routes};
use crate::Registers;

/// What the kernel keeps for a client that does not read. Doubled by the kernel for its own use.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// A request's head must come within this.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A connection without a request is kept for so long.
const KEPT_FOR: Duration = Duration::from_secs(75);
/// Beyond the time that requests have to end.
const GRACE: Duration = Duration::from_secs(2);

/// A gateway that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    ending: watch::Sender<bool>,
    handle: ServerHandle,
    /// Shared so that whoever keeps this can be.
    ended: Mutex<Receiver<()>>,
    end_within: Duration,
}

/// Answers HTTP on `listener`, from a thread of its own, until what is returned is stopped or dropped. Clients that
/// connect from now on are answered.
///
/// # Errors
/// The thread or its event loop cannot be had; nothing is left running then.
pub fn serve(
    listener: TcpListener,
    registers: Arc<dyn Registers>,
    settings: Settings,
) -> io::Result<Running> {
    let address = listener.local_addr()?;
    let end_within = settings.end_within;
    let (ending, has_to_end) = watch::channel(false);
    let shared = Shared {
        registers,
        settings,
        identities: Identities::default(),
        watches: Watches::default(),
        ending: has_to_end,
    };
    let (started, has_started) = channel();
    let (end, ended) = channel();
    let run = move || {
        // Dropped at the end, however that comes about.
        let _end: Sender<()> = end;
        answer(listener, shared, &started);
    };
    spawn_named("palco-http", STACK_BYTES_DEFAULT, run)?;
    let gone = |_| io::Error::other("its thread has ended");
    let handle = has_started.recv().map_err(gone).and_then(|started| started)?;
    Ok(Running { address, ending, handle, ended: Mutex::new(ended), end_within })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, ends what watches, answers what is under way, and returns then: after
    /// [`Settings::end_within`] and a moment at the latest. The same as dropping it.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ending.send_replace(true);
        // The command is sent by the call; the future only tells when it is done.
        drop(self.handle.stop(true));
        let ended = self.ended.get_mut().recv_timeout(self.end_within + GRACE);
        if ended == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(address = %self.address, "the HTTP gateway does not end; it is left behind");
        }
    }
}

/// Answers until it is told to stop. Says first whether it can.
fn answer(listener: TcpListener, shared: Shared, started: &Sender<io::Result<ServerHandle>>) {
    let shared = web::Data::new(shared);
    let settings = shared.settings.clone();
    let app = move || {
        App::new().app_data(shared.clone()).wrap(from_fn(guards::check)).configure(routes::add)
    };
    System::new().block_on(async move {
        let server = HttpServer::new(app)
            .workers(settings.workers.max(1))
            .disable_signals()
            .max_connections(settings.connections_max.div_ceil(settings.workers.max(1)))
            .client_request_timeout(HEAD_WITHIN)
            .keep_alive(KEPT_FOR)
            .shutdown_timeout(settings.end_within.as_secs().max(1))
            .on_connect(move |connection, _| bound(connection, settings.stalled_after))
            .listen(listener);
        let server = match server {
            Ok(server) => server.run(),
            Err(error) => return drop(started.send(Err(error))),
        };
        // Who waits for it cannot have gone.
        let _ = started.send(Ok(server.handle()));
        if let Err(error) = server.await {
            tracing::error!(%error, "the HTTP gateway has ended");
        }
    });
}

/// Bounds what the kernel keeps for a client and how long, when it connects to any server of this program that is made
/// with actix-web: such a server stops writing to one that does not read, but would keep it for ever.
pub fn bound(connection: &dyn Any, stalled_after: Duration) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let socket = SockRef::from(stream);
    let bounded = socket
        .set_send_buffer_size(SEND_BUFFER_BYTES)
        .and_then(|()| socket.set_tcp_user_timeout(Some(stalled_after)))
        .and_then(|()| stream.set_nodelay(true));
    if let Err(error) = bounded {
        tracing::warn!(%error, "a client over HTTP is not bounded");
    }
}
