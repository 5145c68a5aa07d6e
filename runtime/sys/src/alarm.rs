//! End the calling thread's own blocking calls with `EINTR` after a while, and again and again from then on.
//!
//! A timeout of its own for each wait costs the kernel a timer each time; who waits a million times and hangs at most once
//! sets one alarm for all of them. It repeats, because a signal just before a call begins is lost by nature.

use std::io;
use std::marker::PhantomData;
use std::ptr;
use std::time::Duration;

use crate::interrupt::{Registration, interrupt_signal};

/// Set for the calling thread until it is dropped. Not inherited by a fork. Cannot leave its thread.
#[derive(Debug)]
pub struct Alarm {
    timer: libc::timer_t,
    _interruptible: Registration,
    stays_on_its_thread: PhantomData<*const ()>,
}

impl Alarm {
    /// The first signal comes after `first`, then one each `every`; neither is zero (then it would never come). Calls that
    /// start again by themselves on `EINTR`, as most of std's do, are not ended.
    ///
    /// # Errors
    /// `InvalidInput` for a time of zero; the kernel's, when it has no more timers.
    pub fn set(first: Duration, every: Duration) -> io::Result<Self> {
        if first.is_zero() || every.is_zero() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let interruptible = Registration::current_thread()?;
        // SAFETY: sigevent is a plain C struct for which all zeroes is a valid value.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = interrupt_signal();
        // SAFETY: gettid takes no arguments and cannot fail.
        event.sigev_notify_thread_id = unsafe { libc::gettid() };
        let mut timer: libc::timer_t = ptr::null_mut();
        // SAFETY: both live throughout the call; the signal has a handler, which does nothing.
        let made =
            unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) };
        if made != 0 {
            return Err(io::Error::last_os_error());
        }
        let alarm = Self { timer, _interruptible: interruptible, stays_on_its_thread: PhantomData };
        let times =
            libc::itimerspec { it_interval: timespec_of(every), it_value: timespec_of(first) };
        // SAFETY: the timer is this value's, `times` lives throughout the call, the old ones are not asked for.
        let set = unsafe { libc::timer_settime(alarm.timer, 0, &raw const times, ptr::null_mut()) };
        if set != 0 { Err(io::Error::last_os_error()) } else { Ok(alarm) }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: the timer was made by this value and is deleted once.
        unsafe { libc::timer_delete(self.timer) };
    }
}

fn timespec_of(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_ever_ends_as_interrupted() {
        let (reader, _writer) = io::pipe().unwrap();
        let alarm = Alarm::set(Duration::from_millis(1), Duration::from_millis(1)).unwrap();
        let mut byte = [0_u8; 1];
        let read = io::Read::read(&mut &reader, &mut byte);
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::Interrupted);
        drop(alarm);
    }

    #[test]
    fn an_alarm_that_would_never_ring_is_refused() {
        let second = Duration::from_secs(1);
        assert!(Alarm::set(Duration::ZERO, second).is_err());
        assert!(Alarm::set(second, Duration::ZERO).is_err());
    }
}
