//! The time limits of one connection, while it is served: from when each counts, and until when it lasts.

use std::cell::Cell;
use std::io;
use std::net::TcpStream;
use std::time::Duration;

use palco_actors::{Clock, Time};

use crate::deadlines::{Deadlines, TimeLimit};
use crate::timer::Timer;

/// A receive timeout that is longer than what is left by no more than this part of it is as good.
const COARSENESS: u32 = 16;

/// The moment at which a limit is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    pub(crate) at: Time,
    pub(crate) limit: TimeLimit,
}

/// What is known of a connection's times.
#[derive(Debug)]
pub(crate) struct Timing<'a> {
    limits: &'a Deadlines,
    timer: Timer<'a>,
    /// When the first byte of the next request, or in the beginning the connection, had come.
    header_since: Cell<Option<Time>>,
    idle_since: Cell<Option<Time>>,
    /// For how long the body of the request that is being received was waited for, and what it has brought.
    body_waited: Cell<Duration>,
    body_bytes: Cell<u64>,
    /// Requests that had begun when that was last looked at.
    requests: Cell<u64>,
    /// The request whose call is timed, and until when it may take.
    call: Cell<Option<(u64, Time)>>,
    /// `SO_RCVTIMEO` of a socket that blocks.
    receive_timeout: Cell<Option<Duration>>,
}

impl<'a> Timing<'a> {
    /// Of a connection that begins to be served.
    pub(crate) fn new(limits: &'a Deadlines, clock: &'a Clock) -> Self {
        let timer = Timer::new(clock);
        let header_since = Cell::new(limits.header.is_some().then(|| timer.now()));
        Self {
            limits,
            timer,
            header_since,
            idle_since: Cell::default(),
            body_waited: Cell::default(),
            body_bytes: Cell::default(),
            requests: Cell::default(),
            call: Cell::default(),
            receive_timeout: Cell::default(),
        }
    }

    pub(crate) fn timer(&self) -> &Timer<'a> {
        &self.timer
    }

    // The next request

    /// So many requests have begun.
    pub(crate) fn note_requests(&self, requests: u64) {
        if self.requests.replace(requests) != requests {
            self.header_since.set(None);
            self.idle_since.set(None);
            self.body_waited.set(Duration::ZERO);
            self.body_bytes.set(0);
        }
    }

    /// Until when more of the next request may come, of which so many bytes have.
    pub(crate) fn for_request(&self, unread: usize) -> Option<Until> {
        if unread == 0 && self.header_since.get().is_none() {
            let idle = self.limits.idle?;
            let since = self.since(&self.idle_since);
            return Some(Until { at: since + idle, limit: TimeLimit::Idle });
        }
        self.idle_since.set(None);
        let header = self.limits.header?;
        let longest = header + self.limits.earned(unread as u64);
        let within = self.limits.header_max.map_or(longest, |max| longest.min(max));
        Some(Until { at: self.since(&self.header_since) + within, limit: TimeLimit::Header })
    }

    fn since(&self, began: &Cell<Option<Time>>) -> Time {
        let since = began.get().unwrap_or_else(|| self.timer.now());
        began.set(Some(since));
        since
    }

    // The request that is being received

    /// Until when more of it may come, and since when it is waited for.
    pub(crate) fn for_body(&self) -> Option<(Until, Time)> {
        let body = self.limits.body?;
        let now = self.timer.now();
        let left = match self.limits.min_rate {
            Some(_) => {
                let most = body + self.limits.earned(self.body_bytes.get());
                body.min(most.saturating_sub(self.body_waited.get()))
            }
            None => body,
        };
        Some((Until { at: now + left, limit: TimeLimit::Body }, now))
    }

    /// The wait is over, and so many bytes have come.
    pub(crate) fn note_body(&self, since: Time, bytes: usize) {
        self.body_waited.set(self.body_waited.get() + self.timer.now().since(since));
        self.body_bytes.set(self.body_bytes.get().saturating_add(bytes as u64));
    }

    // The call

    /// Until when the call for this request may take; counts from the first time that it is asked.
    pub(crate) fn for_call(&self, number: impl FnOnce() -> u64) -> Option<Time> {
        let handler = self.limits.handler?;
        let number = number();
        let timed = self.call.get().filter(|(timed, _)| *timed == number);
        let (_, until) = timed.unwrap_or_else(|| (number, self.timer.now() + handler));
        self.call.set(Some((number, until)));
        Some(until)
    }

    /// What was called has returned.
    pub(crate) fn end_call(&self) {
        self.call.set(None);
    }

    /// Whether calls in this process are watched by its parent.
    pub(crate) fn is_watched(&self) -> bool {
        self.limits.worker.is_some()
    }

    // The answer

    /// In which time something of an answer must be taken.
    pub(crate) fn send_limit(&self) -> Option<Duration> {
        self.limits.send
    }

    /// A wait for a full send buffer, in which something must be taken within `send`, begins: the first for what is being
    /// sent, or one more. So many bytes are left, those to be written and those on their way. Nothing if the client has
    /// been too slow already.
    pub(crate) fn wait_to_send<'s, 'w>(
        &'s self,
        waits: &'w mut Option<Sending<'s>>,
        send: Duration,
        left: usize,
    ) -> Option<&'w mut Sending<'s>> {
        let now = self.timer.now();
        let first =
            || Sending { timing: self, send, began: now, left_first: left, left, until: now };
        let sending = waits.get_or_insert_with(first);
        (!sending.is_late(now, left)).then_some(sending)
    }

    // A socket that blocks

    /// Has a read of `socket` give up at about `until`; false if that has come.
    pub(crate) fn arm(&self, socket: &TcpStream, until: Option<Until>) -> io::Result<bool> {
        let left = match until.map(|until| self.timer.left(until.at)) {
            None => None,
            Some(None) => return Ok(false),
            Some(left) => left,
        };
        let is_armed = match (self.receive_timeout.get(), left) {
            (None, None) => true,
            (Some(armed), Some(left)) => armed >= left && armed - left <= armed / COARSENESS,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !is_armed {
            socket.set_read_timeout(left)?;
            self.receive_timeout.set(left);
        }
        Ok(true)
    }
}

