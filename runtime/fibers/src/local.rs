//! What only the thread of an LWP touches: its queues, its runners, what it has at rest.
//!
//! Whoever wants it asks [`here`], a function that is never inlined: an address of a thread-local must not be kept
//! across a call that suspends, even though nothing here moves.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crossbeam::deque::{Steal, Worker};

use crate::activity::Activity;
use crate::lwp::{Duty, Lwp};
use crate::observer::{Event, What};
use crate::runner::{Current, Runner};
use crate::shared::Shared;
use crate::timers::Timers;
use crate::work::{Begun, Next, Slots, Unstarted, Work};

/// After so many turns the LWP looks at everything that is not its own queue. Prime, so that it does not fall into
/// step with the work (the interval of Go's and tokio's schedulers).
pub(crate) const TURNS_BETWEEN_ROUNDS: u32 = 61;

/// After so many attempts at descriptors that did not have to wait, whoever made them lets others run: a peer that is
/// never slower must not have an LWP for itself (tokio's cooperative budget).
const ATTEMPTS_PER_TURN: u32 = 32;

thread_local! {
    static HERE: RefCell<Option<Rc<Local>>> = const { RefCell::new(None) };
}

/// One LWP as its own thread sees it.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lwp: Arc<Lwp>,
    /// Unstarted work that others may steal.
    pub(crate) worker: Worker<Unstarted>,
    /// Begun work that can go on, in order.
    pub(crate) ready: RefCell<VecDeque<Begun>>,
    /// Unstarted work that is bound to this LWP, in order.
    pub(crate) bound: RefCell<VecDeque<Unstarted>>,
    /// Work for which there was no stack.
    pub(crate) put_off: RefCell<VecDeque<Work>>,
    pub(crate) slots: RefCell<Slots>,
    /// Slots to wake at their moment.
    pub(crate) timers: RefCell<Timers>,
    /// Chosen by a runner that cannot do it, for the LWP; or by the LWP for a runner.
    in_hand: RefCell<Option<Next>>,
    /// Looked at first: what is in hand takes three words, and is seldom there.
    has_in_hand: Cell<bool>,
    /// Runners with nothing to do, the warmest last.
    #[expect(clippy::vec_box, reason = "a runner goes from place to place as one word")]
    pub(crate) idle_runners: RefCell<Vec<Box<Runner>>>,
    /// What runs now.
    /// Behind a pointer: it changes hands at every switch.
    pub(crate) current: RefCell<Box<Current>>,
    /// Of the runner that has just gone to sleep.
    pub(crate) sleeps_until: Cell<Instant>,
    turns_since_round: Cell<u32>,
    attempts_this_turn: Cell<u32>,
    /// Whose turn it is to be first: begun work or unstarted work.
    is_unstarted_first: Cell<bool>,
    /// The pool ends: no more work, what is suspended unwinds.
    pub(crate) is_ending: Cell<bool>,
}

/// The LWP whose thread this is.
#[inline(never)]
pub(crate) fn here() -> Option<Rc<Local>> {
    HERE.try_with(|here| here.borrow().clone()).ok().flatten()
}

#[inline(never)]
pub(crate) fn set_here(local: Option<Rc<Local>>) {
    HERE.with(|here| here.replace(local));
}

/// Makes a rested activity ready, if this is the thread of its LWP.
#[inline(never)]
pub(crate) fn make_ready_here(activity: &Activity, home: &Arc<Lwp>) -> bool {
    let here = |here: &RefCell<Option<Rc<Local>>>| {
        let here = here.borrow();
        let Some(local) = here.as_ref().filter(|local| Arc::ptr_eq(&local.lwp, home)) else {
            return false;
        };
        local.make_ready(activity.slot());
        true
    };
    HERE.try_with(here).unwrap_or(false)
}

impl Local {
    pub(crate) fn new(shared: Arc<Shared>, lwp: Arc<Lwp>, worker: Worker<Unstarted>) -> Rc<Self> {
        Rc::new(Self {
            shared,
            lwp,
            worker,
            ready: RefCell::default(),
            bound: RefCell::default(),
            put_off: RefCell::default(),
            slots: RefCell::default(),
            timers: RefCell::default(),
            in_hand: RefCell::default(),
            has_in_hand: Cell::new(false),
            idle_runners: RefCell::default(),
            current: RefCell::default(),
            sleeps_until: Cell::new(Instant::now()),
            turns_since_round: Cell::new(0),
            attempts_this_turn: Cell::new(0),
            is_unstarted_first: Cell::new(false),
            is_ending: Cell::new(false),
        })
    }

    /// The slot of work that was ended in the meantime is empty: then there is nothing to do.
    pub(crate) fn make_ready(&self, slot: usize) {
        if let Some(begun) = self.take_kept(slot) {
            self.ready_to(begun);
        }
    }

    #[inline]
    pub(crate) fn ready_to(&self, begun: Begun) {
        self.ready.borrow_mut().push_back(begun);
    }

    /// What runs now, as something that can be woken.
    pub(crate) fn activity(&self) -> Option<Arc<Activity>> {
        let mut current = self.current.borrow_mut();
        let name = current.name.clone().filter(|_| current.is_on_runner())?;
        let make = || Activity::new(name, Arc::clone(&self.lwp));
        Some(Arc::clone(current.activity.get_or_insert_with(make)))
    }

