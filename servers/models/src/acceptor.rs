//! The actor that accepts connections, and the actor that serves one.
//!
//! Acceptors are called by their role in the model: `acceptor` (iterative), `dispatcher` (per connection), `worker-3`
//! (team). What differs is who serves: the acceptor itself, or a fresh actor in the same place.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use palco_actors::{Actor, Context, ExitReason, Failure, Handler, Message, SpawnOptions};
use palco_service::{Codec, Farewell, Peer, Service};

use crate::admission::Action;
use crate::listener::Listener;
use crate::scoreboard::Record;
use crate::serve::{Accepted, Shared, serve};

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
            let Some(accepted) = accepted else { continue };
            match self.handover {
                Handover::Inline => serve(cx, &self.shared, accepted).await,
                Handover::Fresh => self.hand_over(cx, accepted),
            }
        }
    }
}

impl<S: Service, C: Codec<S> + Sync> Acceptor<S, C> {
    /// The next admitted connection; the inner `None` is one that was not admitted, the outer one a stop.
    async fn next(&self, cx: &Context<Self>, listener: &Listener) -> Option<Option<Accepted>> {
        let Shared { admission, scoreboard, codec, .. } = &*self.shared;
        let defer = admission.action() == Action::Defer;
        if defer && !admission.has_room() {
            scoreboard.count_deferred();
            cx.note(|| "waiting: connections-max reached");
            cx.unless_stopped(admission.room()).await?;
        }
        cx.note(|| "accepting");
        let (mut stream, address) = match listener.accept(cx).await? {
            Ok(accepted) => accepted,
            // Nobody can listen any more: a drain has begun.
            Err(_) if cx.is_stopping() => return None,
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
            None if defer => {
                scoreboard.count_deferred();
                cx.note(|| "waiting: connections-max reached");
                cx.unless_stopped(admission.admit()).await?
            }
            None => {
                match admission.action() {
                    Action::Drop => {
                        scoreboard.count_dropped();
                        let _ = stream.reset_on_close();
                    }
                    Action::Close | Action::Defer => {
                        scoreboard.count_closed();
                        stream.dismiss();
                    }
                    Action::Fail => {
                        scoreboard.count_failed();
                        let mut words = BytesMut::new();
                        codec.farewell(&Farewell::Busy, &mut words);
                        // Fits into the empty send buffer of a new socket, so it does not wait.
                        let _ = stream.write_all(cx, &mut words).await;
                        stream.dismiss();
                    }
                }
                tracing::debug!(acceptor = %cx.path(), limit = "connections-max", "refused");
                return Some(None);
            }
        };
        let (peer, record) = (Peer::new(address.to_string()), Record::new(scoreboard));
        Some(Some(Accepted { stream, peer, record, _permit: permit }))
    }

    fn hand_over(&self, cx: &Context<Self>, accepted: Accepted) {
        let options = SpawnOptions::new().place(cx.place()).stop_within(self.drain_within);
        let mut parts = Some((accepted, Arc::clone(&self.shared)));
        let spawned = cx.spawn(options, move || {
            let (accepted, shared) = parts.take().expect("never restarted");
            ConnectionActor { accepted: Some(accepted), shared }
        });
        if let Err(error) = spawned {
            tracing::error!(dispatcher = %cx.path(), %error, "connection closed: no actor for it");
        }
    }
}

/// One connection as an actor of its own.
struct ConnectionActor<S, C> {
    accepted: Option<Accepted>,
    shared: Arc<Shared<S, C>>,
}

impl<S: Service, C: Codec<S> + Sync> ConnectionActor<S, C> {
    async fn serve(&mut self, cx: &Context<Self>) {
        if let Some(accepted) = self.accepted.take() {
            serve(cx, &self.shared, accepted).await;
        }
    }
}

impl<S: Service, C: Codec<S> + Sync> Actor for ConnectionActor<S, C> {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts(); // an interrupt is for the request being served
        // To itself, not from the acceptor: a fresh thread would fall asleep before the message came.
        cx.tell_after(Duration::ZERO, Run);
        Ok(())
    }

    /// A stop that comes before the first message is a drain like any other.
    async fn stopped(&mut self, _: &ExitReason, cx: &mut Context<Self>) {
        self.serve(cx).await;
    }
}

impl<S: Service, C: Codec<S> + Sync> Handler<Run> for ConnectionActor<S, C> {
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        cx.finish();
        self.serve(cx).await;
    }
}
