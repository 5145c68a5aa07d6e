//! When a program that accepts its clients itself has nothing to do.

use std::fs;
use std::time::{Duration, Instant};

use palco_processes::usage;
use socket2::Socket;

use super::beside::Beside;

/// State `ESTABLISHED` in /proc/net/tcp.
const ESTABLISHED: &str = "01";
/// State `CONNECTED` in /proc/net/unix.
const CONNECTED: &str = "03";
/// Looks within one limit.
const LOOKS: u32 = 4;
/// Between two looks at least.
const LOOK_AT_LEAST: Duration = Duration::from_millis(50);

/// Idle for as long as nobody is connected to any of its sockets; if it has none for connections, for as long as the
/// program uses no processor time.
pub(crate) struct Unused {
    limit: Duration,
    pid: i32,
    ports: Vec<u16>,
    paths: Vec<String>,
    used: Instant,
    cpu: Duration,
}

impl Unused {
    /// `None` without a limit.
    pub(crate) fn new(limit: Option<Duration>, pid: i32, sockets: &[Socket]) -> Option<Self> {
        let mut ports = Vec::new();
        let mut paths = Vec::new();
        for socket in sockets {
            let Ok(address) = socket.local_addr() else { continue };
            let listens = socket.is_listener().unwrap_or(false);
            ports.extend(address.as_socket().filter(|_| listens).map(|at| at.port()));
            paths.extend(
                address.as_pathname().filter(|_| listens).map(|at| at.display().to_string()),
            );
        }
        Some(Self { limit: limit?, pid, ports, paths, used: Instant::now(), cpu: Duration::ZERO })
    }

    fn is_used(&mut self) -> bool {
        if self.ports.is_empty() && self.paths.is_empty() {
            let cpu = usage(self.pid).map_or(self.cpu, |usage| usage.cpu);
            return std::mem::replace(&mut self.cpu, cpu) != cpu;
        }
        let read = |table: &str| fs::read_to_string(table).unwrap_or_default();
        let tcp = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
        (!self.ports.is_empty()
            && tcp.iter().any(|table| has_connection(&read(table), &self.ports)))
            || (!self.paths.is_empty()
                && has_unix_connection(&read("/proc/self/net/unix"), &self.paths))
    }
}

impl Beside for Option<Unused> {
    fn next(&self) -> Option<Duration> {
        self.as_ref().map(|unused| (unused.limit / LOOKS).max(LOOK_AT_LEAST))
    }

    fn is_over(&mut self) -> bool {
        let Some(unused) = self else { return false };
        if unused.is_used() {
            unused.used = Instant::now();
        }
        unused.used.elapsed() >= unused.limit
    }
}

/// Whether the text of /proc/net/tcp (proc(5)) has a connection of one of these ports, accepted or not.
fn has_connection(table: &str, ports: &[u16]) -> bool {
    let is_one = |line: &str| -> Option<bool> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = u16::from_str_radix(fields.next()?.rsplit(':').next()?, 16).ok()?;
        Some(ports.contains(&local) && fields.nth(1)? == ESTABLISHED)
    };
    table.lines().skip(1).any(|line| is_one(line).unwrap_or(false))
}

/// Whether the text of /proc/net/unix has a connection of one of these paths, accepted or not.
fn has_unix_connection(table: &str, paths: &[String]) -> bool {
    let is_one = |line: &str| -> Option<bool> {
        let mut fields = line.split_ascii_whitespace();
        let state = fields.nth(5)?;
        let path = fields.nth(1)?;
        Some(state == CONNECTED && paths.iter().any(|known| known == path))
    };
    table.lines().skip(1).any(|line| is_one(line).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    fn unused(socket: &Socket) -> Unused {
        Unused::new(Some(Duration::ZERO), 1, std::slice::from_ref(socket)).unwrap()
    }

    #[test]
    fn a_connection_that_nobody_has_accepted_yet_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Socket::from(listener);
        let mut unused = unused(&listener);
        assert!(!unused.is_used());
        let client = TcpStream::connect(address).unwrap();
        assert!(unused.is_used());
        drop(client);
    }

    #[test]
    fn a_connection_to_a_path_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let accepting = listener.try_clone().unwrap();
        let mut unused = unused(&listener.into());
        assert!(!unused.is_used());
        let _client = UnixStream::connect(&path).unwrap();
        let _accepted = accepting.accept().unwrap();
        assert!(unused.is_used());
    }

    #[test]
    fn odd_lines_are_no_connections() {
        assert!(!has_connection("head\ngarbage\n 0: 1:0019\n", &[25]));
        assert!(has_connection("head\n 0: 0100007F:0019 0100007F:9999 01 rest\n", &[25]));
        assert!(!has_connection("head\n 0: 00000000:0019 00000000:0000 0A rest\n", &[25]));
        assert!(!has_unix_connection("head\n0: 2 0 0 1 03 17\n", &["/x".to_owned()]));
    }
}
