//! The actor that accepts connections, and the actor that serves one.
//!
//! Acceptors are called by their role in the model: `acceptor` (iterative), `dispatcher` (per connection), `worker-3`
//! (team). What differs is who serves: the acceptor itself, or a fresh actor in the same place.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use palco_actors::{Actor, Context, Failure, Handler, Message, SpawnOptions};
use palco_service::{Codec, Farewell, Peer, Service};

use crate::admission::{Action, Permit};
use crate::listener::{Listener, reset_on_close};
use crate::serve::{Shared, serve};
use crate::stream::Stream;

/// After a failed accept (too many open files, say) the next try comes this much later.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who serves an accepted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handover {
    /// The acceptor itself; it accepts no other in the meantime.
    Inline,
    /// A fresh actor, a child of the acceptor, in the same kind of place.
    Fresh,
}

pub(crate) struct Acceptor<S, C> {
    pub(crate) shared: Arc<Shared<S, C>>,
    pub(crate) socket: Arc<TcpListener>,
    pub(crate) handover: Handover,
    /// How long a connection may take to end when the server drains.
    pub(crate) drain_within: Duration,
}

/// Begin.
struct Run;

impl Message for Run {
    type Reply = ();
}

impl<S: Service, C: Codec<S> + Sync> Actor for Acceptor<S, C> {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts(); // an interrupt is for the request being served
        cx.tell_after(Duration::ZERO, Run);
        Ok(())
    }
}

impl<S: Service, C: Codec<S> + Sync> Handler<Run> for Acceptor<S, C> {
    /// Accepts until a stop.
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        let listener = match Listener::new(&self.socket, cx.place()) {
            Ok(listener) => listener,
            Err(error) => return cx.fail(error),
        };
        while let Some(accepted) = self.next(cx, &listener).await {
            let Some((stream, peer, permit)) = accepted else { continue };
            match self.handover {
                Handover::Inline => {
                    serve(cx, &self.shared, stream, &peer).await;
                    drop(permit);
                }
                Handover::Fresh => self.hand_over(cx, stream, peer, permit),
            }
        }
    }
}

impl<S: Service, C: Codec<S> + Sync> Acceptor<S, C> {
    /// The next admitted connection; the inner `None` is one that was not admitted, the outer one a stop.
    async fn next(
        &self,
        cx: &Context<Self>,
        listener: &Listener,
    ) -> Option<Option<(Stream, Peer, Permit)>> {
        let Shared { admission, scoreboard, codec, .. } = &*self.shared;
        let defer = admission.action() == Action::Defer;
        if defer && !admission.has_room() {
            scoreboard.count_deferred();
            cx.unless_stopped(admission.room()).await?;
        }
        let (mut stream, address) = match listener.accept(cx).await? {
            Ok(accepted) => accepted,
            Err(error) => {
                scoreboard.count_accept_error();
                tracing::warn!(acceptor = %cx.path(), %error, "cannot accept");
                cx.unless_stopped(cx.sleep(ACCEPT_PAUSE)).await?;
                return Some(None);
            }
        };
        let permit = match admission.try_admit() {
            Some(permit) => permit,
            // Another acceptor was faster.
            None if defer => cx.unless_stopped(admission.admit()).await?,
            None => {
                match admission.action() {
                    Action::Drop => {
                        scoreboard.count_dropped();
                        let _ = reset_on_close(&stream);
                    }
                    Action::Close | Action::Defer => scoreboard.count_closed(),
                    Action::Fail => {
                        scoreboard.count_failed();
                        let mut words = BytesMut::new();
                        codec.farewell(&Farewell::Busy, &mut words);
                        // Fits into the empty send buffer of a new socket, so it does not wait.
                        let _ = stream.write_all(cx, &mut words).await;
                    }
                }
                tracing::debug!(acceptor = %cx.path(), limit = "connections-max", "refused");
                return Some(None);
            }
        };
        scoreboard.count_accepted();
        Some(Some((stream, Peer::new(address.to_string()), permit)))
    }

    fn hand_over(&self, cx: &Context<Self>, stream: Stream, peer: Peer, permit: Permit) {
        let options = SpawnOptions::new().place(cx.place()).stop_within(self.drain_within);
        let mut parts = Some((stream, peer, permit, Arc::clone(&self.shared)));
        let spawned = cx.spawn(options, move || {
            let (stream, peer, permit, shared) = parts.take().expect("never restarted");
            Serving { stream: Some(stream), peer, _permit: permit, shared }
        });
        match spawned {
            // The mailbox is new and empty.
            Ok(connection) => drop(connection.try_tell(Run)),
            Err(error) => {
                self.shared.scoreboard.count_closed();
                tracing::error!(dispatcher = %cx.path(), %error, "connection closed: no actor for it");
            }
        }
    }
}

/// One connection as an actor of its own.
struct Serving<S, C> {
    stream: Option<Stream>,
    peer: Peer,
    _permit: Permit,
    shared: Arc<Shared<S, C>>,
}

impl<S: Service, C: Codec<S> + Sync> Actor for Serving<S, C> {}

impl<S: Service, C: Codec<S> + Sync> Handler<Run> for Serving<S, C> {
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        cx.finish();
        cx.ignore_interrupts();
        if let Some(stream) = self.stream.take() {
            serve(cx, &self.shared, stream, &self.peer).await;
        }
    }
}
