//! How one process takes over from another, over the control socket: messages, with sockets between them. What is said is
//! in `inetd/succession.rs` for a superserver, and in `stage/succession.rs` for servers.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest message, in bytes: some ten thousand programs.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Sockets in one go: the kernel passes no more than 253.
const PASSED_AT_ONCE: usize = 250;

/// Who says nothing for so long is given up.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The old one has let go of the control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Released;

/// A message: its length in four bytes, then JSON. Never reads beyond it: descriptors may follow.
pub(crate) fn send(mut stream: &UnixStream, message: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).context("a message is too long")?;
    stream.write_all(&length.to_be_bytes())?;
    Ok(stream.write_all(&text)?)
}

pub(crate) fn receive<T: DeserializeOwned>(mut stream: &UnixStream) -> Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length))?;
    ensure!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes");
    let mut text = vec![0; length];
    stream.read_exact(&mut text)?;
    serde_json::from_slice(&text).context("not understood; is it another version?")
}

pub(crate) fn send_sockets(stream: &UnixStream, sockets: &[OwnedFd]) -> Result<()> {
    for some in sockets.chunks(PASSED_AT_ONCE) {
        let borrowed: Vec<_> = some.iter().map(AsFd::as_fd).collect();
        palco_processes::send_with(stream.as_fd(), b"x", &borrowed)?;
    }
    Ok(())
}

pub(crate) fn receive_sockets(stream: &UnixStream, count: usize) -> Result<Vec<OwnedFd>> {
    let mut sockets = Vec::new();
    while sockets.len() < count {
        let (bytes, some) = palco_processes::receive_with(stream.as_fd(), 1, PASSED_AT_ONCE)?;
        ensure!(!bytes.is_empty() && !some.is_empty(), "the sockets did not come");
        sockets.extend(some);
    }
    ensure!(sockets.len() == count, "{} sockets instead of {count}", sockets.len());
    Ok(sockets)
}
