//! An actor that stands for a process outside: a program that knows nothing of actors and that the actor has started.
//!
//! Snapshots show the process as if it were the actor's own, and signals that hold the actor can be passed on to it. Both
//! belong to a life and end with it; nothing here starts, stops or ends a process.

use std::sync::Arc;

use crate::guard::contained;
use crate::placement::PlaceKind;
use crate::vitals::{ProcessFacts, Vitals};
use crate::{Actor, Context};

/// Told with true when the actor comes to rest, with false when it goes on.
pub(crate) type OnHold = Arc<dyn Fn(bool) + Send + Sync>;

impl<A: Actor> Context<A> {
    /// Says that this actor stands for a process that it has started itself: a program that knows nothing of actors. From
    /// now on snapshots show its pid, memory, processor time and age, and `confinement` as how it is confined. The last
    /// process counts; after the end of this life there is none.
    ///
    /// An actor in a process of its own is shown with that process; for it nothing happens here.
    pub fn stands_for(&self, pid: i32, confinement: Option<String>) {
        let vitals = self.vitals();
        if vitals.place == PlaceKind::Process {
            return;
        }
        let since = Some(vitals.system.clock().now());
        vitals.set_process(|process| {
            *process =
                ProcessFacts { pid: Some(pid), since, confinement, ..ProcessFacts::default() };
        });
    }

    /// Has `what` called with true when this actor comes to rest by [`Signal::Suspend`](crate::Signal::Suspend), and with
    /// false when it goes on: an actor that stands for something outside passes it on. A step goes on and rests again.
    ///
    /// Once per change, and where the actor runs, so it must not block for long. An actor that rests when its life ends
    /// goes on first, also when it is killed, so that what it stands for can end as well; after the life it is never
    /// called. Taken from an event loop that ends, it is dropped without a call. Another call takes the place of the first;
    /// one that panics is as one that returns.
    pub fn on_hold(&self, what: impl Fn(bool) + Send + Sync + 'static) {
        self.vitals().set_on_hold(Some(Arc::new(what)));
    }
}

impl Vitals {
    fn set_on_hold(&self, what: Option<OnHold>) {
        let before = std::mem::replace(&mut *self.on_hold.lock(), what);
        // Dropped outside the lock, since what it owns is somebody else's.
        if contained(|| drop(before)).is_err() {
            tracing::error!(actor = %self.path(), "what was to be told of a hold panicked while it was dropped");
        }
    }

    /// The actor has come to rest, or goes on.
    pub(crate) fn tell_of_hold(&self, is_held: bool) {
        let what = self.on_hold.lock().clone();
        if let Some(what) = what
            && let Err(text) = contained(|| what(is_held))
        {
            tracing::error!(actor = %self.path(), %text, "what was told of a hold panicked");
        }
    }

    /// The life that stood for something has ended.
    pub(crate) fn end_standing(&self) {
        self.set_on_hold(None);
        if self.place != PlaceKind::Process {
            self.forget_process();
        }
    }
}
