//! What is noted of one actor, where it happens.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use palco_core::Time;

use super::closeness::Closeness;
use super::notebook::{Notebook, Notes};
use super::stamp::{Current, Stamp};
use crate::DropReason;
use crate::envelope::TypeName;
use crate::vitals::Vitals;

impl Vitals {
    pub(crate) fn notebook(&self) -> &Notebook {
        self.notebook.get_or_init(Box::default)
    }

    /// The notes of this actor; none before the first.
    pub(crate) fn notes(&self) -> Option<Notes> {
        self.notebook.get().map(|notebook| notebook.read())
    }

    pub(crate) fn durations(&self) -> (Vec<u64>, Vec<u64>) {
        self.notebook.get().map(|notebook| notebook.durations()).unwrap_or_default()
    }

    /// Whether somebody looks at this actor alone.
    pub(crate) fn is_looked_at(&self) -> bool {
        self.onlookers.load(Ordering::Relaxed) > 0
    }

    /// Who this is to those it sends something, while somebody looks.
    pub(crate) fn as_sender(&self) -> Option<Current> {
        self.system.observation().is_on().then(|| Current {
            actor: self.id,
            trace: self.activity.trace(),
            message: self.activity.message.load(Ordering::Relaxed),
            sampled: self.activity.sampled.load(Ordering::Relaxed),
        })
    }

    /// Its handler begins something new.
    pub(crate) fn begin_trace(&self) {
        let observation = self.system.observation();
        if observation.is_on() {
            let (trace, sampled) = observation.begin_trace(self);
            self.activity.follow_new(trace, sampled);
        }
    }

    /// Whether anybody wants to know what its handler says it is doing.
    pub(crate) fn is_watched(&self) -> bool {
        let observation = self.system.observation();
        observation.is_on()
            && (self.activity.trace() != 0
                || self.is_looked_at()
                || observation.is(Closeness::Everything))
    }

    /// Its handler says what it is doing from now on; nothing at its end.
    pub(crate) fn step(&self, what: Option<Cow<'static, str>>) {
        if self.is_watched() {
            self.step_at(what, self.system.clock().now());
        }
    }

    pub(crate) fn step_at(&self, what: Option<Cow<'static, str>>, at: Time) {
        self.notebook().step(self, self.activity.trace(), what, at);
    }

    /// A message is about to be handled.
    #[cold]
    pub(crate) fn begin_noting(&self, stamp: Option<&Stamp>, message: TypeName, ask: bool) {
        if !self.system.observation().is_on() {
            return;
        }
        self.activity.follow(stamp);
        if let Some(stamp) = stamp {
            self.notebook().begin(self, stamp, message(), ask);
        }
    }

    /// It has been handled, or was dropped.
    pub(crate) fn end_noting(&self, message: TypeName, dropped: Option<DropReason>) {
        if self.system.observation().is_on() {
            self.end_observed(message, dropped);
        }
    }

    #[cold]
    fn end_observed(&self, message: TypeName, dropped: Option<DropReason>) {
        if dropped.is_none() {
            self.notebook().count_type(message);
        }
        self.close_note(dropped);
    }

    /// The start hook of an actor whose parent is observed.
    pub(crate) fn begin_start(&self) {
        if let Some(birth) = &self.birth {
            self.begin_noting(Some(birth), || "start", false);
        }
    }

    pub(crate) fn end_start(&self, dropped: Option<DropReason>) {
        if self.birth.is_some() && self.system.observation().is_on() {
            self.close_note(dropped);
        }
    }

    /// It will be handled again, from the begin.
    pub(crate) fn forget_noting(&self) {
        if let Some(notebook) = self.notebook.get() {
            notebook.forget();
        }
    }

    fn close_note(&self, dropped: Option<DropReason>) {
        self.notebook().end(self, dropped);
        self.step(None);
    }
}
