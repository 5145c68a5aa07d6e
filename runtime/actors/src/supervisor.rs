//! The actor that starts others again.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use palco_core::{ActorId, ExitReason};
use serde_json::{Value, json};

use crate::placement::{self, SpawnOptions};
use crate::signal::{self, KILL, RECYCLE, STOP};
use crate::supervision::{Failures, random};
use crate::vitals::{AnyCell, Phase, Verdict};
use crate::{
    Actor, ActorRef, Context, Failure, Handler, Message, Parcel, Portable, Restart, SpawnError,
    Strategy, Supervision,
};

/// How long a child may take to start before the next one is started nevertheless.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Starts its children and starts them again by a policy; when they fail too often it fails itself, and its own
/// supervisor decides.
///
/// The address of a child and what is queued for it survive its restarts. Children that `init` starts are started
/// anew when the supervisor itself is restarted; children added later are not.
pub struct Supervisor {
    policy: Supervision,
    init: Box<Init>,
    failures: Failures,
    /// Children whose lives have ended and who will be started again when the backoff is over.
    waiting: BTreeSet<ActorId>,
}

type Init = dyn FnMut(&mut Context<Supervisor>) -> Result<(), Failure>;

/// A child's report that a life has ended.
#[derive(Debug)]
pub(crate) struct ChildExited {
    pub(crate) id: ActorId,
    pub(crate) reason: ExitReason,
}

impl Message for ChildExited {
    type Reply = ();
}

/// The backoff is over.
struct Revive;

impl Message for Revive {
    type Reply = ();
}

impl Supervisor {
    /// A supervisor without children; add them with [`ActorRef::supervise`].
    #[must_use]
    pub fn new(policy: Supervision) -> Self {
        Self::with_children(policy, |_| Ok(()))
    }

    /// A supervisor whose children `init` starts, in order, with [`Context::supervise`].
    #[must_use]
    pub fn with_children(
        policy: Supervision,
        init: impl FnMut(&mut Context<Self>) -> Result<(), Failure> + 'static,
    ) -> Self {
        Self {
            policy,
            init: Box::new(init),
            failures: Failures::default(),
            waiting: BTreeSet::new(),
        }
    }

    /// Those to be started again with `failed`, in the order in which they were started.
    fn affected(&self, cx: &Context<Self>, failed: ActorId) -> Vec<Arc<dyn AnyCell>> {
        let children = cx.actor_ref().cell().vitals().children.lock().by_id.clone();
        let affected = |id: &ActorId| match self.policy.strategy {
            Strategy::OneForOne => *id == failed,
            Strategy::RestForOne => *id >= failed,
            Strategy::OneForAll => true,
        };
        children.into_iter().filter(|(id, _)| affected(id)).map(|(_, child)| child).collect()
    }
}

impl Context<Supervisor> {
    /// Starts a child under this supervisor.
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn supervise<A: Actor>(
        &self,
        options: SpawnOptions,
        make: impl FnMut() -> A + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        self.actor_ref().supervise(options, make)
    }

    /// Starts a child from data under this supervisor; see [`System::spawn_portable`](crate::System::spawn_portable).
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn supervise_portable<A: Portable>(
        &self,
        options: SpawnOptions,
        pack: impl FnMut() -> Result<Parcel<A>, Failure> + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        self.actor_ref().supervise_portable(options, pack)
    }
}

impl ActorRef<Supervisor> {
    /// Starts a child under this supervisor, from anywhere.
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn supervise<A: Actor>(
        &self,
        options: SpawnOptions,
        make: impl FnMut() -> A + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        let parent = self.cell();
        let system = parent.vitals().system.clone();
        placement::spawn(&system, parent, Some(self.recipient()), options, make)
    }

    /// Starts a child that roves under this supervisor, from anywhere; see
    /// [`System::spawn_roving`](crate::System::spawn_roving).
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn supervise_roving<A: Actor + Send>(
        &self,
        options: SpawnOptions,
        make: impl FnMut() -> A + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        let parent = self.cell();
        let system = parent.vitals().system.clone();
        placement::spawn_roving(&system, parent, Some(self.recipient()), options, make)
    }

