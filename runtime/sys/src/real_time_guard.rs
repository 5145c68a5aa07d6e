//! A real-time thread that does not let go of its processor becomes a usual one, before it takes the machine.
//!
//! The kernel counts for each real-time thread how long it computes without a blocking call (`RLIMIT_RTTIME`,
//! getrlimit(2)), and sends the process `SIGXCPU` at the soft limit. Its default action would end the process; the
//! handler here puts every guarded thread back to usual scheduling instead. It makes system calls and uses atomics, and
//! nothing else.
//!
//! The limit is the process's and children inherit it, but it counts for real-time threads alone, and those are not
//! inherited ([`become_fifo`](crate::become_fifo)): it meets only a child that makes itself one. The kernel raises the
//! limit by a second when it has struck.

use std::ffi::c_int;
use std::io;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use crate::scheduling::{make_usual, thread_id};

/// So many threads can be guarded at once.
const GUARDED_MAX: usize = 16;

/// What the handler sees of a guarded thread.
struct Place {
    /// Its id; 0 while the place is free.
    thread: AtomicI32,
    /// How many threads have had the place, doubled, plus 1 when the present one was demoted.
    history: AtomicU64,
}

static PLACES: [Place; GUARDED_MAX] =
    [const { Place { thread: AtomicI32::new(0), history: AtomicU64::new(0) } }; GUARDED_MAX];

/// Guards the calling thread for as long as it is kept. Cannot leave its thread.
#[derive(Debug)]
pub struct RealTimeGuard {
    demotion: Demotion,
    stays_on_its_thread: PhantomData<*const ()>,
}

/// Tells whether a guarded thread was demoted; for any thread, as long as the [`RealTimeGuard`] is kept.
#[derive(Clone, Copy, Debug)]
pub struct Demotion {
    place: usize,
    tenant: u64,
}

impl RealTimeGuard {
    /// The time without a blocking call that is usually allowed: 200 ms.
    pub const DEFAULT_LIMIT: Duration = Duration::from_millis(200);

    /// The calling thread is demoted when it has been in real time and on a processor for `limit` without a blocking
    /// call. The limit is the whole process's, so the least that was ever asked for counts.
    ///
    /// # Errors
    /// The kernel's, when the limit or the handler cannot be set; `QuotaExceeded` when 16 threads are guarded.
    pub fn current_thread(limit: Duration) -> io::Result<Self> {
        install_handler()?;
        unblock_signal()?;
        let thread = thread_id();
        let free = PLACES.iter().position(|place| {
            place.thread.compare_exchange(0, thread, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        });
        let place = free.ok_or(io::ErrorKind::QuotaExceeded)?;
        let history = &PLACES[place].history;
        let tenant = (history.load(Ordering::Acquire) >> 1) + 1;
        history.store(tenant << 1, Ordering::Release);
        let guard = Self { demotion: Demotion { place, tenant }, stays_on_its_thread: PhantomData };
        lower_limit(limit)?;
        Ok(guard)
    }

    /// For other threads.
    #[must_use]
    pub fn demotion(&self) -> Demotion {
        self.demotion
    }
}

impl Drop for RealTimeGuard {
    fn drop(&mut self) {
        PLACES[self.demotion.place].thread.store(0, Ordering::Release);
    }
}

impl Demotion {
    /// Whether it has happened.
    #[must_use]
    pub fn has_happened(&self) -> bool {
        PLACES[self.place].history.load(Ordering::Acquire) == self.tenant << 1 | 1
    }
}

extern "C" fn demote(_signal: c_int) {
    // SAFETY: the address of the thread's own errno, which is valid as long as the thread is.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { *errno };
    let mut demoted = 0;
    for place in &PLACES {
        let thread = place.thread.load(Ordering::Acquire);
        let is_guarded = thread != 0 && place.history.load(Ordering::Acquire) & 1 == 0;
        if is_guarded && make_usual(thread).is_ok() {
            place.history.fetch_or(1, Ordering::AcqRel);
            demoted += 1;
        }
    }
    // The same signal says that the process has used up its processor time (`RLIMIT_CPU`), and then it is to end.
    if demoted == 0 && has_limited_time() {
        // SAFETY: both are safe in a handler. The signal is pending until the handler returns.
        unsafe {
            libc::signal(libc::SIGXCPU, libc::SIG_DFL);
            libc::raise(libc::SIGXCPU);
        }
    }
    // SAFETY: as above.
    unsafe { *errno = before };
}

fn has_limited_time() -> bool {
    limit_of(libc::RLIMIT_CPU).is_ok_and(|limit| limit.rlim_cur != libc::RLIM_INFINITY)
}

fn limit_of(resource: libc::__rlimit_resource_t) -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` lives throughout the call.
    if unsafe { libc::getrlimit(resource, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(limit)
}

/// Lowers the soft limit; one that is lower stays.
fn lower_limit(wanted: Duration) -> io::Result<()> {
    let wanted = u64::try_from(wanted.as_micros()).unwrap_or(u64::MAX);
    let mut limit = limit_of(libc::RLIMIT_RTTIME)?;
    if limit.rlim_cur <= wanted {
        return Ok(());
    }
    limit.rlim_cur = wanted;
    // SAFETY: `limit` lives throughout the call.
    if unsafe { libc::setrlimit(libc::RLIMIT_RTTIME, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn install_handler() -> io::Result<()> {
    // SAFETY: sigaction is a plain C struct for which all zeroes is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = demote as *const () as usize;
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: `action` is initialised, its handler is safe to run anywhere, the old action is not asked for.
    if unsafe { libc::sigaction(libc::SIGXCPU, &raw const action, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The signal goes to any thread that does not block it; a process may be started with all of them blocked.
fn unblock_signal() -> io::Result<()> {
    // SAFETY: sigset_t is a plain C struct for which all zeroes is a valid value.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` lives throughout the calls, the signal's number is valid, the old mask is not asked for.
    let result = unsafe {
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGXCPU);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(result)) }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::scheduling::{Scheduling, become_fifo, scheduling_of};

    #[test]
    fn a_real_time_thread_that_computes_for_ever_is_demoted_and_the_process_lives() {
        let spinner = thread::spawn(|| {
            let guard = RealTimeGuard::current_thread(Duration::from_millis(50)).unwrap();
            let demotion = guard.demotion();
            assert!(!demotion.has_happened());
            if let Err(error) = become_fifo(1) {
                assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
                println!("real time is not permitted here: {error}");
                return;
            }
            assert_eq!(scheduling_of(0).unwrap(), Scheduling::Fifo(1));
            while !demotion.has_happened() {
                std::hint::spin_loop();
            }
            assert!(matches!(scheduling_of(0).unwrap(), Scheduling::Usual(_)));
        });
        spinner.join().unwrap();
    }

    #[test]
    fn a_place_that_is_taken_again_has_forgotten() {
        let first = thread::spawn(|| {
            let guard = RealTimeGuard::current_thread(Duration::MAX).unwrap();
            PLACES[guard.demotion.place].history.fetch_or(1, Ordering::AcqRel);
            assert!(guard.demotion().has_happened());
            guard.demotion()
        });
        let before = first.join().unwrap();
        let guards: Vec<_> =
            (0..2).map(|_| RealTimeGuard::current_thread(Duration::MAX).unwrap()).collect();
        assert!(guards.iter().all(|guard| !guard.demotion().has_happened()));
        let is_reused = guards.iter().any(|guard| guard.demotion.place == before.place);
        assert!(!is_reused || !before.has_happened());
    }
}
