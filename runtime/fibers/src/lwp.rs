//! What everybody may see and use of an LWP. What only its thread touches is in `local.rs`.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicUsize, Ordering};

use parking_lot::Mutex;
use polling::Poller;

use crate::activity::Activity;
use crate::name::Running;
use crate::protocol::{idle::Bell, inbox::Inbox};
use crate::source::Watched;
use crate::work::Unstarted;

/// A message to an LWP.
#[derive(Debug)]
pub(crate) enum Letter {
    /// It was at rest and is to go on.
    Wake(Arc<Activity>),
    /// Work for this LWP only.
    Start(Unstarted),
}

/// Whether a place for an LWP is taken. The places of the pool's own LWPs always are; those of spares come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// No thread.
    Vacant,
    /// Takes any work.
    Full,
    /// Takes no more work that others could take, and ends when it has none.
    Retiring,
}

/// The shared side of one LWP.
#[derive(Debug)]
pub(crate) struct Lwp {
    pub(crate) index: usize,
    pub(crate) inbox: Inbox<Letter>,
    pub(crate) bell: Bell,
    pub(crate) poller: Poller,
    pub(crate) sources: Mutex<Sources>,
    pub(crate) running: Running,
    pub(crate) counts: Counts,
    /// Kernel's thread id; 0 before the thread runs.
    thread: AtomicI32,
    duty: AtomicU8,
}

/// Descriptors that an LWP watches.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// Never used twice: an event that is late cannot be taken for another's.
    pub(crate) next_key: usize,
    pub(crate) watched: HashMap<usize, Arc<Watched>>,
}

/// Written by the LWP (the last two by others too), read by who looks.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) ready: AtomicUsize,
    pub(crate) suspended: AtomicUsize,
    pub(crate) at_rest: AtomicUsize,
    pub(crate) idle_runners: AtomicUsize,
    pub(crate) sources: AtomicUsize,
    pub(crate) offloaded: AtomicUsize,
}

impl Lwp {
    pub(crate) fn new(index: usize, duty: Duty) -> io::Result<Self> {
        Ok(Self {
            index,
            inbox: Inbox::new(),
            bell: Bell::new(),
            poller: Poller::new()?,
            sources: Mutex::default(),
            running: Running::new(),
            counts: Counts::default(),
            thread: AtomicI32::new(0),
            duty: AtomicU8::new(duty as u8),
        })
    }

    /// Wakes it if it sleeps. What it is woken for must be visible before.
    pub(crate) fn ring(&self) {
        if self.bell.ring() {
            self.notify();
        }
    }

    /// Ends the sleep of an LWP whose bell was rung.
    pub(crate) fn notify(&self) {
        if let Err(error) = self.poller.notify() {
            tracing::error!(lwp = self.index, %error, "an LWP cannot be woken");
        }
    }

    pub(crate) fn thread(&self) -> i32 {
        self.thread.load(Ordering::Acquire)
    }

    pub(crate) fn set_thread(&self, thread: i32) {
        self.thread.store(thread, Ordering::Release);
    }

    pub(crate) fn duty(&self) -> Duty {
        match self.duty.load(Ordering::SeqCst) {
            0 => Duty::Vacant,
            1 => Duty::Full,
            _ => Duty::Retiring,
        }
    }

    pub(crate) fn set_duty(&self, duty: Duty) {
        self.duty.store(duty as u8, Ordering::SeqCst);
    }

    /// True if the duty was `from`.
    pub(crate) fn change_duty(&self, from: Duty, to: Duty) -> bool {
        let (from, to) = (from as u8, to as u8);
        self.duty.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}