    /// Counts a turn of `name`.
    #[inline]
    pub(crate) fn begin_turn(&self, name: &str) {
        self.turns_since_round.set(self.turns_since_round.get() + 1);
        self.attempts_this_turn.set(0);
        self.lwp.running.begin(name);
        self.lwp.counts.ready.store(self.ready.borrow().len(), Ordering::Relaxed);
    }

    /// Counts an attempt at a descriptor. False: this turn has had as many as it may.
    pub(crate) fn may_attempt(&self) -> bool {
        let attempts = self.attempts_this_turn.get();
        self.attempts_this_turn.set(attempts + 1);
        attempts < ATTEMPTS_PER_TURN
    }

    /// Puts away what waits; by this slot it is found again.
    pub(crate) fn keep(&self, begun: Begun) -> usize {
        let slot = self.slots.borrow_mut().put(begun);
        self.publish_kept();
        slot
    }

    /// Takes out what is ready again; none for a slot that is free.
    pub(crate) fn take_kept(&self, slot: usize) -> Option<Begun> {
        let begun = self.slots.borrow_mut().take(slot);
        self.publish_kept();
        begun
    }

    fn publish_kept(&self) {
        let slots = self.slots.borrow();
        self.lwp.counts.suspended.store(slots.suspended, Ordering::Relaxed);
        self.lwp.counts.at_rest.store(slots.at_rest, Ordering::Relaxed);
    }

    pub(crate) fn publish_counts(&self) {
        self.lwp.counts.ready.store(self.ready.borrow().len(), Ordering::Relaxed);
        self.publish_kept();
    }

    pub(crate) fn begin_round(&self) {
        self.turns_since_round.set(0);
    }

    pub(crate) fn is_round_due(&self) -> bool {
        self.turns_since_round.get() >= TURNS_BETWEEN_ROUNDS
    }

    pub(crate) fn has_in_hand(&self) -> bool {
        self.has_in_hand.get()
    }

    #[inline]
    pub(crate) fn take_in_hand(&self) -> Option<Next> {
        if !self.has_in_hand.replace(false) {
            return None;
        }
        self.in_hand.borrow_mut().take()
    }

    pub(crate) fn put_in_hand(&self, next: Next) {
        self.has_in_hand.set(true);
        *self.in_hand.borrow_mut() = Some(next);
    }

    /// Work for the runner that asks. None: only the LWP can go on, which then has it in hand.
    pub(crate) fn work_for_runner(&self) -> Option<Work> {
        match self.take_in_hand().or_else(|| self.choose()) {
            Some(Next::Run(work)) => Some(work),
            Some(resume @ Next::Resume(_)) => {
                self.put_in_hand(resume);
                None
            }
            None => None,
        }
    }

    /// What is next of what this LWP has. None also when it is time for a round.
    ///
    /// Begun and unstarted work take turns in being first: neither can keep the other waiting for ever.
    #[inline]
    pub(crate) fn choose(&self) -> Option<Next> {
        if self.is_round_due() || self.is_over() {
            return None;
        }
        let is_unstarted_first = self.is_unstarted_first.replace(!self.is_unstarted_first.get());
        if is_unstarted_first && let Some(unstarted) = self.own_unstarted() {
            return Some(unstarted);
        }
        let ready = self.ready.borrow_mut().pop_front();
        ready.map(Next::from).or_else(|| self.own_unstarted())
    }

    /// Does the pool stop, or this LWP end?
    pub(crate) fn is_over(&self) -> bool {
        self.shared.is_stopping() || self.is_ending.get()
    }

    fn own_unstarted(&self) -> Option<Next> {
        let bound = self.bound.borrow_mut().pop_front();
        if bound.is_none() && self.worker.is_empty() {
            return None;
        }
        bound.or_else(|| self.worker.pop()).map(|unstarted| Next::Run(Work::Start(unstarted)))
    }

    /// Unstarted work of all: what nobody has yet first, then that of the others.
    pub(crate) fn find_unstarted(&self) -> Option<Unstarted> {
        if self.lwp.duty() == Duty::Retiring {
            return None;
        }
        let injected =
            settle(|| self.shared.injector.steal_batch_with_limit_and_pop(&self.worker, 8));
        injected.or_else(|| {
            let count = self.shared.stealers.len();
            let others = (1..count).map(|offset| (self.lwp.index + offset) % count);
            others
                .map(|other| &self.shared.stealers[other])
                .filter(|stealer| !stealer.is_empty())
                .find_map(|stealer| {
                    settle(|| stealer.steal_batch_with_limit_and_pop(&self.worker, 8))
                })
        })
    }

    /// Is there anything to do without waiting? Asked once more after it was said that this LWP sleeps.
    pub(crate) fn has_something(&self) -> bool {
        let is_own = self.lwp.inbox.is_filled()
            || self.shared.is_stopping()
            || self.has_in_hand()
            || !self.bound.borrow().is_empty()
            || !self.ready.borrow().is_empty()
            || !self.worker.is_empty();
        let takes_more = self.lwp.duty() != Duty::Retiring;
        is_own || (takes_more && self.shared.has_unstarted())
    }

    #[inline]
    pub(crate) fn tell(&self, name: &Arc<str>, what: What) {
        if let Some(observer) = &self.shared.observer {
            observer.event(Event { lwp: Some(self.lwp.index), name: Arc::clone(name), what });
        }
    }
}

/// Repeats an attempt that collided with another thread's: one of them succeeds each time.
fn settle<T>(attempt: impl Fn() -> Steal<T>) -> Option<T> {
    std::iter::repeat_with(attempt).find(|steal| !steal.is_retry()).and_then(Steal::success)
}
