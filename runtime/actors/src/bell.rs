//! An event that costs next to nothing while nobody listens.
//!
//! [`Event::notify`] takes a lock, and makes its list when it is first called, whether anybody listens or not. Most
//! bells are rung far more often than they are listened to.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::task::{Context, Poll};

use event_listener::{Event, EventListener, IntoNotification};

#[derive(Default)]
pub(crate) struct Bell {
    listeners: AtomicU32,
    event: Event,
}

/// Completes when the bell is rung after it was made.
pub(crate) struct Listener<'a> {
    bell: &'a Bell,
    event: EventListener,
}

impl Bell {
    /// Listens from now on. Listen first, then look, then wait.
    pub(crate) fn listen(&self) -> Listener<'_> {
        self.listeners.fetch_add(1, Ordering::SeqCst);
        let event = self.event.listen();
        // Against the fence of the ringer: it sees the listener, or the listener sees what it rings for.
        fence(Ordering::SeqCst);
        Listener { bell: self, event }
    }

    /// Rings for all listeners, after whatever they wait for has been written.
    pub(crate) fn ring(&self) {
        fence(Ordering::SeqCst);
        if self.listeners.load(Ordering::SeqCst) != 0 {
            self.event.notify(usize::MAX);
        }
    }

    /// Rings for one listener more, by a caller whose last write was sequentially consistent.
    pub(crate) fn ring_for_one_more(&self) {
        if self.listeners.load(Ordering::SeqCst) != 0 {
            self.event.notify(1.additional());
        }
    }
}

impl Future for Listener<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.event).poll(cx)
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        self.bell.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}
