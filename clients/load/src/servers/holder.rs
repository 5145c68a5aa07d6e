//! Which process of a server holds a connection, by the inode of its socket; and how busy each of its threads was.

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;

/// The process among `pids` that holds the server's end of the connection from `client`, the last of them if there are
/// several; nothing if nobody has accepted it.
pub(super) fn holder(pids: &[i32], server: SocketAddr, client: SocketAddr) -> Option<i32> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = table.lines().find_map(|line| inode_of(line, server, client))?;
    let wanted = format!("socket:[{inode}]");
    let holds = |pid: &&i32| {
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        let is_it = |file: fs::DirEntry| {
            fs::read_link(file.path()).is_ok_and(|link| link == Path::new(&wanted))
        };
        files.flatten().any(is_it)
    };
    pids.iter().rev().find(holds).copied()
}

/// The inode in a line of `/proc/net/tcp` (`proc_pid_net(5)`) if it is this connection as its server sees it; 0, a socket
/// that was not accepted yet, is none.
fn inode_of(line: &str, server: SocketAddr, client: SocketAddr) -> Option<u64> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let is_it = address(fields.get(1)?)? == server && address(fields.get(2)?)? == client;
    let inode = fields.get(9)?.parse().ok()?;
    (is_it && inode != 0).then_some(inode)
}

/// `0100007F:1F90`: the address as it lies in this machine's memory, the port as a number.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let ip = Ipv4Addr::from(u32::from_str_radix(ip, 16).ok()?.to_ne_bytes());
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddrV4::new(ip, port).into())
}

/// Processor time of every thread of these processes, in nanoseconds.
pub(super) fn threads(pids: &[i32]) -> HashMap<i32, u64> {
    let tasks = pids.iter().filter_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok());
    let threads = tasks.flatten().flatten().filter_map(|task| {
        let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        let nanos = stat.split_ascii_whitespace().next()?.parse().ok()?;
        Some((task.file_name().to_str()?.parse().ok()?, nanos))
    });
    threads.collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_is_held_once_it_is_accepted() {
        let own = i32::try_from(std::process::id()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let stream = TcpStream::connect(server).unwrap();
        let client = stream.local_addr().unwrap();
        assert_eq!(holder(&[own], server, client), None);
        let accepted = listener.accept().unwrap();
        assert_eq!(holder(&[own], server, client), Some(own));
        assert_eq!(holder(&[1], server, client), None);
        drop(accepted);
    }

    #[test]
    fn an_address_is_read_as_the_kernel_writes_it() {
        let expected = SocketAddr::from(([127, 0, 0, 1], 8080));
        let text = format!("{:08X}:1F90", u32::from_ne_bytes([127, 0, 0, 1]));
        assert_eq!(address(&text), Some(expected));
        assert_eq!(address("nonsense"), None);
        assert_eq!(inode_of("  sl  local_address", expected, expected), None);
    }

    #[test]
    fn the_threads_of_this_process_have_worked() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(threads(&[own]).values().sum::<u64>() > 0);
    }
}
