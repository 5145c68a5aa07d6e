//! The client: one thread, blocking, checks every byte.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::bare_process::BareProcess;
use crate::{cpu, family};

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

/// A server and who knows what it uses.
pub(super) struct Server<'a> {
    pub(super) address: SocketAddr,
    /// One that reaps children of its own.
    pub(super) process: Option<&'a mut BareProcess>,
}

impl Server<'_> {
    /// Connects, asks once, resets, `count` times; and a tenth more before, not counted.
    pub(super) fn connections(&mut self, count: usize) -> io::Result<Sample> {
        let address = self.address;
        let operation = || {
            let mut stream = open(address)?;
            ask(&mut stream)?;
            SockRef::from(&stream).set_linger(Some(Duration::ZERO))
        };
        self.measured(count, operation)
    }

    /// Asks `count` times over one connection; and a tenth more before, not counted.
    pub(super) fn round_trips(&mut self, count: usize) -> io::Result<Sample> {
        let mut stream = open(self.address)?;
        self.measured(count, || ask(&mut stream))
    }

    fn measured(
        &mut self,
        count: usize,
        mut operation: impl FnMut() -> io::Result<()>,
    ) -> io::Result<Sample> {
        for _ in 0..count.div_ceil(10) {
            operation()?;
        }
        let mut nanos = Vec::with_capacity(count);
        family::settle();
        let others = self.others_nanos()?;
        let (process, client) = (cpu::process_nanos(), cpu::thread_nanos());
        for _ in 0..count {
            let begun = Instant::now();
            operation()?;
            nanos.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        // What a server does after the last answer, as ending a process, is part of its work.
        family::settle();
        let client = cpu::thread_nanos() - client;
        let own = (cpu::process_nanos() - process).saturating_sub(client);
        let others = self.others_nanos()?.saturating_sub(others);
        Ok(Sample { nanos, server_cpu_nanos: own + others })
    }

    /// Processor time of all other processes that the servers are made of.
    fn others_nanos(&mut self) -> io::Result<u64> {
        let reaped = match &mut self.process {
            Some(process) => process.reaped_nanos()?,
            None => 0,
        };
        Ok(reaped + family::others_nanos())
    }
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
