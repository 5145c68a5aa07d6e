//! Whether any actor of a system is about to run: what virtual time must wait for before it moves on.
//!
//! Looking at counters cannot tell an actor that rests from one that was woken and has no processor yet. So under a
//! virtual clock every life is polled through a waker of its own that counts. Real time does not need it and does not
//! pay for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::Either;
use futures_util::task::AtomicWaker;

/// How many lives of a system run or have been woken.
#[derive(Debug, Default)]
pub(crate) struct Stir(AtomicUsize);

/// While this lives something runs.
pub(crate) struct Running(Arc<Stir>);

/// While this lives the life that made it waits, though its thread is inside a poll.
pub(crate) struct Waiting<'a>(&'a Stir);

impl Stir {
    /// True if every life rests, and will until something from outside wakes one.
    pub(crate) fn is_still(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }

    pub(crate) fn running(self: &Arc<Self>) -> Running {
        self.0.fetch_add(1, Ordering::SeqCst);
        Running(Arc::clone(self))
    }

    /// Only for use inside a counted life.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        self.0.fetch_sub(1, Ordering::SeqCst);
        Waiting(self)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

const RESTING: u8 = 0;
const WOKEN: u8 = 1;
const GONE: u8 = 2;

/// Counts one life while it is woken; passes the wake on.
struct Bell {
    stir: Arc<Stir>,
    state: AtomicU8,
    outer: AtomicWaker,
}

impl Bell {
    /// Takes the wake back, if there was one, and says what follows it.
    fn answer(&self, next: u8) {
        if self.state.swap(next, Ordering::SeqCst) == WOKEN {
            self.stir.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Counted before it shows, so that the count is never too low.
        self.stir.0.fetch_add(1, Ordering::SeqCst);
        let woken = self.state.compare_exchange(RESTING, WOKEN, Ordering::SeqCst, Ordering::SeqCst);
        if woken.is_err() {
            self.stir.0.fetch_sub(1, Ordering::SeqCst);
        }
        self.outer.wake();
    }
}

/// A life that is counted; from the moment it is made until its first rest, and whenever it is woken.
pub(crate) struct Counted {
    life: Pin<Box<dyn Future<Output = ()>>>,
    bell: Ticket,
}

/// The right to be counted: made before the life, which may have to travel to its place first.
pub(crate) struct Ticket(Arc<Bell>);

impl Ticket {
    pub(crate) fn new(stir: &Arc<Stir>) -> Self {
        stir.0.fetch_add(1, Ordering::SeqCst);
        let (stir, state) = (Arc::clone(stir), AtomicU8::new(WOKEN));
        Self(Arc::new(Bell { stir, state, outer: AtomicWaker::new() }))
    }

    fn count(self, life: impl Future<Output = ()> + 'static) -> Counted {
        Counted { life: Box::pin(life), bell: self }
    }
}

/// `life`, counted if it has a ticket.
pub(crate) fn counted<F: Future<Output = ()> + 'static>(
    ticket: Option<Ticket>,
    life: F,
) -> Either<Counted, F> {
    match ticket {
        Some(ticket) => Either::Left(ticket.count(life)),
        None => Either::Right(life),
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.answer(GONE);
    }
}

impl Future for Counted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let bell = Arc::clone(&self.bell.0);
        bell.outer.register(task.waker());
        let _running = bell.stir.running();
        bell.answer(RESTING);
        let waker = Waker::from(Arc::clone(&bell));
        self.life.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Context;

    use super::*;

    #[test]
    fn a_life_counts_until_it_rests_and_again_when_woken() {
        let stir = Arc::new(Stir::default());
        let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
        let ticket = Ticket::new(&stir);
        assert!(!stir.is_still(), "not yet run");
        let mut life = Box::pin(ticket.count(poll_fn(move |task| {
            sender.send(task.waker().clone()).unwrap();
            Poll::Pending
        })));
        let mut poll = || life.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll().is_pending());
        assert!(stir.is_still());
        let waker = receiver.recv().unwrap();
        waker.wake_by_ref();
        waker.wake_by_ref();
        assert!(!stir.is_still());
        assert!(poll().is_pending());
        assert!(stir.is_still());
        waker.wake_by_ref();
        drop(life);
        waker.wake();
        assert!(stir.is_still(), "a life that is gone is never woken");
    }
}
