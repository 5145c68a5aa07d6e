//! One LWP: a kernel thread that takes what is ready, runs it on stacks of its own, and sleeps when there is nothing.
//!
//! Work runs inside coroutines, the *runners*. A runner takes one piece of work after the other; only when a piece waits in
//! the middle is the runner put away with it, and another one goes on. So work that does not wait costs no switch.

mod home;
mod runner;
mod timers;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use corosensei::CoroutineResult;
use crossbeam::deque::{Steal, Worker};

pub(crate) use home::{Home, Mail};
use runner::{Pause, Runner};
use timers::Timers;

use crate::shared::Shared;
use crate::stack::NoStack;
use crate::unit::Unit;
use crate::work::{Body, Local, Start};

/// Every so many pieces of work an LWP looks at what comes from outside, however much there is at home: else local work
/// would starve it for ever (61 as in Go's and tokio's schedulers: no divisor of anything).
const LOOK_OUTSIDE_EVERY: u64 = 61;

/// Runners that are kept for the next who waits.
const SPARE_RUNNERS: usize = 64;

thread_local! {
    static HERE: RefCell<Option<Rc<Lwp>>> = const { RefCell::new(None) };
}

/// The LWP of the calling thread.
pub(crate) fn here() -> Option<Rc<Lwp>> {
    HERE.try_with(|here| here.try_borrow().ok()?.clone()).ok().flatten()
}

/// What its own thread alone touches.
pub(crate) struct Lwp {
    pub(crate) home: Arc<Home>,
    pub(crate) shared: Arc<Shared>,
    /// Work that has not begun; others steal from its other end.
    fresh: Worker<Start>,
    /// Work that has not begun and is meant for this LWP alone.
    bound: RefCell<VecDeque<Start>>,
    /// Woken units of this LWP.
    ready: RefCell<VecDeque<Arc<Unit>>>,
    slots: RefCell<Slots>,
    timers: RefCell<Timers>,
    spare: RefCell<Vec<Runner>>,
    /// What the next runner begins with.
    next: RefCell<Option<Next>>,
    /// What runs now.
    current: RefCell<Option<Current>>,
    yielder: Cell<*const runner::Yielder>,
    stopping: Cell<bool>,
    turns: Cell<u64>,
}

/// Where units are kept.
#[derive(Default)]
struct Slots {
    kept: Vec<Option<Kept>>,
    free: Vec<usize>,
}

enum Kept {
    /// Its slot is taken, it runs.
    Away,
    /// Suspended in the middle.
    Suspended(Runner),
    /// Between two polls.
    Resting(Local),
}

/// A piece of work.
enum Next {
    Start(Start),
    /// A future at rest.
    Poll(Arc<Unit>, Local),
    /// A suspended runner.
    Resume(Arc<Unit>, Runner),
}

/// Who runs, and what may be known of it.
struct Current {
    who: Who,
    /// It has waited in the middle since it was taken up.
    has_waited: bool,
}

enum Who {
    /// A function that has not waited yet.
    Fresh(crate::name::Name),
    Unit(Arc<Unit>),
}

impl Lwp {
    /// Runs an LWP on the calling thread until its pool stops.
    pub(crate) fn run(home: Arc<Home>, shared: Arc<Shared>, fresh: Worker<Start>) {
        home.note_thread();
        let lwp = Rc::new(Self {
            home,
            shared,
            fresh,
            bound: RefCell::default(),
            ready: RefCell::default(),
            slots: RefCell::default(),
            timers: RefCell::default(),
            spare: RefCell::default(),
            next: RefCell::default(),
            current: RefCell::default(),
            yielder: Cell::new(std::ptr::null()),
            stopping: Cell::new(false),
            turns: Cell::new(0),
        });
        HERE.set(Some(Rc::clone(&lwp)));
        lwp.work();
        lwp.end();
        HERE.set(None);
        lwp.home.note_end();
    }

    fn work(self: &Rc<Self>) {
        loop {
            let next = self.next.borrow_mut().take();
            let Some(next) = next.or_else(|| self.take()) else {
                if self.shared.is_stopping() || !self.sleep() {
                    return;
                }
                continue;
            };
            if self.shared.is_stopping() {
                self.put_back(next);
                return;
            }
            let runner = match next {
                Next::Resume(unit, runner) => {
                    unit.begin();
                    self.enter(Who::Unit(unit));
                    runner
                }
                next => match self.any_runner() {
                    Ok(runner) => {
                        *self.next.borrow_mut() = Some(next);
                        runner
                    }
                    Err(error) => {
                        self.wait_for_a_stack(next, &error);
                        continue;
                    }
                },
            };
            self.resume(runner);
        }
    }

