//! The floor: echo servers written with std's calls alone, one for each design.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use palco_models::ModelKind;

/// Threads of the prethreaded server, and processes of the preforked one: as many as palco's team has by default.
pub(super) const WORKERS: usize = 8;

const BUFFER_BYTES: usize = 4 << 10;

/// A server design without any framework.
#[derive(Clone, Copy, Debug)]
pub(super) enum Design {
    /// One thread serves one client after the other.
    Iterative,
    /// `thread::spawn` for each connection.
    ThreadPerConnection,
    /// Standing threads, each blocked in accept.
    Prethreaded,
}

impl Design {
    pub(super) const ALL: [Self; 3] =
        [Self::Iterative, Self::ThreadPerConnection, Self::Prethreaded];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Iterative => "iterative",
            Self::ThreadPerConnection => "thread per connection",
            Self::Prethreaded => "prethreaded",
        }
    }

    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Iterative => "accept, serve, accept",
            Self::ThreadPerConnection => "thread::spawn for each",
            Self::Prethreaded => "8 threads in accept",
        }
    }

    /// The design that a model of palco is compared with.
    pub(super) fn like(model: ModelKind) -> Self {
        match model {
            ModelKind::Iterative => Self::Iterative,
            ModelKind::PerConnection => Self::ThreadPerConnection,
            ModelKind::Team => Self::Prethreaded,
        }
    }

    /// Starts it on a free port; it runs as long as the process.
    pub(super) fn start(self) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        match self {
            Self::Iterative => {
                thread::spawn(move || listener.incoming().flatten().for_each(serve));
            }
            Self::ThreadPerConnection => {
                thread::spawn(move || {
                    for stream in listener.incoming().flatten() {
                        thread::spawn(move || serve(stream));
                    }
                });
            }
            Self::Prethreaded => {
                let listener = Arc::new(listener);
                for _ in 0..WORKERS {
                    let listener = Arc::clone(&listener);
                    thread::spawn(move || listener.incoming().flatten().for_each(serve));
                }
            }
        }
        Ok(address)
    }
}

/// Until the client ends or breaks.
fn serve(mut stream: TcpStream) {
    let mut buffer = [0; BUFFER_BYTES];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}
