//! The turn of an LWP: choose, switch, put away; a round over everything else now and then; sleep when there is nothing.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::ending;
use crate::local::Local;
use crate::lwp::{Duty, Letter};
use crate::observer::What;
use crate::reactor::Reactor;
use crate::runner::{Order, Runner, Suspension};
use crate::work::{Begun, Next, Work};

/// How long an LWP whose work waits for a stack sleeps at most: stacks come back to the pool without a bell.
const STACK_WAIT: Duration = Duration::from_millis(1);

/// Runs an LWP until the pool ends, or until a spare has nothing left to do.
pub(crate) fn run(local: &Rc<Local>) {
    let mut reactor = Reactor::new();
    let mut letters = Vec::new();
    loop {
        local.round(&mut reactor, &mut letters);
        if local.shared.is_stopping() {
            ending::end_all(local);
            return;
        }
        while let Some(next) = local.next() {
            local.take_turn(next);
        }
        if !local.is_round_due() {
            if local.may_retire() {
                ending::end_all(local);
                return;
            }
            local.sleep(&mut reactor);
        }
    }
}

impl Local {
    /// Looks at everything that is not this LWP's own queue, which otherwise could keep it waiting for ever.
    fn round(&self, reactor: &mut Reactor, letters: &mut Vec<Letter>) {
        self.lwp.running.end();
        let is_busy = self.is_round_due();
        self.begin_round();
        self.lwp.inbox.take(letters);
        for letter in letters.drain(..) {
            match letter {
                Letter::Wake(activity) => self.make_ready(activity.slot()),
                // Bound to this LWP: it must not get into the queue that others steal from.
                Letter::Start(unstarted) => self.bound.borrow_mut().push_back(unstarted),
            }
        }
        self.take_up_again();
        if is_busy {
            if self.lwp.counts.sources.load(Ordering::Relaxed) > 0 {
                reactor.look(&self.lwp);
            }
            self.start_due();
            self.inject_fairly();
        }
        self.pass_on();
    }

    /// Who was woken for work of all, and has found work of its own beside it, wakes another for the first.
    fn pass_on(&self) {
        let is_occupied = !self.ready.borrow().is_empty() || !self.bound.borrow().is_empty();
        if is_occupied && self.shared.sleepers.count() > 0 && self.shared.has_unstarted() {
            self.shared.wake_one();
        }
    }

    /// Work that nobody has yet comes before what this LWP has.
    fn inject_fairly(&self) {
        if !self.shared.injector.is_empty()
            && !self.has_in_hand()
            && let Some(unstarted) = self.find_unstarted()
        {
            self.put_in_hand(Next::Run(Work::Start(unstarted)));
        }
    }

    fn start_due(&self) {
        if self.timers.borrow().next().is_none() {
            return;
        }
        let now = Instant::now();
        loop {
            let due = self.timers.borrow_mut().take_due(now);
            let Some(slot) = due else { break };
            self.make_ready(slot);
        }
    }

    /// What is next of everything; none: nothing, or it is time for a round.
    #[inline]
    fn next(&self) -> Option<Next> {
        self.take_in_hand().or_else(|| self.choose()).or_else(|| {
            if self.is_round_due() || self.is_over() {
                return None;
            }
            self.find_unstarted().map(|unstarted| Next::Run(Work::Start(unstarted)))
        })
    }

    #[inline(always)]
    fn take_turn(self: &Rc<Self>, next: Next) {
        match next {
            Next::Resume(runner) => {
                if let Some(name) = &runner.current.name {
                    self.begin_turn(name);
                    self.tell(name, What::Resumed);
                }
                self.switch_to(runner, Order::Go);
            }
            Next::Run(work) => match self.runner() {
                Some(runner) => {
                    self.put_in_hand(Next::Run(work));
                    self.switch_to(runner, Order::Go);
                }
                None => self.put_off(work),
            },
        }
    }

    /// A runner with nothing to do; none: there is no stack for a new one.
    fn runner(self: &Rc<Self>) -> Option<Box<Runner>> {
        let idle = self.idle_runners.borrow_mut().pop();
        if idle.is_some() {
            self.count_idle_runners();
        }
        idle.or_else(|| match self.shared.stacks.lend() {
            Ok(stack) => Some(Box::new(Runner::new(self, stack))),
            Err(shortage) => {
                if self.put_off.borrow().is_empty() {
                    tracing::warn!(lwp = self.lwp.index, %shortage, "work waits for a stack");
                }
                None
            }
        })
    }

    /// Switches to a runner and puts away what comes back.
    #[inline(always)]
    fn switch_to(&self, mut runner: Box<Runner>, order: Order) {
        match runner.resume(self, order) {
            None => self.shared.stacks.take_back(runner.into_stack()),
            Some(Suspension::Idle) => self.put_to_idle(runner),
            Some(Suspension::Yield) => self.ready_to(Begun::Suspended(runner)),
            Some(Suspension::Rest) => {
                let activity = runner.current.activity.clone();
                let slot = self.keep(Begun::Suspended(runner));
                activity.expect("who rests can be woken").set_slot(slot);
            }
            Some(Suspension::Sleep) => {
                let slot = self.keep(Begun::Suspended(runner));
                self.timers.borrow_mut().set(self.sleeps_until.get(), slot);
            }
        }
    }

    fn put_to_idle(&self, mut runner: Box<Runner>) {
        let mut idle = self.idle_runners.borrow_mut();
        if idle.len() < self.shared.idle_runners_max && !self.is_ending.get() {
            idle.push(runner);
            drop(idle);
            self.count_idle_runners();
            return;
        }
        drop(idle);
        let end = runner.resume(self, Order::End);
        debug_assert_eq!(end, None, "a runner with nothing to do ends when told");
        self.shared.stacks.take_back(runner.into_stack());
    }

    fn count_idle_runners(&self) {
        let count = self.idle_runners.borrow().len();
        self.lwp.counts.idle_runners.store(count, Ordering::Relaxed);
    }

    /// There is no stack: what is suspended goes on, and gives one back some time.
    fn put_off(&self, work: Work) {
        self.put_off.borrow_mut().push_back(work);
    }

    fn take_up_again(&self) {
        let mut put_off = self.put_off.borrow_mut();
        if put_off.is_empty() {
            return;
        }
        let has_stack =
            !self.idle_runners.borrow().is_empty() || self.shared.stacks.shortage_now().is_none();
        if has_stack {
            match put_off.pop_front() {
                Some(Work::Start(unstarted)) => self.bound.borrow_mut().push_front(unstarted),
                Some(Work::Poll(task)) => self.ready_to(Begun::Task(task)),
                None => {}
            }
        }
    }

    fn may_retire(&self) -> bool {
        let is_over = self.lwp.duty() == Duty::Retiring
            && !self.has_something()
            && self.slots.borrow().is_empty()
            && self.put_off.borrow().is_empty()
            && self.lwp.sources.lock().watched.is_empty();
        is_over && self.lwp.change_duty(Duty::Retiring, Duty::Vacant)
    }

    /// Sleeps until a bell, a descriptor or a moment.
    fn sleep(&self, reactor: &mut Reactor) {
        self.publish_counts();
        self.shared.sleepers.fall_asleep(&self.lwp.bell);
        if !self.has_something() {
            let at = self.timers.borrow().next();
            let shortage = (!self.put_off.borrow().is_empty()).then(|| Instant::now() + STACK_WAIT);
            reactor.wait(&self.lwp, at.into_iter().chain(shortage).min());
        }
        self.shared.sleepers.wake_up(&self.lwp.bell);
        self.shared.watch.somebody_works();
        self.start_due();
    }
}
