//! One process takes the sockets over from another, over the control socket; clients wait in the kernel meanwhile.
//!
//! ```text
//! new → old  take-over
//! old → new  offered: addresses, with the sockets       (the old one still accepts)
//! new → old  ready                                      (everything is bound)
//! old → new  withdrawn: programs that still run         (clients wait)
//! new → old  open                                       (the new one accepts)
//! old → new  released                                   (the control socket can be taken)
//! ```
//!
//! If the new one goes away before it is open, the old one resumes; if the old one goes away, the new one goes on.

mod new;
mod old;

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, ensure};
use palco_superserver::Heir;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) use new::Succession;
pub(crate) use old::hand_over;

/// The longest message, in bytes: some ten thousand programs.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Sockets in one go: the kernel passes no more than 253.
const PASSED_AT_ONCE: usize = 250;

/// What the old one has.
#[derive(Debug, Serialize, Deserialize)]
struct Offered {
    pid: u32,
    addresses: Vec<String>,
}

/// The new one has bound everything.
#[derive(Debug, Serialize, Deserialize)]
struct Ready;

/// The old one accepts no more.
#[derive(Debug, Serialize, Deserialize)]
struct Withdrawn {
    heirs: Vec<Heir>,
}

/// The new one accepts.
#[derive(Debug, Serialize, Deserialize)]
struct Open;

/// The old one has let go of the control socket.
#[derive(Debug, Serialize, Deserialize)]
struct Released;

/// A message: its length in four bytes, then JSON. Never reads beyond it: descriptors may follow.
fn send(mut stream: &UnixStream, message: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).context("a message is too long")?;
    stream.write_all(&length.to_be_bytes())?;
    Ok(stream.write_all(&text)?)
}

fn receive<T: DeserializeOwned>(mut stream: &UnixStream) -> Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length))?;
    ensure!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes");
    let mut text = vec![0; length];
    stream.read_exact(&mut text)?;
    serde_json::from_slice(&text).context("not understood; is it another version?")
}

fn send_sockets(stream: &UnixStream, sockets: &[OwnedFd]) -> Result<()> {
    for some in sockets.chunks(PASSED_AT_ONCE) {
        let borrowed: Vec<_> = some.iter().map(AsFd::as_fd).collect();
        palco_processes::send_with(stream.as_fd(), b"x", &borrowed)?;
    }
    Ok(())
}

fn receive_sockets(stream: &UnixStream, count: usize) -> Result<Vec<OwnedFd>> {
    let mut sockets = Vec::new();
    while sockets.len() < count {
        let (bytes, some) = palco_processes::receive_with(stream.as_fd(), 1, PASSED_AT_ONCE)?;
        ensure!(!bytes.is_empty() && !some.is_empty(), "the sockets did not come");
        sockets.extend(some);
    }
    ensure!(sockets.len() == count, "{} sockets instead of {count}", sockets.len());
    Ok(sockets)
}