    /// One that has nothing to do, or a new one.
    fn any_runner(&self) -> Result<Runner, NoStack> {
        let spare = self.spare.borrow_mut().pop();
        spare.map_or_else(|| Runner::new(&self.shared.stacks), Ok)
    }

    /// No stack can be had: somebody must give one back first. Nothing is lost meanwhile.
    fn wait_for_a_stack(&self, next: Next, error: &NoStack) {
        self.shared.note_no_stack(error);
        self.put_back(next);
        // What is suspended may go on and give its stack back; so does other LWPs' work.
        match self.take_ready_runner() {
            Some((unit, runner)) => {
                unit.begin();
                self.enter(Who::Unit(unit));
                self.resume(runner);
            }
            None => {
                self.wait_outside(Some(std::time::Duration::from_millis(1)));
            }
        }
    }

    /// The first of the queue that has a stack already.
    fn take_ready_runner(&self) -> Option<(Arc<Unit>, Runner)> {
        let mut ready = self.ready.borrow_mut();
        let mut slots = self.slots.borrow_mut();
        let is_suspended =
            |unit: &Arc<Unit>| matches!(slots.kept[unit.slot], Some(Kept::Suspended(_)));
        let at = ready.iter().position(is_suspended)?;
        let unit = ready.remove(at)?;
        match slots.kept[unit.slot].replace(Kept::Away) {
            Some(Kept::Suspended(runner)) => Some((unit, runner)),
            _ => None,
        }
    }

    fn put_back(&self, next: Next) {
        match next {
            Next::Start(start) => self.fresh.push(start),
            Next::Poll(unit, future) => {
                self.slots.borrow_mut().kept[unit.slot] = Some(Kept::Resting(future));
                self.ready.borrow_mut().push_front(unit);
            }
            Next::Resume(unit, runner) => {
                self.slots.borrow_mut().kept[unit.slot] = Some(Kept::Suspended(runner));
                self.ready.borrow_mut().push_front(unit);
            }
        }
    }

    /// Switches to a runner, and puts it away when it comes back.
    fn resume(&self, mut runner: Runner) {
        match runner.resume() {
            CoroutineResult::Yield(Pause::Idle) => {
                let mut spare = self.spare.borrow_mut();
                if spare.len() < SPARE_RUNNERS {
                    spare.push(runner);
                }
            }
            CoroutineResult::Yield(Pause::Wait(unit)) => {
                self.home.say_idle();
                self.current.borrow_mut().take();
                self.slots.borrow_mut().kept[unit.slot] = Some(Kept::Suspended(runner));
                if !unit.rest() {
                    self.ready.borrow_mut().push_back(unit);
                }
            }
            CoroutineResult::Return(()) => {}
        }
    }

    /// What a runner does: one piece of work after the other, as long as none of them needs another stack.
    fn serve(self: &Rc<Self>) {
        while !self.stopping.get() {
            let next = self.next.borrow_mut().take();
            let next = match next {
                Some(next) => next,
                None => match self.take() {
                    Some(resume @ Next::Resume(..)) => {
                        *self.next.borrow_mut() = Some(resume);
                        return;
                    }
                    Some(next) => next,
                    None => return,
                },
            };
            if self.shared.is_stopping() {
                return self.put_back(next);
            }
            match next {
                Next::Start(Start { name, body: Body::Call(body) }) => self.call(name, body),
                Next::Start(Start { name, body: Body::Future(make) }) => self.begin(name, make),
                Next::Poll(unit, future) => {
                    unit.begin();
                    self.poll(unit, future);
                }
                Next::Resume(..) => unreachable!("switched to, not served"),
            }
        }
    }

    fn call(self: &Rc<Self>, name: crate::name::Name, body: Box<dyn FnOnce() + Send>) {
        self.enter(Who::Fresh(name));
        // What it returns, a panic too, is told by the body itself.
        let outcome = catch_unwind(AssertUnwindSafe(body));
        if let Some(Current { who: Who::Unit(unit), .. }) = self.leave() {
            unit.end();
            self.slots.borrow_mut().give_back(unit.slot);
        }
        self.rethrow(outcome);
    }

    fn begin(self: &Rc<Self>, name: crate::name::Name, make: Box<dyn FnOnce() -> Local + Send>) {
        self.enter(Who::Fresh(name));
        match catch_unwind(AssertUnwindSafe(make)) {
            Ok(future) => {
                let unit = self.become_unit();
                self.poll(unit, future);
            }
            Err(payload) => {
                if let Some(Current { who: Who::Unit(unit), .. }) = self.leave() {
                    unit.end();
                    self.slots.borrow_mut().give_back(unit.slot);
                }
                self.rethrow(Err(payload));
            }
        }
    }

