//! What the LWPs of a pool have in common.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::deque::{Injector, Stealer};
use parking_lot::Mutex;

use crate::NoStack;
use crate::helpers::Helpers;
use crate::lwp::{Home, here};
use crate::name::Names;
use crate::stack::Stacks;
use crate::watchdog::Stalls;
use crate::work::Start;

/// What a fiber that waits takes along of what its thread remembers for it, and what it puts back when it goes on.
#[derive(Clone, Copy)]
pub struct Carry {
    /// Takes it from the thread.
    pub take: fn() -> Option<Box<dyn Any>>,
    /// Puts it back.
    pub put: fn(Option<Box<dyn Any>>),
}

pub(crate) struct Shared {
    pub(crate) stacks: Arc<Stacks>,
    pub(crate) names: Arc<Names>,
    /// Work that has not begun, from outside.
    pub(crate) injector: Injector<Start>,
    /// One for each of `homes`.
    pub(crate) stealers: Vec<Stealer<Start>>,
    /// The LWPs, and behind them the spares.
    pub(crate) homes: Vec<Arc<Home>>,
    pub(crate) lwps: usize,
    pub(crate) helpers: Helpers,
    pub(crate) stalls: Stalls,
    pub(crate) carry: Option<Carry>,
    /// Whether `blocking` gives the call away.
    pub(crate) offloads: bool,
    stopping: AtomicBool,
    no_stack: AtomicU64,
    told_of_no_stack: Mutex<bool>,
}

pub(crate) struct Parts {
    pub(crate) stacks: Arc<Stacks>,
    pub(crate) stealers: Vec<Stealer<Start>>,
    pub(crate) homes: Vec<Arc<Home>>,
    pub(crate) lwps: usize,
    pub(crate) helpers: Helpers,
    pub(crate) stalls: Stalls,
    pub(crate) carry: Option<Carry>,
    pub(crate) offloads: bool,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Parts { stacks, stealers, homes, lwps, helpers, stalls, carry, offloads } = parts;
        Arc::new(Self {
            stacks,
            names: Arc::default(),
            injector: Injector::new(),
            stealers,
            homes,
            lwps,
            helpers,
            stalls,
            carry,
            offloads,
            stopping: AtomicBool::new(false),
            no_stack: AtomicU64::new(0),
            told_of_no_stack: Mutex::new(false),
        })
    }

    /// Queues work for whichever LWP has time first.
    pub(crate) fn start(self: &Arc<Self>, start: Start) {
        match here().filter(|lwp| Arc::ptr_eq(&lwp.shared, self)) {
            Some(lwp) => lwp.start_here(start),
            None => self.injector.push(start),
        }
        self.rouse_one();
    }

    /// One sleeper, if there is one, looks for work.
    pub(crate) fn rouse_one(&self) {
        let _ = self.homes.iter().any(|home| home.rouse());
    }

    /// Whether an LWP is stuck, so that others must do its work.
    pub(crate) fn needs_spares(&self) -> bool {
        self.stalls.are_there()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// True the first time.
    pub(crate) fn stop(&self) -> bool {
        let first = !self.stopping.swap(true, Ordering::SeqCst);
        for home in &self.homes {
            home.rouse();
        }
        self.helpers.stop();
        first
    }

    /// Work waits for a stack.
    pub(crate) fn note_no_stack(&self, error: &NoStack) {
        self.no_stack.fetch_add(1, Ordering::Relaxed);
        let mut told = self.told_of_no_stack.lock();
        if !*told {
            *told = true;
            tracing::warn!(%error, "work waits for a stack");
        }
    }

    /// How often work had to wait for a stack.
    pub(crate) fn no_stack(&self) -> u64 {
        self.no_stack.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Carry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carry").finish_non_exhaustive()
    }
}
