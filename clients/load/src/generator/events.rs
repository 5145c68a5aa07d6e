//! What the kernel says about all sockets, and waiting to the nanosecond: epoll beside a timer.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

/// Events taken at once.
const EVENTS_MAX: usize = 1024;
/// A wait below this is not one: waking up would take longer.
const SPIN_BELOW: Duration = Duration::from_micros(50);
/// What stands for the timer.
const TIMER: u64 = u64::MAX;

pub(super) struct Events {
    epoll: Epoll,
    timer: TimerFd,
    seen: Vec<EpollEvent>,
}

impl Events {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        // Told once each time it ends, so it need not be read.
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, TIMER))?;
        Ok(Self { epoll, timer, seen: vec![EpollEvent::empty(); EVENTS_MAX] })
    }

    /// Tells from now on when something has changed about a socket, until that is closed.
    pub(super) fn watch(&self, socket: impl AsFd, token: usize) -> io::Result<()> {
        let all = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP;
        let event = EpollEvent::new(all | EpollFlags::EPOLLET, token as u64);
        Ok(self.epoll.add(socket, event)?)
    }

    /// Waits for events, at most so long; puts their tokens into `tokens`. Whether it may have been idle meanwhile.
    pub(super) fn wait(&mut self, limit: Duration, tokens: &mut Vec<usize>) -> io::Result<bool> {
        let sleeps = limit >= SPIN_BELOW;
        if sleeps {
            // Awake a little before, and then spinning: the moment is met.
            let time = TimeSpec::from_duration((limit - SPIN_BELOW).max(Duration::from_nanos(1)));
            self.timer.set(Expiration::OneShot(time), TimerSetTimeFlags::empty())?;
        }
        let timeout = if sleeps { EpollTimeout::NONE } else { EpollTimeout::ZERO };
        let count = match self.epoll.wait(&mut self.seen, timeout) {
            Ok(count) => count,
            Err(nix::Error::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        tokens.clear();
        let sockets = self.seen[..count].iter().filter(|event| event.data() != TIMER);
        tokens.extend(sockets.filter_map(|event| usize::try_from(event.data()).ok()));
        Ok(sleeps || tokens.is_empty())
    }
}