    fn poll(self: &Rc<Self>, unit: Arc<Unit>, mut future: Local) {
        self.enter(Who::Unit(Arc::clone(&unit)));
        let waker = Waker::from(Arc::clone(&unit));
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.as_mut().poll(&mut Context::from_waker(&waker))
        }));
        let has_waited = self.leave().is_some_and(|current| current.has_waited);
        if let Ok(Poll::Pending) = polled
            && !self.stopping.get()
        {
            self.slots.borrow_mut().kept[unit.slot] = Some(Kept::Resting(future));
            // Who waited in the middle of the poll took wakes that were meant for others.
            if has_waited {
                unit.unpark();
            }
            if !unit.rest() {
                self.ready.borrow_mut().push_back(unit);
            }
            return;
        }
        unit.end();
        self.slots.borrow_mut().give_back(unit.slot);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
        if let Err(payload) = &polled
            && !self.stopping.get()
        {
            let text = payload.downcast_ref::<&str>().copied().unwrap_or("with no text");
            tracing::error!(fiber = %unit.name.text(), "panicked: {text}");
        }
        self.rethrow(polled.map(drop));
        self.rethrow(dropped);
    }

    /// A coroutine that is being unwound must be unwound to its end.
    fn rethrow(&self, outcome: std::thread::Result<()>) {
        if let Err(payload) = outcome
            && self.stopping.get()
        {
            resume_unwind(payload);
        }
    }

    fn enter(&self, who: Who) {
        let number = match &who {
            Who::Fresh(name) => name.number(),
            Who::Unit(unit) => unit.name.number(),
        };
        self.home.say_running(number);
        let has_waited = false;
        *self.current.borrow_mut() = Some(Current { who, has_waited });
    }

    fn leave(&self) -> Option<Current> {
        self.home.say_idle();
        self.current.borrow_mut().take()
    }

    /// The unit that runs; a function becomes one when it first has to be found again.
    pub(crate) fn become_unit(self: &Rc<Self>) -> Arc<Unit> {
        let mut current = self.current.borrow_mut();
        let Some(Current { who, has_waited }) = current.take() else {
            unreachable!("asked by what runs");
        };
        let unit = match who {
            Who::Unit(unit) => unit,
            Who::Fresh(name) => {
                let slot = self.slots.borrow_mut().take();
                Unit::running(slot, Arc::clone(&self.home), name)
            }
        };
        *current = Some(Current { who: Who::Unit(Arc::clone(&unit)), has_waited });
        unit
    }

    /// Whether anything runs here that could wait: not the LWP itself.
    pub(crate) fn is_in_fiber(&self) -> bool {
        self.current.borrow().is_some()
    }

    /// Waits for [`Unit::unpark`] of the unit that runs. Returns at once if that has come since it last waited.
    pub(crate) fn park(self: &Rc<Self>) {
        let unit = self.become_unit();
        if unit.take_notice() {
            return;
        }
        self.wait(unit);
    }

    /// Lets everybody else run who is ready.
    pub(crate) fn yield_now(self: &Rc<Self>) {
        let unit = self.become_unit();
        unit.unpark();
        self.wait(unit);
    }

    fn wait(self: &Rc<Self>, unit: Arc<Unit>) {
        if self.stopping.get() {
            return; // it is being unwound: nothing will come any more
        }
        let carried = self.shared.carry.and_then(|carry| (carry.take)());
        let yielder = self.yielder.get();
        // SAFETY: the yielder of the coroutine that runs now, which lives at its root as long as it runs; this thread
        // set it when that coroutine was last entered, and no other coroutine has run since.
        unsafe { (*yielder).suspend(Pause::Wait(Arc::clone(&unit))) };
        self.yielder.set(yielder);
        if let Some(carry) = self.shared.carry {
            (carry.put)(carried);
        }
        self.home.say_running(unit.name.number());
        if let Some(current) = &mut *self.current.borrow_mut() {
            current.has_waited = true;
        }
    }

    pub(crate) fn queue_here(&self, unit: Arc<Unit>) {
        self.ready.borrow_mut().push_back(unit);
    }

    pub(crate) fn start_here(&self, start: Start) {
        self.fresh.push(start);
    }

    pub(crate) fn wake_at(&self, at: Instant, unit: Arc<Unit>) {
        self.timers.borrow_mut().add(at, unit);
    }

    /// What is to be done next.
    fn take(&self) -> Option<Next> {
        let turns = self.turns.get().wrapping_add(1);
        self.turns.set(turns);
        self.home.count_turn(turns);
        if turns.is_multiple_of(LOOK_OUTSIDE_EVERY) {
            self.wait_outside(Some(std::time::Duration::ZERO));
            self.timers.borrow_mut().ring(Instant::now());
            self.open_mail();
            if let Some(start) = self.take_from_others() {
                return Some(Next::Start(start));
            }
        } else if self.home.has_mail() {
            self.open_mail();
        }
        // Old and new work take turns: neither starves the other.
        if turns.is_multiple_of(2)
            && let Some(start) = self.take_fresh()
        {
            return Some(Next::Start(start));
        }
        self.take_ready()
            .or_else(|| self.take_fresh().map(Next::Start))
            .or_else(|| self.take_from_others().map(Next::Start))
    }

    fn take_fresh(&self) -> Option<Start> {
        self.bound.borrow_mut().pop_front().or_else(|| self.fresh.pop())
    }

    fn take_ready(&self) -> Option<Next> {
        let unit = self.ready.borrow_mut().pop_front()?;
        let kept = self.slots.borrow_mut().kept[unit.slot].replace(Kept::Away);
        match kept {
            Some(Kept::Suspended(runner)) => Some(Next::Resume(unit, runner)),
            Some(Kept::Resting(future)) => Some(Next::Poll(unit, future)),
            Some(Kept::Away) | None => unreachable!("a unit is queued once, after it was put away"),
        }
    }

    fn open_mail(&self) {
        for mail in self.home.take_mail() {
            match mail {
                Mail::Wake(unit) => self.ready.borrow_mut().push_back(unit),
                Mail::Start(start) => self.bound.borrow_mut().push_back(start),
            }
        }
    }

    fn take_from_others(&self) -> Option<Start> {
        loop {
            match self.shared.injector.steal_batch_and_pop(&self.fresh) {
                Steal::Success(start) => return Some(start),
                Steal::Retry => {}
                Steal::Empty => break,
            }
        }
        let own = self.home.index;
        let others = self.shared.stealers.len();
        for step in 1..others {
            let stealer = &self.shared.stealers[(own + step) % others];
            loop {
                match stealer.steal() {
                    Steal::Success(start) => return Some(start),
                    Steal::Retry => {}
                    Steal::Empty => break,
                }
            }
        }
        None
    }

    /// Until something comes. False: this LWP is not needed any more.
    fn sleep(&self) -> bool {
        self.timers.borrow_mut().ring(Instant::now());
        if !self.ready.borrow().is_empty() {
            return true;
        }
        self.home.go_to_sleep();
        // Against the fence of whoever queues: it sees a sleeper, or the sleeper sees what it has queued.
        let has_work = self.home.has_mail()
            || self.shared.is_stopping()
            || !self.shared.injector.is_empty()
            || self.shared.stealers.iter().any(|stealer| !stealer.is_empty());
        if !has_work {
            if self.home.is_spare && self.is_empty() && !self.shared.needs_spares() {
                self.home.wake_up();
                return false;
            }
            let next = self.timers.borrow_mut().next();
            let rest = next.map(|at| at.saturating_duration_since(Instant::now()));
            self.wait_outside(rest);
        }
        self.home.wake_up();
        self.timers.borrow_mut().ring(Instant::now());
        true
    }

    fn is_empty(&self) -> bool {
        let slots = self.slots.borrow();
        slots.kept.len() == slots.free.len()
    }

    fn wait_outside(&self, at_most: Option<std::time::Duration>) {
        self.home.reactor.wait(at_most);
    }

    /// The pool stops: what is suspended is unwound, what rests is dropped, here where it lives.
    fn end(self: &Rc<Self>) {
        self.stopping.set(true);
        self.spare.borrow_mut().clear();
        let next = self.next.borrow_mut().take();
        drop(next);
        loop {
            self.ready.borrow_mut().clear();
            let Some(kept) = self.slots.borrow_mut().take_any() else { break };
            // What is unwound may still ask who it is.
            let name = self.shared.names.enter("stopping".into());
            self.enter(Who::Fresh(name));
            if catch_unwind(AssertUnwindSafe(|| drop(kept))).is_err() {
                tracing::error!("a panic while a fiber was unwound");
            }
            self.leave();
        }
        self.timers.borrow_mut().clear();
        while let Some(start) = self.take_fresh() {
            drop(start);
        }
        self.home.clear();
    }
}

impl Slots {
    fn take(&mut self) -> usize {
        let slot = self.free.pop().unwrap_or(self.kept.len());
        if slot == self.kept.len() {
            self.kept.push(None);
        }
        self.kept[slot] = Some(Kept::Away);
        slot
    }

    fn give_back(&mut self, slot: usize) {
        self.kept[slot] = None;
        self.free.push(slot);
    }

    fn take_any(&mut self) -> Option<Kept> {
        self.kept.iter_mut().find_map(Option::take)
    }
}
