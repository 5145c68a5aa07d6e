//! Descriptors on an event loop.

use std::io;
use std::os::fd::AsRawFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Has the loop of the calling task say when `owner`'s descriptor can be read from. `owner` must own it.
pub(crate) fn watch<T: AsRawFd>(owner: T) -> io::Result<AsyncFd<T>> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe; all that is watched here owns its descriptor as long as it lives"
    )]
    AsyncFd::with_interest(owner, Interest::READABLE)
}
