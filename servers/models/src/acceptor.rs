//! The actor that accepts connections, and the actor that serves one.
//!
//! Acceptors are called by their role in the model: `acceptor` (iterative), `dispatcher` (per connection), `worker-3`
//! (team). What differs is who serves: the acceptor itself, a fresh actor in the same place, a fresh process, or a
//! standing one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{
    Actor, Context, ExitReason, Failure, Handler, Message, SpawnError, SpawnOptions,
};
use palco_service::{Codec, Service};
use serde::{Deserialize, Serialize};

use crate::crew::Duty;
use crate::door::Door;
use crate::process::Desk;
use crate::requests::Serving;
use crate::serve::{Accepted, Admitted, Shared, serve};

/// Who serves an accepted connection.
pub(crate) enum Handover<S: Service, C: Codec<S> + Sync> {
    /// The acceptor itself; it accepts no other in the meantime.
    Inline(Arc<Serving>),
    /// A fresh actor, a child of the acceptor, in the same kind of place.
    Fresh(Arc<Serving>),
    /// A fresh process, started like this.
    Process(Pass<S, C>),
    /// A standing worker in a process of its own, from this desk.
    Standing(Arc<Desk>),
}

/// Starts a process, as a child of the acceptor, for a connection.
pub(crate) type Pass<S, C> =
    Arc<dyn Fn(&Context<Acceptor<S, C>>, Admitted) -> Result<(), SpawnError> + Send + Sync>;

impl<S: Service, C: Codec<S> + Sync> Clone for Handover<S, C> {
    fn clone(&self) -> Self {
        match self {
            Self::Inline(serving) => Self::Inline(Arc::clone(serving)),
            Self::Fresh(serving) => Self::Fresh(Arc::clone(serving)),
            Self::Process(pass) => Self::Process(Arc::clone(pass)),
            Self::Standing(desk) => Self::Standing(Arc::clone(desk)),
        }
    }
}

pub(crate) struct Acceptor<S: Service, C: Codec<S> + Sync> {
    pub(crate) door: Door<S, C>,
    pub(crate) handover: Handover<S, C>,
    /// How long a connection may take to end when the server drains.
    pub(crate) drain_within: Duration,
    /// What this life of a worker has of its crew.
    pub(crate) duty: Duty,
}

/// Begin.
#[derive(Serialize, Deserialize)]
pub(crate) struct Run;

impl Message for Run {
    type Reply = ();
}

impl<S: Service, C: Codec<S> + Sync> Actor for Acceptor<S, C> {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts(); // an interrupt is for the request being served
        self.duty.take_place()?;
        cx.tell_after(Duration::ZERO, Run);
        Ok(())
    }
}

impl<S: Service, C: Codec<S> + Sync> Handler<Run> for Acceptor<S, C> {
    /// Accepts until a stop.
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        let (door, context) = (&self.door, &*cx);
        let opened = match &self.handover {
            Handover::Inline(serving) => {
                let lead = async |mut admitted: Admitted| {
                    let _serves = self.duty.begin(&mut admitted.record);
                    serve(context, &door.shared, admitted.with_line(serving.take())).await;
                };
                door.open(context, lead).await
            }
            Handover::Fresh(serving) => {
                let lead = async |admitted: Admitted| {
                    let accepted = admitted.with_line(serving.take());
                    self.hand_over(context, self.spawn(context, accepted));
                };
                door.open(context, lead).await
            }
            Handover::Process(pass) => {
                let lead = async |admitted| self.hand_over(context, pass(context, admitted));
                door.open(context, lead).await
            }
            Handover::Standing(desk) => {
                let lead = async |admitted| self.hand_over(context, desk.pass(admitted));
                desk.follow_during(context, door.open(context, lead)).await
            }
        };
        if let Err(error) = opened {
            cx.fail(error);
        }
    }
}

impl<S: Service, C: Codec<S> + Sync> Acceptor<S, C> {
    fn hand_over<E: fmt::Display>(&self, cx: &Context<Self>, handed: Result<(), E>) {
        if let Err(error) = handed {
            tracing::error!(dispatcher = %cx.path(), %error, "connection closed: no actor for it");
        }
    }

    fn spawn(&self, cx: &Context<Self>, accepted: Accepted) -> Result<(), SpawnError> {
        let options = SpawnOptions::new().place(cx.place()).stop_within(self.drain_within);
        cx.spawn(options, ConnectionActor::life(accepted, Arc::clone(&self.door.shared))).map(drop)
    }
}

/// One connection as an actor of its own.
pub(crate) struct ConnectionActor<S, C> {
    accepted: Option<Accepted>,
    shared: Arc<Shared<S, C>>,
}

impl<S: Service, C: Codec<S> + Sync> ConnectionActor<S, C> {
    /// Makes the actor, once: it is never restarted.
    pub(crate) fn life(
        accepted: Accepted,
        shared: Arc<Shared<S, C>>,
    ) -> impl FnMut() -> Self + Send + 'static {
        let mut parts = Some((accepted, shared));
        move || {
            let (accepted, shared) = parts.take().expect("never restarted");
            Self { accepted: Some(accepted), shared }
        }
    }

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
