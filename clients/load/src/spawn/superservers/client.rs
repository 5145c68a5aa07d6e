//! The clients: blocking, each on a thread of its own, each sure that it was served.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const MESSAGE: [u8; 64] = *b"the quick brown fox jumps over the lazy dog, 64 bytes in a row.\n";

/// A program that says nothing for this long, and does not end, is broken.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a client does with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// It says nothing, and reads until the program has ended; a byte would be wrong.
    UntilEnd,
    /// It sends 64 bytes, says that they are all, and reads until the program has ended; other bytes would be wrong.
    Echo,
}

/// What came of many connections.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Of each that was served: from connecting to the end of input.
    pub(super) nanos: Vec<u64>,
    pub(super) wall_nanos: u64,
    pub(super) failures: u64,
    /// The first one that this client saw.
    pub(super) failure: Option<String>,
}

impl Asked {
    fn add(mut self, other: Self) -> Self {
        self.nanos.extend(other.nanos);
        self.failures += other.failures;
        self.failure = self.failure.or(other.failure);
        self
    }
}

/// `clients` open `count` connections in all, each one after the other, and begin none when `within` is over.
pub(super) fn ask(
    address: SocketAddr,
    exchange: Exchange,
    clients: usize,
    count: usize,
    within: Duration,
) -> Asked {
    let begun = Instant::now();
    let left = AtomicUsize::new(count);
    let client = || {
        let mut asked = Asked::default();
        while begun.elapsed() < within
            && left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok()
        {
            let connected = Instant::now();
            match once(address, exchange) {
                Ok(()) => asked.nanos.push(nanos(connected.elapsed())),
                Err(error) => {
                    asked.failures += 1;
                    asked.failure.get_or_insert_with(|| error.to_string());
                }
            }
        }
        asked
    };
    let asked = if clients == 1 {
        client()
    } else {
        thread::scope(|scope| {
            let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
            let asked = clients.into_iter().map(|client| client.join().expect("it only counts"));
            asked.fold(Asked::default(), Asked::add)
        })
    };
    Asked { wall_nanos: nanos(begun.elapsed()), ..asked }
}

/// One connection, from its beginning to its end.
///
/// # Errors
/// The kernel's, a reset among them; `InvalidData` when other bytes came than had to.
pub(super) fn once(address: SocketAddr, exchange: Exchange) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let expected: &[u8] = match exchange {
        Exchange::UntilEnd => &[],
        Exchange::Echo => {
            stream.write_all(&MESSAGE)?;
            stream.shutdown(Shutdown::Write)?;
            &MESSAGE
        }
    };
    // One byte more than there can be: a program that does not stop speaking is found out.
    let mut heard = [0; MESSAGE.len() + 1];
    let mut length = 0;
    loop {
        match stream.read(&mut heard[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(io::Error::new(ErrorKind::TimedOut, "said nothing for 10 s"));
            }
            Err(error) => return Err(error),
        }
    }
    if heard[..length] == *expected {
        return Ok(());
    }
    let said = format!("{length} bytes came back, not the {} that had to", expected.len());
    Err(io::Error::new(ErrorKind::InvalidData, said))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use socket2::SockRef;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    /// Serves `count` connections as `serve` says, while `ask` runs.
    fn served<T>(
        count: usize,
        serve: impl Fn(TcpStream) + Sync,
        ask: impl FnOnce(SocketAddr) -> T,
    ) -> T {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| (0..count).for_each(|_| serve(listener.accept().unwrap().0)));
            ask(address)
        })
    }

    fn echo(mut stream: TcpStream) {
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        stream.write_all(&heard).unwrap();
    }

    #[test]
    fn several_clients_share_the_connections_and_time_each() {
        for clients in [1, 3] {
            let asked = served(10, echo, |address| ask(address, Exchange::Echo, clients, 10, LONG));
            assert_eq!((asked.nanos.len(), asked.failures), (10, 0), "{:?}", asked.failure);
            assert!(asked.nanos.iter().all(|nanos| (1..=asked.wall_nanos).contains(nanos)));
        }
    }

    #[test]
    fn nothing_is_begun_when_the_time_is_over() {
        let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
        let asked = ask(nobody, Exchange::UntilEnd, 1, 10, Duration::ZERO);
        assert_eq!((asked.nanos.len(), asked.failures), (0, 0));
    }

    #[test]
    fn a_reset_is_a_failure_and_is_named() {
        let reset = |stream: TcpStream| {
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        };
        let asked = served(2, reset, |address| ask(address, Exchange::UntilEnd, 1, 2, LONG));
        assert_eq!((asked.nanos.len(), asked.failures), (0, 2));
        assert!(asked.failure.unwrap().to_lowercase().contains("reset"));
    }

    #[test]
    fn silence_is_the_end_of_true_and_no_echo() {
        served(1, drop, |address| once(address, Exchange::UntilEnd)).unwrap();
        let read = |mut stream: TcpStream| drop(stream.read_to_end(&mut Vec::new()));
        let error = served(1, read, |address| once(address, Exchange::Echo)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn other_bytes_and_more_bytes_are_wrong() {
        for said in [vec![b'x'; MESSAGE.len()], [MESSAGE, MESSAGE].concat()] {
            let serve = |mut stream: TcpStream| {
                stream.read_to_end(&mut Vec::new()).unwrap();
                // Who says too much may be hung up on.
                let _ = stream.write_all(&said);
            };
            let error = served(1, serve, |address| once(address, Exchange::Echo)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
        }
    }
}
