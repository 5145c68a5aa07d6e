//! What others see of an LWP, and how they reach it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering, fence};

use crossbeam::utils::CachePadded;
use parking_lot::Mutex;

use super::here;
use crate::reactor::Reactor;
use crate::unit::Unit;
use crate::work::Start;

/// What runs when nothing does.
const NOBODY: u32 = u32::MAX;

pub(crate) struct Home {
    pub(crate) index: usize,
    /// Started while others are blocked, and gone when it is not needed.
    pub(crate) is_spare: bool,
    pub(crate) reactor: Reactor,
    mail: CachePadded<Mutex<VecDeque<Mail>>>,
    has_mail: AtomicBool,
    is_asleep: AtomicBool,
    /// The kernel's id; 0 before and after, -1 while it is being started.
    thread: AtomicI32,
    /// Pieces of work taken; written by its thread only.
    turns: CachePadded<AtomicU64>,
    /// Whose turn it is, by number of name.
    running: AtomicU32,
}

/// From other threads.
pub(crate) enum Mail {
    Wake(Arc<Unit>),
    Start(Start),
}

impl Home {
    pub(crate) fn new(index: usize, is_spare: bool) -> std::io::Result<Self> {
        Ok(Self {
            index,
            is_spare,
            reactor: Reactor::new()?,
            mail: CachePadded::default(),
            has_mail: AtomicBool::new(false),
            is_asleep: AtomicBool::new(false),
            thread: AtomicI32::new(0),
            turns: CachePadded::default(),
            running: AtomicU32::new(NOBODY),
        })
    }

    /// A unit of this LWP has been woken, by whichever thread.
    pub(crate) fn queue(&self, unit: Arc<Unit>) {
        match here().filter(|lwp| std::ptr::eq(&raw const *lwp.home, self)) {
            Some(lwp) => lwp.queue_here(unit),
            None => self.post(Mail::Wake(unit)),
        }
    }

    pub(crate) fn post(&self, mail: Mail) {
        self.mail.lock().push_back(mail);
        self.has_mail.store(true, Ordering::SeqCst);
        self.rouse();
    }

    /// Wakes it if it sleeps, after whatever it is to find has been written. True if it did.
    pub(crate) fn rouse(&self) -> bool {
        fence(Ordering::SeqCst);
        let slept =
            self.is_asleep.load(Ordering::SeqCst) && self.is_asleep.swap(false, Ordering::SeqCst);
        if slept {
            self.reactor.interrupt();
        }
        slept
    }

    pub(super) fn has_mail(&self) -> bool {
        self.has_mail.load(Ordering::SeqCst)
    }

    pub(super) fn take_mail(&self) -> VecDeque<Mail> {
        self.has_mail.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.mail.lock())
    }

    pub(super) fn go_to_sleep(&self) {
        self.is_asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    pub(super) fn wake_up(&self) {
        self.is_asleep.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_asleep(&self) -> bool {
        self.is_asleep.load(Ordering::SeqCst)
    }

    pub(super) fn count_turn(&self, turns: u64) {
        self.turns.store(turns, Ordering::Relaxed);
    }

    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    pub(super) fn say_running(&self, name: u32) {
        self.running.store(name, Ordering::Relaxed);
    }

    pub(super) fn say_idle(&self) {
        self.running.store(NOBODY, Ordering::Relaxed);
    }

    /// The number of the name of what runs.
    pub(crate) fn running(&self) -> Option<u32> {
        Some(self.running.load(Ordering::Relaxed)).filter(|name| *name != NOBODY)
    }

    pub(super) fn note_thread(&self) {
        self.thread.store(palco_sys::thread_id(), Ordering::Release);
    }

    /// A spare that nobody runs begins to be run: true for one who asks.
    pub(crate) fn claim(&self) -> bool {
        self.thread.compare_exchange(0, -1, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    pub(crate) fn note_end(&self) {
        self.thread.store(0, Ordering::Release);
    }

    /// The kernel's id of its thread, while it runs.
    pub(crate) fn thread(&self) -> Option<i32> {
        Some(self.thread.load(Ordering::Acquire)).filter(|id| *id > 0)
    }

    pub(super) fn clear(&self) {
        let mail = self.take_mail();
        drop(mail);
    }
}