/// The waits for a client to take what is being sent to it.
#[derive(Debug)]
pub(crate) struct Sending<'a> {
    timing: &'a Timing<'a>,
    send: Duration,
    began: Time,
    /// Bytes that the client had not taken when the first wait began, and when it was looked at last.
    left_first: usize,
    left: usize,
    pub(crate) until: Time,
}

impl Sending<'_> {
    /// `until` has come, and so many bytes are left: whether the client takes too long. If not, there is another `until`.
    pub(crate) fn is_over(&mut self, left: usize) -> bool {
        let has_taken = left < self.left;
        self.is_late(self.timing.timer.now(), left) || !has_taken
    }

    /// Whether the client was slower than the lowest rate since the first wait. If not, there is another `until`.
    fn is_late(&mut self, now: Time, left: usize) -> bool {
        self.left = left;
        self.until = now + self.send;
        let limits = &self.timing.limits;
        if limits.min_rate.is_some() {
            let taken = self.left_first.saturating_sub(left) as u64;
            self.until = self.until.min(self.began + self.send + limits.earned(taken));
        }
        self.until <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pass(clock: &Clock, seconds: u64) {
        palco_threads::block_on(
            clock.advance(SECOND * u32::try_from(seconds).unwrap(), || async {}),
        );
    }

    fn after(until: Option<Until>) -> Option<(TimeLimit, u64)> {
        until.map(|until| (until.limit, (until.at - Time::START).as_secs()))
    }

    #[test]
    fn without_limits_nothing_is_timed() {
        let clock = Clock::virtual_time();
        let limits = Deadlines::default();
        let timing = Timing::new(&limits, &clock);
        assert_eq!(after(timing.for_request(0)), None);
        assert_eq!(after(timing.for_request(7)), None);
        assert!(timing.for_body().is_none() && timing.for_call(|| 1).is_none());
        assert_eq!(timing.send_limit(), None);
    }

    #[test]
    fn a_head_counts_from_the_connection_then_from_its_first_byte_and_grows_with_what_comes() {
        let clock = Clock::virtual_time();
        let limits = Deadlines {
            header: Some(10 * SECOND),
            header_max: Some(20 * SECOND),
            idle: Some(60 * SECOND),
            min_rate: Some(100),
            ..Deadlines::default()
        };
        let timing = Timing::new(&limits, &clock);
        assert_eq!(after(timing.for_request(0)), Some((TimeLimit::Header, 10)));
        pass(&clock, 5);
        assert_eq!(after(timing.for_request(300)), Some((TimeLimit::Header, 13)));
        assert_eq!(after(timing.for_request(9_999)), Some((TimeLimit::Header, 20)));
        timing.note_requests(1);
        assert_eq!(after(timing.for_request(0)), Some((TimeLimit::Idle, 65)));
        pass(&clock, 5);
        assert_eq!(after(timing.for_request(0)), Some((TimeLimit::Idle, 65)), "looked at again");
        assert_eq!(after(timing.for_request(1)), Some((TimeLimit::Header, 20)));
        timing.note_requests(2);
        assert_eq!(after(timing.for_request(0)), Some((TimeLimit::Idle, 70)));
    }

    #[test]
    fn a_body_is_given_time_for_each_wait_and_with_a_rate_for_all_of_them() {
        let body = Some(10 * SECOND);
        let (clock, limits) = (Clock::virtual_time(), Deadlines { body, ..Deadlines::default() });
        let free = Timing::new(&limits, &clock);
        let (_, since) = free.for_body().unwrap();
        pass(&clock, 8);
        free.note_body(since, 1);
        assert_eq!((free.for_body().unwrap().0.at - Time::START).as_secs(), 18);

        let clock = Clock::virtual_time();
        let limits = Deadlines { min_rate: Some(100), ..limits };
        let rated = Timing::new(&limits, &clock);
        let (_, since) = rated.for_body().unwrap();
        pass(&clock, 8);
        rated.note_body(since, 300);
        pass(&clock, 100); // in the handler
        assert_eq!((rated.for_body().unwrap().0.at - Time::START).as_secs(), 113);
    }

    #[test]
    fn each_call_has_its_time_and_looking_again_gives_no_more() {
        let clock = Clock::virtual_time();
        let limits = Deadlines { handler: Some(10 * SECOND), ..Deadlines::default() };
        let timing = Timing::new(&limits, &clock);
        let first = timing.for_call(|| 1);
        pass(&clock, 5);
        assert_eq!(timing.for_call(|| 1), first);
        assert!(timing.for_call(|| 2) > first);
        pass(&clock, 5);
        timing.end_call();
        assert_eq!(timing.for_call(|| 2), Some(Time::START + 20 * SECOND));
    }

    #[test]
    fn who_takes_nothing_is_late_and_who_takes_too_little_where_there_is_a_rate() {
        let send = Some(10 * SECOND);
        for (min_rate, slow_is_over) in [(None, false), (Some(100), true)] {
            let clock = Clock::virtual_time();
            let limits = Deadlines { send, min_rate, ..Deadlines::default() };
            let timing = Timing::new(&limits, &clock);
            let mut waits = None;
            let sending = timing.wait_to_send(&mut waits, 10 * SECOND, 10_000).unwrap();
            pass(&clock, 10);
            assert!(!sending.is_over(9_500), "50 bytes a second for now");
            pass(&clock, 10);
            assert_eq!(sending.is_over(9_499), slow_is_over);
            let mut waits = None;
            let sending = timing.wait_to_send(&mut waits, 10 * SECOND, 10_000).unwrap();
            pass(&clock, 10);
            assert!(sending.is_over(10_000));
        }
    }

    #[test]
    fn all_waits_for_what_is_being_sent_count_together_where_there_is_a_rate() {
        for (min_rate, is_over) in [(None, false), (Some(100), true)] {
            let clock = Clock::virtual_time();
            let limits = Deadlines { send: Some(10 * SECOND), min_rate, ..Deadlines::default() };
            let timing = Timing::new(&limits, &clock);
            let mut waits = None;
            // Every 5 s there is room for 50 bytes: each wait is short, and all are too long.
            for left in [10_000, 9_950, 9_900] {
                assert!(timing.wait_to_send(&mut waits, 10 * SECOND, left).is_some());
                pass(&clock, 5);
            }
            // 150 bytes earn 1.5 s more than 10 s.
            assert_eq!(timing.wait_to_send(&mut waits, 10 * SECOND, 9_850).is_none(), is_over);
        }
    }
}
