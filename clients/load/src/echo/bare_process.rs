//! The floor for processes: echo servers in C, compiled by the compiler that is there.

use std::io::{self, PipeReader, Read};
use std::net::SocketAddr;

use palco_models::ModelKind;
use palco_processes::{Child, Launch, Signal, Spawner};

use super::bare::WORKERS;
use crate::compiled::{CompileError, Compiled};

/// A server design of processes, without any framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Design {
    /// A fork for each connection.
    Fork,
    /// Standing processes, each blocked in accept.
    Prefork,
}

/// Why there is no such server.
#[derive(thiserror::Error, Debug)]
pub(super) enum Unavailable {
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error("cannot start it: {0}")]
    Start(String),
}

impl Design {
    pub(super) const ALL: [Self; 2] = [Self::Fork, Self::Prefork];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fork => "C fork per connection",
            Self::Prefork => "C prefork",
        }
    }

    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Fork => "accept, fork, serve, exit",
            Self::Prefork => "8 processes in accept",
        }
    }

    /// The design that a model of palco in place `process` is compared with; another process is not a floor of one.
    pub(super) fn like(model: ModelKind) -> Option<Self> {
        match model {
            ModelKind::Iterative => None,
            ModelKind::PerConnection => Some(Self::Fork),
            ModelKind::Team => Some(Self::Prefork),
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Fork => include_str!("fork.c"),
            Self::Prefork => include_str!("prefork.c"),
        }
    }
}

/// A server in C; ends when dropped.
#[derive(Debug)]
pub(super) struct BareProcess {
    design: Design,
    child: Child,
    pipe: PipeReader,
    _program: Compiled,
}

impl BareProcess {
    /// Compiles it and starts it on a free port.
    pub(super) fn start(design: Design) -> Result<(Self, SocketAddr), Unavailable> {
        let failed = |error: io::Error| Unavailable::Start(error.to_string());
        let program = Compiled::new("echo", design.source())?;
        let (pipe, writer) = io::pipe().map_err(failed)?;
        let launch = Launch::new(program.path()).arg0("palco-bench-echo").fd(1, writer);
        let launch = launch.arg(WORKERS.to_string()).quiet_stdin().death_signal(Signal::SIGKILL);
        let spawner = Spawner::new().map_err(failed)?;
        let child = spawner.spawn_blocking(launch);
        let child = child.map_err(|error| Unavailable::Start(error.to_string()))?;
        let mut server = Self { design, child, pipe, _program: program };
        let port = u16::try_from(server.number().map_err(failed)?);
        let port = port.map_err(|error| Unavailable::Start(error.to_string()))?;
        Ok((server, SocketAddr::from(([127, 0, 0, 1], port))))
    }

    /// Processor time of the children it has reaped, which nobody but itself is told, in nanoseconds.
    pub(super) fn reaped_nanos(&mut self) -> io::Result<u64> {
        match self.design {
            Design::Fork => {
                self.child.signal(Signal::SIGUSR1)?;
                self.number()
            }
            Design::Prefork => Ok(0),
        }
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut number = [0; 8];
        self.pipe.read_exact(&mut number)?;
        Ok(u64::from_ne_bytes(number))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn both_designs_echo_and_the_one_that_forks_says_what_its_children_used() {
        for design in Design::ALL {
            let (mut server, address) = match BareProcess::start(design) {
                Err(Unavailable::Compile(CompileError::NoCompiler)) => return,
                started => started.unwrap(),
            };
            for _ in 0..3 {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(b"there").unwrap();
                let mut answer = [0; 5];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(&answer, b"there");
            }
            crate::family::settle();
            assert_eq!(server.reaped_nanos().unwrap() > 0, design == Design::Fork);
        }
    }
}
