//! Where the connections of a server stand: one line of words for each that can be held, which whoever serves it writes
//! and the urgent thread reads, also across processes.
//!
//! Nothing is locked, and nobody waits for anybody. A reader looks at the serial number before and after: a line that
//! has changed hands in between said nothing.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use palco_core::{Nice, RequestState};
use palco_sys::SharedWords;

use crate::seats::Seats;

/// Words of one line: two cache lines, so that neighbours do not slow each other down. The first line is the header.
pub(crate) const LINE_WORDS: usize = 16;

/// In the header: how many connections there have been.
const SERIALS: usize = 0;

/// The connection's serial number, from 1; 0 while there is none.
const SERIAL: usize = 0;
/// The number of its latest request, and whether that is being served (the lowest bit).
const PROGRESS: usize = 1;
/// The number of the request that is to be given up; 0 for none.
const CANCEL: usize = 2;
/// The number of the request that a hold was asked for; 0 for none.
const HOLD: usize = 3;
/// The nice value of the request that is being served, moved by [`NICE_OFFSET`]; 0 as long as nobody has set one.
const NICE: usize = 4;
/// The kernel's id of the thread that serves; 0 on an event loop.
const THREAD: usize = 5;
/// When the latest request began, in milliseconds of the kernel's monotonic clock.
const BEGAN: usize = 6;
/// The client's address: two words of IPv6, one of the port.
const PEER: usize = 7;
/// The socket's descriptor in the process that serves, plus 1.
const SOCKET: usize = 10;
/// Not 0 when urgent data has come that is for the codec.
const URGENT: usize = 11;
/// Not 0 when urgent data is the codec's.
const INLINE: usize = 12;
/// Not 0 when an urgent byte has been taken.
const MARK: usize = 13;

/// How many times a call has begun or returned, where that is watched: odd while one is going on.
const CALLS: usize = 14;

/// Nice values are negative too, and 0 is no nice value.
const NICE_OFFSET: u64 = 64;

