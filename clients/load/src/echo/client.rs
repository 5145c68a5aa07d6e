//! The client: one thread, blocking, checks every byte.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::cpu;

const MESSAGE: [u8; 64] = *b"the quick brown fox jumps over the lazy dog, 64 bytes in a row.\n";

/// A server that says nothing for this long is broken.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What one turn has measured.
pub(super) struct Sample {
    /// Latency of each operation in nanoseconds.
    pub(super) nanos: Vec<u64>,
    /// Processor time of everything but the client, in nanoseconds.
    pub(super) server_cpu_nanos: u64,
}

/// Connects, asks once, resets, `count` times.
pub(super) fn connections(address: SocketAddr, count: usize) -> io::Result<Sample> {
    measured(count, || {
        let mut stream = open(address)?;
        ask(&mut stream)?;
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))
    })
}

/// Asks `count` times over one connection.
pub(super) fn round_trips(address: SocketAddr, count: usize) -> io::Result<Sample> {
    let mut stream = open(address)?;
    ask(&mut stream)?;
    measured(count, || ask(&mut stream))
}

fn measured(count: usize, mut operation: impl FnMut() -> io::Result<()>) -> io::Result<Sample> {
    let mut nanos = Vec::with_capacity(count);
    let (process, client) = (cpu::process_nanos(), cpu::thread_nanos());
    for _ in 0..count {
        let begun = Instant::now();
        operation()?;
        nanos.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    let client = cpu::thread_nanos() - client;
    let server_cpu_nanos = (cpu::process_nanos() - process).saturating_sub(client);
    Ok(Sample { nanos, server_cpu_nanos })
}

fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    Ok(stream)
}

fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&MESSAGE)?;
    let mut answer = [0; MESSAGE.len()];
    stream.read_exact(&mut answer)?;
    if answer == MESSAGE {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "other bytes came back"))
    }
}
