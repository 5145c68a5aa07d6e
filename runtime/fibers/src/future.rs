//! What a runner does with a piece of work: start a fiber, start a future, poll a future.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::Stopped;
use crate::activity::Activity;
use crate::ending::discard;
use crate::local::Local;
use crate::observer::{What, Why};
use crate::work::{Begun, Task, Unstarted, Work};

impl Local {
    /// On the stack of a runner. Panics are contained.
    pub(crate) fn run(&self, work: Work) {
        match work {
            Work::Start(unstarted) => self.start(unstarted),
            Work::Poll(task) => {
                let activity = Arc::clone(&task.activity);
                self.enter(&task.activity.name, Some(activity), What::Resumed);
                self.poll(task);
            }
        }
        self.leave();
    }

    fn start(&self, unstarted: Unstarted) {
        let name = Arc::clone(unstarted.name());
        self.enter(&name, None, What::Started);
        match panic::catch_unwind(AssertUnwindSafe(|| unstarted.start())) {
            Ok(None) => self.tell(&name, What::Ended),
            Ok(Some(future)) => {
                let activity = self.activity().expect("a future is started by a runner");
                let waker = Waker::from(Arc::clone(&activity));
                self.poll(Box::new(Task { future, activity, waker }));
            }
            Err(payload) => {
                report(&name, &*payload);
                self.tell(&name, What::Ended);
            }
        }
    }

    fn poll(&self, mut task: Box<Task>) {
        task.activity.between.look();
        let polled = panic::catch_unwind(AssertUnwindSafe(|| {
            let mut context = Context::from_waker(&task.waker);
            task.future.as_mut().poll(&mut context)
        }));
        match polled {
            Ok(Poll::Pending) if self.is_ending.get() => self.end(task),
            Ok(Poll::Pending) => {
                self.tell(&task.activity.name, What::Suspended(Why::AtRest));
                self.put_to_rest(task);
            }
            Ok(Poll::Ready(())) => self.end(task),
            Err(payload) => {
                report(&task.activity.name, &*payload);
                self.end(task);
            }
        }
    }

    fn put_to_rest(&self, task: Box<Task>) {
        if task.activity.between.try_rest() {
            let activity = Arc::clone(&task.activity);
            activity.set_slot(self.keep(Begun::Task(task)));
        } else {
            self.ready_to(Begun::Task(task));
        }
    }

    fn end(&self, task: Box<Task>) {
        let activity = Arc::clone(&task.activity);
        discard(task);
        self.tell(&activity.name, What::Ended);
    }

    fn enter(&self, name: &Arc<str>, activity: Option<Arc<Activity>>, what: What) {
        self.begin_turn(name);
        let mut current = self.current.borrow_mut();
        current.name = Some(Arc::clone(name));
        current.activity = activity;
        drop(current);
        self.tell(name, what);
    }

    fn leave(&self) {
        let mut current = self.current.borrow_mut();
        current.name = None;
        current.activity = None;
    }
}

/// A future has nobody to give its panic to.
fn report(name: &str, payload: &(dyn std::any::Any + Send)) {
    if payload.is::<Stopped>() {
        return;
    }
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        future = name,
        panic = text.unwrap_or("a value that is no text"),
        "a future panicked"
    );
}
