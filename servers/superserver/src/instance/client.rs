//! A client that has been accepted, and the steps until it is served.

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Instant;

use nix::sys::socket::{MsgFlags, send};
use palco_actors::Context;
use socket2::Socket;
use tokio::net::{TcpStream, UnixStream};

use super::Instance;
use super::program::{self, Of};
use crate::access::{Caller, Extras, Judgement};
use crate::builtins::Traffic;
use crate::gate::Permit;
use crate::service::{Counts, Definition, Service};
use crate::spec::{Action, Builtin, Run};

/// A banner's bytes at most: what any socket takes at once.
const BANNER_BYTES_MAX: u64 = 16 << 10;

/// A client that has been accepted.
#[derive(Debug)]
pub(crate) struct Client {
    /// Blocks.
    pub(crate) socket: Socket,
    /// None over a unix socket.
    pub(crate) peer: Option<SocketAddr>,
}

/// A client's socket on an event loop.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Client {
    /// Its address, without a port: two connections of one client are told apart by their processes.
    pub(crate) fn name(&self) -> Option<String> {
        self.peer.map(|peer| peer.ip().to_canonical().to_string())
    }

    /// Sends the contents of a file at once, as far as the socket takes them.
    pub(crate) fn send_banner(&self, path: &Path) {
        let mut banner = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(BANNER_BYTES_MAX).read_to_end(&mut banner));
        match read {
            Ok(_) => self.say(&banner),
            Err(error) => tracing::warn!(path = %path.display(), %error, "no banner"),
        }
    }

    /// Sends at once, as far as the socket takes it.
    pub(super) fn say(&self, words: &[u8]) {
        if words.is_empty() {
            return;
        }
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        if let Err(error) = send(self.socket.as_raw_fd(), words, flags) {
            tracing::debug!(%error, "a client has gone before it was spoken to");
        }
    }

    pub(super) fn into_stream(self) -> io::Result<Stream> {
        self.socket.set_nonblocking(true)?;
        if self.peer.is_some() {
            TcpStream::from_std(self.socket.into()).map(Stream::Tcp)
        } else {
            UnixStream::from_std(self.socket.into()).map(Stream::Unix)
        }
    }
}

impl Instance {
    pub(super) async fn serve_client(
        &self,
        cx: &Context<Self>,
        client: Client,
        permit: Option<Permit>,
    ) {
        let service = &self.service;
        let permit = match permit {
            Some(permit) => Some(permit),
            None => {
                self.has_started();
                let waiting = Box::pin(wait_for_permit(cx, service, &client));
                cx.unless_stopped(waiting).await.flatten()
            }
        };
        let Some(permit) = permit else { return };
        let definition = service.definition();
        let banners = &definition.spec.banners;
        if let Some(path) = &banners.always {
            client.send_banner(path);
        }
        let extras = match judge(cx, &definition, service, &client).await {
            Some(Judgement::Granted(extras)) => extras,
            Some(Judgement::Refused { reason, extras }) => {
                Counts::add(&service.counts.refused);
                service.house.journal.fail(&service.id, reason, client.name());
                if let Some(path) = &banners.failure {
                    client.send_banner(path);
                }
                client.say(&extras.banner);
                return Box::pin(self.follow_refusal(cx, &definition, client, extras)).await;
            }
            None => return,
        };
        if let Some(path) = &banners.success {
            client.send_banner(path);
        }
        client.say(&extras.banner);
        match &definition.spec.run {
            Run::Program(program) => {
                self.serve_by_program(
                    cx,
                    Of { service, definition: &definition, program },
                    client,
                    extras,
                    permit,
                )
                .await;
            }
            // Apart, so that an instance which stands for a program stays small.
            Run::Builtin(Builtin::Tcpmux) => Box::pin(self.serve_mux(cx, client, permit)).await,
            Run::Builtin(builtin) => {
                Box::pin(self.serve_builtin(cx, &definition, builtin, client, permit)).await;
            }
        }
    }

    async fn serve_builtin(
        &self,
        cx: &Context<Self>,
        definition: &Definition,
        builtin: &Builtin,
        client: Client,
        _permit: Permit,
    ) {
        let service = &self.service;
        let (begin, from) = (Instant::now(), client.name());
        let idle = definition.spec.limits.idle;
        self.has_started();
        service.note_start(None, from.clone());
        cx.note(|| "serving");
        let serving = async {
            match client.into_stream()? {
                Stream::Tcp(stream) => builtin.serve_stream(stream, idle).await,
                Stream::Unix(stream) => builtin.serve_stream(stream, idle).await,
            }
        };
        let how = match cx.catch_interrupt(cx.unless_stopped(serving)).await {
            Some(Some(Ok(Traffic { received, sent }))) => {
                format!("status=0 received={received} sent={sent}")
            }
            Some(Some(Err(error))) => format!("error={error}"),
            Some(None) => "stopped".to_owned(),
            None => "interrupted".to_owned(),
        };
        service.note_end(None, &how, begin.elapsed());
    }
}

/// Waits until the limits allow one more for this client. `None`: it was turned away.
pub(super) async fn wait_for_permit(
    cx: &Context<Instance>,
    service: &Service,
    client: &Client,
) -> Option<Permit> {
    cx.note(|| "waiting for room");
    let waiting = service.gate.wait(Instant::now());
    loop {
        let room = service.gate.room();
        let now = Instant::now();
        match service.gate.try_admit(client.source(), now) {
            Ok(permit) => return Some(permit),
            Err(excess) if excess.action == Action::Defer => {
                waiting.note(excess.limit, now);
                match excess.until {
                    Some(until) => {
                        crate::within::within(cx, until.saturating_duration_since(now), room).await;
                    }
                    None => room.await,
                }
                waiting.note(excess.limit, Instant::now());
            }
            Err(excess) => {
                service.turn_away(excess, client.name());
                return None;
            }
        }
    }
}

/// What access control says. `None` is a stop.
pub(super) async fn judge(
    cx: &Context<Instance>,
    definition: &Definition,
    service: &Service,
    client: &Client,
) -> Option<Judgement> {
    let rules = &definition.spec.access;
    if rules.is_open() {
        return Some(Judgement::Granted(Extras::default()));
    }
    cx.note(|| "judging the client");
    let local = client.socket.local_addr().ok().and_then(|local| local.as_socket());
    let caller = Caller { peer: client.peer, local };
    let judging = Box::pin(rules.judge(&caller, &service.house.names));
    let judgement = cx.unless_stopped(judging).await?;
    Some(match judgement {
        Judgement::Granted(extras) if !extras.conditions.is_empty() => {
            Box::pin(program::under_conditions(cx, service, extras)).await
        }
        judgement => judgement,
    })
}