/// The lines of one server.
#[derive(Clone, Debug)]
pub(crate) enum Lines {
    /// In memory of their own.
    Own(Arc<SharedWords>),
    /// Behind the seats of its processes.
    Seats(Arc<Seats>),
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a>(&'a [AtomicU64]);

/// Words that so many lines take.
pub(crate) const fn words_of(lines: usize) -> usize {
    (lines + 1) * LINE_WORDS
}

impl Lines {
    /// For so many connections at once.
    pub(crate) fn create(lines: usize) -> io::Result<Self> {
        SharedWords::create("palco-requests", words_of(lines)).map(|words| Self::Own(words.into()))
    }

    fn words(&self) -> &[AtomicU64] {
        match self {
            Self::Own(words) => words.words(),
            Self::Seats(seats) => seats.lines(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.words().len() / LINE_WORDS - 1
    }

    pub(crate) fn line(&self, index: usize) -> Words<'_> {
        Words(&self.words()[(index + 1) * LINE_WORDS..(index + 2) * LINE_WORDS])
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, Words<'_>)> {
        (0..self.count()).map(|index| (index, self.line(index)))
    }

    /// A serial number that no other connection has.
    pub(crate) fn next_serial(&self) -> u64 {
        self.words()[SERIALS].fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The line of a connection that is being held.
    pub(crate) fn find(&self, serial: u64) -> Option<(usize, Words<'_>)> {
        self.all().find(|(_, line)| line.serial() == serial)
    }

    /// Whether there has been such a connection.
    pub(crate) fn has_been(&self, serial: u64) -> bool {
        serial > 0 && serial <= self.words()[SERIALS].load(Ordering::Relaxed)
    }
}

impl Words<'_> {
    fn load(self, word: usize) -> u64 {
        self.0[word].load(Ordering::Acquire)
    }

    fn store(self, word: usize, value: u64) {
        self.0[word].store(value, Ordering::Release);
    }

    // The side that serves

    /// A connection has come. `serial` is written last: then the line is complete.
    pub(crate) fn open(self, serial: u64, peer: Option<SocketAddr>, thread: i32, socket: RawFd) {
        self.forget();
        self.store(THREAD, u64::try_from(thread).unwrap_or_default());
        self.store(SOCKET, u64::try_from(socket + 1).unwrap_or_default());
        if let Some(peer) = peer {
            let ip = match peer.ip() {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            let (high, low) = (ip.to_bits() >> 64, ip.to_bits() & u128::from(u64::MAX));
            self.store(PEER, high as u64);
            self.store(PEER + 1, low as u64);
            self.store(PEER + 2, u64::from(peer.port()) | 1 << 32);
        }
        self.store(SERIAL, serial);
    }

    /// The connection has ended. Also said by the parent of a process that has died.
    pub(crate) fn close(self) {
        self.store(SERIAL, 0);
        self.forget();
    }

    fn forget(self) {
        for word in &self.0[SERIAL + 1..] {
            word.store(0, Ordering::Release);
        }
    }

    pub(crate) fn begin(self, number: u64) {
        self.store(BEGAN, now_ms());
        self.store(PROGRESS, number << 1 | 1);
    }

    pub(crate) fn finish(self) {
        let progress = self.load(PROGRESS);
        if progress & 1 != 0 {
            self.store(PROGRESS, progress & !1);
        }
    }

    pub(crate) fn take_urgent(self) -> bool {
        self.load(URGENT) != 0 && self.0[URGENT].swap(0, Ordering::AcqRel) != 0
    }

    pub(crate) fn take_mark(self) -> bool {
        self.load(MARK) != 0 && self.0[MARK].swap(0, Ordering::AcqRel) != 0
    }

    pub(crate) fn set_inline(self) {
        self.store(INLINE, 1);
    }

    /// A call begins or has returned.
    pub(crate) fn note_call(self) {
        self.store(CALLS, self.load(CALLS).wrapping_add(1));
    }

    /// Nothing that was asked for one request is for the next.
    pub(crate) fn reset_nice(self) {
        if self.load(NICE) != 0 {
            self.store(NICE, 0);
        }
    }

    // The urgent side

    pub(crate) fn ask_to_cancel(self, number: u64) {
        self.store(CANCEL, number);
    }

    pub(crate) fn ask_to_hold(self, number: u64) {
        self.store(HOLD, number);
    }

    pub(crate) fn set_nice(self, nice: Nice) {
        self.store(NICE, NICE_OFFSET.wrapping_add_signed(i64::from(nice.value())));
    }

    pub(crate) fn set_mark(self) {
        self.store(MARK, 1);
    }

    pub(crate) fn is_urgent(self) -> bool {
        self.load(URGENT) != 0
    }

    pub(crate) fn set_urgent(self) {
        self.store(URGENT, 1);
    }

    // Both

    pub(crate) fn serial(self) -> u64 {
        self.load(SERIAL)
    }

    /// The number of the latest request, and whether it is being served.
    pub(crate) fn progress(self) -> (u64, bool) {
        let progress = self.load(PROGRESS);
        (progress >> 1, progress & 1 != 0)
    }

    /// The number of the request that is to be given up.
    pub(crate) fn cancelled(self) -> Option<u64> {
        Some(self.load(CANCEL)).filter(|number| *number != 0)
    }

    pub(crate) fn wanted_held(self) -> Option<u64> {
        Some(self.load(HOLD)).filter(|number| *number != 0)
    }

    pub(crate) fn nice(self) -> Option<Nice> {
        let word = self.load(NICE);
        let value = i8::try_from(word.wrapping_sub(NICE_OFFSET) as i64).ok();
        value.filter(|_| word != 0).and_then(Nice::new)
    }

    pub(crate) fn is_inline(self) -> bool {
        self.load(INLINE) != 0
    }

    /// The thread that serves, if it serves nobody else.
    pub(crate) fn thread(self) -> Option<i32> {
        i32::try_from(self.load(THREAD)).ok().filter(|thread| *thread > 0)
    }

    pub(crate) fn socket(self) -> Option<RawFd> {
        RawFd::try_from(self.load(SOCKET)).ok()?.checked_sub(1).filter(|socket| *socket >= 0)
    }

    /// The call that is going on, told apart from those before it by its connection, its number and its request's.
    pub(crate) fn call(self) -> Option<(u64, u64, u64)> {
        let (serial, calls, (request, _)) = (self.serial(), self.load(CALLS), self.progress());
        (serial != 0 && calls % 2 == 1).then_some((serial, calls, request))
    }

    /// For how long the latest request has been going on, in ms.
    pub(crate) fn age_ms(self) -> u64 {
        now_ms().saturating_sub(self.load(BEGAN))
    }

    pub(crate) fn peer(self) -> Option<SocketAddr> {
        let port = self.load(PEER + 2);
        let bits = u128::from(self.load(PEER)) << 64 | u128::from(self.load(PEER + 1));
        let ip = Ipv6Addr::from_bits(bits).to_canonical();
        (port >> 32 == 1).then(|| SocketAddr::new(ip, port as u16))
    }

    /// Where the request of this number stands, as far as the line tells: one that is held runs.
    pub(crate) fn state(self, number: u64) -> RequestState {
        match self.progress() {
            (latest, _) if number < latest => RequestState::Finished,
            (latest, true) if number == latest => RequestState::Running,
            (latest, false) if number == latest => RequestState::Finished,
            _ => RequestState::Queued,
        }
    }
}

/// The kernel's monotonic clock, which all processes share, as it was at its last tick: to about 4 ms.
fn now_ms() -> u64 {
    use nix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE);
    let ms = now.map(|now| now.tv_sec() * 1_000 + now.tv_nsec() / 1_000_000);
    ms.ok().and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_where_each_request_stands() {
        let lines = Lines::create(2).unwrap();
        let peer = "127.0.0.1:4711".parse().unwrap();
        let serial = lines.next_serial();
        lines.line(1).open(serial, Some(peer), 17, 5);
        let (index, line) = lines.find(serial).unwrap();
        assert_eq!(
            (index, line.peer(), line.thread(), line.socket()),
            (1, Some(peer), Some(17), Some(5))
        );
        assert_eq!(line.state(1), RequestState::Queued);
        line.begin(1);
        assert_eq!((line.state(1), line.state(2)), (RequestState::Running, RequestState::Queued));
        line.finish();
        line.begin(2);
        assert_eq!((line.state(1), line.state(2)), (RequestState::Finished, RequestState::Running));
        line.close();
        assert!(lines.find(serial).is_none());
        assert!(lines.has_been(serial) && !lines.has_been(serial + 1));
        assert_eq!(line.peer(), None);
    }

    #[test]
    fn every_nice_value_fits_into_its_word_and_any_word_is_read() {
        let lines = Lines::create(1).unwrap();
        let line = lines.line(0);
        assert_eq!(line.nice(), None);
        for nice in (-20..=19).filter_map(Nice::new) {
            line.set_nice(nice);
            assert_eq!(line.nice(), Some(nice));
        }
        for word in [1, 200, u64::MAX] {
            line.store(NICE, word);
            assert_eq!(line.nice(), None);
        }
    }
}
