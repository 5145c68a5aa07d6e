//! Drive one future on the current thread.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::Parker;

thread_local! {
    /// One parker per thread, taken out while in use so that a nested call makes its own.
    static PARKER: Cell<Option<(Arc<Parker>, Waker)>> = const { Cell::new(None) };
}

/// Runs `future` to its end on the calling thread, which sleeps while the future waits (see [`Parker`]).
///
/// Needs no runtime around it and may be nested. Never call it inside an event loop: it would stop the loop.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let (parker, waker) = PARKER.take().unwrap_or_else(|| {
        let parker = Arc::new(Parker::new());
        let waker = Waker::from(Arc::clone(&parker));
        (parker, waker)
    });
    let working = parker.enter();
    let mut future = pin!(future);
    let mut context = Context::from_waker(&waker);
    let output = loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => break output,
            Poll::Pending => working.park(),
        }
    };
    drop(working);
    PARKER.set(Some((parker, waker)));
    output
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::thread;

    use super::*;

    #[test]
    fn a_wake_from_another_thread_is_never_lost() {
        for _ in 0..1_000 {
            let mut waker_thread = None;
            block_on(poll_fn(|cx| {
                if waker_thread.is_some() {
                    return Poll::Ready(());
                }
                let waker = cx.waker().clone();
                waker_thread = Some(thread::spawn(move || waker.wake()));
                Poll::Pending
            }));
            waker_thread.unwrap().join().unwrap();
        }
    }

    #[test]
    fn nested_calls_do_not_steal_each_others_wakes() {
        assert_eq!(block_on(async { block_on(async { 20 }) + 1 }), 21);
    }
}
