//! What std has for threads. Its waits cannot be ended from outside: an end that is dropped tells the other one.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};

use super::{End, Role, Ticket, gone};

/// Whose turn it is, and whether both sides are still there.
#[derive(Debug)]
struct State {
    turn: Option<Role>,
    has_ended: bool,
}

#[derive(Debug)]
struct Desk {
    state: Mutex<State>,
    /// One a side, so that a notification wakes the one that is meant.
    changed: [Condvar; 2],
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock and a condition.
#[derive(Debug)]
pub(crate) struct Condition {
    desk: Arc<Desk>,
    role: Role,
}

impl Condition {
    pub(crate) fn pair() -> [Self; 2] {
        let state = Mutex::new(State { turn: None, has_ended: false });
        let desk = Arc::new(Desk { state, changed: [Condvar::new(), Condvar::new()] });
        [Role::First, Role::Second].map(|role| Self { desk: desk.clone(), role })
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.desk.lock());
        self.desk.changed[self.role.peer().index()].notify_one();
    }
}

impl End for Condition {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        let peer = self.role.peer();
        self.tell(|state| state.turn = Some(peer));
        Ok(())
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        let mut state = self.desk.lock();
        while state.turn != Some(self.role) {
            if state.has_ended {
                return Err(gone());
            }
            let changed = &self.desk.changed[self.role.index()];
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.turn = None;
        Ok(())
    }
}

impl Drop for Condition {
    fn drop(&mut self) {
        self.tell(|state| state.has_ended = true);
    }
}

#[derive(Debug, Default)]
struct Couple {
    threads: [OnceLock<Thread>; 2],
    has_turn: [AtomicBool; 2],
    has_ended: AtomicBool,
}

/// A flag and the thread that is parked for it.
#[derive(Debug)]
pub(crate) struct Park {
    couple: Arc<Couple>,
    role: Role,
}

/// As [`Park`], not yet on its thread.
#[derive(Debug)]
pub(crate) struct ParkTicket(Park);

impl Park {
    pub(crate) fn pair() -> [ParkTicket; 2] {
        let couple = Arc::new(Couple::default());
        [Role::First, Role::Second].map(|role| ParkTicket(Self { couple: couple.clone(), role }))
    }

    #[inline]
    fn unpark(&self) {
        if let Some(thread) = self.couple.threads[self.role.peer().index()].get() {
            thread.unpark();
        }
    }
}

impl Ticket for ParkTicket {
    type End = Park;

    fn arrive(self) -> io::Result<Park> {
        self.0.couple.threads[self.0.role.index()].get_or_init(thread::current);
        Ok(self.0)
    }
}

impl End for Park {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        self.couple.has_turn[self.role.peer().index()].store(true, Ordering::Release);
        self.unpark();
        Ok(())
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        let own = &self.couple.has_turn[self.role.index()];
        while !own.load(Ordering::Acquire) {
            if self.couple.has_ended.load(Ordering::Acquire) {
                return Err(gone());
            }
            thread::park();
        }
        own.store(false, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Park {
    fn drop(&mut self) {
        self.couple.has_ended.store(true, Ordering::Release);
        self.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_a_side_that_has_ended_gives_up() {
        let [mut first, second] = Condition::pair();
        let waiter = thread::spawn(move || first.take(&mut []));
        drop(second);
        assert_eq!(waiter.join().unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
        let [first, second] = Park::pair();
        let waiter = thread::spawn(move || first.arrive()?.take(&mut []));
        drop(second);
        assert_eq!(waiter.join().unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn what_was_passed_is_taken_although_the_giver_has_ended() {
        let [mut first, mut second] = Condition::pair();
        second.pass(&[]).unwrap();
        drop(second);
        first.take(&mut []).unwrap();
    }
}
