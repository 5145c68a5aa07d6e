//! Which message caused which.

use std::any::Any;
use std::cell::Cell as ThreadCell;

use palco_core::{ActorId, Time};

use super::closeness::{Closeness, Observation};
use crate::envelope::{Envelope, TypeName, Unpacked, Work};
use crate::vitals::Vitals;
use crate::{Actor, Context, DropReason, System};

/// Of so many messages that nothing observed has caused, one is observed.
pub(crate) const SAMPLE_EVERY: u32 = 16;

/// What is noted of a message when it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// Its number.
    pub(crate) id: u64,
    /// The number of the message that began it all.
    pub(crate) trace: u64,
    /// The number of the message whose handler has sent it.
    pub(crate) cause: Option<u64>,
    pub(crate) from: Option<ActorId>,
    pub(crate) sent: Time,
    pub(crate) urgent: bool,
    /// It stands for others that were not observed, as does all that it causes.
    pub(crate) sampled: bool,
}

/// Whose handler or hook runs on this thread, and what it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current {
    pub(crate) actor: ActorId,
    /// 0 if it is not observed.
    pub(crate) trace: u64,
    pub(crate) message: u64,
    pub(crate) sampled: bool,
}

thread_local! {
    static CURRENT: ThreadCell<Option<Current>> = const { ThreadCell::new(None) };
    static SAMPLED: ThreadCell<u32> = const { ThreadCell::new(0) };
}

/// Puts back who was current, also when there was a panic.
struct Restore<'a>(Option<Current>, &'a Vitals);

impl<'a> Restore<'a> {
    #[cold]
    fn after(current: Current, actor: &'a Vitals) -> Self {
        actor.activity.count_turn();
        Self(CURRENT.replace(Some(current)), actor)
    }
}

impl Drop for Restore<'_> {
    #[cold]
    fn drop(&mut self) {
        CURRENT.set(self.0);
        self.1.activity.count_turn();
    }
}

/// Runs something on behalf of an actor, where its place does.
#[inline]
pub(crate) fn as_current<T>(actor: &Vitals, run: impl FnOnce() -> T) -> T {
    let _restore = actor.as_sender().map(|current| Restore::after(current, actor));
    run()
}

/// Takes along who is current: a fiber waits in the middle of a handler, and others run meanwhile.
pub(crate) fn take_current() -> Option<Box<dyn Any>> {
    CURRENT.take().map(|current| Box::new(current) as Box<dyn Any>)
}

/// The fiber goes on.
pub(crate) fn put_current(taken: Option<Box<dyn Any>>) {
    CURRENT.set(taken.and_then(|current| current.downcast().ok()).map(|current| *current));
}

impl Current {
    /// On this thread.
    pub(crate) fn get() -> Option<Self> {
        CURRENT.get()
    }
}

impl Observation {
    /// A stamp for a message to `to`, if it is to be observed. `is_first` says that it begins something new, as a timer
    /// does: else what an actor does again and again would be one endless chain.
    #[inline]
    pub(crate) fn stamp(&self, to: &Vitals, urgent: bool, is_first: bool) -> Option<Stamp> {
        if !self.is_on() {
            return None;
        }
        self.stamp_observed(to, urgent, is_first)
    }

    /// A stamp for an actor that the handler on this thread starts, if that handler is observed.
    pub(crate) fn birth(&self, system: &System) -> Option<Stamp> {
        if !self.is_on() {
            return None;
        }
        let current = Current::get().filter(|current| current.trace != 0)?;
        Some(Stamp {
            id: self.next_message(),
            trace: current.trace,
            cause: Some(current.message),
            from: Some(current.actor),
            sent: system.clock().now(),
            urgent: false,
            sampled: current.sampled,
        })
    }

    /// Apart from the way that all messages go while nobody looks.
    #[cold]
    fn stamp_observed(&self, to: &Vitals, urgent: bool, is_first: bool) -> Option<Stamp> {
        let current = Current::get();
        let cause = current.filter(|current| current.trace != 0 && !is_first);
        let sees_all = to.is_looked_at() || self.is(Closeness::Everything);
        if cause.is_none() && !sees_all {
            // What an unobserved message causes is not observed either, or chains would be seen too often.
            if !((is_first || current.is_none()) && self.samples()) {
                return None;
            }
        }
        let id = self.next_message();
        Some(Stamp {
            id,
            trace: cause.map_or(id, |cause| cause.trace),
            cause: cause.map(|cause| cause.message),
            from: current.map(|current| current.actor),
            sent: to.system.clock().now(),
            urgent,
            sampled: cause.map_or(!sees_all, |cause| cause.sampled),
        })
    }

    /// Whether something that nothing observed has caused is observed, for it and others.
    fn samples(&self) -> bool {
        if !self.is(Closeness::Sampled) {
            return false;
        }
        let turn = SAMPLED.get().wrapping_add(1);
        SAMPLED.set(turn);
        turn.is_multiple_of(SAMPLE_EVERY)
    }

    /// Begins something new in the handler that runs on this thread: a number for it, or 0 if it is not observed; and
    /// whether it stands for others.
    pub(crate) fn begin_trace(&self, of: &Vitals) -> (u64, bool) {
        let sees_all = of.is_looked_at() || self.is(Closeness::Everything);
        let trace = if sees_all || self.samples() { self.next_message() } else { 0 };
        if let Some(current) = Current::get() {
            CURRENT.set(Some(Current { trace, message: trace, sampled: !sees_all, ..current }));
        }
        (trace, !sees_all)
    }
}

/// A message with its stamp.
pub(crate) struct Stamped<A: Actor> {
    envelope: Box<dyn Envelope<A>>,
    stamp: Stamp,
}

impl<A: Actor> Stamped<A> {
    pub(crate) fn wrap(
        envelope: Box<dyn Envelope<A>>,
        stamp: Option<Stamp>,
    ) -> Box<dyn Envelope<A>> {
        match stamp {
            Some(stamp) => Box::new(Self { envelope, stamp }),
            None => envelope,
        }
    }
}

impl<A: Actor> Envelope<A> for Stamped<A> {
    fn message_type(&self) -> TypeName {
        self.envelope.message_type()
    }

    fn open<'a>(self: Box<Self>, actor: &'a mut A, cx: &'a mut Context<A>) -> Option<Work<'a>> {
        self.envelope.open(actor, cx)
    }

    fn is_ask(&self) -> bool {
        self.envelope.is_ask()
    }

    fn unpack(self: Box<Self>) -> Option<Unpacked> {
        self.envelope.unpack()
    }

    fn discard(self: Box<Self>, reason: DropReason) {
        self.envelope.discard(reason);
    }

    fn stamp(&self) -> Option<&Stamp> {
        Some(&self.stamp)
    }
}
