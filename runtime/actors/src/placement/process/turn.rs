//! In the process: the waking of its one loop, from other threads and from its own handlers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Wake;

use nix::sys::eventfd::{EfdFlags, EventFd};

/// Says that the loop has work without having read anything.
#[derive(Debug)]
pub(crate) struct Turn {
    is_due: AtomicBool,
    sleeps: AtomicBool,
    bell: EventFd,
    /// Urgent messages that the loop has read.
    pub(crate) urgent_seen: AtomicU64,
}

impl Turn {
    pub(crate) fn new() -> io::Result<Self> {
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self {
            is_due: AtomicBool::new(false),
            sleeps: AtomicBool::new(false),
            bell,
            urgent_seen: AtomicU64::new(0),
        })
    }

    pub(crate) fn bell(&self) -> &EventFd {
        &self.bell
    }

    pub(crate) fn wake_up(&self) {
        if self.is_due.swap(true, Ordering::SeqCst) {
            return; // it is on its way
        }
        // SeqCst against `goes_to_sleep`: either the loop sees that it is due, or it is seen asleep.
        if self.sleeps.load(Ordering::SeqCst) && self.sleeps.swap(false, Ordering::SeqCst) {
            // Full: it will wake anyway.
            let _ = self.bell.write(1);
        }
    }

    pub(crate) fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Relaxed)
    }

    /// Takes the turn that is due.
    pub(crate) fn take(&self) -> bool {
        self.is_due.swap(false, Ordering::SeqCst)
    }

    /// Whether the loop may sleep: from now on [`Self::wake_up`] rings the bell.
    pub(crate) fn goes_to_sleep(&self) -> bool {
        self.sleeps.store(true, Ordering::SeqCst);
        if self.is_due.load(Ordering::SeqCst) {
            self.sleeps.store(false, Ordering::SeqCst);
            return false;
        }
        true
    }

    pub(crate) fn has_slept(&self) {
        if !self.sleeps.swap(false, Ordering::SeqCst) {
            let _ = self.bell.read();
        }
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_up();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_up();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::super::page::Page;
    use super::super::post::Post;
    use super::super::wire::Incoming;
    use super::*;

    #[test]
    fn a_socket_has_something_once_it_is_announced_and_until_it_is_read() {
        let page: &'static Page = Box::leak(Box::new(Page::create().unwrap()));
        let (there, here) = UnixStream::pair().unwrap();
        let turn = Arc::new(Turn::new().unwrap());
        let post = Post::new(here.try_clone().unwrap(), None, page, turn, 1 << 10, 100);
        assert!(!post.spin());
        (&there).write_all(b"abc").unwrap();
        page.announce_bytes(3);
        assert!(post.spin());
        let mut incoming = Incoming::default();
        assert!(post.read(&here, true, &mut incoming).unwrap());
        assert_eq!(incoming.buffer(), b"abc");
        assert!(!post.spin());
    }

    #[test]
    fn a_turn_that_is_due_keeps_the_loop_awake_and_one_that_comes_wakes_it() {
        let turn = Turn::new().unwrap();
        turn.wake_up();
        turn.wake_up();
        assert!(!turn.goes_to_sleep() && turn.take() && !turn.take());
        assert!(turn.goes_to_sleep());
        turn.wake_up();
        turn.wake_up();
        assert_eq!(turn.bell().read(), Ok(1), "rung once");
        assert!(turn.is_due());
    }
}
