//! What a running call gets of the place where it is served.

use std::cell::Cell;
use std::future::poll_fn;
use std::process;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use nix::sys::signal::{Signal, raise};
use palco_actors::{Actor, Context, PlaceKind, Time};
use palco_core::Ticket;
use palco_service::{Crash, Host, LocalFuture};

use crate::books::Record;
use crate::requests::{Line, turns};
use crate::timing::Timing;

/// A process that is to run out of memory asks for so much at a time, and touches nothing of it.
const HOARD_STEP_BYTES: usize = 16 << 20;

/// An actor's context as the services see it.
pub(super) struct ActorHost<'a, A: Actor> {
    cx: &'a Context<A>,
    line: &'a Line,
    record: &'a Record,
    timing: &'a Timing<'a>,
    /// Turns that a request of higher priority has left on its event loop.
    credit: Cell<u32>,
}

impl<'a, A: Actor> ActorHost<'a, A> {
    pub(super) fn new(
        cx: &'a Context<A>,
        line: &'a Line,
        record: &'a Record,
        timing: &'a Timing<'a>,
    ) -> Self {
        Self { cx, line, record, timing, credit: Cell::new(0) }
    }

    /// Where the call comes to a point at which it can be interrupted, and has taken too long, whoever runs it is told.
    async fn heed_limit(&self) {
        let until = self.timing.for_call(|| self.line.number());
        let mut is_told = until.is_some_and(|until| self.timing.timer().left(until).is_none());
        poll_fn(|task| {
            if !std::mem::take(&mut is_told) {
                return Poll::Ready(());
            }
            task.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// The call takes its time. The first time the server gets its turn: it has something to prepare.
    async fn takes_time(&self) {
        let mut is_news = self.line.takes_time();
        poll_fn(|task| {
            if !std::mem::take(&mut is_news) {
                return Poll::Ready(());
            }
            task.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// A checkpoint on an event loop, where who is nice lets others have more turns, and who is not takes more.
    async fn take_turns(&self) {
        match self.line.nice() {
            0 => self.cx.checkpoint().await,
            nice @ 1.. => {
                for _ in 0..turns(nice) {
                    self.cx.checkpoint().await;
                }
            }
            nice => match self.credit.get().checked_sub(1) {
                Some(left) => {
                    self.credit.set(left);
                    self.cx.heed_signals().await;
                }
                None => {
                    self.credit.set(turns(nice) - 1);
                    self.cx.checkpoint().await;
                }
            },
        }
    }
}

impl<A: Actor> Host for ActorHost<'_, A> {
    fn elapsed(&self) -> Duration {
        self.cx.system().clock().now() - Time::START
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        Box::pin(async move {
            self.takes_time().await;
            self.cx.sleep(duration).await;
        })
    }

    fn checkpoint(&self) -> LocalFuture<'_, ()> {
        Box::pin(async {
            self.takes_time().await;
            match self.cx.place() {
                PlaceKind::Task | PlaceKind::Fiber => self.take_turns().await,
                PlaceKind::Thread | PlaceKind::Process | PlaceKind::Remote => {
                    self.cx.checkpoint().await;
                }
            }
            self.heed_limit().await;
        })
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) -> LocalFuture<'_, ()> {
        // Given up, the call is gone, and the work goes on: as long as it does, its connection takes up room.
        let stay = self.record.stay();
        let work = move || {
            work();
            drop(stay);
        };
        Box::pin(async move {
            self.takes_time().await;
            // Before, because the call's time begins when it is first asked for.
            self.heed_limit().await;
            self.cx.block(work).await;
            self.heed_limit().await;
        })
    }

    fn ticket(&self) -> Option<Ticket> {
        self.line.ticket()
    }

    fn is_last(&self, request: u64) -> bool {
        self.cx.is_stopping() || self.record.is_last_of_its_worker(request)
    }

    fn crash(&self, how: Crash) {
        if self.cx.place() == PlaceKind::Process {
            crash(how);
        }
    }
}

/// Ends this process.
fn crash(how: Crash) -> ! {
    match how {
        Crash::Exit(status) => process::exit(status),
        Crash::Abort => process::abort(),
        Crash::Memory => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(Vec::with_capacity(HOARD_STEP_BYTES));
            }
        }
        Crash::Fault => loop {
            // Rust's own handler may let the first one pass.
            let _ = raise(Signal::SIGSEGV);
        },
    }
}