    /// Starts a child from data under this supervisor, from anywhere.
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn supervise_portable<A: Portable>(
        &self,
        options: SpawnOptions,
        pack: impl FnMut() -> Result<Parcel<A>, Failure> + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        let parent = self.cell();
        let system = parent.vitals().system.clone();
        placement::spawn_portable(&system, parent, Some(self.recipient()), options, pack)
    }
}

impl Actor for Supervisor {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts();
        self.failures = Failures::default();
        self.waiting.clear();
        (self.init)(cx)
    }

    fn state(&self) -> Value {
        json!({ "policy": self.policy, "waiting": self.waiting })
    }
}

impl Handler<ChildExited> for Supervisor {
    async fn handle(&mut self, exited: ChildExited, cx: &mut Context<Self>) {
        let affected = self.affected(cx, exited.id);
        let Some(failed) = affected.iter().find(|child| child.vitals().id == exited.id) else {
            return; // ended in the meantime
        };
        if self.waiting.contains(&exited.id) || failed.vitals().phase() != Phase::Restarting {
            return; // it goes with a sibling that failed before
        }
        let now = cx.system().clock().now();
        let Some(failures) = self.failures.note(now, self.policy.intensity) else {
            let child = failed.vitals().path().into();
            decide(failed, Verdict::End);
            cx.end_with(ExitReason::Escalated { child, reason: Box::new(exited.reason) });
            return;
        };
        for sibling in affected.iter().rev() {
            recycle(sibling).await;
        }
        let lasting = affected.iter().filter(|child| child.vitals().restart != Restart::Never);
        self.waiting.extend(lasting.map(|child| child.vitals().id));
        let delay = self.policy.backoff.delay(failures, random());
        cx.tell_after(delay, Revive);
    }
}

impl Handler<Revive> for Supervisor {
    async fn handle(&mut self, _: Revive, cx: &mut Context<Self>) {
        for id in std::mem::take(&mut self.waiting) {
            let child = cx.actor_ref().cell().vitals().children.lock().by_id.get(&id).cloned();
            let Some(child) = child else { continue };
            let vitals = child.vitals();
            // Before the verdict: the next life may be over as soon as it has begun.
            let lives = vitals.life.lock().ended;
            decide(&child, Verdict::Restart);
            let settled = vitals.until(|vitals| {
                let over = vitals.life.lock().ended > lives;
                (over || matches!(vitals.phase(), Phase::Running | Phase::Ended)).then_some(())
            });
            let settled = cx.system().within(START_WITHIN, settled);
            if cx.unless_stopped(settled).await.is_none() {
                return;
            }
        }
    }
}

/// Ends the life of a healthy sibling; does nothing to one whose life has ended.
async fn recycle(child: &Arc<dyn AnyCell>) {
    let vitals = child.vitals();
    if matches!(vitals.phase(), Phase::Restarting | Phase::Ended) {
        return;
    }
    signal::send(child, if vitals.restart == Restart::Never { STOP } else { RECYCLE });
    for (limit, harder) in [(vitals.stop_within, Some(KILL)), (Duration::from_secs(1), None)] {
        let over = vitals.until(|vitals| {
            matches!(vitals.phase(), Phase::Restarting | Phase::Ended).then_some(())
        });
        if vitals.system.within(limit, over).await.is_some() {
            return;
        }
        match harder {
            Some(bits) => signal::send(child, bits),
            None => tracing::error!(actor = %vitals.path(), "cannot be stopped: no checkpoint"),
        }
    }
}

fn decide(child: &Arc<dyn AnyCell>, verdict: Verdict) {
    child.vitals().life.lock().verdict = Some(verdict);
    child.wake();
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("policy", &self.policy).finish_non_exhaustive()
    }
}
