//! A door that accepts, and has each client served by an instance of its own.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use palco_actors::{Context, Place};
use socket2::Socket;
use tokio::io::Interest;

use super::{ACCEPT_PAUSE, Door, Turn};
use crate::gate::Permit;
use crate::instance::{Client, Instance, Task};
use crate::service::Counts;
use crate::spec::Action;
use crate::watched::watch;

impl Door {
    /// Accepts until a stop or a change.
    pub(super) async fn take_connections(&self, cx: &Context<Self>) -> io::Result<Turn> {
        let Some((_, socket)) = self.way.copies()?.pop() else { return Ok(Turn::Again) };
        // The handle's own registration; the sockets that are accepted block, as programs expect.
        socket.set_nonblocking(true)?;
        let listener = watch(socket)?;
        loop {
            if self.is_changed() {
                return Ok(Turn::Again);
            }
            if let Some(excess) = self.service.gate.obstacle(Instant::now())
                && excess.action == Action::Defer
            {
                // Counted when somebody has to wait for it.
                let asking = listener.readable();
                let Some(asked) = self.unless_changed(cx, asking).await else {
                    return Ok(Turn::Stop);
                };
                if asked.is_none() {
                    return Ok(Turn::Again);
                }
                let begin = Instant::now();
                self.service.gate.count(excess.limit);
                if self.wait_for_room(cx, excess).await.is_none() {
                    return Ok(Turn::Stop);
                }
                self.service.gate.note_wait(excess.limit, begin.elapsed());
                continue;
            }
            cx.note(|| "accepting");
            let accepting = listener.async_io(Interest::READABLE, Socket::accept);
            match self.unless_changed(cx, accepting).await {
                None => return Ok(Turn::Stop),
                Some(None) => return Ok(Turn::Again),
                Some(Some(Ok((socket, peer)))) => {
                    cx.begin_trace();
                    let peer = peer.as_socket();
                    if peer.is_some_and(|peer| peer.ip() != peer.ip().to_canonical()) {
                        // xinetd does so too: most programs it was made for know IPv4 alone.
                        let _shown = palco_sys::show_as_ipv4(socket.as_fd());
                    }
                    self.take_in(cx, Client { socket, peer });
                }
                // The client has gone before it was accepted.
                Some(Some(Err(error))) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Some(Some(Err(error))) => {
                    // Descriptors have run out, most likely.
                    tracing::warn!(service = %self.service.id, %error, "cannot accept");
                    if cx.unless_stopped(cx.sleep(ACCEPT_PAUSE)).await.is_none() {
                        return Ok(Turn::Stop);
                    }
                }
            }
        }
    }

    /// Gives a client that has been accepted to an instance, or turns it away.
    fn take_in(&self, cx: &Context<Self>, client: Client) {
        let service = &self.service;
        Counts::add(&service.counts.accepted);
        let source = client.peer.map(|peer| peer.ip());
        match service.gate.try_admit(source, Instant::now()) {
            Ok(permit) => self.start(cx, client, Some(permit)),
            Err(excess) if excess.action == Action::Defer => {
                service.gate.count(excess.limit);
                self.start(cx, client, None);
            }
            Err(excess) => {
                let from = client.name();
                if let Some(path) = &service.definition().spec.banners.failure {
                    client.send_banner(path);
                }
                service.turn_away(excess, from);
            }
        }
    }

    fn start(&self, cx: &Context<Self>, client: Client, permit: Option<Permit>) {
        let (peer, from) = (client.peer, client.name());
        let end_within = self.service.definition().spec.limits.end_within;
        let (starting, before) = self.way.present.start();
        let instance = Instance::new(
            Arc::clone(&self.service),
            Task::Client(client, permit),
            self.way.present.enter(),
        );
        let mut instance = Some(instance.starting(starting));
        let place = match before {
            0 => Place::Task,
            // A thread that starts a program waits until it begins. Others start theirs at the same time.
            before => Place::Loop(before as usize % cx.system().event_loops()),
        };
        let mut options = Instance::options(end_within).place(place);
        if let Some(name) = peer.map(|peer| peer.to_string())
            // Unless an instance lives on whose client had the same port.
            && cx.system().find(&format!("{}/{name}", cx.path())).is_none()
        {
            options = options.name(name);
        }
        let started = cx.spawn(options, move || instance.take().expect("never restarted"));
        if let Err(error) = started {
            self.service.note_failure(format!("actor: {error}"), from);
        }
    }
}
