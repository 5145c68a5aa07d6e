//! Writes to a socket that blocks, which do not block for longer than they may.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};
use palco_actors::Time;

use super::ThreadStream;
use crate::timer::Timer;

/// Writes what fits into the send buffer; none if nothing does.
pub(super) fn write_at_once(socket: RawFd, bytes: &[u8]) -> io::Result<Option<usize>> {
    match send(socket, bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
        Err(Errno::EAGAIN) => Ok(None),
        written => Ok(Some(written?)),
    }
}

/// Writes once, as soon as something fits into the send buffer; none if that is not so before `until`.
pub(super) fn write_until(
    socket: &ThreadStream,
    bytes: &[u8],
    timer: &Timer<'_>,
    until: Time,
) -> io::Result<Option<usize>> {
    loop {
        if let Some(written) = write_at_once(socket.as_raw_fd(), bytes)? {
            return Ok(Some(written));
        }
        let Some(left) = timer.left(until) else { return Ok(None) };
        // Rounded up: else the last millisecond would be spent looking.
        let timeout = PollTimeout::try_from(left + Duration::from_millis(1));
        let mut room = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
        poll(&mut room, timeout.unwrap_or(PollTimeout::MAX))?;
    }
}
